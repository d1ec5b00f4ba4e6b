"""Records → rows of a table or unread rows, by the SELECT list of a format.

Each record gives exactly one row, so the counts add up by construction; `Reading` carries them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from playbooks import engine, schema
from playbooks.formats import MACROS, REFUSED, Clock, Columns, Format, Json, TextLines, Zeek
from playbooks.normalise.cut import cut
from playbooks.normalise.detect import Detection, detect
from playbooks.normalise.json_records import mended
from playbooks.normalise.records import Records
from playbooks.normalise.text import read_text

BROKEN, STATUS, UNKNOWN = "broken", "status", "unknown"
FIRST_YEAR, LAST_YEAR = 1900, 2199  # beyond lies what other tools of the trade cannot hold, and no event
MACRO_ZEEK_NULL = "NULL::VARCHAR"


@dataclass(frozen=True)
class Rows:
    """What one run of records became; `events` and `unread` are Arrow tables."""

    events: pa.Table
    unread: pa.Table
    blank: int


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
    reader = _Reader(source, detection)
    for records in cut(read_text(source.file), detection.layout):
        if records.raws or records.blank:
            yield reader.rows(records)


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One connection a process: opening one and making the macros takes longer than a small file."""
    con = engine.connect()
    con.execute(MACROS)
    return con


class _Reader:
    """Carries the record number and the connection through one file."""

    def __init__(self, source: Source, detection: Detection) -> None:
        self.source = source
        self.detection = detection
        self.next_no = 1
        self.con = _connection()
        self.con.execute("SET VARIABLE case_clock = ?", [source.clock or ""])

    def rows(self, records: Records) -> Rows:
        first, self.next_no = self.next_no, self.next_no + len(records.raws)
        if self.detection.format is None:
            reason = self.detection.why_unknown()
            reasons = [records.broken.get(i, reason) for i in range(len(records.raws))]
            return Rows(_no_events(None), self._unread(records.raws, first, reasons), records.blank)
        chunk = _chunk(records, first, isinstance(self.detection.format.cut, Json | Zeek))
        self.con.register("chunk", chunk)
        query = _mapping(self.detection.format, records.names, self.source.evidence_id)
        mapped = self.con.execute(query).to_arrow_table()
        good = mapped.filter(pa.compute.is_null(mapped["reason"]))
        bad = mapped.filter(pa.compute.is_valid(mapped["reason"]))
        events = good.select(list(schema.TABLES[self.detection.format.table].names))
        return Rows(events, self._bad(bad), records.blank)

    def _bad(self, bad: pa.Table) -> pa.Table:
        reasons = bad["reason"].to_pylist()
        kinds = [STATUS if reason.startswith("status line") else BROKEN for reason in reasons]
        return _unread_table(self.source.evidence_id, bad["record_no"], kinds, reasons, bad["raw"])

    def _unread(self, raws: list[str], first: int, reasons: list[str]) -> pa.Table:
        numbers = pa.array(range(first, first + len(raws)), pa.int64())
        kinds = [UNKNOWN] * len(raws)
        return _unread_table(self.source.evidence_id, numbers, kinds, reasons, pa.array(raws, pa.string()))


def _unread_table(
    evidence_id: str, numbers: pa.Array, kinds: list[str], reasons: list[str], raws: pa.Array
) -> pa.Table:
    ids = pa.array([evidence_id] * len(reasons), pa.string())
    columns = [ids, numbers, pa.array(kinds, pa.string()), pa.array(reasons, pa.string()), raws]
    return pa.table(dict(zip(schema.UNREAD.names, columns, strict=True)))


def _chunk(records: Records, first: int, may_be_json: bool) -> pa.Table:
    count = len(records.raws)
    broken = [records.broken.get(i) for i in range(count)] if records.broken else [None] * count
    cells = records.cells if any(records.cells) else [None] * count
    return pa.table(
        {
            "record_no": pa.array(range(first, first + count), pa.int64()),
            "raw": pa.array(records.raws, pa.string()),
            "cells": pa.array(cells, pa.list_(pa.string())),
            "broken": pa.array(broken, pa.string()),
            "json": pa.array(map(mended, records.raws) if may_be_json else [None] * count, pa.string()),
        }
    )


@cache
def _no_events(table: str | None) -> pa.Table:
    names = schema.TABLES[table].names if table else ()
    return pa.table({name: pa.nulls(0) for name in names})


@cache
def _mapping(form: Format, names: tuple[str, ...], evidence_id: str) -> str:
    """SQL from `chunk` to the columns of the table, with `reason` where a record is no event."""
    table = schema.TABLES[form.table]
    select = form.select()
    packed = ", ".join(f'"{name}" := {expression}' for name, expression in select.items())
    fixed = {
        "evidence_id": engine.text_literal(evidence_id),
        "record_no": "record_no",
        "format": engine.text_literal(form.name),
    }
    given = {name: f'e."{name}"' for name in select} | fixed
    columns = ", ".join(f"CAST({given.get(c.name, 'NULL')} AS {c.type}) AS {c.name}" for c in table.columns)
    status = " ".join(f"WHEN {condition} THEN {engine.text_literal(reason)}" for condition, reason in form.status)
    return f"""
        WITH cut AS (SELECT record_no, raw, cells, broken, {_fields(form, names)} AS r FROM chunk),
        packed AS (SELECT *, struct_pack({packed}) AS e FROM cut),
        weighed AS (SELECT *, {_refused(form)} AS refused FROM packed),
        judged AS (SELECT *, CASE
            WHEN broken IS NOT NULL THEN broken
            WHEN r IS NULL THEN {_misfit(form, names)}
            {status}
            WHEN len(refused) > 0 THEN 'a value cannot be read: ' || array_to_string(refused, ', ')
            WHEN e."time" IS NULL THEN {_no_time(form)}
            WHEN e."time" < TIMESTAMPTZ '{FIRST_YEAR}-01-01 00:00:00Z'
              OR e."time" >= TIMESTAMPTZ '{LAST_YEAR + 1}-01-01 00:00:00Z'
            THEN 'no time: the stamp lies outside the years {FIRST_YEAR} to {LAST_YEAR}'
            END AS reason FROM weighed)
        SELECT {columns}, reason, CASE WHEN reason IS NOT NULL THEN raw END AS raw FROM judged
    """


