"""Recall at 1 % false positives: what each score reports of each family, each score with a limit of its own.

A score reports what lies above the limit that one benign series in a hundred exceeds; what it does not score
counts as 0. Recall is the share of a family's series that is reported.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.series import Floats, Series
from playbooks.scoping import rhythm, rita
from playbooks.scoping.rhythm import Rhythm

FALSE_POSITIVES = 0.01
Window = tuple[float, float]
Scorer = Callable[[Sequence[Series], Window], Floats]


def rhythms_of(series: Sequence[Series]) -> list[Rhythm | None]:
    """Our score of each series, with its period and reason: as the table of pairs takes it, many at once."""
    seconds = [rhythm.whole_seconds(one.times) for one in series]
    starts = np.concatenate(([0], np.cumsum([len(one) for one in seconds])))
    return rhythm.scores(np.concatenate(seconds), starts)


def by_rhythm(series: Sequence[Series], window: Window) -> Floats:
    """Our score."""
    return scores_of(rhythms_of(series))


def scores_of(rhythms: Sequence[Rhythm | None]) -> Floats:
    """The score of each, NaN where there is none."""
    return np.array([found.score if found else np.nan for found in rhythms])


def by_rita(series: Sequence[Series], window: Window) -> Floats:
    """RITA's, which looks at the last day of the data set; many at once, too."""
    last = rita.window(*window)
    kept = [one.times >= rita.counted_from(last) for one in series]
    starts = np.concatenate(([0], np.cumsum([own.sum() for own in kept]))).astype(np.int64)
    seconds = np.concatenate([np.floor(one.times[own]) for one, own in zip(series, kept, strict=True)])
    sizes = np.concatenate([one.bytes_out[own] for one, own in zip(series, kept, strict=True)])
    return rita.scores(starts, seconds.astype(np.int64), sizes, last)


SCORERS: dict[str, Scorer] = {"rhythm": by_rhythm, "RITA": by_rita}


@dataclass(frozen=True)
class Scored:
    """Series with what one score says of each, and the seconds that took."""

    series: Sequence[Series]
    scores: Floats
    seconds: float = 0.0

    def part(self, start: int, end: int) -> Scored:
        """Some of them; the time is shared out evenly."""
        share = (end - start) / len(self.series)
        return Scored(self.series[start:end], self.scores[start:end], self.seconds * share)


def scored(scorer: Scorer, series: Sequence[Series], window: Window) -> Scored:
    """Score the series; what is not scored counts as 0."""
    before = time.perf_counter()
    scores = np.nan_to_num(scorer(series, window))
    return Scored(series, scores, time.perf_counter() - before)


@dataclass(frozen=True)
class Measured:
    """What a score reaches: the limit above which it reports, recall of each family, and seconds taken."""

    limit: float
    recall: dict[str, float]
    seconds: float = 0.0

    @property
    def mean(self) -> float:
        """Of all families."""
        return self.of(list(self.recall))

    def of(self, families: Sequence[str]) -> float:
        """Mean of some families."""
        return float(np.mean([self.recall[name] for name in families]))


def limit_of(benign: Floats, share: float = FALSE_POSITIVES) -> float:
    """The score that no more than this share of benign series exceeds."""
    return float(np.sort(benign)[::-1][int(len(benign) * share)])


def recall(malicious: Scored, benign: Scored) -> Measured:
    """Recall of each malicious family at 1 % false positives on the benign series."""
    limit = limit_of(benign.scores)
    found: dict[str, list[bool]] = {}
    for one, hit in zip(malicious.series, (malicious.scores > limit).tolist(), strict=True):
        found.setdefault(one.family.name, []).append(hit)
    shares = {name: float(np.mean(hits)) for name, hits in found.items()}
    return Measured(limit, shares, malicious.seconds + benign.seconds)


def groups_of(series: Sequence[Series]) -> dict[str, list[str]]:
    """Names of the families of each group, in order."""
    found: dict[str, dict[str, None]] = {}
    for one in series:
        found.setdefault(one.family.group, {})[one.family.name] = None
    return {group: list(names) for group, names in found.items()}
