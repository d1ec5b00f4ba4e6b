"""Records → rows of one or more tables or unread rows, by the SELECT lists of a format.

Each record gives exactly one row, so the counts add up by construction; `Reading` carries them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from playbooks import engine, schema
from playbooks.formats import MACROS, Format, Json, Pairs, Part, Zeek
from playbooks.normalise.cut import cut
from playbooks.normalise.detect import Detection, detect
from playbooks.normalise.json_records import mended
from playbooks.normalise.mapping import NO_PART, cut_records, mapping, of_no_part, parted_records
from playbooks.normalise.pairs import pairs_json
from playbooks.normalise.records import Records
from playbooks.normalise.text import read_text

BROKEN, STATUS, UNKNOWN = "broken", "status", "unknown"
MAX_FAILURES = 200  # of queries in one file of an own format, before whole pieces become unread


@dataclass(frozen=True)
class Rows:
    """What one run of records became: rows of one or more tables, unread records, and the count of blank ones.

    `several` says that a record may have become several rows; where one of its entries could not be read, it
    stands in `unread` besides.
    """

    tables: dict[str, pa.Table]
    unread: pa.Table
    blank: int
    several: bool = False

    @property
    def count(self) -> int:
        """How many records became events whole."""
        if not self.several:
            return sum(table.num_rows for table in self.tables.values())
        read = {number for table in self.tables.values() for number in table["record_no"].to_pylist()}
        return len(read - set(self.unread["record_no"].to_pylist()))

    @property
    def events(self) -> pa.Table:
        """All events in the order of their records; where there are several tables, with the columns of all."""
        if len(self.tables) == 1:
            return next(iter(self.tables.values()))
        held = [table for table in self.tables.values() if table.num_rows]
        return pa.concat_tables(held, promote_options="default").sort_by("record_no") if held else pa.table({})

    def in_order(self) -> list[dict[str, Any]]:
        """Every event with the columns of its own table, in the order of the records."""
        rows = [row for table in self.tables.values() for row in table.to_pylist()]
        return sorted(rows, key=lambda row: int(row["record_no"]))


@dataclass(frozen=True)
class Source:
    """An evidence file to be read: its id in the case, where it lies, and the case's clock."""

    evidence_id: str
    file: Path
    clock: str | None = None


def read(source: Source, detection: Detection | None = None) -> Iterator[Rows]:
    """Read one file from its first to its last record.

    Parameters
    ----------
    source
        The file.
    detection
        What `detect` said of it; detected here when absent.

    Yields
    ------
    Rows
        Runs of rows in the order of the records; together they hold every record once.
    """
    detection = detection or detect(source.file)
    own = detection.format is not None and detection.format.sha256
    reader = _CarefulReader(source, detection) if own else _Reader(source, detection)
    waiting: Future[Rows] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="mapping") as mapping:  # the next run is cut while one is mapped
        for records in cut(read_text(source.file), detection.layout):
            if records.raws or records.blank:
                coming = mapping.submit(reader.rows, records)
                if waiting:
                    yield waiting.result()
                waiting = coming
        if waiting:
            yield waiting.result()


@cache
def _connection(closed: bool = False) -> duckdb.DuckDBPyConnection:
    """One connection a process: opening one and making the macros takes longer than a small file.

    A `closed` one is for own formats, whose SQL may come from a stranger.
    """
    con = engine.connect_closed() if closed else engine.connect()
    con.execute(MACROS)
    return con


class _Reader:
    """Carries the record number and the connection through one file."""

    def __init__(self, source: Source, detection: Detection) -> None:
        self.source = source
        self.detection = detection
        self.next_no = 1
        self.con = _connection(closed=bool(detection.format and detection.format.sha256))
        self.con.execute("SET VARIABLE case_clock = ?", [source.clock or ""])

    def rows(self, records: Records) -> Rows:
        first, self.next_no = self.next_no, self.next_no + len(records.raws)
        form = self.detection.format
        if form is None:
            reason = self.detection.why_unknown()
            reasons = [records.broken.get(i, reason) for i in range(len(records.raws))]
            return Rows({}, self._unread(records.raws, first, reasons), records.blank)
        self.con.register("chunk", _chunk(records, first, form))
        if form.parts:
            return self._parted(form, records)
        mapped = self._mapped(form, form.every_part[0], cut_records(form, records.names))
        return Rows({form.table: _events(mapped, form.table)}, self._bad(mapped), records.blank, bool(form.each))

    def _parted(self, form: Format, records: Records) -> Rows:
        """The records of a log of many kinds, each mapped by the part that it belongs to."""
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE parted AS {parted_records(form, records.names)}")
        tables: dict[str, list[pa.Table]] = {name: [] for name in form.tables}
        bad = [self._bad(self.con.execute(of_no_part(form)).to_arrow_table())]
        for number, part in enumerate(form.parts):
            mapped = self._mapped(form, part, f"(SELECT * FROM parted WHERE part = {number})")
            tables[part.table].append(_events(mapped, part.table))
            bad.append(self._bad(mapped))
        return Rows(
            {name: pa.concat_tables(parts).sort_by("record_no") for name, parts in tables.items()},
            pa.concat_tables(bad).sort_by("record_no"),
            records.blank,
            any(part.each for part in form.parts),
        )

    def _mapped(self, form: Format, part: Part, source: str) -> pa.Table:
        return self.con.execute(mapping(form, part, source, self.source.evidence_id)).to_arrow_table()

    def _bad(self, mapped: pa.Table) -> pa.Table:
        bad = _first_of_each(mapped.filter(pa.compute.is_valid(mapped["reason"])))
        reasons = bad["reason"].to_pylist()
        kinds = [_kind_of(reason) for reason in reasons]
        return _unread_table(self.source.evidence_id, bad["record_no"], kinds, reasons, bad["raw"])

    def _unread(self, raws: list[str], first: int, reasons: list[str]) -> pa.Table:
        numbers = pa.array(range(first, first + len(raws)), pa.int64())
        kinds = [UNKNOWN] * len(raws)
        return _unread_table(self.source.evidence_id, numbers, kinds, reasons, pa.array(raws, pa.string()))


