"""How an own format cuts records, and its mark: names as formats write them, patterns that every engine reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa

from playbooks.formats import Columns, Json, Pairs, TextLines, W3c, Zeek
from playbooks.formats.format import Cut
from playbooks.normalise.columns import header_names
from playbooks.normalise.cut import w3c_fields, zeek_name
from playbooks.normalise.own_formats.document import (
    LEAVES,
    Delimited,
    JsonObjects,
    Lines,
    Loc,
    NamedValues,
    NotValid,
    W3cLines,
    ZeekLines,
)
from playbooks.normalise.pairs import plain_name
from playbooks.normalise.search import re2_search

GROUP = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}")
ANY_LINES = ("", "x", "some words, 1 2 3", '{"a": 1}')  # a mark that fits all of these tells nothing


def cut_of(cut: object) -> Cut:
    """The cut that a document describes.

    Raises
    ------
    NotValid
        Names or patterns that would not do what they seem to.
    """
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
