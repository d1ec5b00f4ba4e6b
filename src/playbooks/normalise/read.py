"""Records → rows of one or more tables or unread rows, by the SELECT lists of a format.

Each record gives exactly one row, so the counts add up by construction; `Reading` carries them.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from playbooks import engine, schema
from playbooks.formats import MACROS, Format, Json, Pairs, Part, Zeek
from playbooks.normalise.cut import cut
from playbooks.normalise.detect import Detection, detect
from playbooks.normalise.json_records import mended
from playbooks.normalise.lines import true_count
from playbooks.normalise.mapping import (
    NO_PART,
    cells_of,
    cut_records,
    events_of,
    parted_records,
    reasons_of,
    reasons_of_no_part,
)
from playbooks.normalise.pairs import pairs_json
from playbooks.normalise.records import Records
from playbooks.normalise.text import read_text

BROKEN, STATUS, UNKNOWN = "broken", "status", "unknown"


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
    runs = (records for records in cut(read_text(source.file), detection.layout) if len(records) or records.blank)
    first = 1
    waiting: deque[Future[Rows]] = deque()
    with _Mappers(source, detection) as mappers:
        for records in runs:  # the next run is cut while others are mapped
            waiting.append(mappers.submit(records, first))
            first += len(records)
            if len(waiting) > mappers.count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One database a process: opening one and making the macros takes longer than a small file."""
    con = engine.connect()
    con.execute(MACROS)
    return con


class _Mappers:
    """As many mappers as there are cores, each with a connection of its own."""

    def __init__(self, source: Source, detection: Detection) -> None:
        self.count = os.cpu_count() or 1
        self.free: SimpleQueue[_Mapper] = SimpleQueue()
        self.made = 0
        self.source, self.detection = source, detection
        self.threads = ThreadPoolExecutor(self.count, thread_name_prefix="mapping")

    def __enter__(self) -> _Mappers:
        return self

    def __exit__(self, *_: object) -> None:
        self.threads.shutdown(cancel_futures=True)
        while not self.free.empty():
            self.free.get().con.close()

    def submit(self, records: Records, first: int) -> Future[Rows]:
        if self.free.empty() and self.made < self.count:
            self.free.put(_Mapper(self.source, self.detection))
            self.made += 1
        return self.threads.submit(self._rows, records, first)

    def _rows(self, records: Records, first: int) -> Rows:
        mapper = self.free.get()
        try:
            return mapper.rows(records, first)
        finally:
            self.free.put(mapper)


class _Mapper:
    """Maps one run of records at a time."""

    def __init__(self, source: Source, detection: Detection) -> None:
        self.id = source.evidence_id
        self.detection = detection
        self.con = _database().cursor()
        self.con.execute("SET VARIABLE case_clock = ?", [source.clock or ""])

    def rows(self, records: Records, first: int) -> Rows:
        form = self.detection.format
        if form is None:
            reason = self.detection.why_unknown()
            reasons = [records.broken.get(i, reason) for i in range(len(records))]
            return Rows({}, self._unread(records.texts, first, reasons), records.blank)
        chunk = _chunk(records, first, form)
        try:
            mapped = self._events(chunk, records, form, guarded=False)
        except duckdb.InvalidInputException:  # a record that is no valid JSON
            mapped = self._events(chunk, records, form, guarded=True)
        tables = {name: _good(mapped[name]) for name in form.tables}
        several = any(part.each for part in form.every_part)
        failed = _failed(chunk, mapped, tables, several)
        unread = self._bad(chunk.filter(failed), records, form) if failed is not None else self._unread_none()
        return Rows(tables, unread, records.blank, several)

    def _events(self, chunk: pa.Table, records: Records, form: Format, guarded: bool) -> dict[str, pa.Table]:
        """Rows of each table with the column `bad`."""
        found: dict[str, list[pa.Table]] = {name: [] for name in form.tables}
        for part, source in self._parts(chunk, records, form, guarded):
            found[part.table].append(self.con.execute(events_of(form, part, source, self.id)).to_arrow_table())
        return {
            name: tables[0] if len(tables) == 1 else pa.concat_tables(tables).sort_by("record_no")
            for name, tables in found.items()
        }

    def _parts(self, chunk: pa.Table, records: Records, form: Format, guarded: bool) -> Iterator[tuple[Part, str]]:
        """Each part of a format with the SQL of its records; a log of one kind is one part."""
        self.con.register("chunk", chunk)
        source = cut_records(form, records.names, cells_of(records), guarded)
        if not form.parts:
            yield form.every_part[0], source
            return
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE parted AS {parted_records(form, source)}")
        present = {number for (number,) in self.con.execute("SELECT DISTINCT part FROM parted").fetchall()}
        empty = set(form.tables)
        for number, part in enumerate(form.parts):
            if number in present or part.table in empty:
                empty.discard(part.table)
                yield part, f"(SELECT * FROM parted WHERE part = {number})"

    def _bad(self, rest: pa.Table, records: Records, form: Format) -> pa.Table:
        """The records of `rest` with why they are no events."""
        parts = list(self._parts(rest, records, form, guarded=True))
        asked = [reasons_of(form, part, source, records.names) for part, source in parts]
        asked += [reasons_of_no_part(form, records.names)] if form.parts else []
        told = pa.concat_tables([self.con.execute(sql).to_arrow_table() for sql in asked]).sort_by("record_no")
        bad = _first_of_each(told.filter(pc.is_valid(told["reason"])))
        reasons = bad["reason"].to_pylist()
        return _unread_table(self.id, bad["record_no"], [_kind_of(reason) for reason in reasons], reasons, bad["raw"])

    def _unread(self, raws: pa.StringArray, first: int, reasons: list[str]) -> pa.Table:
        numbers = pa.array(range(first, first + len(raws)), pa.int64())
        return _unread_table(self.id, numbers, [UNKNOWN] * len(raws), reasons, raws)

    def _unread_none(self) -> pa.Table:
        return self._unread(pa.array([], pa.string()), 1, [])