class _CarefulReader(_Reader):
    """For own formats: an expression that fails on a record costs that record, and no other.

    A run of records that fails is read in pieces, down to the record. A file in which that happens very often
    is not worth the time: there a whole piece becomes unread.
    """

    failures = 0

    def rows(self, records: Records) -> Rows:
        first, count = self.next_no, len(records.raws)
        try:
            return super().rows(records)
        except duckdb.Error as error:
            self.next_no = first + count
            self.failures += 1
            if count == 1 or self.failures > MAX_FAILURES:
                return self._failed(records, first, str(error))
        self.next_no = first
        return _joined([self.rows(piece) for piece in _pieces(records)])

    def _failed(self, records: Records, first: int, error: str) -> Rows:
        count = len(records.raws)
        beside = (
            "" if count == 1 else f", or on one of the {count - 1:,} beside it: it failed {MAX_FAILURES} times before"
        )
        reason = (
            f"an expression of the format fails on this record{beside}: {' '.join(error.splitlines()[0].split())[:200]}"
        )
        reasons = [records.broken.get(i, reason) for i in range(count)]
        numbers, raws = pa.array(range(first, first + count), pa.int64()), pa.array(records.raws, pa.string())
        unread = _unread_table(self.source.evidence_id, numbers, [BROKEN] * count, reasons, raws)
        return Rows({}, unread, records.blank)


def _pieces(records: Records) -> Iterator[Records]:
    """A run in ten pieces; the first carries the count of blank lines."""
    step = -(-len(records.raws) // 10)
    for start in range(0, len(records.raws), step):
        broken = {i - start: why for i, why in records.broken.items() if start <= i < start + step}
        raws, cells = records.raws[start : start + step], records.cells[start : start + step]
        yield Records(records.names, raws, broken, cells, 0 if start else records.blank)


def _joined(pieces: list[Rows]) -> Rows:
    names = dict.fromkeys(name for rows in pieces for name in rows.tables)
    tables = {name: pa.concat_tables(rows.tables[name] for rows in pieces if name in rows.tables) for name in names}
    unread = pa.concat_tables(rows.unread for rows in pieces)
    return Rows(tables, unread, sum(rows.blank for rows in pieces), any(rows.several for rows in pieces))


def _kind_of(reason: str) -> str:
    """Which kind of unread record a reason speaks of."""
    if reason.startswith("status line"):
        return STATUS
    return UNKNOWN if reason.startswith(NO_PART) else BROKEN


def _events(mapped: pa.Table, name: str) -> pa.Table:
    good = mapped.filter(pa.compute.is_null(mapped["reason"]))
    return good.select(list(schema.TABLES[name].names))


def _first_of_each(bad: pa.Table) -> pa.Table:
    """One row a record: of several bad entries the first tells the reason."""
    numbers = bad["record_no"].to_pylist()
    keep = [number != before for before, number in zip([None, *numbers], numbers, strict=False)]
    return bad if all(keep) else bad.filter(pa.array(keep))


def _unread_table(
    evidence_id: str, numbers: pa.Array, kinds: list[str], reasons: list[str], raws: pa.Array
) -> pa.Table:
    ids = pa.array([evidence_id] * len(reasons), pa.string())
    columns = [ids, numbers, pa.array(kinds, pa.string()), pa.array(reasons, pa.string()), raws]
    return pa.table(dict(zip(schema.UNREAD.names, columns, strict=True)))


def _chunk(records: Records, first: int, form: Format) -> pa.Table:
    count = len(records.raws)
    broken = [records.broken.get(i) for i in range(count)] if records.broken else [None] * count
    cells = records.cells if any(records.cells) else [None] * count
    return pa.table(
        {
            "record_no": pa.array(range(first, first + count), pa.int64()),
            "raw": pa.array(records.raws, pa.string()),
            "cells": pa.array(cells, pa.list_(pa.string())),
            "broken": pa.array(broken, pa.string()),
            "json": pa.array(_json_texts(records.raws, form), pa.string()),
        }
    )


def _json_texts(raws: list[str], form: Format) -> Iterable[str | None]:
    match form.cut:
        case Json() | Zeek():
            return map(mended, raws)
        case Pairs(style=style):
            return (pairs_json(raw, style) for raw in raws)
        case _:
            return [None] * len(raws)


def raw_records(file: Path, wanted: set[int], own: Sequence[Format] = ()) -> dict[int, str]:
    """The raw text of records by number, as `read` counts them; numbers beyond the end are absent.

    Parameters
    ----------
    file
        The evidence file.
    wanted
        Record numbers, from 1.
    own
        Own formats of the case: how a file is cut depends on its format.
    """
    found: dict[int, str] = {}
    first = 1
    last = max(wanted, default=0)
    for records in cut(read_text(file), detect(file, own).layout):
        for number in range(first, min(first + len(records.raws), last + 1)):
            if number in wanted:
                found[number] = records.raws[number - first]
        first += len(records.raws)
        if first > last:
            break
    return found


__all__ = ["BROKEN", "STATUS", "UNKNOWN", "Rows", "Source", "raw_records", "read"]
