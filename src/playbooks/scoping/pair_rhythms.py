"""The rhythm of each pair: of the telemetry that saw most check-ins, or of one program in it.

Where records tell the program (process, else user agent, else TLS fingerprint), the contacts of each program are
also scored alone: people and an implant may use the same host.
"""

from __future__ import annotations

import numpy as np

from playbooks.scoping import rhythm
from playbooks.scoping.pair_telemetry import SOURCES, Columns, Pairs, Telemetry
from playbooks.scoping.series import Ints, sorted_within, starts_of

CLEARER = 0.05  # a program's own rhythm must be better by this much to stand for the pair


def rhythms(telemetry: Telemetry, pairs: Pairs) -> Columns:
    """Rhythm of each pair: the columns that begin with `beacon_`."""
    seconds = telemetry.time // 1_000_000
    lengths = np.diff(telemetry.starts)
    streams = _distinct(seconds, np.repeat(pairs.stream, lengths), len(pairs.of_stream))
    chosen = _fullest(pairs, np.diff(streams[1]))
    found = _scores(*streams, chosen)
    columns: dict[str, list[object]] = {f"beacon_{name}": [None] * len(pairs.src) for name in NAMES}
    for stream, one in found.items():
        _tell(columns, int(pairs.of_stream[stream]), one, SOURCES[pairs.source[stream]], None)
    split = _split(pairs, chosen, telemetry.contacts)
    kept = np.repeat(np.isin(np.arange(len(lengths)), split), lengths)
    rows = _distinct(seconds[kept], np.repeat(np.arange(len(lengths)), lengths)[kept], len(lengths))
    for row, one in _scores(*rows, split).items():
        pair = int(pairs.of_row[row])
        before = columns["beacon_score"][pair]
        if one.score > (before if isinstance(before, float) else 0) + CLEARER:
            _tell(columns, pair, one, telemetry.source[row], telemetry.client[row])
    return dict(columns)


NAMES = ("score", "period_s", "reason", "source", "client")


def _tell(columns: dict[str, list[object]], pair: int, one: rhythm.Rhythm, source: str, client: str | None) -> None:
    for name, value in zip(NAMES, (one.score, one.period_s, one.reason, source, client), strict=True):
        columns[f"beacon_{name}"][pair] = value


def _distinct(seconds: Ints, series: Ints, count: int) -> tuple[Ints, Ints]:
    """Distinct seconds of each series in order, the newest `rhythm.MAX_TIMES`, and where each begins."""
    order = np.argsort(series, kind="stable")
    starts = starts_of(np.bincount(series, minlength=count))
    ordered = sorted_within(seconds[order], starts)
    series = np.repeat(np.arange(count), np.diff(starts))
    first = np.ones(len(ordered), dtype=bool)
    first[1:] = (ordered[1:] != ordered[:-1]) | (series[1:] != series[:-1])
    counts = np.bincount(series[first], minlength=count)
    if len(counts) and counts.max() > rhythm.MAX_TIMES:
        from_end = np.repeat(np.cumsum(counts), counts) - np.arange(int(counts.sum()))
        newest = from_end <= rhythm.MAX_TIMES
        return ordered[first][newest], starts_of(np.minimum(counts, rhythm.MAX_TIMES))
    return ordered[first], starts_of(counts)


def _fullest(pairs: Pairs, counts: Ints) -> Ints:
    """Of each pair the stream with most check-ins; among equals the one that tells most."""
    order = np.lexsort((pairs.source, -counts, pairs.of_stream))
    _, first = np.unique(pairs.of_stream[order], return_index=True)
    return np.asarray(order[first], dtype=np.int64)


def _split(pairs: Pairs, chosen: Ints, contacts: Ints) -> Ints:
    """Rows of the chosen streams that hold several programs, each with enough contacts."""
    programs = np.bincount(pairs.stream, minlength=len(pairs.of_stream))
    several = np.zeros(len(programs), dtype=bool)
    several[chosen] = programs[chosen] > 1
    return np.flatnonzero(several[pairs.stream] & (contacts >= rhythm.MIN_CHECKINS))


def _scores(seconds: Ints, starts: Ints, chosen: Ints) -> dict[int, rhythm.Rhythm]:
    """Rhythms of the chosen series that have one, by their number."""
    counts = np.diff(starts)
    chosen = chosen[counts[chosen] >= rhythm.MIN_CHECKINS]
    taken = np.repeat(np.isin(np.arange(len(counts)), chosen), counts)
    chosen = np.sort(chosen)
    found = rhythm.scores(seconds[taken], starts_of(counts[chosen]))
    return {number: one for number, one in zip(chosen.tolist(), found, strict=True) if one is not None}
