"""From the YAML of an own format to a `Format`, checked as the formats of the kit are checked by their tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import duckdb

from playbooks import engine, schema
from playbooks.formats import FORMATS, MACROS, Clock, Format, Part, W3c
from playbooks.normalise.mapping import entries, fields_of
from playbooks.normalise.own_formats.cuts import cut_of
from playbooks.normalise.own_formats.document import (
    Document,
    Fault,
    Loc,
    NotValid,
    PartOf,
)
from playbooks.normalise.own_formats.expressions import Refused, bare, check_expression, parsed, split_list

CLOCKS = {"in_the_stamp": Clock.IN_THE_STAMP, "ask": Clock.ASK}
RESERVED = {"evidence_id", "record_no", "format"}
WRITE = {
    "BIGINT": "whole(…), amount(…) or millis(…)",
    "INTEGER": "port(…) or small(…)",
    "TIMESTAMPTZ": "iso_time(…), epoch_time(…), read_time(…, layout), case_clock(…) or stamp(…)",
    "VARCHAR": "said(…), address(…), hostname(…) or CAST(… AS VARCHAR)",
    "VARCHAR[]": "listed(…)",
    "BIGINT[]": "ttls(…)",
    "BOOLEAN": "a comparison",
}
ZONED = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ"}


def make(document: Document, sha256: str) -> Format:
    """Make and check the format that a document describes.

    Raises
    ------
    NotValid
        With every fault that was found.
    """
    faults: list[Fault] = []
    if any(document.name == form.name for form in FORMATS):
        faults.append((("name",), f"{document.name} is a format of the kit; choose another name"))
    cut = _collected(faults, partial(cut_of, document.cut), ("cut",))
    parts = [_collected(faults, partial(_part, one, at), at) for at, one in _written(document)]
    extra = _collected(faults, partial(_conditions, document), ())
    if faults or cut is None or extra is None:
        raise NotValid(faults)
    form = Format(
        name=document.name,
        product=document.product,
        cut=cut,
        clock=CLOCKS[document.clock],
        shows=document.shows,
        cannot_show=document.cannot_show,
        reference=document.reference,
        sha256=sha256,
        **_of_one_kind(parts) if not document.parts else {"parts": tuple(filter(None, parts))},
        **extra,
    )
    if faults := [*_clock_faults(form, document), *_bound_faults(form, document)]:
        raise NotValid(faults)
    return form


def _collected(faults: list[Fault], work: Callable[[], Any], at: Loc) -> Any:
    """What `work` gives; None where it is not valid, and then its faults are kept."""
    try:
        return work()
    except NotValid as error:
        faults += error.faults
    except Refused as error:
        faults.append((at, str(error)))
    return None


def _written(document: Document) -> list[tuple[Loc, PartOf]]:
    """The parts and where each stands; a log of one kind is its own only part."""
    if document.parts:
        return [(("parts", number), part) for number, part in enumerate(document.parts)]
    table, columns = str(document.table), document.columns
    return [((), PartOf(table=table, when="true", columns=columns, each=document.each))]


def _of_one_kind(parts: list[Part]) -> dict[str, Any]:
    return {"table": parts[0].table, "expressions": parts[0].expressions, "each": parts[0].each}


def in_brackets(text: str) -> str:
    """An expression as it is put into a query: what was checked, whatever stands around it."""
    return f"(\n{text}\n)"


def _part(part: PartOf, at: Loc) -> Part:
    faults: list[Fault] = []
    written = _collected(faults, partial(_columns, part.columns), (*at, "columns")) or {}
    known = schema.TABLES[part.table].names
    for column, expression in written.items():
        where = (*at, "columns", column) if isinstance(part.columns, dict) else (*at, "columns")
        if column not in known or column in RESERVED:
            faults.append(
                (where, f"{column[:60]}: no column of {part.table} to be written; see docs/reference/tables.md")
            )
        names = frozenset({"r", "item"} if part.each else {"r"})
        _collected(faults, partial(check_expression, expression, names), where)
    if written and "time" not in written:
        faults.append(((*at, "columns"), "time is missing; expected e.g. time: iso_time(r.timestamp)"))
    for key, text in (("when", part.when), ("each", part.each or "true")):
        _collected(faults, partial(check_expression, text), (*at, key))
    if faults:
        raise NotValid(faults)
    columns = tuple((column, in_brackets(expression)) for column, expression in written.items())
    return Part(part.table, in_brackets(part.when), "", in_brackets(part.each) if part.each else "", columns)


def _columns(columns: str | dict[str, str]) -> dict[str, str]:
    """Column → expression; an SQL list is taken apart as for the formats of the kit, and compared with its parse."""
    if isinstance(columns, dict):
        return columns
    found = Part("", "", columns).select()
    whole = split_list(columns)
    same = [node["alias"] for node in whole] == list(found)
    if not same or any(bare(parsed(e)) != bare(node) for e, node in zip(found.values(), whole, strict=True)):
        raise Refused("expected `expression AS column,` for each, columns in lower case and each once; or a mapping")
    return found


def _conditions(document: Document) -> dict[str, Any]:
    faults: list[Fault] = []
    texts: list[tuple[Loc, str]] = [(("status", n, "when"), one.when) for n, one in enumerate(document.status)]
    texts += [((key,), getattr(document, key)) for key in ("kind", "undated") if getattr(document, key)]
    for at, text in texts:
        _collected(faults, partial(check_expression, text), at)
    if faults:
        raise NotValid(faults)
    status = tuple((in_brackets(one.when), f"status line: {one.reason}") for one in document.status)
    given = {key: in_brackets(getattr(document, key)) for key in ("kind", "undated") if getattr(document, key)}
    return {"status": status, **given}


# what only the engine knows: whether fields exist, and which types expressions have


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    con = engine.connect_closed()
    con.execute(MACROS)
    con.execute("SET VARIABLE case_clock = ''")
    con.execute("CREATE TABLE chunk (record_no BIGINT, raw VARCHAR, cells VARCHAR[], json VARCHAR)")
    return con


def _clock_faults(form: Format, document: Document) -> Iterator[Fault]:
    """Whether the times of a format ask the case for a zone as its `clock` says."""
    times = " ".join(part.select()["time"] for part in form.every_part)
    asks = bool(re.search(r"\b(case_clock|stamp)\s*\(", times, re.IGNORECASE))
    if form.clock is Clock.ASK and not asks:
        yield ("clock",), "ask: expected a time by case_clock(…) or stamp(…), which use the zone of the case"
    if form.clock is Clock.IN_THE_STAMP and re.search(r"\bcase_clock\s*\(", times, re.IGNORECASE):
        yield ("clock",), f"{document.clock}: case_clock(…) asks the case for the zone; expected clock: ask"


def _bound_faults(form: Format, document: Document) -> Iterator[Fault]:
    names = form.cut.fields if isinstance(form.cut, W3c) else ()
    fields = f"(SELECT NULL::VARCHAR AS broken, {fields_of(form, names)} AS r FROM chunk)"
    for number, (when, _) in enumerate(form.status):
        yield from _type_faults(when, fields, "BOOLEAN", ("status", number, "when"))
    if document.undated:
        yield from _type_faults(form.undated, fields, "BOOLEAN", ("undated",))
    if document.kind:
        yield from _type_faults(form.kind, fields, "", ("kind",))
    for (at, written), part in zip(_written(document), form.every_part, strict=True):
        yield from _type_faults(part.when, fields, "BOOLEAN", (*at, "when"))
        if part.each and (faults := list(_type_faults(part.each, fields, "[]", (*at, "each")))):
            yield from faults
            continue
        for column, expression in part.select().items():
            where = (*at, "columns", column) if isinstance(written.columns, dict) else (*at, "columns")
            type_ = schema.TABLES[part.table].type_of(column)
            for _, message in _type_faults(expression, entries(part, fields), type_, where):
                yield where, message if isinstance(written.columns, dict) else f"{column}: {message}"


def _type_faults(expression: str, source: str, expected: str, at: Loc) -> Iterator[Fault]:
    """Whether the engine accepts an expression, and gives it the type that is expected; "" takes any."""
    try:
        [row] = _connection().execute(f"DESCRIBE SELECT {expression} AS found FROM {source}").fetchall()
    except duckdb.Error as error:
        yield at, " ".join(str(error).partition("\n\nLINE")[0].split())[:300]
        return
    found = ZONED.get(row[1], row[1])
    if expected == "[]" and not found.endswith("[]"):
        yield at, f"gives {found}; expected a list, such as json_transform(r.events, '[\"JSON\"]')"
    if expected not in ("", "[]") and found != expected:
        yield at, f"gives {found[:60]}; expected {expected}: write {WRITE[expected]}"
