"""RITA's beacon score, as RITA v5.1.1 computes it, for many pairs at once.

Kept beside our own score because it is what the field knows. Events are whole seconds; bytes are those of
the IP layer that the client sent. Four marks from 0 to 1, each a quarter of the score:

- `ts`, `ds`: how symmetric and how narrow the pauses and the sizes are (Bowley's skewness, median deviation);
- `hist`: how even the 24 bins of the window are, or how well two heights of bars describe them;
- `dur`: how much of the window lies between first and last event, or how many hours follow without a hole.

Known limits: memoryless traffic of one size all day reaches .75; the window is that of the data set, so
unrelated traffic changes the score; missed check-ins and working hours break `ts`.
Source: activecm/rita v5.1.1 (formulas, restated).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from playbooks.scoping.series import Floats, Ints, median, sorted_within, starts_of, steps

BINS = 24
MIN_SECONDS = 4  # distinct seconds; fewer are not scored
STROBE = 86_400  # connections from which a pair is a strobe and no beacon
MIN_HOURS = 6  # bars from which a duration is told
IDEAL_HOURS = 12  # an unbroken run of this many bars is full consistency
MIN_BARS = 11  # bars from which two heights are looked for
SENSITIVITY = 0.05  # bars closer than this share of the highest are of one height
LEAST_RANGE = 10  # of the quartiles, below which skewness says nothing
DAY_S = 86_400


def score(times: npt.NDArray[np.generic], sizes: npt.NDArray[np.generic], window: tuple[float, float]) -> float | None:
    """RITA's score of one pair, of all the events given; see `scores`. None where RITA would not score."""
    order = np.argsort(times, kind="stable")
    starts = np.array([0, len(order)])
    seconds = np.floor(np.asarray(times)[order]).astype(np.int64)
    found = float(scores(starts, seconds, np.asarray(sizes)[order].astype(np.int64), window)[0])
    return None if np.isnan(found) else found


def scores(starts: Ints, seconds: Ints, sizes: Ints, window: tuple[float, float]) -> Floats:
    """RITA's score of each pair.

    Parameters
    ----------
    starts
        Where the events of each pair begin, and the end of the last: one longer than the pairs.
    seconds
        Whole seconds of the events, in order within each pair.
    sizes
        Bytes sent at the IP layer, those of each pair at the same places, in any order.
    window
        First and last second of the data set, as `window` gives it.

    Returns
    -------
    Array of floats
        0 to 1, three decimals; NaN where RITA would not score: fewer than four distinct seconds, fewer than
        three pauses, or a strobe.
    """
    found = np.full(len(starts) - 1, np.nan)
    if len(seconds) == 0 or window[1] <= window[0]:
        return found
    counts = np.diff(starts)
    gaps, gap_starts = steps(seconds, starts)
    fit = (np.diff(gap_starts) >= MIN_SECONDS - 1) & (counts < STROBE)
    if not fit.any():
        return found
    chosen = np.flatnonzero(fit)
    of_event = np.repeat(fit, counts)
    seconds, sizes = seconds[of_event], sizes[of_event]
    starts = starts_of(counts[chosen])
    gaps = gaps[np.repeat(fit, np.diff(gap_starts))]
    gap_starts = starts_of(np.diff(gap_starts)[chosen])
    bars = histogram(starts, seconds, window)
    marks = (
        spread_mark(gaps, gap_starts, 1.0),
        spread_mark(sizes, starts, 0.0),
        duration_mark(seconds[starts[:-1]], seconds[starts[1:] - 1], bars, window),
        histogram_mark(bars),
    )
    found[chosen] = round3(sum(marks, np.zeros(len(chosen))) / len(marks))
    return found


def window(first: float, last: float) -> tuple[float, float]:
    """The last 24 hours of a data set, or all of a shorter one, in whole seconds."""
    return float(max(np.floor(last) - DAY_S, np.floor(first))), float(np.floor(last))


