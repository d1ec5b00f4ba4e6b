"""Runs of records → rows, by the SELECT lists of a format, on as many threads as there are cores.

Every record gives at least one row or is unread; which of them failed is found by comparing what went in with what
came out, and only these are asked why.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from playbooks.cores import cores
from playbooks.formats import Format, Json, Pairs, Part, Xml, Zeek
from playbooks.normalise.addresses import in_one_spelling
from playbooks.normalise.detect import Detection
from playbooks.normalise.json_records import DOTTED_NAME, mended, undotted
from playbooks.normalise.lines import holds, true_count
from playbooks.normalise.mapping import (
    NO_PART,
    cells_of,
    cut_records,
    events_of,
    parted_records,
    reasons_of,
    reasons_of_no_part,
)
from playbooks.normalise.mixed import as_records, candidates, strangers, with_mark
from playbooks.normalise.nul_characters import without_nul
from playbooks.normalise.pairs import pairs_json
from playbooks.normalise.records import Records
from playbooks.normalise.rows import BROKEN, STATUS, UNKNOWN, Rows, numbers_from, unread_none, unread_table
from playbooks.normalise.statements import Statements, statements
from playbooks.normalise.tables import cells_in, row_json
from playbooks.normalise.xml_records import xml_json

MAX_FAILURES = 200  # of queries in one file of an own format, before whole pieces become unread


class Mappers:
    """As many mappers as there are cores, each with a connection of its own."""

    def __init__(self, evidence_id: str, clock: str | None, detection: Detection) -> None:
        self.count = cores()
        self.free: SimpleQueue[_Mapper] = SimpleQueue()
        self.made = 0
        self.id, self.clock, self.detection = evidence_id, clock, detection
        self.threads = ThreadPoolExecutor(self.count, thread_name_prefix="mapping")

    def __enter__(self) -> Mappers:
        return self

    def __exit__(self, *_: object) -> None:
        self.threads.shutdown(cancel_futures=True)

    def submit(self, records: Records, first: int) -> Future[Rows]:
        if self.free.empty() and self.made < self.count:
            own = self.detection.format is not None and self.detection.format.sha256
            self.free.put((_CarefulMapper if own else _Mapper)(self.id, self.clock, self.detection))
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

    def __init__(self, evidence_id: str, clock: str | None, detection: Detection) -> None:
        self.id, self.clock = evidence_id, clock
        self.detection = detection

    def rows(self, records: Records, first: int) -> Rows:
        form = self.detection.as_cut
        if form is None:
            reason = self.detection.why_unknown()
            reasons = [records.broken.get(i, reason) for i in range(len(records))]
            return Rows({}, self._unread(records.texts, first, reasons), records.blank)
        numbers = numbers_from(first, len(records))
        rows = self._as(form, records, numbers)
        return self._with_others(rows, form, {first + index for index in records.broken})

    def _with_others(self, rows: Rows, form: Format, torn: set[int]) -> Rows:
        """Rows with those of the records that belong to other logs in the same file."""
        rest = strangers(rows.unread, form, torn) if rows.unread.num_rows else rows.unread
        if not rest.num_rows:
            return rows
        for other in candidates(rest["raw"].combine_chunks(), form):
            marked = rest.filter(with_mark(rest["raw"].combine_chunks(), other))
            if not marked.num_rows:
                continue
            texts, numbers = marked["raw"].combine_chunks(), marked["record_no"].combine_chunks()
            found = self._as(other, as_records(texts, other), numbers)
            rest = rest.filter(pc.invert(pc.is_in(rest["record_no"], numbers)))
            rows = rows.with_others(found, numbers)
        return rows

    def _as(self, form: Format, records: Records, numbers: pa.Int64Array) -> Rows:
        """The records read as one format."""
        chunk = chunk_of(records, numbers, form)
        with statements(form, self.clock) as ask:
            try:
                mapped = self._events(ask, chunk, records, form, guarded=False)
            except duckdb.InvalidInputException:  # a record that is no valid JSON
                mapped = self._events(ask, chunk, records, form, guarded=True)
            tables = {name: _good(mapped[name]) for name in form.tables}
            several = any(part.each for part in form.every_part)
            failed = _failed(chunk, mapped, tables, several)
            unread = unread_none() if failed is None else self._bad(ask, chunk.filter(failed), records, form)
        return Rows(tables, unread, records.blank, several)

    def _events(
        self, ask: Statements, chunk: pa.Table, records: Records, form: Format, guarded: bool
    ) -> dict[str, pa.Table]:
        """Rows of each table with the column `bad`."""
        found: dict[str, list[pa.Table]] = {name: [] for name in form.tables}
        for part, source in _parts(ask, chunk, records, form, guarded, every_table=True):
            if part:
                found[part.table].append(ask.rows(events_of(form, part, source), self.id))
        return {
            name: tables[0] if len(tables) == 1 else pa.concat_tables(tables).sort_by("record_no")
            for name, tables in found.items()
        }

    def _bad(self, ask: Statements, rest: pa.Table, records: Records, form: Format) -> pa.Table:
        """The records of `rest` with why they are no events."""
        asked = (
            ask.rows(reasons_of(form, part, source, records.names) if part else reasons_of_no_part(form, records.names))
            for part, source in _parts(ask, rest, records, form, guarded=True)
        )
        told = pa.concat_tables(asked).sort_by("record_no")
        bad = _first_of_each(told.filter(pc.is_valid(told["reason"])))
        reasons = bad["reason"].to_pylist()
        return unread_table(self.id, bad["record_no"], [_kind_of(reason) for reason in reasons], reasons, bad["raw"])

    def _unread(self, raws: pa.StringArray, first: int, reasons: list[str]) -> pa.Table:
        numbers = numbers_from(first, len(raws))
        return unread_table(self.id, numbers, [UNKNOWN] * len(raws), reasons, raws)


def _parts(
    ask: Statements, chunk: pa.Table, records: Records, form: Format, guarded: bool, every_table: bool = False
) -> Iterator[tuple[Part | None, str]]:
    """Each part that has records, with the SQL of them; None for those of no part.

    A log of one kind is one part. With `every_table`, of each table a part is there, though it may have no records.
    What the SQL finds is there until the next part is asked for.
    """
    ask.put("chunk", chunk)
    source = cut_records(form, records.names, cells_of(records), guarded)
    if not form.parts:
        yield form.every_part[0], source
        return
    parted = ask.rows(parted_records(form, source))
    present = set(parted["part"].unique().to_pylist())
    filled = {form.parts[number].table for number in present - {-1}}
    empty = {part.table: number for number, part in enumerate(form.parts) if part.table not in filled}
    for number, part in enumerate(form.parts):
        if number in present or (every_table and empty.get(part.table) == number):
            ask.put("parted", _of_part(parted, number, present))
            yield part, "parted"
    if -1 in present:
        ask.put("parted", _of_part(parted, -1, present))
        yield None, "parted"


def _of_part(parted: pa.Table, number: int, present: set[int]) -> pa.Table:
    return parted if present == {number} else parted.filter(pc.equal(parted["part"], number))


class _CarefulMapper(_Mapper):
    """For own formats: an expression that fails on a record costs that record, and no other.

    A run of records that fails is read in pieces, down to the record. A file in which that happens very often
    is not worth the time: there a whole piece becomes unread.
    """

    failures = 0

    def rows(self, records: Records, first: int) -> Rows:
        count = len(records)
        try:
            return super().rows(records, first)
        except duckdb.Error as error:
            self.failures += 1
            if count <= 1 or self.failures > MAX_FAILURES:
                return self._failed(records, first, str(error))
        step = -(-count // 10)
        return _joined([self.rows(records.part(start, step), first + start) for start in range(0, count, step)])

    def _failed(self, records: Records, first: int, error: str) -> Rows:
        count = len(records)
        beside = (
            "" if count == 1 else f", or on one of the {count - 1:,} beside it: it failed {MAX_FAILURES} times before"
        )
        reason = (
            f"an expression of the format fails on this record{beside}: {' '.join(error.splitlines()[0].split())[:200]}"
        )
        reasons = [records.broken.get(i, reason) for i in range(count)]
        numbers = numbers_from(first, count)
        return Rows({}, unread_table(self.id, numbers, [BROKEN] * count, reasons, records.texts), records.blank)


def _joined(pieces: list[Rows]) -> Rows:
    names = dict.fromkeys(name for rows in pieces for name in rows.tables)
    tables = {name: pa.concat_tables(rows.tables[name] for rows in pieces if name in rows.tables) for name in names}
    unread = pa.concat_tables(rows.unread for rows in pieces)
    return Rows(tables, unread, sum(rows.blank for rows in pieces), any(rows.several for rows in pieces))


def _good(mapped: pa.Table) -> pa.Table:
    bad = mapped["bad"]
    kept = mapped.filter(pc.invert(bad)) if pc.any(bad).as_py() else mapped
    return without_nul(in_one_spelling(kept.drop_columns(["bad"])))


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


def chunk_of(records: Records, numbers: pa.Int64Array, form: Format) -> pa.Table:
    """Cut records as queries read them: number, text, cells, why broken, and JSON where the format has it."""
    count = len(records)
    broken = [records.broken.get(i) for i in range(count)] if records.broken else None
    return pa.table(
        {
            "record_no": numbers,
            "raw": records.texts,
            "cells": records.cells if records.cells is not None else pa.nulls(count, pa.list_(pa.string())),
            "broken": pa.array(broken, pa.string()) if broken else pa.nulls(count, pa.string()),
            "json": _json_texts(records, form),
        }
    )


def _json_texts(records: Records, form: Format) -> pa.StringArray:
    texts = records.texts
    match form.cut:
        case Json() as layout if records.names:
            return pa.array((row_json(layout, records.names, cells) for cells in cells_in(records)), pa.string())
        case Json(dotted=True) if true_count(pc.match_substring_regex(texts, DOTTED_NAME.pattern)):
            return pa.array(map(undotted, records.raws), pa.string())
        case Json() | Zeek() if holds(texts, b"\\") and true_count(pc.match_substring(texts, "\\x")):
            return pa.array(map(mended, records.raws), pa.string())
        case Json() | Zeek():
            return texts
        case Xml(element=element):
            return pa.array([xml_json(raw, element) for raw in records.raws], pa.string())
        case Pairs(style=style):
            return pa.array([pairs_json(raw, style) for raw in records.raws], pa.string())
        case _:
            return pa.nulls(len(records), pa.string())
