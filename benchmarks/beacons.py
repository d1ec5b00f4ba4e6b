"""How well scores tell implants from people and programs, on simulated traffic. Printed by `make bench`.

A score reports what lies above the limit that one benign series in a hundred exceeds, each score with its own
limit; what it does not score counts as 0. Recall is the share of a family's series reported. The limit is taken
over benign traffic without an interval by design; `priority` has to rank implants above the latter, too.
Run alone: `python -m benchmarks.beacons [seed]`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import periodogram, same_pair
from benchmarks.estates import priorities
from benchmarks.series import DAY, START, Floats, Random, Series
from benchmarks.traffic import BENIGN, BY_DESIGN, MALICIOUS_DAY, MALICIOUS_WEEK, draw_estates, simulate
from playbooks.scoping import rhythm, rita

FALSE_POSITIVES = 0.01
SERIES = 60  # of each malicious family
BENIGN_SERIES = 300  # of each benign one: 16 families and 1 % leave 48 above the limit
FEW, BENIGN_FEW = 4, 16  # the same where msticpy's detector is beside us: it takes some 50 ms a series
MEMORYLESS = 1_000
HIGH = 0.75
BANDS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.01)
Window = tuple[float, float]
Scorer = Callable[[Sequence[Series], Window], Floats]


# scores


def by_rhythm(series: Sequence[Series], window: Window) -> Floats:
    """Our score."""
    found = [rhythm.score(one.times) for one in series]
    return np.array([one.score if one else np.nan for one in found])


def by_rita(series: Sequence[Series], window: Window) -> Floats:
    """RITA's, which looks at the last day of the data set."""
    last = rita.window(*window)
    start = rita.counted_from(last)
    found = []
    for one in series:
        kept = one.times >= start
        found.append(rita.score(one.times[kept], one.bytes_out[kept], last))
    return np.array([np.nan if one is None else one for one in found])


SCORERS: dict[str, Scorer] = {"rhythm": by_rhythm, "RITA": by_rita}


# measures


@dataclass(frozen=True)
class Measured:
    """What a score reaches: the limit above which it reports, recall of each family, and seconds taken."""

    limit: float
    recall: dict[str, float]
    seconds: float = 0.0

    @property
    def mean(self) -> float:
        """Of all families."""
        return float(np.mean(list(self.recall.values())))

    def of(self, families: Sequence[str]) -> float:
        """Mean of some."""
        return float(np.mean([self.recall[name] for name in families]))


def limit_of(benign: Floats, share: float = FALSE_POSITIVES) -> float:
    """The score that no more than this share of benign series exceeds."""
    ordered = np.sort(np.nan_to_num(benign))[::-1]
    return float(ordered[int(len(ordered) * share)])


def recall_of(malicious: Sequence[Series], scores: Floats, benign: Floats, seconds: float = 0.0) -> Measured:
    """Recall of each malicious family at 1 % false positives on the benign scores."""
    limit = limit_of(benign)
    found: dict[str, list[bool]] = {}
    for one, hit in zip(malicious, (np.nan_to_num(scores) > limit).tolist(), strict=True):
        found.setdefault(one.family.name, []).append(hit)
    return Measured(limit, {name: float(np.mean(hits)) for name, hits in found.items()}, seconds)


def measure(scorer: Scorer, malicious: Sequence[Series], benign: Sequence[Series], window: Window) -> Measured:
    """Score both and give recall, with the seconds that scoring took."""
    before = time.perf_counter()
    scores, innocent = scorer(malicious, window), scorer(benign, window)
    return recall_of(malicious, scores, innocent, time.perf_counter() - before)


def groups_of(series: Sequence[Series]) -> dict[str, list[str]]:
    """Names of the families of each group, in order."""
    found: dict[str, dict[str, None]] = {}
    for one in series:
        found.setdefault(one.family.group, {})[one.family.name] = None
    return {group: list(names) for group, names in found.items()}


# parts of the report


def _table(title: str, series: Sequence[Series], measured: Mapping[str, Measured]) -> None:
    """A family a line, a score a column, then the groups and the mean."""
    print(f"\n{title}")
    print(f"{'recall at 1 % false positives':<54}" + "".join(f"{name:>10}" for name in measured))
    first = next(iter(measured.values()))
    lines = {name: [one.recall[name] for one in measured.values()] for name in first.recall}
    lines |= {f"= {group}": [one.of(names) for one in measured.values()] for group, names in groups_of(series).items()}
    lines |= {"= mean": [one.mean for one in measured.values()]}
    lines |= {"limit": [one.limit for one in measured.values()], "seconds": [one.seconds for one in measured.values()]}
    for name, values in lines.items():
        print(f"{name:<54}" + "".join(f"{value:10.2f}" for value in values))


def one_day(r: Random) -> None:
    """A day: recall by timing, bands of the score, and recall by priority."""
    window, estates = (START, START + DAY), draw_estates(r, SERIES)
    malicious = simulate(r, MALICIOUS_DAY, SERIES, 1, estates)
    benign = simulate(r, BENIGN, BENIGN_SERIES, 1, estates)
    by_design = simulate(r, BY_DESIGN, BENIGN_SERIES, 1, estates)
    _table(
        f"One day: {len(MALICIOUS_DAY)} families of {SERIES}, {len(BENIGN)} benign ones of {BENIGN_SERIES}",
        malicious,
        {name: measure(scorer, malicious, benign, window) for name, scorer in SCORERS.items()},
    )
    _false_positives(benign, window)
    _bands({"malicious": malicious, "by design": by_design, "other benign": benign}, window)
    _table(
        f"One day, ranked: the {len(BY_DESIGN)} families that are periodic by design count as benign",
        malicious,
        ranked(r, malicious, [*benign, *by_design], window),
    )