KINDS = {"BIGINT": "a whole number: ", "INTEGER": "a whole number: ", "TIMESTAMPTZ": "a time: ", "VARCHAR": ""}


def _refused(form: Format) -> str:
    """SQL list: the columns whose text no macro could read, each with what was expected."""
    table = schema.TABLES[form.table]
    types = {name: table.type_of(name) for name in form.select()}
    meanings = {column.name: column.meaning for column in table.columns}
    said = {
        name: f"{name} (expected {KINDS[type_]}{meanings[name]})" for name, type_ in types.items() if type_ in KINDS
    }
    checks = (
        f'CASE WHEN e."{name}" = {REFUSED[types[name]]} THEN {engine.text_literal(words)} END'
        for name, words in said.items()
    )
    return f"list_filter([{', '.join(checks)}], lambda c: c IS NOT NULL)"


def _no_time(form: Format) -> str:
    advice = "; state the zone of the log as `clock:` in case.yaml" if form.clock is Clock.ASK else ""
    return engine.text_literal(f"no time: {form.product} has a stamp with date, time and zone here{advice}")


def _misfit(form: Format, names: tuple[str, ...]) -> str:
    """SQL text: why a record did not yield fields."""
    match form.cut:
        case Zeek() if names:
            return f"format('{{}} columns where the header names {len(names)}', len(string_split(raw, chr(9))))"
        case Columns() as layout:
            expected = len(names or layout.default)
            return f"format('{{}} columns where {expected} were expected', len(cells))"
        case TextLines():
            return engine.text_literal(f"not a line of {form.product}")
        case _:
            return "'not a whole JSON object'"


def _fields(form: Format, names: tuple[str, ...]) -> str:
    """SQL that turns `raw` (or `cells`) into the struct `r` of text fields, NULL where it does not fit."""
    match form.cut:
        case TextLines(pattern=pattern) as layout:
            groups = ", ".join(engine.text_literal(name) for name in layout.names)
            found = f"regexp_extract(raw, {engine.text_literal(pattern)}, [{groups}])"
            return f"CASE WHEN regexp_matches(raw, {engine.text_literal(pattern)}) THEN {found} END"
        case Json(shape=shape, nested=nested):
            return _json_fields(shape, nested)
        case Zeek(fields=fields):
            return _listed_fields(fields, names, "string_split(raw, chr(9))") if names else _zeek_json(fields)
        case Columns(fields=fields, default=default):
            return _listed_fields(fields, names or tuple(n.replace("-", "_") for n in default), "cells")


def _json_fields(shape: str, nested: str | None) -> str:
    text = "json"
    if nested:
        outer = f"""CASE WHEN contains(json, '"{nested}"') AND json_valid(json) THEN json END"""
        text = f"coalesce(json_extract_string({outer}, {engine.text_literal('$.' + nested)}), json)"
    return f"json_transform(CASE WHEN json_valid({text}) THEN {text} END, {engine.text_literal(shape)})"


def _zeek_json(fields: tuple[str, ...]) -> str:
    spellings = {field.replace(".", "_"): dict.fromkeys((field, field.replace(".", "_"))) for field in fields}
    shape = json.dumps({name: "VARCHAR" for both in spellings.values() for name in both})
    packed = ", ".join(
        f'"{name}" := coalesce(' + ", ".join(f'j."{spelling}"' for spelling in both) + ")"
        for name, both in spellings.items()
    )
    object_of = f"json_transform(CASE WHEN json_valid(json) THEN json END, {engine.text_literal(shape)})"
    return f"list_transform([{object_of}], lambda j: CASE WHEN j IS NOT NULL THEN struct_pack({packed}) END)[1]"


def _listed_fields(fields: tuple[str, ...], names: tuple[str, ...], cells: str) -> str:
    places = {name: place for place, name in reversed(list(enumerate(names, start=1)))}
    wanted = [field.replace(".", "_").replace("-", "_") for field in fields]
    packed = ", ".join(
        f'"{name}" := ' + (f"{cells}[{places[name]}]" if name in places else MACRO_ZEEK_NULL) for name in wanted
    )
    return f"CASE WHEN len({cells}) = {len(names)} THEN struct_pack({packed}) END"


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
        for number in range(first, min(first + len(records.raws), last + 1)):
            if number in wanted:
                found[number] = records.raws[number - first]
        first += len(records.raws)
        if first > last:
            break
    return found


__all__ = ["BROKEN", "STATUS", "UNKNOWN", "Rows", "Source", "raw_records", "read"]
