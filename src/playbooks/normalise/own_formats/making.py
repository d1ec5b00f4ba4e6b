"""From the YAML of an own format to a `Format`, checked as the formats of the kit are checked by their tests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any

import duckdb
import pyarrow as pa

from playbooks import engine, schema
from playbooks.formats import FORMATS, MACROS, Clock, Columns, Format, Json, Pairs, Part, TextLines, W3c, Zeek
from playbooks.formats.format import Cut
from playbooks.normalise.cut import header_names, w3c_fields, zeek_name
from playbooks.normalise.detect import re2_search
from playbooks.normalise.mapping import entries, fields_of
from playbooks.normalise.own_formats.document import (
    LEAVES,
    Delimited,
    Document,
    Fault,
    JsonObjects,
    Lines,
    Loc,
    NamedValues,
    NotValid,
    PartOf,
    W3cLines,
    ZeekLines,
)
from playbooks.normalise.own_formats.expressions import Refused, bare, check_expression, parsed, split_list
from playbooks.normalise.pairs import plain_name

CLOCKS = {"in_the_stamp": Clock.IN_THE_STAMP, "ask": Clock.ASK}
GROUP = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
ANY_LINES = ("", "x", "some words, 1 2 3", '{"a": 1}')  # a mark that fits all of these tells nothing
RESERVED = {"evidence_id", "record_no", "format"}
WRITE = {
    "BIGINT": "whole(…), amount(…) or millis(…)",
    "INTEGER": "port(…) or small(…)",
    "TIMESTAMPTZ": "iso_time(…), epoch_time(…), read_time(…, layout), case_clock(…) or stamp(…)",
    "VARCHAR": "said(…), address(…), hostname(…) or CAST(… AS VARCHAR)",
    "VARCHAR[]": "listed(…)",
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
    cut = _collected(faults, partial(_cut, document.cut), ("cut",))
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
    table, columns = str(document.table), document.columns or {}
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


# the cut and its mark


def _cut(cut: object) -> Cut:
    match cut:
        case Lines(pattern=pattern):
            _check_pattern(pattern, ("cut", "pattern"))
            _check_groups(pattern)
            return TextLines(pattern)
        case JsonObjects():
            return _json(cut)
        case NamedValues():
            style, plain = cut.layout, plain_name
            named = _named(cut, plain)
            return Pairs(
                style, named("fields"), frozenset(named("keys")), frozenset(named("any_of")), _only(cut, plain)
            )
        case W3cLines():
            named = _named(cut, lambda name: "".join(w3c_fields(f"#Fields: {name}")))
            return W3c(named("fields"), frozenset(named("keys")), frozenset(named("never")))
        case ZeekLines():
            named = _named(cut, zeek_name, kept=str.strip)
            return Zeek(cut.path, named("fields"), frozenset(named("keys")), frozenset(named("any_of")))
        case Delimited():
            return _delimited(cut)
    raise AssertionError(cut)


def _json(cut: JsonObjects) -> Json:
    nested = dict.fromkeys(cut.fields, "text") if isinstance(cut.fields, list) else cut.fields
    shape = _shape(nested, ("cut", "fields"))
    _check_mark(cut, set(shape))
    return Json(
        keys=frozenset(cut.keys),
        shape=json.dumps(shape),
        any_of=frozenset(cut.any_of),
        envelopes=tuple(cut.envelopes),
        nested=cut.nested,
        only=_only(cut, str),
    )


def _shape(fields: dict[str, Any], at: Loc) -> dict[str, Any]:
    """The structure as DuckDB takes it."""
    _check_twins(fields, at)
    shape: dict[str, Any] = {}
    for name, kind in fields.items():
        where = (*at, name)
        if not isinstance(name, str) or set(name) & set("\"'\\{}`;") or not name.isprintable():
            raise NotValid([(at, f"{name!r:.60}: expected a name without quotes, braces, backslash and semicolon")])
        if isinstance(kind, dict) and kind:
            shape[name] = _shape(kind, where)
        elif isinstance(kind, str) and kind in LEAVES:
            shape[name] = LEAVES[kind]
        else:
            raise NotValid([(where, f"expected {', '.join(LEAVES)} or names inside it; found {kind!r:.60}")])
    return shape


def _delimited(cut: Delimited) -> Columns:
    named = _named(cut, lambda name: header_names(name, "\0")[0], kept=lambda name: header_names(name, "\0")[0])
    if cut.delimiter.isalnum() or cut.delimiter in '\r\n"':
        raise NotValid([(("cut", "delimiter"), "expected a comma, a tab, a blank or another sign between columns")])
    if cut.default:
        _check_pattern(cut.default_mark, ("cut", "default_mark"))
    return Columns(cut.delimiter, named("fields"), frozenset(named("keys")), named("default"), cut.default_mark)


def _named(
    cut: Any, plain: Callable[[str], str], kept: Callable[[str], str] | None = None
) -> Callable[[str], tuple[str, ...]]:
    """Names as formats write them; those of the mark are checked against the fields."""
    fields = [plain(name) for name in cut.fields]
    _check_twins(fields, ("cut", "fields"))
    if not all(fields):
        raise NotValid([(("cut", "fields"), "expected names with letters or digits in them")])
    _check_mark(cut, set(fields), plain)
    return lambda key: tuple((kept if kept and key in ("fields", "default") else plain)(n) for n in getattr(cut, key))


def _check_twins(names: Iterable[str], at: Loc) -> None:
    seen: set[str] = set()
    for name in names:
        if (same := str(name).lower().replace(".", "_").replace("-", "_")) in seen:
            raise NotValid([(at, f"{str(name)[:60]} stands here twice (upper and lower case are one to the engine)")])
        seen.add(same)


def _check_mark(cut: Any, fields: set[str], plain: Callable[[str], str] = str) -> None:
    """A mark of one name would fit logs of others, and an own format wins over those of the kit."""
    if missing := [key for key in cut.keys if plain(key) not in fields]:
        raise NotValid([(("cut", "keys"), f"{', '.join(missing)[:100]}: expected names that stand in fields too")])
    more = (getattr(cut, "any_of", ()), getattr(cut, "path", ""))
    if len(cut.keys) + len(getattr(cut, "only", ())) + sum(map(bool, more)) < 2:
        words = "expected a mark of two names at least (keys, any_of, only): one alone fits logs of others"
        raise NotValid([(("cut", "keys"), words)])


def _only(cut: JsonObjects | NamedValues, plain: Callable[[str], str]) -> tuple[tuple[str, str], ...]:
    for path, pattern in cut.only.items():
        _check_pattern(pattern, ("cut", "only", path), of_lines=False)
    return tuple((plain(path), pattern) for path, pattern in cut.only.items())


def _check_pattern(pattern: str, at: Loc, of_lines: bool = True) -> None:
    """A pattern must mean something to Python, which finds its groups, and to RE2, which runs it."""
    try:
        re.compile(pattern)
        fits = [re2_search(pattern, line) for line in ANY_LINES]
    except (re.error, RecursionError, OverflowError, pa.ArrowInvalid) as error:
        words = f"{error}. Expected a pattern of RE2: no look-ahead, no look-behind, no back reference"
        raise NotValid([(at, f"a pattern that cannot be read: {words}")]) from error
    if of_lines and all(fits):
        raise NotValid([(at, "fits any line; expected a pattern that only lines of this log have")])


def _check_groups(pattern: str) -> None:
    at = ("cut", "pattern")
    compiled = re.compile(pattern)
    if not compiled.groupindex:
        raise NotValid([(at, "expected named groups (?P<name>…): they are the fields of r")])
    if compiled.groups != len(compiled.groupindex):
        raise NotValid([(at, "a group without a name would be taken for a field; write (?:…) or (?P<name>…)")])
    if bad := [name for name in compiled.groupindex if not GROUP.fullmatch(name)]:
        raise NotValid([(at, f"{bad[0][:60]}: expected letters, digits and underscores in the name of a group")])
    _check_twins(compiled.groupindex, at)


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