def ranked(r: Random, malicious: Sequence[Series], benign: Sequence[Series], window: Window) -> dict[str, Measured]:
    """Recall by `priority`, by rhythm alone and by RITA, in the same estates."""
    every, count = [*malicious, *benign], len(malicious)
    rhythms = [rhythm.score(one.times) for one in every]
    rita_scores = by_rita(every, window)
    before = time.perf_counter()
    ranks = priorities(r, every, rhythms, rita_scores)
    taken = time.perf_counter() - before
    alone = np.array([one.score if one else np.nan for one in rhythms])
    columns = {"priority": ranks, "rhythm": alone, "RITA": rita_scores}
    return {
        name: recall_of(malicious, values[:count], values[count:], taken if name == "priority" else 0.0)
        for name, values in columns.items()
    }


def _false_positives(benign: Sequence[Series], window: Window) -> None:
    """Which benign families the false positives are."""
    print(f"\n{'share above the limit':<54}" + "".join(f"{name:>10}" for name in SCORERS))
    scores = {name: np.nan_to_num(scorer(benign, window)) for name, scorer in SCORERS.items()}
    for family in dict.fromkeys(one.family.name for one in benign):
        own = np.array([one.family.name == family for one in benign])
        print(f"{family:<54}" + "".join(f"{np.mean(v[own] > limit_of(v)):10.3f}" for v in scores.values()))


def _bands(kinds: Mapping[str, Sequence[Series]], window: Window) -> None:
    """What a score means: the share of each kind in each band, each family with the same weight."""
    print(f"\n{'beacon_score: share of series in the band':<54}" + "".join(f"{name:>14}" for name in kinds))
    scores = {name: np.nan_to_num(by_rhythm(series, window)) for name, series in kinds.items()}
    for low, high in zip(BANDS[:-1], BANDS[1:], strict=True):
        shares = [float(np.mean((values >= low) & (values < high))) for values in scores.values()]
        print(f"{f'{low:.1f} up to {min(high, 1):.1f}':<54}" + "".join(f"{share:14.4f}" for share in shares))


def one_week(r: Random) -> None:
    """Seven days: long sleeps."""
    window, estates = (START, START + 7 * DAY), draw_estates(r, SERIES)
    malicious = simulate(r, MALICIOUS_WEEK, SERIES, 7, estates)
    benign = simulate(r, BENIGN, BENIGN_SERIES // 3, 7, estates)
    _table(
        f"Seven days: {len(MALICIOUS_WEEK)} families of {SERIES}, {len(BENIGN)} benign ones of {BENIGN_SERIES // 3}",
        malicious,
        {name: measure(scorer, malicious, benign, window) for name, scorer in SCORERS.items()},
    )


def memoryless_of_one_size(r: Random) -> None:
    """How many memoryless series of one size reach .75."""
    [family] = [family for family in BENIGN if family.name == "memoryless, one size"]
    window = (START, START + DAY)
    series = simulate(r, [family], MEMORYLESS, 1, draw_estates(r, 1))
    shares = {name: np.mean(np.nan_to_num(scorer(series, window)) >= HIGH) for name, scorer in SCORERS.items()}
    told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
    print(f"\nmemoryless series of one size that reach {HIGH}, of {MEMORYLESS:,}: {told}")


def beside_msticpy(r: Random) -> None:
    """msticpy's detector on a sample, with all scores on the same series."""
    if not periodogram.is_available():
        print(f"\n{periodogram.ABSENT}")
        return
    window, estates = (START, START + DAY), draw_estates(r, FEW)
    malicious = simulate(r, MALICIOUS_DAY, FEW, 1, estates)
    benign = simulate(r, BENIGN, BENIGN_FEW, 1, estates)
    print(f"\nOn {len(malicious)} malicious and {len(benign)} benign series, at 1 % false positives")
    for name, scorer in {**SCORERS, "msticpy": periodogram.by_periodogram}.items():
        found = measure(scorer, malicious, benign, window)
        print(f"{name:<10} mean recall {found.mean:.3f}, {found.seconds:6.1f} s", flush=True)
    flagged = np.mean(np.nan_to_num(periodogram.by_periodogram(benign, window)) >= 1 - 0.05)
    print(f"msticpy's p value is at most .05 in {flagged:.0%} of the benign series")


def across_logs(r: Random) -> None:
    """The score of one pair in several logs, and with unrelated traffic around."""
    pairs = same_pair.pairs_of(r)
    with tempfile.TemporaryDirectory() as name:
        moved = same_pair.shifts(same_pair.scores_in(r, Path(name), pairs))
    print(f"\nbeacon_score of {len(pairs)} pairs, files to table: how far from that in Zeek's conn.log")
    for log, column in moved.items():
        print(f"{log:<14} at most {column.max():.3f} ({column.idxmax()}), mean {column.mean():.4f}")


PARTS = (one_day, one_week, memoryless_of_one_size, beside_msticpy, across_logs)


def report(seed: int | None = None) -> None:
    """Print everything; without a seed one is taken from the clock, and printed."""
    seed = time.time_ns() % 1_000_000 if seed is None else seed
    print(f"Quality of beacon scores, seed {seed}")
    for number, part in enumerate(PARTS):
        before = time.perf_counter()
        part(np.random.default_rng([seed, number]))
        print(f"[{part.__name__}: {time.perf_counter() - before:.0f} s]", flush=True)


if __name__ == "__main__":
    report(int(sys.argv[1]) if len(sys.argv) > 1 else None)
