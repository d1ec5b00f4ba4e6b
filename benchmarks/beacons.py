"""How well scores tell implants from people and programs, on simulated traffic. Printed by `make bench`.

The limit of each score is taken over benign traffic without an interval by design (see `recall`); `priority`
has to rank implants above traffic with one, too. Targets are the project's own, and printed beside the figures.
Run alone: `python -m benchmarks.beacons [seed]`.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks import periodogram, same_pair
from benchmarks.estates import priorities
from benchmarks.recall import (
    SCORERS,
    Measured,
    Scored,
    Scorer,
    Window,
    groups_of,
    limit_of,
    recall,
    rhythms_of,
    scored,
)
from benchmarks.series import DAY, START, Family, Random, Series
from benchmarks.traffic import BENIGN, BY_DESIGN, MALICIOUS_DAY, MALICIOUS_WEEK, draw_estates, simulate

SERIES = 60  # of each malicious family
BENIGN_SERIES = 300  # of each benign one: 16 families and 1 % leave 48 above the limit
FEW, BENIGN_FEW = 4, 16  # the same beside msticpy's detector, which takes some 50 ms a series
MEMORYLESS = 1_000
HIGH = 0.75
BANDS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.01)
BEHIND_RITA = 0.05  # how far a family's recall may lie below RITA's
ONE_DAY: Window = (START, START + DAY)
SEVEN_DAYS: Window = (START, START + 7 * DAY)
# groups of families whose mean recall has a target of its own
TARGETS_DAY = {"working hours": 0.95, "missed": 0.95, "short": 0.95, "shared front": 0.95}
TARGETS_WEEK = {"6–12 h": 0.95, "24 h": 0.75}


def measured(malicious: Sequence[Series], benign: Sequence[Series], window: Window) -> dict[str, Measured]:
    """Recall by each score."""
    return {
        name: recall(scored(scorer, malicious, window), scored(scorer, benign, window))
        for name, scorer in SCORERS.items()
    }


# lines


def table(malicious: Sequence[Series], columns: Mapping[str, Measured]) -> None:
    """A family a line, a score a column, then the groups, the mean, and the limits."""
    line("recall at 1 % false positives", columns)
    first, *_ = columns.values()
    for name in first.recall:
        line(name, [one.recall[name] for one in columns.values()])
    for group, names in groups_of(malicious).items():
        line(f"= {group}", [one.of(names) for one in columns.values()])
    line("= mean of all families", [one.mean for one in columns.values()])
    line("limit", [one.limit for one in columns.values()])
    line("seconds", [one.seconds for one in columns.values()])


def line(name: str, values: Sequence[float] | Mapping[str, object], digits: int = 2) -> None:
    """A name and its columns: figures, or their headings."""
    told = [f"{value:12.{digits}f}" if isinstance(value, float) else f"{value:>12}" for value in values]
    print(f"{name:<54}" + "".join(told), flush=True)


def target(what: str, value: float, least: float) -> None:
    """A figure beside what the project set itself."""
    print(f"target: {what:<70} {value:6.3f}, at least {least:.2f}: {'met' if value >= least else 'MISSED'}", flush=True)


def targets(malicious: Sequence[Series], found: Mapping[str, Measured], groups: Mapping[str, float]) -> None:
    """Groups of families with a target, and the family that lies farthest below RITA."""
    ours, rita = found["rhythm"], found["RITA"]
    names = groups_of(malicious)
    for group, least in groups.items():
        target(f"mean recall, {group}", ours.of(names[group]), least)
    below = {name: share - rita.recall[name] for name, share in ours.recall.items()}
    worst = min(below, key=lambda name: below[name])
    target(f"recall less RITA's, worst family ({worst})", below[worst], -BEHIND_RITA)


# parts of the report


def one_day(r: Random) -> None:
    """A day: recall by timing, where false positives come from, what a score means, recall by priority."""
    estates = draw_estates(r, SERIES)
    malicious = simulate(r, MALICIOUS_DAY, SERIES, 1, estates)
    benign = simulate(r, BENIGN, BENIGN_SERIES, 1, estates)
    every = [*malicious, *benign, *simulate(r, BY_DESIGN, BENIGN_SERIES, 1, estates)]
    bad, end = len(malicious), len(malicious) + len(benign)
    scores = {name: scored(scorer, every, ONE_DAY) for name, scorer in SCORERS.items()}
    print(f"\nOne day: {_told(MALICIOUS_DAY, SERIES)}; benign: {_told(BENIGN, BENIGN_SERIES)}")
    found = {name: recall(one.part(0, bad), one.part(bad, end)) for name, one in scores.items()}
    table(malicious, found)
    target("mean recall, one day", found["rhythm"].mean, 0.85)
    targets(malicious, found, TARGETS_DAY)
    false_positives({name: one.part(bad, end) for name, one in scores.items()})
    bands(scores["rhythm"], {"malicious": (0, bad), "benign": (bad, end), "by design": (end, len(every))})
    print(f"\nOne day, ranked; also benign: {_told(BY_DESIGN, BENIGN_SERIES)} that are periodic by design")
    ranks = {"priority": Scored(every, priorities(r, every, rhythms_of(every), scores["RITA"].scores)), **scores}
    found = {name: recall(one.part(0, bad), one.part(bad, len(every))) for name, one in ranks.items()}
    table(malicious, found)
    target("mean recall by priority", found["priority"].mean, 0.75)


def _told(families: Sequence[Family], count: int) -> str:
    return f"{len(families)} families of {count} series"


def false_positives(benign: Mapping[str, Scored]) -> None:
    """Which benign families the false positives are."""
    print()
    line("share of series above the limit", benign)
    first, *_ = benign.values()
    for family in dict.fromkeys(one.family.name for one in first.series):
        own = np.array([one.family.name == family for one in first.series])
        line(family, [float(np.mean(one.scores[own] > limit_of(one.scores))) for one in benign.values()], 3)


def bands(every: Scored, kinds: Mapping[str, tuple[int, int]]) -> None:
    """What a score means: the share of each kind's series in each band, families weighing the same."""
    print()
    line("beacon_score: share of series in the band", kinds)
    for low, high in itertools.pairwise(BANDS):
        columns = [every.part(*ends).scores for ends in kinds.values()]
        line(f"{low:.1f} to {min(high, 1):.1f}", [float(np.mean((s >= low) & (s < high))) for s in columns], 4)