def counted_from(window: tuple[float, float]) -> float:
    """Events count from the start of the hour in which the window begins; histogram and duration do not."""
    return float(window[0] // 3600 * 3600)


def round3(values: Floats) -> Floats:
    """Three decimals, halves up."""
    return np.asarray(np.floor(1000 * values + 0.5) / 1000, dtype=np.float64)


def _ceil3(values: Floats) -> Floats:
    return np.asarray(np.ceil(1000 * values) / 1000, dtype=np.float64)


def spread_mark(values: Ints, starts: Ints, default: float) -> Floats:
    """Mean of symmetry and narrowness of the values of each pair (three or more): `ts` and `ds`."""
    ordered = sorted_within(values, starts)
    begin, count = starts[:-1], np.diff(starts)
    middle = median(ordered, begin, count)
    deviations = np.abs(2 * ordered - np.repeat((2 * middle).astype(np.int64), count))
    deviation = median(sorted_within(deviations, starts), begin, count) / 2
    return round3((symmetry(ordered, begin, count) + narrowness(middle, deviation, default)) / 2)


def symmetry(ordered: Ints, begin: Ints, count: Ints) -> Floats:
    """1 less Bowley's skewness; the halves leave out the middle value of an odd count."""
    half = count // 2
    low, middle = median(ordered, begin, half), median(ordered, begin, count)
    high = median(ordered, begin + count - half, half)
    unclear = (high - low < LEAST_RANGE) | (middle == low) | (middle == high)
    skew = (low + high - 2 * middle) / np.where(unclear, 1.0, high - low)
    return np.asarray(1 - np.abs(np.where(unclear, 0.0, skew)), dtype=np.float64)


def narrowness(middle: Floats, deviation: Floats, default: float) -> Floats:
    """What the median deviation leaves of the median; `default` where the median is below one."""
    small = middle < 1
    left = (middle - deviation) / np.where(small, 1.0, middle)
    return np.asarray(np.where(small, default, np.maximum(left, 0.0)), dtype=np.float64)


def histogram(starts: Ints, seconds: Ints, window: tuple[float, float], bins: int = BINS) -> Ints:
    """Events per bin of the window (pairs × bins); what lies before it is counted in the first bin, as RITA does."""
    edges = np.linspace(window[0], window[1], bins + 1)
    at = np.clip(np.searchsorted(edges, seconds, side="right") - 1, 0, bins - 1)
    pair = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    counted = np.bincount(pair * bins + at, minlength=(len(starts) - 1) * bins)
    return counted.reshape(-1, bins).astype(np.int64)


def histogram_mark(bars: Ints, min_bars: int = MIN_BARS) -> Floats:
    """The better of evenness and two heights."""
    return np.maximum(evenness(bars), two_heights(bars, min_bars))


def evenness(bars: Ints) -> Floats:
    """1 less the coefficient of variation of all bins, at least 0."""
    mean = bars.mean(axis=1)
    varies = bars.std(axis=1) / np.where(mean == 0, 1, mean)
    return np.asarray(np.where((varies > 1) | (mean == 0), 0.0, round3(1 - varies)), dtype=np.float64)


def heights(bars: Ints, sensitivity: float = SENSITIVITY) -> Ints:
    """The height of each bar, with those that lie close together as one; 0 stays 0."""
    step = np.maximum(np.ceil(sensitivity * bars.max(axis=1, keepdims=True)), 1).astype(np.int64)
    return np.where(bars > 0, np.maximum(bars // step * step, 0), -1)


def two_heights(bars: Ints, min_bars: int = MIN_BARS) -> Floats:
    """Share of the bars, one outlier left out, that are of the two commonest heights."""
    grouped = heights(bars)
    same = (grouped[:, :, None] == grouped[:, None, :]).sum(axis=2)
    same[grouped < 0] = 0
    rows = np.arange(len(bars))
    at = same.argmax(axis=1)
    largest = same[rows, at]
    same[grouped == grouped[rows, at][:, None]] = 0
    filled = (bars > 0).sum(axis=1)
    share = (largest + same.max(axis=1)) / np.maximum(filled - 1, 1)
    enough = (filled >= min_bars) & (min_bars >= 3)
    return np.asarray(np.where(enough, np.minimum(round3(share), 1.0), 0.0), dtype=np.float64)


def longest_run(bars: Ints) -> Ints:
    """Longest run of bins that are not empty; the last is followed by the first."""
    filled = np.concatenate([bars, bars], axis=1) > 0
    run = np.zeros(len(bars), dtype=np.int64)
    best = np.zeros(len(bars), dtype=np.int64)
    for column in filled.T:
        run = np.where(column, run + 1, 0)
        best = np.maximum(best, run)
    return np.minimum(best, bars.shape[1])


def duration_mark(first: Ints, last: Ints, bars: Ints, window: tuple[float, float]) -> Floats:
    """The better of the share of the window that is spanned and the longest run against twelve hours."""
    spanned = np.minimum(_ceil3((last - first) / (window[1] - window[0])), 1.0)
    steady = np.minimum(_ceil3(longest_run(bars) / IDEAL_HOURS), 1.0)
    enough = (bars > 0).sum(axis=1) >= MIN_HOURS
    return np.asarray(np.where(enough, np.maximum(spanned, steady), 0.0), dtype=np.float64)
