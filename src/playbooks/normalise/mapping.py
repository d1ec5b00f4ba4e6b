"""SQL from cut records to the columns of a table: named fields, the part of a record, why it is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

import pyarrow as pa

from playbooks import engine, schema
from playbooks.formats import REFUSED, Clock, Columns, Format, Json, Pairs, Part, TextLines, W3c, Xml, Zeek
from playbooks.normalise.records import Records

FIRST_YEAR, LAST_YEAR = 1900, 2199  # beyond lies what other tools of the trade cannot hold, and no event
MACRO_ZEEK_NULL = "NULL::VARCHAR"
NO_PART = "a record of kind"
NO_TIME = "no time"
WHOLE = "matched_as_a_whole"  # beside the named groups of a pattern


@cache
def cut_records(form: Format, names: tuple[str, ...], cells: str = "cells", guarded: bool = True) -> str:
    """SQL from `chunk` to its records with the named fields `r`.

    `cells` is the SQL of the cells of a record (see `cells_of`). Without the guard one record that is no valid
    JSON stops the query; with it, every record is parsed twice.
    """
    given = f"(SELECT record_no, raw, json, broken, {cells} AS cells FROM chunk)" if cells != "cells" else "chunk"
    return f"(SELECT record_no, raw, cells, broken, {fields_of(form, names, guarded)} AS r FROM {given})"


def cells_of(records: Records) -> str:
    """SQL of the cells of a record: a list that stands there, one made of columns, or what a delimiter separates."""
    if records.delimiter:
        return f"string_split(raw, {engine.text_literal(records.delimiter)})"
    if records.cells is not None and pa.types.is_struct(records.cells.type):
        return "[" + ", ".join(f'cells."{place}"' for place in range(records.cells.type.num_fields)) + "]"
    return "cells"


def parted_records(form: Format, source: str) -> str:
    """SQL from cut records to records with the number of the part that each belongs to; -1 for none."""
    status = " ".join(f"WHEN {condition} THEN -1" for condition, _ in form.status)
    parts = " ".join(f"WHEN {part.when} THEN {number}" for number, part in enumerate(form.parts))
    number = f"CASE WHEN broken IS NOT NULL OR r IS NULL THEN -1 {status} {parts} ELSE -1 END"
    # the cells tell why a record has no fields, and nothing else
    return f"SELECT * REPLACE (CASE WHEN r IS NULL THEN cells END AS cells), {number} AS part FROM {source}"


def _selected(part: Part) -> dict[str, str]:
    """Column → SQL expression; where no record of a log holds a time, nobody writes one."""
    return {"time": "NULL::TIMESTAMPTZ"} | part.select()


@cache
def events_of(form: Format, part: Part, source: str) -> str:
    """SQL from the records of `source` to the columns of the table, with `bad` where a row is no event.

    Its parameter is the id of the evidence item.
    Nothing filters here: a filter would be pushed below the columns, and each of them computed twice.
    """
    table = schema.TABLES[part.table]
    select = _selected(part)
    own = ", ".join(f'{expression} AS "{name}"' for name, expression in select.items())
    lacking = "item IS NULL" if part.each else "false"
    status = " OR ".join([f"coalesce({condition}, false)" for condition, _ in form.status] or ["false"])
    refused = " OR ".join(
        f'coalesce("{name}" = {REFUSED[type_]}, false)'
        for name in select
        if (type_ := table.type_of(name)) in REFUSED and name != "time"
    )
    timeless = "false" if form.undated == "false" else f"coalesce({form.undated}, false)"
    fixed = {
        "evidence_id": "$1",
        "record_no": "record_no",
        "format": engine.text_literal(form.name),
    }
    given = {name: f'"{name}"' for name in select} | fixed
    columns = ", ".join(f"CAST({given.get(c.name, 'NULL')} AS {c.type}) AS {c.name}" for c in table.columns)
    return f"""
        WITH mapped AS (SELECT record_no, broken IS NOT NULL OR r IS NULL OR {lacking} OR {status} AS unfit,
            {timeless} AS timeless, {own} FROM {entries(part, source)})
        SELECT {columns}, unfit {f"OR {refused}" if refused else ""} OR CASE WHEN "time" IS NULL THEN NOT timeless
            ELSE "time" < TIMESTAMPTZ '{FIRST_YEAR}-01-01 00:00:00Z'
              OR "time" >= TIMESTAMPTZ '{LAST_YEAR + 1}-01-01 00:00:00Z' END AS bad
        FROM mapped
    """


@cache
def reasons_of_no_part(form: Format, names: tuple[str, ...]) -> str:
    """SQL from `parted` to the records of no part, with the reason."""
    kind = f"left(coalesce(CAST({form.kind} AS VARCHAR), 'unknown'), 60)"
    reason = f"{engine.text_literal(NO_PART + ' ‘')} || {kind} || {engine.text_literal('’ is not read')}"
    return f"""
        SELECT record_no, raw, CASE {_unfit(form, names)} {_status(form)} ELSE {reason} END AS reason
        FROM parted
    """


@cache
def reasons_of(form: Format, part: Part, source: str, names: tuple[str, ...]) -> str:
    """SQL from the records of `source` to why each of them is no event; null where it is one."""
    packed = ", ".join(f'"{name}" := {expression}' for name, expression in _selected(part).items())
    return f"""
        WITH packed AS (SELECT *, struct_pack({packed}) AS e FROM {entries(part, source)}),
        weighed AS (SELECT *, {_refused(part)} AS refused FROM packed)
        SELECT record_no, raw, CASE
            {_unfit(form, names)}
            {_status(form)}
            {"WHEN item IS NULL THEN 'holds no entry that could be an event'" if part.each else ""}
            WHEN len(refused) > 0 THEN 'a value cannot be read: ' || array_to_string(refused, ', ')
            WHEN e."time" IS NULL AND NOT coalesce({form.undated}, false) THEN {_no_time(form)}
            WHEN e."time" < TIMESTAMPTZ '{FIRST_YEAR}-01-01 00:00:00Z'
              OR e."time" >= TIMESTAMPTZ '{LAST_YEAR + 1}-01-01 00:00:00Z'
            THEN '{NO_TIME}: the stamp lies outside the years {FIRST_YEAR} to {LAST_YEAR}'
            END AS reason FROM weighed
    """


def _unfit(form: Format, names: tuple[str, ...]) -> str:
    return f"WHEN broken IS NOT NULL THEN broken WHEN r IS NULL THEN {_misfit(form, names)}"


def entries(part: Part, source: str) -> str:
    """SQL: the records of `source`, each as often as it has entries; once where it has none."""
    if not part.each:
        return source
    listed = f"CASE WHEN broken IS NULL AND r IS NOT NULL AND len({part.each}) > 0 THEN {part.each} ELSE [NULL] END"
    return f"(SELECT *, unnest({listed}) AS item FROM {source})"


def _status(form: Format) -> str:
    return " ".join(f"WHEN {condition} THEN {engine.text_literal(reason)}" for condition, reason in form.status)


KINDS = {"BIGINT": "a whole number: ", "INTEGER": "a whole number: ", "TIMESTAMPTZ": "a time: ", "VARCHAR": ""}


def _refused(part: Part) -> str:
    """SQL list: the columns whose text no macro could read, each with what was expected."""
    table = schema.TABLES[part.table]
    types = {name: table.type_of(name) for name in part.select()}
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
    return engine.text_literal(f"{NO_TIME}: {form.product} has a stamp with date, time and zone here{advice}")


def _misfit(form: Format, names: tuple[str, ...]) -> str:
    """SQL text: why a record did not yield fields."""
    match form.cut:
        case Zeek() if names:
            return f"format('{{}} columns where the header names {len(names)}', len(string_split(raw, chr(9))))"
        case Columns() | Json() as layout if names or isinstance(layout, Columns):
            expected = len(names or getattr(layout, "default", ()))
            return f"format('{{}} columns where {expected} were expected', len(cells))"
        case W3c():
            return f"format('{{}} columns where the `#Fields:` line names {len(names)}', len(cells))"
        case TextLines() | Pairs():
            return engine.text_literal(f"not a line of {form.product}")
        case Xml(element=element):
            return engine.text_literal(f"not a whole XML element {element}")
        case _:
            return "'not a whole JSON object'"


def fields_of(form: Format, names: tuple[str, ...], guarded: bool = True) -> str:
    """SQL that turns `raw` (or `cells`) into the struct `r` of text fields, NULL where it does not fit."""
    match form.cut:
        case TextLines(pattern=pattern) as layout:
            # what the whole pattern matched comes first: it is empty where the line has not the pattern
            groups = ", ".join(engine.text_literal(name) for name in (WHOLE, *layout.names))
            found = f"regexp_extract(raw, {engine.text_literal(f'({pattern})')}, [{groups}])"
            return f"list_transform([{found}], lambda m: CASE WHEN m.{WHOLE} <> '' THEN m END)[1]"
        case Xml(shape=shape):
            return f"json_transform(json, {engine.text_literal(shape)})"
        case Json(shape=shape, nested=nested):
            return _json_fields(shape, nested, guarded)
        case Zeek(fields=fields) if not names:
            return _zeek_json(fields, guarded)
        case Zeek(fields=fields, path=path):
            return _listed_fields(fields, names, "string_split(raw, chr(9))", {"_path": engine.text_literal(path)})
        case Pairs(fields=fields):
            shape = json.dumps(dict.fromkeys(fields, "VARCHAR"))
            return f"json_transform(json, {engine.text_literal(shape)})"
        case W3c(fields=fields):
            return _listed_fields(fields, names, "cells") if names else "NULL"
        case Columns(fields=fields, default=default):
            return _listed_fields(fields, names or tuple(n.replace("-", "_") for n in default), "cells")


def _json_fields(shape: str, nested: str | None, guarded: bool) -> str:
    whole = "CASE WHEN json_valid(json) THEN json END" if guarded else "json"
    if nested:
        perhaps = f"""contains(json, '"{nested}"') {"AND json_valid(json)" if guarded else ""}"""
        held = f"json_extract_string(CASE WHEN {perhaps} THEN json END, {engine.text_literal('$.' + nested)})"
        text = f"coalesce({held}, json)"
        # text inside of JSON may be anything
        whole = f"CASE WHEN {perhaps} THEN CASE WHEN json_valid({text}) THEN {text} END ELSE {whole} END"
    return f"json_transform({whole}, {engine.text_literal(shape)})"


def _zeek_json(fields: tuple[str, ...], guarded: bool) -> str:
    spellings = {field.replace(".", "_"): dict.fromkeys((field, field.replace(".", "_"))) for field in fields}
    shape = json.dumps({name: "VARCHAR" for both in spellings.values() for name in both})
    packed = ", ".join(
        f'"{name}" := coalesce(' + ", ".join(f'j."{spelling}"' for spelling in both) + ")"
        for name, both in spellings.items()
    )
    whole = "CASE WHEN json_valid(json) THEN json END" if guarded else "json"
    object_of = f"json_transform({whole}, {engine.text_literal(shape)})"
    return f"list_transform([{object_of}], lambda j: CASE WHEN j IS NOT NULL THEN struct_pack({packed}) END)[1]"


def _listed_fields(
    fields: tuple[str, ...], names: tuple[str, ...], cells: str, known: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The cells under the names of `fields`; what is no column may be `known` from elsewhere."""
    places = {name.replace(".", "_"): place for place, name in reversed(list(enumerate(names, start=1)))}
    wanted = [field.replace(".", "_").replace("-", "_") for field in fields]
    packed = ", ".join(
        f'"{name}" := ' + (f"{cells}[{places[name]}]" if name in places else known.get(name, MACRO_ZEEK_NULL))
        for name in wanted
    )
    return f"CASE WHEN len({cells}) = {len(names)} THEN struct_pack({packed}) END"
