"""Sources: evidence items that are one log, and the streams of records in them.

A stream is one source and one table: the DNS records of a sensor may end while its flows go on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbooks import schema
from playbooks.engine import Tables
from playbooks.normalise import Reading

if TYPE_CHECKING:
    import ibis.expr.types as ir

SOURCES_PER_FORMAT = 6  # more files of one format than this are one source (hourly or random names)
PACKED = re.compile(r"\.(gz|zst|bz2|xz|zip)$", re.IGNORECASE)  # a rotated file is the same log
MOST_TABLES = 16  # numbers one stream: source × MOST_TABLES + table
EVENT_TABLES = tuple(schema.EVENT_TABLES)


@dataclass(frozen=True, eq=False)
class Source:
    """Evidence items of one format that are one log."""

    number: int
    name: str
    format: str
    members: tuple[Reading, ...]

    @property
    def evidence(self) -> list[str]:
        return [member.evidence_id for member in self.members]

    @property
    def tables(self) -> list[str]:
        """Tables that its records fill."""
        return list(dict.fromkeys(table for one in self.members for table, count in one.tables.items() if count))

    @property
    def label(self) -> str:
        """Its evidence ids, short."""
        ids = self.evidence
        return ids[0] if len(ids) == 1 else f"{ids[0]}–{ids[-1]}"


@dataclass(frozen=True, eq=False)
class Stream:
    """The records of one source in one table."""

    number: int
    source: Source
    table: str

    @property
    def name(self) -> str:
        """Name of the source; with the kind of record where it fills several tables."""
        several = len([table for table in self.source.tables if table in EVENT_TABLES]) > 1
        return f"{self.source.name} ({self.table.partition('_')[0]})" if several else self.source.name

    @property
    def says(self) -> str:
        """Who it is, in a sentence: items and format."""
        several = self.name != self.source.name
        kind = f"{self.table.partition('_')[0]} records of " if several else ""
        return f"{kind}{self.source.label} ({self.source.format})"


def sources_of(readings: Iterable[Reading]) -> list[Source]:
    """Items grouped to sources: the same format and the same file name but for digits."""
    groups: dict[tuple[str, str], list[Reading]] = {}
    for reading in readings:
        if reading.format:
            groups.setdefault((reading.format, _stem(reading.name)), []).append(reading)
    names: dict[str, int] = {}
    for form, _ in groups:
        names[form] = names.get(form, 0) + 1
    merged: dict[tuple[str, str], list[Reading]] = {}
    for (form, stem), members in groups.items():
        key = (form, stem) if names[form] <= SOURCES_PER_FORMAT else (form, "")
        merged.setdefault(key, []).extend(members)
    return [
        Source(number, _name(form, stem, members), form, tuple(members))
        for number, ((form, stem), members) in enumerate(merged.items())
    ]


def _stem(name: str) -> str:
    plain = PACKED.sub("", name.partition("-")[2])
    return re.sub(r"[\d_:T Z-]+", "-", plain).strip("-.")


def _name(form: str, stem: str, members: list[Reading]) -> str:
    return f"{stem or form} ({len(members)} files)" if len(members) > 1 else members[0].name


def streams_of(sources: Iterable[Source]) -> list[Stream]:
    """The streams of sources, in their order; tables that hold no events are left out."""
    return [
        Stream(source.number * MOST_TABLES + place, source, table)
        for source in sources
        for place, table in enumerate(EVENT_TABLES)
        if table in source.tables
    ]


def stamped(tables: Tables, sources: list[Source]) -> ir.Table:
    """Every event that has a stamp as (stream, second), in seconds since 1970.

    Returns
    -------
    ibis Table
        `stream` (number), `second` (whole seconds, UTC), `evidence_id`, `record_no`.
    """
    import ibis

    owner = membership(sources)
    parts = []
    for place, name in enumerate(EVENT_TABLES):
        table = tables[name].filter(tables[name].time.notnull())
        rows = table.select("evidence_id", "record_no", second=table.time.epoch_seconds().cast("int64"))
        joined = rows.inner_join(owner, "evidence_id")
        parts.append(joined.select("evidence_id", "record_no", "second", stream=joined.source * MOST_TABLES + place))
    return ibis.union(*parts)


def membership(sources: list[Source]) -> ir.Table:
    """(evidence_id, source number) of every item."""
    import ibis
    import pyarrow as pa

    pairs = [(item, source.number) for source in sources for item in source.evidence]
    shape = pa.schema([("evidence_id", pa.string()), ("source", pa.int64())])
    return ibis.memtable(pa.table([[item for item, _ in pairs], [number for _, number in pairs]], schema=shape))
