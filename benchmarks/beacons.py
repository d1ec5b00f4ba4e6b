"""How well scores tell implants from people: recall at 1 % false positives, a family a line."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.series import Floats
from benchmarks.traffic import Series
from playbooks.scoping import rhythm, rita

FALSE_POSITIVES = 0.01
Window = tuple[float, float]
Scorer = Callable[[Sequence[Series], Window], Floats]


def by_rhythm(series: Sequence[Series], window: Window) -> Floats:
    """Our score."""
    found = [rhythm.score(one.times) for one in series]
    return np.array([one.score if one else np.nan for one in found])


def by_rita(series: Sequence[Series], window: Window) -> Floats:
    """RITA's, of the last day of the data set."""
    last = rita.window(*window)
    start = rita.counted_from(last)
    found = []
    for one in series:
        kept = one.times >= start
        found.append(rita.score(one.times[kept], one.bytes_out[kept], last))
    return np.array([np.nan if one is None else one for one in found])


def threshold(benign: Floats, share: float = FALSE_POSITIVES) -> float:
    """The score that no more than this share of benign series exceeds; what is not scored counts as 0."""
    ordered = np.sort(np.nan_to_num(benign))[::-1]
    return float(ordered[int(len(ordered) * share)])


@dataclass(frozen=True)
class Measured:
    """What a scorer reaches: the score above which it reports, seconds taken, and recall of each family."""

    limit: float
    seconds: float
    recall: dict[str, float]

    @property
    def mean(self) -> float:
        return float(np.mean(list(self.recall.values())))


def measure(scorer: Scorer, malicious: Sequence[Series], benign: Sequence[Series], window: Window) -> Measured:
    """Recall of each malicious family at 1 % false positives on the benign series."""
    before = time.perf_counter()
    limit = threshold(scorer(benign, window))
    scores = np.nan_to_num(scorer(malicious, window))
    taken = time.perf_counter() - before
    return Measured(limit, taken, by_family(malicious, scores > limit))


def by_family(series: Sequence[Series], found: np.ndarray) -> dict[str, float]:
    """Share found of each family, in the order of the series."""
    hits: dict[str, list[bool]] = {}
    for one, hit in zip(series, found.tolist(), strict=True):
        hits.setdefault(one.family.name, []).append(hit)
    return {name: float(np.mean(several)) for name, several in hits.items()}
