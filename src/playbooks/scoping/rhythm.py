"""How regular the contacts of one pair are: a score from 0 to 1, its period, and the figures behind it.

The score is a one-sided test against memoryless traffic. Contacts are cut to whole seconds; what counts are the
pauses between them. A period explains a pause that lies within a window around it, or around a few of its
beats where check-ins were missed; pauses much shorter than the period are requests of one check-in, or somebody
else's traffic with the same host, and are left out. From the share that a period explains, the largest share is
subtracted that a memoryless source of any rate, even a changing one, can reach in the same windows:

    score = (share - chance) / (1 - chance) · confidence · support

so 0.9 means: nine tenths of what chance leaves open is explained by the period. The best of several widths
counts. `confidence` comes from the large-deviation bound n · KL(share ‖ chance) on n pauses, less a penalty for
the periods tried; short series are damped by it and memoryless ones silenced. `support` falls where nearly all
contacts had to be left out. Only the pair's own times enter, so unrelated traffic in the data set cannot matter.
Known limit: pauses that are periodic by design look the same whoever made them; context decides, not this score.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from playbooks.scoping.rhythm_windows import WINDOWS, windows
from playbooks.scoping.series import Floats, Ints, median, sorted_within, starts_of, steps

MIN_CHECKINS = 6  # five pauses: fewer cannot beat the periods tried, however regular
MAX_TIMES = 86_400  # the newest count; a contact every second of a day is a stream: more of it says no more
PERIODS_TRIED = 32  # quantiles of the pauses; enough to hit the centre of any single mode
# Bonferroni: how many periods differ in earnest, with pauses that span three orders of magnitude, times the ways
# to cut them; windows of one width overlap, so wide ones are tried few times
PERIODS_APART = np.array([np.log(1_000) / np.log((1 + width) / (1 - width)) for width, _ in WINDOWS])
WAYS_TRIED = 8
CONFIDENCE_SCALE = 4.0  # nats beyond the penalty at which confidence is 63 %: 1 in 55 by chance
NEAR_ENOUGH = 0.25  # of the best score: a narrower window that comes so near is the one told, as it says more
FULL_SUPPORT = 0.1  # of all pauses must be as long as the period: up to ten requests a check-in
HALF_WEIGHT = 8.0  # pauses at which a period tried first counts half, before confidence is known
JITTER_SHARE = 0.9  # jitter is the half-width of the middle nine tenths
AT_ONCE = 1_024  # series; their counts stay in the cache of the processor


@dataclass(frozen=True)
class Rhythm:
    """The rhythm of one pair.

    Attributes
    ----------
    score
        0 to 1, see the module.
    period_s, jitter
        Typical interval from check-in to check-in, and half the spread of the pauses as a share of it.
    checkins, first, last
        Check-ins, and the first and last of them in the seconds given; `span_s` lies between.
    missed
        Share of check-ins that are missing between first and last where the rest keeps the rhythm.
    reason
        A sentence with these figures.
    """

    score: float
    period_s: float
    jitter: float
    checkins: int
    first: float
    last: float
    missed: float
    reason: str

    @property
    def span_s(self) -> float:
        """Seconds from the first check-in to the last: the active span, not that of the data set."""
        return self.last - self.first


@dataclass(frozen=True)
class Fits:
    """What explains each series best, one entry a series: its score, and the way that is told (see `_best_of`)."""

    score: Floats
    period: Floats
    share: Floats
    chance: Floats
    window: Ints  # entry of WINDOWS
    cut: Ints  # seconds; shorter pauses are left out
    typical: Floats  # median of all pauses


def whole_seconds(times: npt.NDArray[np.generic]) -> Ints:
    """Distinct whole seconds in order, the newest `MAX_TIMES` of them."""
    return np.unique(np.floor(times).astype(np.int64))[-MAX_TIMES:]


def score(times: npt.NDArray[np.generic]) -> Rhythm | None:
    """Score the rhythm of one source and destination.

    Parameters
    ----------
    times
        Seconds since any epoch, in any order, of one telemetry.

    Returns
    -------
    Rhythm or None
        None with fewer than `MIN_CHECKINS` check-ins.
    """
    seconds = whole_seconds(times)
    return scores(seconds, np.array([0, len(seconds)]))[0]


def scores(seconds: Ints, starts: Ints) -> list[Rhythm | None]:
    """Score many series at once.

    Parameters
    ----------
    seconds
        Distinct whole seconds, in order within each series; at most `MAX_TIMES` of each.
    starts
        Where each series begins, and the end of the last.

    Returns
    -------
    list of Rhythm or None
        As `score` gives it, one a series.
    """
    found: list[Rhythm | None] = [None] * (len(starts) - 1)
    enough = np.flatnonzero(np.diff(starts) >= MIN_CHECKINS)
    for begin in range(0, len(enough), AT_ONCE):
        chosen = enough[begin : begin + AT_ONCE]
        series = [seconds[starts[one] : starts[one + 1]] for one in chosen.tolist()]
        fits = best_fits(np.concatenate(series), starts_of(np.array([len(one) for one in series])))
        for at, (number, one) in enumerate(zip(chosen.tolist(), series, strict=True)):
            found[number] = _describe(one, fits, at)
    return found


def best_fits(seconds: Ints, starts: Ints) -> Fits:
    """The period, window and cut that explain the pauses of each series best, beyond chance."""
    pauses, pause_starts = steps(seconds, starts)
    ordered = sorted_within(pauses, pause_starts)
    count = np.diff(pause_starts)
    table = windows()
    below, tried = _counted(ordered, pause_starts, table.edges)
    rows = np.arange(len(count))[:, None] * below.shape[1]
    flat = below.ravel()

    def at(bounds: Ints) -> Ints:
        return np.asarray(flat[rows + bounds[tried]], dtype=np.int64)

    visible = [count[:, None] - at(cut) for cut in table.cut]
    ways = []
    for window, (_, beats) in enumerate(WINDOWS):
        begin = table.first[window]
        rows_of_beats = range(begin, begin + beats)
        inside = sum((at(table.high[row]) - at(table.low[row]) for row in rows_of_beats), np.zeros_like(tried))
        for cut in (cut for at, cut in table.ways if at == window):
            ways.append(_tried(inside, visible[cut], table.chance[window, cut][tried], count, PERIODS_APART[window]))
    return _best_of(ways, tried, median(ordered, pause_starts[:-1], count))


def _counted(ordered: Ints, starts: Ints, edges: Ints) -> tuple[Ints, Ints]:
    """How many pauses of each series lie below each bin edge, and the bins of the periods that are tried."""
    series, bins = len(starts) - 1, len(edges) - 1
    at = np.minimum(np.searchsorted(edges, ordered, side="right") - 1, bins - 1)
    pair = np.repeat(np.arange(series), np.diff(starts))
    counted = np.bincount(pair * bins + at, minlength=series * bins).reshape(series, bins)
    below = np.zeros((series, bins + 1), dtype=np.int64)
    np.cumsum(counted, axis=1, out=below[:, 1:])
    place = (np.arange(PERIODS_TRIED) + 0.5) / PERIODS_TRIED * np.diff(starts)[:, None]
    return below, at[starts[:-1, None] + place.astype(np.int64)]


def _tried(
    inside: Ints, visible: Ints, chance: Floats, count: Ints, apart: float
) -> tuple[Floats, Ints, Floats, Floats]:
    """Score of the best period of each series, which of those tried it is, its share and chance."""
    seen = np.maximum(visible, 1)
    share = np.minimum(inside / seen, 1.0)
    lift = np.maximum((share - chance) / (1 - chance), 0)
    support = np.minimum(visible / count[:, None] / FULL_SUPPORT, 1.0)
    best = np.argmax(lift * support * visible / (visible + HALF_WEIGHT), axis=1)[:, None]
    share, chance, lift, support, seen = (
        np.take_along_axis(values, best, axis=1)[:, 0] for values in (share, chance, lift, support, seen)
    )
    outside = np.maximum(1 - share, 1e-12)
    divergence = share * np.log(np.maximum(share, 1e-12) / chance) + outside * np.log(outside / (1 - chance))
    penalty = np.log(np.minimum(count, apart) * WAYS_TRIED)
    nats = np.where(seen >= MIN_CHECKINS - 1, np.maximum(seen * divergence - penalty, 0), 0)
    return lift * -np.expm1(-nats / CONFIDENCE_SCALE) * support, best[:, 0], share, chance


def _best_of(ways: list[tuple[Floats, Ints, Floats, Floats]], tried: Ints, typical: Floats) -> Fits:
    """The highest score of all ways, told by the first that comes near it: narrow windows come before wide ones."""
    table = windows()
    results = np.array([result for result, *_ in ways])
    best = results.max(axis=0)
    told = np.argmax(results >= best - NEAR_ENOUGH, axis=0)
    series = np.arange(tried.shape[0])
    which, share, chance = (np.array([way[part] for way in ways])[told, series] for part in (1, 2, 3))
    period = tried[series, which]
    window, cut = np.array(table.ways)[told].T
    shortest = np.where(cut > 0, table.edges[table.cut[cut, period]], 0)
    return Fits(best, table.periods[period], share, chance, window, shortest, typical)


def _describe(seconds: Ints, fits: Fits, at: int) -> Rhythm:
    total, cut = float(fits.score[at]), int(fits.cut[at])
    if total <= 0:
        return _no_rhythm(seconds, float(fits.typical[at]))
    pauses = np.diff(seconds)
    width, multiples = WINDOWS[int(fits.window[at])]
    guess = float(fits.period[at])
    starts = seconds[np.concatenate(([True], pauses >= cut))]
    intervals = np.diff(starts)
    pauses = pauses[pauses >= cut]
    beats = np.clip(np.rint(pauses / guess), 1, multiples)
    chosen = np.abs(pauses - beats * guess) <= (width + 0.03) * guess + 1
    if not chosen.any():
        chosen = np.ones(len(pauses), dtype=bool)
    period = _middle(np.sort(intervals[chosen] / beats[chosen]))
    folded = np.sort(pauses[chosen] / beats[chosen])
    edge = int(len(folded) * (1 - JITTER_SHARE) / 2)
    jitter = float((folded[-1 - edge] - folded[edge]) / 2 / max(period, 1.0))
    missed = float(1 - chosen.sum() / beats[chosen].sum())
    first, last = float(starts[0]), float(starts[-1])
    found = Rhythm(
        score=round(min(total, 1.0), 3),
        period_s=round(period, 3),
        jitter=round(jitter, 3),
        checkins=len(starts),
        first=first,
        last=last,
        missed=round(missed, 3),
        reason="",
    )
    return replace(found, reason=_reason(found, cut, float(fits.share[at]), float(fits.chance[at])))


def _no_rhythm(seconds: Ints, typical: float) -> Rhythm:
    first, last = float(seconds[0]), float(seconds[-1])
    over = f"{len(seconds):,} check-ins over {duration(last - first)}"
    reason = f"{over}; their intervals are no more regular than memoryless traffic."
    return Rhythm(0.0, round(typical, 3), 0.0, len(seconds), first, last, 0.0, reason)


def _middle(ordered: Floats | Ints) -> float:
    """Median; numpy's own costs ten times this on a short series."""
    half = len(ordered) // 2
    return float(ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2)


def _reason(found: Rhythm, cut: int, share: float, chance: float) -> str:
    skips = f", {found.missed:.0%} of check-ins missed" if found.missed >= 0.005 else ""
    burst = f" (contacts less than {duration(cut)} apart count as one)" if cut > 1 else ""
    return (
        f"{found.checkins:,} check-ins over {duration(found.span_s)}{burst}, "
        f"every {duration(found.period_s)} ± {found.jitter:.0%}{skips}; "
        f"{share:.0%} of the pauses fit, memoryless traffic would reach {chance:.0%} at most."
    )


def duration(seconds: float) -> str:
    """A span of time in words with one unit: 45 s, 12 min, 3.5 h, 2 d."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.0f} s"
