"""What a channel is, and what all ways of looking for one share: prevalence, records, pace."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from playbooks.case import CaseFile
from playbooks.engine import Tables

MAX_REFS = 20
MAX_ROWS = 500  # of one kind, the strongest: nobody reads more, and a log of noise must not fill a report
MAX_DSTS = 100  # destinations kept with one channel; the sentence counts all
SHOWN = 120  # characters of a value in a sentence: a label of 63 characters and its neighbours
FEW_CLIENTS = 2  # an implant on one host, and a second that looks at the same place
FEW_SHARE = 0.05  # the same in a large estate
CLIENTS_TO_TELL = 5  # in a smaller estate everything is rare and everything is common
HABIT_SHARE = 0.25  # what a quarter of the clients does *in the same way* is the house at work
# RITA's steps for long connections: 1, 4, 8 and 12 h are base, low, medium and high
HOURS = (1, 4, 8, 12)
STEPS = (0.2, 0.4, 0.6, 0.8)

Row = dict[str, Any]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Channel:
    """One way out of the estate that a pair's check-ins do not show.

    Attributes
    ----------
    kind, src, dst, dsts
        What it is, who, the chief destination, and all of them.
    sentence
        The facts with their figures.
    strength
        0 to 1, see the kind.
    clients
        Clients of the estate that do the same with the same destination.
    source
        Telemetry it was seen in: dns, http, tls, flow.
    """

    kind: str
    src: str
    dst: str
    dsts: tuple[str, ...]
    sentence: str
    strength: float
    clients: int
    source: str
    first_seen: dt.datetime
    last_seen: dt.datetime
    connections: int
    bytes_out: int | None = None
    bytes_in: int | None = None
    period_s: float | None = None
    score: float | None = None
    refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Seen:
    """The contacts of the window (with `at`, their whole seconds), the tables behind them, and how many clients."""

    events: ir.Table
    tables: Tables
    config: CaseFile
    clients: int

    def is_habit(self, clients: int) -> bool:
        """Whether so many clients doing the same are the house at work."""
        return self.clients >= CLIENTS_TO_TELL and clients >= HABIT_SHARE * self.clients

    def is_rare(self, clients: int) -> bool:
        """Whether so few do it that an implant could be it; always in an estate too small to tell."""
        return self.clients < CLIENTS_TO_TELL or clients <= max(FEW_CLIENTS, FEW_SHARE * self.clients)

    @property
    def few(self) -> int:
        """The largest number of clients that is rare."""
        return self.clients if self.clients < CLIENTS_TO_TELL else int(max(FEW_CLIENTS, FEW_SHARE * self.clients))

    @cached_property
    def volumes(self) -> ir.Table:
        """Pairs in each log but DNS, without proxies: times, first, last (seconds), bytes both ways."""
        events = self.events.filter(self.events.source != "dns", ~self.events.by_proxy)
        grouped = events.group_by("src", "dst", "source", "format").agg(
            times=events.count(),
            first=events.at.min(),
            last=events.at.max(),
            bytes_out=events.bytes_out.sum(),
            bytes_in=events.bytes_in.sum(),
        )
        return grouped.cache()

    @cached_property
    def rare(self) -> ir.Table:
        """(dst, clients) of destinations that few clients call."""
        pairs = self.volumes.select("src", "dst").distinct()
        clients = pairs.group_by("dst").agg(clients=pairs.count())
        return clients.filter(clients.clients <= self.few)


def of_pair(kind: str, row: Row, sentence: str, strength: float, clients: int, **more: Any) -> Channel:
    """The channel of one pair that was added up: `row` holds src, dst, times, first, last (seconds) and bytes."""
    facts = {
        "dsts": (row["dst"],),
        "source": row.get("source"),
        "connections": row.get("times"),
        "first_seen": moment(row["first"]),
        "last_seen": moment(row["last"]),
    }
    volume = {name: row[name] for name in ("bytes_out", "bytes_in")}
    return Channel(
        kind=kind,
        src=row["src"],
        dst=row["dst"],
        sentence=sentence,
        strength=round(strength, 3),
        clients=clients,
        **{**facts, **volume, **more},
    )


def step(value: float, edges: Sequence[float]) -> float:
    """`value` between four edges as a strength of .2, .4, .6, .8, linear between them; 0 below the first."""
    return 0.0 if value < edges[0] else float(np.interp(value, edges, STEPS))


def rows(table: ir.Table) -> list[Row]:
    """A small result as dictionaries."""
    found: list[Row] = table.to_pyarrow().to_pylist()
    return found


def whole_seconds(time: ir.TimestampValue) -> ir.IntegerValue:
    """Seconds since 1970, cut, not rounded."""
    return time.truncate("s").epoch_seconds().cast("int64")


def moment(seconds: float) -> dt.datetime:
    """Seconds since 1970 as a time in UTC."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC)


def strongest(channels: Iterable[Channel]) -> list[Channel]:
    """The `MAX_ROWS` strongest, in an order that does not depend on the engine."""
    ranked = sorted(channels, key=lambda one: (-one.strength, one.src, one.dst, one.source, one.dsts, one.sentence))
    return ranked[:MAX_ROWS]


def lookup(columns: Mapping[str, Sequence[Any]], types: Mapping[str, pa.DataType] | None = None) -> ir.Table:
    """A small table beside the events, text unless told otherwise."""
    kinds = types or {}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in columns])
    return ibis.memtable(pa.table([list(values) for values in columns.values()], schema=schema))


def chosen(events: ir.Table, keys: Iterable[Key], by: Sequence[str]) -> ir.Table:
    """The events whose columns `by` hold one of `keys`."""
    distinct = sorted(set(keys))
    wanted = lookup({name: [key[at] for key in distinct] for at, name in enumerate(by)})
    return events.semi_join(wanted, list(by)).select(*events.columns)


def cited(events: ir.Table, keys: Iterable[Key], by: Sequence[str]) -> dict[Key, tuple[str, ...]]:
    """Up to `MAX_REFS` records of each key, evenly over its events in order of time, with both ends."""
    keys = list(keys)
    if not keys:
        return {}
    mine = chosen(events, keys, by)
    order = [mine.time, mine.evidence_id, mine.record_no]
    mine = mine.select(
        *by,
        "evidence_id",
        "record_no",
        place=ibis.row_number().over(group_by=by, order_by=order),
        many=mine.count().over(group_by=by),
    )
    span = ibis.greatest(mine.many - 1, 1)
    now, before = (((mine.place - back) * (MAX_REFS - 1) // span) for back in (0, 1))
    mine = mine.filter((mine.many <= MAX_REFS) | (mine.place == 0) | (now > before))
    found: dict[Key, list[str]] = {}
    for row in rows(mine.order_by(*by, "place")):
        found.setdefault(tuple(row[name] for name in by), []).append(f"{row['evidence_id']}:{row['record_no']}")
    return {key: tuple(refs[:MAX_REFS]) for key, refs in found.items()}


def told(value: str) -> str:
    """A value of the evidence, short enough for a sentence."""
    return value if len(value) <= SHOWN else value[:SHOWN] + "…"


def counted(number: int, noun: str) -> str:
    """1 name, 2 names."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(number: float | None) -> str:
    """Bytes in words: 3.2 MB; unknown where no record tells."""
    if number is None:
        return "an unknown number of bytes"
    for unit, base in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= base:
            return f"{number / base:.1f} {unit}"
    return f"{number:.0f} B"
