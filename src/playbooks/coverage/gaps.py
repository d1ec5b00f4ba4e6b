"""Gaps against the source's own rhythm: silences that are longer than its behaviour makes plausible.

There is no threshold in minutes. Time is measured in the minutes that the source usually fills (`usual_hours`), so a
night of an office log is short and an hour at noon is long. Then a silence is compared with the longest other
silences of the same source: their tail says how many as long ones were to be expected by chance. Method: extrapolation
of a Pareto tail through the largest order statistics (Hill, "A simple general approach to inference about the tail of
a distribution", 1975) with its longest quarter censored, so that several of them may themselves be outages.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from playbooks.coverage.hours import HOUR_S, MINUTE_S, Counted, Looked, iso, long, words
from playbooks.coverage.sources import Stream
from playbooks.coverage.usual_hours import usual_minutes

if TYPE_CHECKING:
    import ibis.expr.types as ir

Lengths = np.ndarray[Any, np.dtype[np.float64]]
SILENCES_TO_TELL = 30  # fewer say nothing of a tail
TAILS = (20, 40)  # how many of the longest silences make the tail: the shorter tail sees past missed check-ins
BY_CHANCE = 0.02  # silences as long that may be expected by chance in all of the source
LEAST_SHAPE = 0.2  # a source as regular as a clock: about five of its intervals
CAUTION = 1.1  # the tail is known from a few dozen silences only
SHORTEST_S = 60  # shorter is a restart or a rotation of any logger
MOST_SILENCES = 400  # longest ones of a source that leave the engine
TOO_FEW = "too few records to tell a gap from its own quiet"


@dataclass(frozen=True)
class Gap:
    """A silence that the source's rhythm makes implausible; seconds since 1970. An edge of the span has no record."""

    stream: Stream
    start: int
    end: int
    missing: float
    by_chance: float
    edge: str

    @property
    def seconds(self) -> int:
        return self.end - self.start


@dataclass(frozen=True)
class Rhythm:
    """What is known of a stream's silences: how many, the usual ones, and the gaps. `told` says it in a sentence."""

    stream: Stream
    silences: int
    usual_s: float | None
    p99_s: float | None
    gaps: tuple[Gap, ...]
    told: str


def rhythms(streams: list[Stream], minutes: ir.Table, counted: Counted, looked: Looked | None) -> list[Rhythm]:
    """The rhythm of each stream in the span that is looked at, and the gaps in it.

    Parameters
    ----------
    minutes
        `hours.per_minute`: events per stream and minute.
    counted
        `hours.per_hour` of them.

    Returns
    -------
    list of Rhythm
        One for each stream, in their order.
    """
    if looked is None:
        return [Rhythm(stream, 0, None, None, (), TOO_FEW) for stream in streams]
    expected = {stream.number: _expected(stream, counted, looked) for stream in streams}
    found = _silences(minutes, expected, looked)
    return [_rhythm(stream, found.get(stream.number), expected[stream.number], looked) for stream in streams]


@dataclass(frozen=True)
class _Expected:
    """Minutes with records to expect: per hour of the span, and how many before each of them."""

    minutes: np.ndarray[Any, np.dtype[np.float64]]
    before: np.ndarray[Any, np.dtype[np.float64]]
    first_s: int

    def between(self, start: int, end: int) -> float:
        return self._until(end) - self._until(start)

    def _until(self, second: int) -> float:
        hour, rest = divmod(second - self.first_s, HOUR_S)
        if hour >= len(self.minutes):
            return float(self.before[-1])
        return float(self.before[hour] + self.minutes[hour] * rest / HOUR_S)


def _expected(stream: Stream, counted: Counted, looked: Looked) -> _Expected:
    hours, _, filled = counted.of(stream)
    inside = (hours >= looked.start) & (hours < looked.end)
    active = np.full(looked.hours, np.nan)
    if inside.any():
        places = hours[inside] - looked.start
        active[places[0] : places[-1] + 1] = 0.0
        active[places] = filled[inside]
        active[places[0]] = active[places[0] : places[0] + 2].max()  # both ends are cut: as full as the next hour
        active[places[-1]] = active[max(places[-1] - 1, 0) : places[-1] + 1].max()
    usual = usual_minutes(active, looked.start)
    return _Expected(usual, np.concatenate([[0.0], np.cumsum(usual)]), looked.start * HOUR_S)


