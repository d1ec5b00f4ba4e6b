"""Many series of times at once, as flat arrays: the events of each pair follow those of the pair before."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def starts_of(counts: Ints) -> Ints:
    """Where each series begins, and the end of the last."""
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def sorted_within(values: Ints, starts: Ints) -> Ints:
    """Values in order within each series: one sort of one integer for each value, series above value."""
    if len(values) == 0:
        return values
    low = int(values.min())
    bits = max(int(values.max() - low).bit_length(), 1)
    keys = np.repeat(np.arange(len(starts) - 1, dtype=np.int64) << bits, np.diff(starts))
    keys |= values - low
    keys.sort()
    ordered: Ints = (keys & ((1 << bits) - 1)) + low
    return ordered


def order_within(series: Ints, values: Ints, *finer: Ints) -> Ints:
    """Places of the values in order within each series, those that are equal by `finer`, the first of it first.

    One sort of one integer for each value; only the few that are equal are sorted by everything.
    """
    if len(values) == 0:
        return values
    low = int(values.min())
    keys = series << max(int(values.max() - low).bit_length(), 1) | values - low
    order = np.argsort(keys, kind="stable")
    same = np.diff(keys[order]) == 0
    equal = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
    among = order[equal]
    order[equal] = among[np.lexsort((*(one[among] for one in reversed(finer)), keys[among]))]
    return np.asarray(order, dtype=np.int64)


def steps(values: Ints, starts: Ints) -> tuple[Ints, Ints]:
    """Differences above zero between neighbours of each series, and where those of each series begin."""
    found = np.diff(values, prepend=values[:1])
    found[starts[:-1][np.diff(starts) > 0]] = 0
    kept = found > 0
    before = np.concatenate(([0], np.cumsum(kept)))
    return found[kept], before[starts]


def median(ordered: Ints, begin: Ints, count: Ints) -> Floats:
    """Medians of stretches that are in order and not empty."""
    low, high = ordered[begin + (count - 1) // 2], ordered[begin + count // 2]
    return np.asarray((low + high) / 2, dtype=np.float64)