def _good(mapped: pa.Table) -> pa.Table:
    bad = mapped["bad"]
    kept = mapped.filter(pc.invert(bad)) if pc.any(bad).as_py() else mapped
    return kept.drop_columns(["bad"])


def _failed(
    chunk: pa.Table, mapped: dict[str, pa.Table], tables: dict[str, pa.Table], several: bool
) -> pa.BooleanArray | None:
    """Which records of the chunk did not become events whole; None where all did."""
    if not several and sum(table.num_rows for table in tables.values()) == len(chunk):
        return None
    good = pa.chunked_array([c for table in tables.values() for c in table["record_no"].chunks], pa.int64())
    failed = pc.invert(pc.is_in(chunk["record_no"], good))
    if several:
        bad = [table.filter(table["bad"])["record_no"] for table in mapped.values()]
        partly = pa.chunked_array([c for numbers in bad for c in numbers.chunks], pa.int64())
        failed = pc.or_(failed, pc.is_in(chunk["record_no"], partly))
    return failed if pc.any(failed).as_py() else None


def _kind_of(reason: str) -> str:
    """Which kind of unread record a reason speaks of."""
    if reason.startswith("status line"):
        return STATUS
    return UNKNOWN if reason.startswith(NO_PART) else BROKEN


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
    count = len(records)
    broken = [records.broken.get(i) for i in range(count)] if records.broken else None
    return pa.table(
        {
            "record_no": pa.array(range(first, first + count), pa.int64()),
            "raw": records.texts,
            "cells": records.cells if records.cells is not None else pa.nulls(count, pa.list_(pa.string())),
            "broken": pa.array(broken, pa.string()) if broken else pa.nulls(count, pa.string()),
            "json": _json_texts(records, form),
        }
    )


def _json_texts(records: Records, form: Format) -> pa.StringArray:
    match form.cut:
        case Json() | Zeek() if true_count(pc.match_substring(records.texts, "\\x")):
            return pa.array(map(mended, records.raws), pa.string())
        case Json() | Zeek():
            return records.texts
        case Pairs(style=style):
            return pa.array([pairs_json(raw, style) for raw in records.raws], pa.string())
        case _:
            return pa.nulls(len(records), pa.string())


def raw_records(file: Path, wanted: set[int]) -> dict[int, str]:
    """The raw text of records by number, as `read` counts them; numbers beyond the end are absent.

    Parameters
    ----------
    file
        The evidence file.
    wanted
        Record numbers, from 1.
    """
    found: dict[int, str] = {}
    first = 1
    last = max(wanted, default=0)
    for records in cut(read_text(file), detect(file).layout):
        for number in sorted(n for n in wanted if first <= n < first + len(records)):
            found[number] = records.texts[number - first].as_py()
        first += len(records)
        if first > last:
            break
    return found


__all__ = ["BROKEN", "STATUS", "UNKNOWN", "Rows", "Source", "raw_records", "read"]