@dataclass(frozen=True)
class _Silences:
    """Silences of one stream: figures over all of them, and the longest by the minutes that are missing."""

    count: int
    usual_s: float
    p99_s: float
    first: int
    last: int
    longest: tuple[tuple[float, int, int], ...]


def _silences(minutes: ir.Table, expected: dict[int, _Expected], looked: Looked) -> dict[int, _Silences]:
    """Silences between minutes with records, measured in usual minutes; all of it in the engine."""
    import ibis

    start, end = looked.start * HOUR_S, looked.end * HOUR_S
    inside = minutes.filter(minutes["first"] >= start, minutes["last"] < end)
    following = inside["first"].lead().over(group_by=inside.stream, order_by=inside.minute)
    pairs = inside.select("stream", "first", "last", next=following)
    known = _known(expected, looked)
    at = ((pairs["last"] - start) // HOUR_S).cast("int64")
    begun = pairs.mutate(place=at).inner_join(known, ["stream", "place"])
    until = begun.mutate(
        spent=begun.before + begun.usual * ((begun["last"] - start) % HOUR_S) / HOUR_S,
        place=((begun.next - start) // HOUR_S).cast("int64"),
    ).drop("before", "usual")
    ended = until.left_join(known, ["stream", "place"])
    length = (ended.next - ended["last"]).cast("int64")
    missing = ended.before + ended.usual * ((ended.next - start) % HOUR_S) / HOUR_S - ended.spent
    silences = ended.select("stream", "first", "last", "next", length=length, missing=missing).cache()
    figures = silences.group_by("stream").aggregate(
        count=(silences.missing > 0).sum(),
        usual=silences.length.quantile(0.5),
        p99=silences.length.quantile(0.99),
        first=silences["first"].min(),
        last=silences["last"].max(),
    )
    rank = ibis.row_number().over(group_by=silences.stream, order_by=[silences.missing.desc(), silences["last"]])
    long_ones = silences.filter(silences.missing > 0).mutate(rank=rank)
    kept = long_ones.filter(long_ones["rank"] < MOST_SILENCES).order_by("stream", "rank").to_pyarrow().to_pylist()
    longest: dict[int, list[tuple[float, int, int]]] = {}
    for row in kept:
        longest.setdefault(row["stream"], []).append((row["missing"], row["last"], row["next"]))
    return {
        row["stream"]: _Silences(
            row["count"] or 0, row["usual"] or 0.0, row["p99"] or 0.0, row["first"], row["last"],
            tuple(longest.get(row["stream"], ())),
        )
        for row in figures.to_pyarrow().to_pylist()
    }  # fmt: skip


def _known(expected: dict[int, _Expected], looked: Looked) -> ir.Table:
    """(stream, place, usual, before): what is expected of each hour of the span."""
    import ibis
    import pyarrow as pa

    places = np.arange(looked.hours)
    many = len(expected)
    return ibis.memtable(
        pa.table(
            {
                "stream": np.repeat(np.array(list(expected), dtype="int64"), looked.hours),
                "place": np.tile(places, many),
                "usual": np.concatenate([one.minutes for one in expected.values()]) if many else np.zeros(0),
                "before": np.concatenate([one.before[:-1] for one in expected.values()]) if many else np.zeros(0),
            }
        )
    )


def _rhythm(stream: Stream, found: _Silences | None, expected: _Expected, looked: Looked) -> Rhythm:
    if found is None:
        return Rhythm(stream, 0, None, None, (), TOO_FEW)
    if found.count < SILENCES_TO_TELL:
        return Rhythm(stream, found.count, found.usual_s, found.p99_s, (), TOO_FEW)
    silences = [(missing, start, end, "") for missing, start, end in found.longest]
    if looked.stated:
        silences += _edges(found, expected, looked)
    silences.sort(key=lambda one: (-one[0], one[1]))
    likely = (gap for gap in _implausible(stream, silences) if _is_missed(gap, found.usual_s, looked))
    gaps = tuple(sorted(likely, key=lambda gap: gap.start))
    told = f"usual silence {long(found.usual_s)}, 99 of 100 within {long(found.p99_s)}"
    return Rhythm(stream, found.count, found.usual_s, found.p99_s, gaps, told)


def _edges(found: _Silences, expected: _Expected, looked: Looked) -> Iterator[tuple[float, int, int, str]]:
    """Silences between the edges of a stated span and the first and last record."""
    start, end = looked.start * HOUR_S, looked.end * HOUR_S
    yield expected.between(start, found.first), start, found.first, "start"
    yield expected.between(found.last, end), found.last, end, "end"


def _implausible(stream: Stream, silences: list[tuple[float, int, int, str]]) -> Iterator[Gap]:
    """The longest silences, as long as chance does not explain them by the others."""
    lengths = np.array([missing for missing, *_ in silences])
    for place, (missing, start, end, edge) in enumerate(silences):
        others = lengths[place + 1 :]
        if len(others) < SILENCES_TO_TELL // 2 or missing <= 0:
            return
        chance = _chance(missing, others)
        if chance >= BY_CHANCE:
            return
        if end - start >= SHORTEST_S:
            yield Gap(stream, start, end, missing, chance, edge)


def _is_missed(gap: Gap, usual_s: float, looked: Looked) -> bool:
    """Whether as long a silence is rare even if records come at random, one by one, at the usual rate."""
    expected = gap.missing * max(MINUTE_S / max(usual_s, 1.0), 1.0)
    return expected >= math.log(looked.hours * HOUR_S / gap.seconds / BY_CHANCE)


def _chance(missing: float, others: Lengths) -> float:
    """How many silences of at least this length the longest others lead to expect."""
    depths = {min(depth, len(others) // 2) for depth in TAILS}
    return len(depths) * min(_beyond(missing, others[:depth]) for depth in depths)


def _beyond(missing: float, tail: Lengths) -> float:
    """The same by one tail: its longest quarter counts as no more than the rest shows, it may hold outages."""
    least = float(tail[-1])
    if least <= 0:
        return math.inf
    spread = np.log(tail / least)
    cut = len(tail) // 4
    shape = float(spread[cut:].sum() + cut * spread[cut]) / (len(tail) - cut)
    return float(len(tail) * (missing / least) ** (-1 / max(LEAST_SHAPE, CAUTION * shape)))


def sentence(gap: Gap, rhythm: Rhythm) -> str:
    """Why a gap is one, with its figures."""
    place = {
        "": f"from {words(gap.start)} to {words(gap.end)}",
        "start": f"from the start of the span to its first record at {words(gap.end)}",
        "end": f"from its last record at {words(gap.start)} to the end of the span",
    }[gap.edge]
    return (
        f"{gap.stream.says}: no record {place}, {long(gap.seconds)}. Its usual silence is {long(rhythm.usual_s or 0)}, "
        f"99 of 100 end within {long(rhythm.p99_s or 0)}; at these hours it usually fills "
        f"{round(gap.missing):,} of these minutes."
    )


def as_json(gap: Gap, rhythm: Rhythm, refs: tuple[str | None, str | None]) -> dict[str, Any]:
    """A gap for `coverage.json`."""
    return {
        "source": gap.stream.source.label,
        "format": gap.stream.source.format,
        "table": gap.stream.table,
        "from": iso(gap.start),
        "to": iso(gap.end),
        "seconds": gap.seconds,
        "hours": round(gap.seconds / HOUR_S, 2),
        "minutes_missing": round(gap.missing),
        "by_chance": float(f"{gap.by_chance:.1e}"),
        "edge": gap.edge or None,
        "before": refs[0],
        "after": refs[1],
        "sentence": sentence(gap, rhythm),
    }


__all__ = ["MINUTE_S", "Gap", "Rhythm", "as_json", "rhythms", "sentence"]
