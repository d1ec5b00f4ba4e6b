"""How regular the contacts of one pair are: a score from 0 to 1, its period, and the figures behind it.

The score is a one-sided test against memoryless traffic. Contacts are cut to whole seconds; those that
follow each other within a burst are one check-in; what counts are the pauses between check-ins. A period P
explains a pause that lies within a tolerance around one period, or around a few periods where check-ins
were missed. From that share the largest share is subtracted that a memoryless source *of any rate, even a
changing one,* can reach at the same period and tolerance:

    score = (share - chance) / (1 - chance) · confidence

so 0.9 means: nine tenths of what chance leaves open is explained by the period. `confidence` comes from
the large-deviation bound n · KL(share ‖ chance) on n pauses, less a penalty for the periods tried; short
series are damped by it and memoryless ones silenced. Only the pair's own times enter, so unrelated traffic
in the data set cannot matter. Known limit: pauses that are periodic by design look the same whoever made
them; context decides, not this score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MIN_CHECKINS = 6  # five pauses: fewer cannot beat the periods tried, however regular
MAX_TIMES = 86_400  # the newest count; a contact every second of a day is a stream: more of it says no more
LONGEST_BURST_S = 60  # requests of one check-in (redirects, tasking, page parts) lie closer than this
BURST_JUMP = 3.0  # pauses at least three times longer than anything inside a burst; missed beats only double
PERIODS_TRIED = 32  # quantiles of the pauses; enough to hit the centre of any single mode
# (tolerance as a share of the period, how many periods a pause may span). Wide tolerances of neighbouring
# multiples touch, so only narrow ones may skip check-ins.
TOLERANCES = ((0.1, 4), (0.25, 2), (0.5, 1))
TRIED_PENALTY = float(np.log(PERIODS_TRIED * len(TOLERANCES) * 2))  # Bonferroni; 2 ways to cut bursts
CONFIDENCE_SCALE = 4.0  # nats beyond the penalty at which confidence is 63 %: 1 in 55 by chance
ENOUGH = 0.95  # a score from here on needs no second way to cut bursts
NARROWER_WINS = 0.05  # a wider tolerance must be better by this much: the narrower one says more
JITTER_SHARE = 0.9  # jitter is the half-width of the middle nine tenths
SLOWER_RATES = (1.0, 0.8, 0.6, 0.45)  # of the rate that fills the first window best
ALWAYS = 1 - 1e-9

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# one row for each window: the beats 1, 2, … of the first tolerance, then those of the next
_BEATS = np.array([float(beat) for _, spans in TOLERANCES for beat in range(1, spans + 1)])[:, None]
_WIDTHS = np.array([width for width, spans in TOLERANCES for _ in range(spans)])[:, None]
_FIRST_BEATS = np.flatnonzero(_BEATS[:, 0] == 1)
_ROW_OF_BEAT = np.repeat(np.arange(len(TOLERANCES)), [spans for _, spans in TOLERANCES])


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
class _Fit:
    score: float
    period: float
    share: float
    chance: float
    tolerance: float
    multiples: int
    burst: int


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
    if len(seconds) < MIN_CHECKINS:
        return None
    steps = np.diff(seconds)
    ordered = np.sort(steps)
    best = _best_fit(ordered, 0)
    burst = _burst(ordered) if best.score < ENOUGH else 0
    if burst:
        second = _best_fit(ordered[np.searchsorted(ordered, burst, side="right") :], burst)
        best = max(best, second, key=lambda fit: fit.score)
    return _describe(seconds, steps, best)


def _burst(ordered: Ints) -> int:
    """Longest step inside a burst: below the widest jump in the sorted steps; 0 without a clear jump."""
    inner = ordered[: -(MIN_CHECKINS - 1)]
    if len(inner) == 0:
        return 0
    ratio = ordered[1 : len(inner) + 1] / inner
    ratio[inner > LONGEST_BURST_S] = 0
    at = int(np.argmax(ratio))
    return int(inner[at]) if ratio[at] >= BURST_JUMP else 0


def _best_fit(pauses: Ints, burst: int) -> _Fit:
    """The period and tolerance that explain the sorted pauses best, beyond chance.

    The narrowest tolerance wins unless a wider one is better by `NARROWER_WINS`: it says more.
    """
    count = len(pauses)
    tried = ((np.arange(PERIODS_TRIED) + 0.5) * count / PERIODS_TRIED).astype(np.int64)
    periods = np.unique(pauses[tried]).astype(np.float64)
    low = np.ceil((_BEATS - _WIDTHS) * periods - 1e-9)
    high = np.floor((_BEATS + _WIDTHS) * periods + 1e-9)
    inside = np.searchsorted(pauses, high, side="right") - np.searchsorted(pauses, low, side="left")
    share = np.add.reduceat(inside, _FIRST_BEATS, axis=0) / count
    result = _beyond_chance(share, _LEAST_CHANCE, count)
    if not result.any():  # most traffic of people ends here
        return _Fit(0.0, float(pauses[count // 2]), 0.0, 1.0, *TOLERANCES[-1], burst)
    chance = _chance(low - burst - 1, high - burst)
    result = _beyond_chance(share, chance, count)
    best = result.max(axis=1)
    row = int(np.argmax(best >= best.max() - NARROWER_WINS))
    at = int(np.argmax(result[row]))
    tolerance, multiples = TOLERANCES[row]
    return _Fit(
        score=float(result[row, at]),
        period=float(periods[at]),
        share=float(share[row, at]),
        chance=float(chance[row, at]),
        tolerance=tolerance,
        multiples=multiples,
        burst=burst,
    )


def _beyond_chance(share: Floats, chance: Floats, count: int) -> Floats:
    """The score of each period: what chance leaves open, times confidence."""
    lift = np.maximum((share - chance) / (1 - chance), 0)
    outside = np.maximum(1 - share, 1e-12)
    divergence = share * np.log(np.maximum(share, 1e-12) / chance) + outside * np.log(outside / (1 - chance))
    nats = np.maximum(count * divergence - TRIED_PENALTY, 0)
    return np.asarray(lift * -np.expm1(-nats / CONFIDENCE_SCALE), dtype=np.float64)


def _chance(low: Floats, high: Floats) -> Floats:
    """Largest share of pauses that a memoryless source of any rate puts into the windows.

    A pause longer than x whole seconds has probability r^x, so a window holds r^low - r^high; the rate that
    fills the first window best is known in closed form, and slower ones serve the later windows. A mixture
    of rates cannot do better than the best single one. Where a window begins at the shortest pause that can
    be seen at all, a fast enough source fills it wholly: chance is 1 and nothing can be said.
    """
    first_low, first_high = low[_FIRST_BEATS], high[_FIRST_BEATS]
    seen = first_low >= 1
    a = np.where(seen, first_low, 1.0)
    b = np.maximum(np.where(seen, first_high, 2.0), a + 1)
    fastest = np.log(b / a) / (b - a)
    best = np.zeros_like(fastest)
    for slower in SLOWER_RATES:
        rate = (slower * fastest)[_ROW_OF_BEAT]
        filled = np.exp(-rate * np.maximum(low, 0)) - np.exp(-rate * np.maximum(high, 0))
        best = np.maximum(best, np.add.reduceat(filled, _FIRST_BEATS, axis=0))
    return np.minimum(np.where(seen, best, 1.0), ALWAYS)


# what chance reaches at the least, with time cut infinitely fine: a cheap first test
_LEAST_CHANCE = _chance((_BEATS - _WIDTHS) * 1e6, (_BEATS + _WIDTHS) * 1e6)


def _describe(seconds: Ints, steps: Ints, fit: _Fit) -> Rhythm:
    starts = seconds[np.concatenate(([True], steps > fit.burst))]
    intervals = np.diff(starts)
    pauses = steps[steps > fit.burst]
    beats = np.clip(np.rint(pauses / fit.period), 1, fit.multiples)
    explained = np.abs(pauses - beats * fit.period) <= fit.tolerance * fit.period + 1e-9
    chosen = explained if explained.any() else np.ones(len(pauses), dtype=bool)
    period = _middle(np.sort(intervals[chosen] / beats[chosen]))
    folded = np.sort(pauses[chosen] / beats[chosen])
    cut = int(len(folded) * (1 - JITTER_SHARE) / 2)
    jitter = float((folded[-1 - cut] - folded[cut]) / 2 / max(period, 1.0))
    missed = float(1 - chosen.sum() / beats[chosen].sum())
    first, last = float(starts[0]), float(starts[-1])
    return Rhythm(
        score=round(min(max(fit.score, 0.0), 1.0), 3),
        period_s=round(period, 3),
        jitter=round(jitter, 3),
        checkins=len(starts),
        first=first,
        last=last,
        missed=round(missed, 3),
        reason=_reason(fit, len(starts), last - first, period, jitter, missed),
    )


def _middle(ordered: Floats) -> float:
    """Median; numpy's own costs ten times this on a short series."""
    half = len(ordered) // 2
    return float(ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2)


def _reason(fit: _Fit, checkins: int, span: float, period: float, jitter: float, missed: float) -> str:
    over = f"{checkins} check-ins over {duration(span)}"
    if fit.score <= 0:
        return f"{over}; their intervals are no more regular than memoryless traffic."
    skips = f", {missed:.0%} of check-ins missed" if missed >= 0.005 else ""
    burst = f" (requests up to {fit.burst} s apart count as one)" if fit.burst else ""
    return (
        f"{over}{burst}, every {duration(period)} ± {jitter:.0%}{skips}; "
        f"{fit.share:.0%} of the pauses fit, memoryless traffic would reach {fit.chance:.0%} at most."
    )


def duration(seconds: float) -> str:
    """A span of time in words with one unit: 45 s, 12 min, 3.5 h, 2 d."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f}".removesuffix(".0") + f" {unit}"
    return f"{seconds:.0f} s"