def one_week(r: Random) -> None:
    """Seven days: long sleeps."""
    estates = draw_estates(r, SERIES)
    malicious = simulate(r, MALICIOUS_WEEK, SERIES, 7, estates)
    benign = simulate(r, BENIGN, BENIGN_SERIES // 3, 7, estates)
    print(f"\nSeven days: {_told(MALICIOUS_WEEK, SERIES)}; benign: {_told(BENIGN, BENIGN_SERIES // 3)}")
    found = measured(malicious, benign, SEVEN_DAYS)
    table(malicious, found)
    targets(malicious, found, TARGETS_WEEK)


def memoryless(r: Random) -> None:
    """How many memoryless series of one size reach .75."""
    [family] = [family for family in BENIGN if family.name == "memoryless, one size"]
    series = simulate(r, [family], MEMORYLESS, 1, draw_estates(r, 1))
    high = {name: np.mean(scored(scorer, series, ONE_DAY).scores >= HIGH) for name, scorer in SCORERS.items()}
    print(f"\n{MEMORYLESS:,} memoryless series of one size; {HIGH} is reached by RITA in {high['RITA']:.1%}")
    target(f"share that stays below {HIGH}", 1 - float(high["rhythm"]), 0.99)


def beside_msticpy(r: Random) -> None:
    """msticpy's detector on a sample, with our score and RITA's on the same series."""
    if not periodogram.is_available():
        print(f"\n{periodogram.ABSENT}")
        return
    estates = draw_estates(r, FEW)
    malicious = simulate(r, MALICIOUS_DAY, FEW, 1, estates)
    benign = simulate(r, BENIGN, BENIGN_FEW, 1, estates)
    print(f"\nOn {len(malicious)} malicious and {len(benign)} benign series, at 1 % false positives")
    scorers: dict[str, Scorer] = {**SCORERS, "msticpy": periodogram.by_periodogram}
    for name, scorer in scorers.items():
        innocent = scored(scorer, benign, ONE_DAY)
        found = recall(scored(scorer, malicious, ONE_DAY), innocent)
        print(f"{name:<10} mean recall {found.mean:.3f}, {found.seconds:6.1f} s, limit {found.limit:.3f}", flush=True)
    print(f"msticpy's p value is at most .05 in {np.mean(innocent.scores >= 0.95):.0%} of the benign series")


def across_logs(r: Random) -> None:
    """The score of one pair in several logs, and with unrelated traffic around."""
    pairs = same_pair.pairs_of(r)
    with tempfile.TemporaryDirectory() as name:
        moved = same_pair.shifts(same_pair.scores_in(r, Path(name), pairs))
    print(f"\nbeacon_score of {len(pairs)} pairs, from file to table: how far from that in Zeek's conn.log")
    for log, column in moved.items():
        print(f"{log:<14} at most {column.max():.3f} ({column.idxmax()}), mean {column.mean():.4f}")
    target("1 less the farthest", 1 - float(moved.max().max()), 0.98)


PARTS = (one_day, one_week, memoryless, beside_msticpy, across_logs)


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
