"""SQL from cut records to the columns of a table: named fields, the part of a record, why it is none."""

from __future__ import annotations

import json
from functools import cache

from playbooks import engine, schema
from playbooks.formats import REFUSED, Clock, Columns, Format, Json, Pairs, Part, TextLines, W3c, Zeek

FIRST_YEAR, LAST_YEAR = 1900, 2199  # beyond lies what other tools of the trade cannot hold, and no event
MACRO_ZEEK_NULL = "NULL::VARCHAR"
NO_PART = "a record of kind"


@cache
def cut_records(form: Format, names: tuple[str, ...]) -> str:
    """SQL from `chunk` to its records with the named fields `r`, and `misfit`: why they have none."""
    misfit = f"CASE WHEN r IS NULL THEN {_misfit(form, names)} END AS misfit"
    return f"(SELECT *, {misfit} FROM (SELECT record_no, raw, cells, broken, {fields_of(form, names)} AS r FROM chunk))"


@cache
def parted_records(form: Format, names: tuple[str, ...]) -> str:
    """SQL from `chunk` to records with the number of the part that each belongs to; -1 for none."""
    status = " ".join(f"WHEN {condition} THEN -1" for condition, _ in form.status)
    parts = " ".join(f"WHEN {part.when} THEN {number}" for number, part in enumerate(form.parts))
    number = f"CASE WHEN broken IS NOT NULL OR r IS NULL THEN -1 {status} {parts} ELSE -1 END AS part"
    return f"SELECT *, {number} FROM {cut_records(form, names)}"


@cache
def of_no_part(form: Format) -> str:
    """SQL from `parted` to the records of no part, with the reason."""
    kind = f"left(coalesce(CAST({form.kind} AS VARCHAR), 'unknown'), 60)"
    reason = f"{engine.text_literal(NO_PART + ' ‘')} || {kind} || {engine.text_literal('’ is not read')}"
    return f"""
        SELECT record_no, raw, CASE WHEN broken IS NOT NULL THEN broken WHEN r IS NULL THEN misfit {_status(form)}
            ELSE {reason} END AS reason
        FROM parted WHERE part = -1
    """


@cache
def mapping(form: Format, part: Part, source: str, evidence_id: str) -> str:
    """SQL from the records of `source` to the columns of the table, with `reason` where a record is no event."""
    table = schema.TABLES[part.table]
    select = part.select()
    packed = ", ".join(f'"{name}" := {expression}' for name, expression in select.items())
    fixed = {
        "evidence_id": engine.text_literal(evidence_id),
        "record_no": "record_no",
        "format": engine.text_literal(form.name),
    }
    given = {name: f'e."{name}"' for name in select} | fixed
    columns = ", ".join(f"CAST({given.get(c.name, 'NULL')} AS {c.type}) AS {c.name}" for c in table.columns)
    return f"""
        WITH packed AS (SELECT *, struct_pack({packed}) AS e FROM {entries(part, source)}),
        weighed AS (SELECT *, {_refused(part)} AS refused FROM packed),
        judged AS (SELECT *, CASE
            WHEN broken IS NOT NULL THEN broken
            WHEN r IS NULL THEN misfit
            {_status(form)}
            {"WHEN item IS NULL THEN 'holds no entry that could be an event'" if part.each else ""}
            WHEN len(refused) > 0 THEN 'a value cannot be read: ' || array_to_string(refused, ', ')
            WHEN e."time" IS NULL AND NOT coalesce({form.undated}, false) THEN {_no_time(form)}
            WHEN e."time" < TIMESTAMPTZ '{FIRST_YEAR}-01-01 00:00:00Z'
              OR e."time" >= TIMESTAMPTZ '{LAST_YEAR + 1}-01-01 00:00:00Z'
            THEN 'no time: the stamp lies outside the years {FIRST_YEAR} to {LAST_YEAR}'
            END AS reason FROM weighed)
        SELECT {columns}, reason, CASE WHEN reason IS NOT NULL THEN raw END AS raw FROM judged
    """


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
    return engine.text_literal(f"no time: {form.product} has a stamp with date, time and zone here{advice}")


def _misfit(form: Format, names: tuple[str, ...]) -> str:
    """SQL text: why a record did not yield fields."""
    match form.cut:
        case Zeek() if names:
            return f"format('{{}} columns where the header names {len(names)}', len(string_split(raw, chr(9))))"
        case Columns() as layout:
            expected = len(names or layout.default)
            return f"format('{{}} columns where {expected} were expected', len(cells))"
        case W3c():
            return f"format('{{}} columns where the `#Fields:` line names {len(names)}', len(cells))"
        case TextLines() | Pairs():
            return engine.text_literal(f"not a line of {form.product}")
        case _:
            return "'not a whole JSON object'"


def fields_of(form: Format, names: tuple[str, ...]) -> str:
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
        case Pairs(fields=fields):
            shape = json.dumps(dict.fromkeys(fields, "VARCHAR"))
            return f"json_transform(json, {engine.text_literal(shape)})"
        case W3c(fields=fields):
            return _listed_fields(fields, names, "cells") if names else "NULL"
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
    places = {name.replace(".", "_"): place for place, name in reversed(list(enumerate(names, start=1)))}
    wanted = [field.replace(".", "_").replace("-", "_") for field in fields]
    packed = ", ".join(
        f'"{name}" := ' + (f"{cells}[{places[name]}]" if name in places else MACRO_ZEEK_NULL) for name in wanted
    )
    return f"CASE WHEN len({cells}) = {len(names)} THEN struct_pack({packed}) END"
