"""Steps that rise from stage to stage within a span of time: what sequences and chains have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pandas as pd

Span = tuple[pd.Timestamp, pd.Timestamp]


def rising(
    times: Iterable[pd.Timestamp], stages: Iterable[float], window: pd.Timedelta, at_least: int
) -> Iterator[Span]:
    """The window before each event with which at least `at_least` stages have risen, times in order.

    `latest[stage][length]` is the latest start of a rising chain of that length ending in that stage: the
    shortest chain is the one to compare with the window.
    """
    latest: dict[int, dict[int, pd.Timestamp]] = {}
    for time, stage in zip(times, map(int, stages), strict=True):
        below = [held for other, held in latest.items() if other < stage]
        lower = [chain for held in below for chain in held.items() if time - chain[1] <= window]
        mine = latest.setdefault(stage, {})
        mine[1] = time
        for length, start in lower:
            mine[length + 1] = max(mine.get(length + 1, start), start)
        if any(length >= at_least and time - start <= window for length, start in mine.items()):
            yield time - window, time


def joined(spans: Iterable[Span]) -> list[Span]:
    """Overlapping spans as one, in order."""
    whole: list[Span] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return whole
