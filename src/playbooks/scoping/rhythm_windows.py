"""What a rhythm of each period would explain, and how much of it chance reaches: tables, made once.

Pauses are whole seconds and are counted in bins that widen with length. A period explains the pauses in a few
windows: around itself, and around the beats at which it comes again where check-ins were missed. Chance is the
largest share of the pauses that a memoryless source of *any* rate, even a changing one, puts into those windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LONGEST_S = 2_000_000  # 23 days; longer pauses share the last bin
BIN_GROWTH = 1.025  # a bin is a quarter of the narrowest window, or one second
# (half width of a window as a share of the period, how many beats it may span). Wide windows of neighbouring
# beats touch, so only narrow ones may skip check-ins; the widest takes in a jitter of nine tenths.
WINDOWS = ((0.03, 10), (0.1, 5), (0.25, 1), (0.25, 3), (0.5, 1), (0.75, 1), (0.92, 1))
# Pauses shorter than this share of the period are requests of one check-in, or somebody else on the same host.
CUTS = (0.0, 0.25, 0.5)
RATES = np.geomspace(0.02, 30, 64)  # of a memoryless source, per period
SURELY = 1 - 1e-6
TELLING = 0.5  # of the periods; of the rest, rounding to whole seconds makes up what the cut takes away


@dataclass(frozen=True)
class Windows:
    """For each period bin: bounds of its windows as bin numbers, and what chance puts into them.

    `edges` are the first seconds of the bins; `low`, `high` have the shape (windows and beats, periods);
    `first` says where the beats of each entry of `WINDOWS` begin; `cut` is (cuts, periods), a bin number;
    `chance` is (entries of `WINDOWS`, cuts, periods); `ways` are the (entry, cut) that can tell anything, narrow
    windows before wide ones.
    """

    edges: Ints
    periods: Floats
    low: Ints
    high: Ints
    first: Ints
    cut: Ints
    chance: Floats
    ways: tuple[tuple[int, int], ...]


def bin_edges() -> Ints:
    """First second of each bin, and the end of all."""
    edges = [1]
    while edges[-1] < LONGEST_S:
        edges.append(max(edges[-1] + 1, int(edges[-1] * BIN_GROWTH)))
    return np.array(edges, dtype=np.int64)


@cache
def windows() -> Windows:
    """The tables; they depend on nothing but the constants here."""
    edges = bin_edges()
    periods = (edges[:-1] + edges[1:] - 1) / 2
    own = np.arange(len(periods))
    bounds = [
        (
            np.minimum(_nearest(edges, (beat - width) * periods), own),
            np.maximum(_nearest(edges, (beat + width) * periods), own + 1),
        )
        if beat == 1
        else (_nearest(edges, (beat - width) * periods), _nearest(edges, (beat + width) * periods))
        for width, beats in WINDOWS
        for beat in range(1, beats + 1)
    ]
    low, high = (np.array([bound[side] for bound in bounds]) for side in (0, 1))
    first = np.cumsum([0, *(beats for _, beats in WINDOWS)])[:-1]
    cut = np.array([_nearest(edges, share * periods) for share in CUTS])
    chance = np.array(
        [
            [_chance(edges, periods, low[at : at + beats], high[at : at + beats], short) for short in cut]
            for at, (_, beats) in zip(first, WINDOWS, strict=True)
        ]
    )
    telling = (chance < SURELY).mean(axis=2) > TELLING
    ways = tuple((window, short) for window, short in np.argwhere(telling).tolist())
    return Windows(edges, periods, low, high, first, cut, chance, ways)


def _nearest(edges: Ints, seconds: Floats) -> Ints:
    """The bin edge that lies nearest; beyond the last, the last."""
    after = np.clip(np.searchsorted(edges, seconds), 1, len(edges) - 1)
    closer = (seconds - edges[after - 1]) <= (edges[after] - seconds)
    return np.asarray(after - closer, dtype=np.int64)


def _chance(edges: Ints, periods: Floats, low: Ints, high: Ints, cut: Ints) -> Floats:
    """Largest share over all rates; 1 where a window begins at the shortest pause that counts.

    Of pauses that are at least c whole seconds long, a share of r^(x - c) is at least x long.
    """
    shortest = edges[cut]
    best = np.zeros(len(periods))
    for rate in RATES:
        inside = np.zeros(len(periods))
        for begin, end in zip(low, high, strict=True):
            from_, to = (edges[bound] - shortest for bound in (begin, end))
            inside += np.exp(-rate / periods * from_) - np.exp(-rate / periods * to)
        best = np.maximum(best, inside)
    return np.where(low[0] <= cut, SURELY, np.minimum(best, SURELY))
