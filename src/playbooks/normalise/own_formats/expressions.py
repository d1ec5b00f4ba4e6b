"""Which SQL an own format may hold: expressions over the fields of one record, and nothing that acts.

The text may come from a stranger. DuckDB parses it, and its syntax tree is walked: what is not listed here is
refused. So there is no way to a file, a network, a setting, another record or a second statement, and what an
expression costs is bounded by the length of the record.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import duckdb

from playbooks import engine
from playbooks.formats import MACROS

Node = dict[str, Any]

MAX_CHARS = 2_500
MAX_LIST_CHARS = 50_000
MAX_DEPTH = 60
MAX_MACROS_INSIDE = 3  # a macro repeats its argument: four inside each other are thousands of lines
MAX_GROWTH = 1_000  # how much longer than the record a text may become

INNER_MACROS = {
    *("bounded", "moment", "epoch_scale", "epoch_micros", "json_list"),
    *("url_is_plain", "url_rest", "url_host_text", "url_port_text", "url_port_digits"),
}
TIME_MACROS = {"iso_time", "utc_time", "epoch_time", "read_time", "case_clock", "stamp"}
OWN_MACROS = frozenset(re.findall(r"CREATE MACRO (\w+)\(", MACROS)) - INNER_MACROS

# What such a macro gives where it cannot read a text says so only as long as nothing is made of it.
REFUSING = TIME_MACROS | {
    "address_range",
    "amount",
    "indicator_type_of",
    "indicator_value",
    "millis",
    "millis_between",
    "percent",
    "port",
    "protocol",
    "small",
    "url_port",
    "whole",
}
KEEPING = {"nullif", "date_diff"}

OF_TEXT = (
    "chr concat concat_ws contains ends_with left length lower ltrim nullif prefix regexp_extract regexp_extract_all "
    "regexp_full_match regexp_matches regexp_replace replace right rtrim split_part starts_with strftime string_split "
    "strpos substring suffix trim try_strptime upper"
)
OF_NUMBERS = "abs date_diff greatest least round"
OF_LISTS = "array_to_string len list_concat list_contains list_distinct list_filter list_transform list_value"
OF_JSON = (
    "json_array_length json_extract json_extract_string json_object json_transform json_type json_valid struct_extract "
    "to_json"
)
FUNCTIONS = frozenset(f"{OF_TEXT} {OF_NUMBERS} {OF_LISTS} {OF_JSON}".split())
OPERATORS = frozenset(["||", "+", "-", "*", "/", "//", "%", "~~", "!~~", "~~*", "!~~*", "->>"])
LISTS_WITH_LAMBDA = {"list_transform", "list_filter"}

# Arguments (from 0) that stand in the format and never come from a record: a pattern or a path out of evidence
# could be made to fail or to take long.
FIXED: dict[str, tuple[int, ...]] = {
    "array_to_string": (1,),
    "chr": (0,),
    "concat_ws": (0,),
    "date_diff": (0,),
    "json_array_length": (1,),
    "json_extract": (1,),
    "json_extract_string": (1,),
    "json_transform": (1,),
    "json_type": (1,),
    "read_time": (1,),
    "regexp_extract": (1, 2, 3),
    "regexp_extract_all": (1, 2, 3),
    "regexp_full_match": (1, 2),
    "regexp_matches": (1, 2),
    "regexp_replace": (1, 2, 3),
    "replace": (1, 2),
    "split_part": (1,),
    "strftime": (1,),
    "string_split": (1,),
    "struct_extract": (1,),
    "try_strptime": (1,),
    "->>": (1,),
    **dict.fromkeys(("~~", "!~~", "~~*", "!~~*"), (1,)),
}
GROWS_BY = {"replace": 2, "regexp_replace": 2, "array_to_string": 1, "concat_ws": 0}  # argument that is put in

# Where the parts of a node stand; a node or a part that is not listed is refused.
PARTS: dict[str, tuple[str, ...]] = {
    "BETWEEN": ("input", "lower", "upper"),
    "CASE": ("case_checks", "else_expr"),
    "CAST": ("child",),
    "COLUMN_REF": (),
    "COMPARISON": ("left", "right"),
    "CONJUNCTION": ("children",),
    "CONSTANT": (),
    "FUNCTION": ("children",),
    "LAMBDA": ("lhs", "expr"),
    "OPERATOR": ("children",),
}
KINDS_OF_OPERATOR = {
    "ARRAY_EXTRACT",
    "ARRAY_SLICE",
    "COMPARE_IN",
    "COMPARE_NOT_IN",
    "OPERATOR_COALESCE",
    "OPERATOR_IS_NOT_NULL",
    "OPERATOR_IS_NULL",
    "OPERATOR_NOT",
    "STRUCT_EXTRACT",
}
FACTS = {"cast_type", "column_names", "value"}  # of a node, and no nodes themselves
TRIED_TYPES = {"BIGINT", "DOUBLE", "HUGEINT", "INTEGER", "SMALLINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT"}
PLAIN = {"SUBQUERY": "a subquery", "WINDOW": "a window", "STAR": "a star", "PARAMETER": "a parameter"}
CAST_ADVICE = "use a macro such as whole, port or iso_time, or TRY_CAST to a number"


class Refused(ValueError):
    """An expression that an own format may not hold, and why."""


@dataclass(frozen=True)
class _Place:
    """Where in an expression the walk stands."""

    names: frozenset[str]
    depth: int = 0
    macros: int = 0
    growth: int = 1
    in_lambda: bool = False
    made_by: str = ""  # the function that makes something of what stands here


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return engine.connect_closed()


def check_expression(text: str, names: frozenset[str] = frozenset({"r"})) -> None:
    """Refuse an expression that does anything but compute one value from one record.

    Parameters
    ----------
    text
        The SQL.
    names
        What it may speak of: `r`, the record's fields.

    Raises
    ------
    Refused
        With what was found, and what to write instead.
    """
    _check_length(text, MAX_CHARS)
    # alone it must be whole, so that its brackets close each other; in brackets it must be one value
    alone, inside = _parsed(f"SELECT\n{text}\n"), _parsed(f"SELECT (\n{text}\n)")
    if len(inside) != 1 or bare(alone) != bare(inside):
        raise Refused("expected one expression")
    _walk(inside[0], _Place(frozenset(name.lower() for name in names)))


def split_list(text: str) -> list[Node]:
    """The expressions of an SQL list `expression AS column, …`, parsed; each has its `alias`."""
    _check_length(text, MAX_LIST_CHARS)
    return _parsed(f"SELECT\n{text}\n")


def _check_length(text: str, limit: int) -> None:
    if len(text) > limit:
        raise Refused(f"{len(text):,} characters; expected {limit:,} at most")
    if any("\ud800" <= char <= "\udfff" or char == "\0" for char in text):
        raise Refused("characters that are no text")


def bare(node: Any) -> Any:
    """A part of the syntax tree without places in the text and without names of columns."""
    if isinstance(node, dict):
        return {key: bare(part) for key, part in node.items() if key not in ("query_location", "alias")}
    return [bare(part) for part in node] if isinstance(node, list) else node


def parsed(text: str) -> Node:
    """The syntax tree of one expression."""
    return _parsed(f"SELECT (\n{text}\n)")[0]


def _parsed(query: str) -> list[Node]:
    """What a SELECT without source selects; anything else is refused."""
    try:
        [(answer,)] = _parser().execute("SELECT json_serialize_sql(?)", [query]).fetchall()
        found = json.loads(answer)
    except (duckdb.Error, RecursionError) as error:
        raise Refused("SQL that does not parse: too many expressions inside each other") from error
    if found["error"]:
        raise Refused(f"SQL that does not parse: {str(found['error_message']).splitlines()[0][:200]}")
    statements = found["statements"]
    node = statements[0]["node"]
    if len(statements) != 1 or node["type"] != "SELECT_NODE" or node["from_table"]["type"] != "EMPTY":
        raise Refused("expected an expression, found a statement or a table")
    more = ("modifiers", "where_clause", "group_expressions", "group_sets", "having", "sample", "qualify")
    if any(node[part] for part in more) or node["cte_map"]["map"]:
        raise Refused("expected an expression, found the clause of a statement")
    selected: list[Node] = node["select_list"]
    return selected


def _walk(node: Node, place: _Place) -> None:
    kind = str(node["class"])
    if place.depth > MAX_DEPTH:
        raise Refused(f"more than {MAX_DEPTH} expressions inside each other")
    if kind not in PARTS:
        raise Refused(f"{PLAIN.get(kind, kind.lower())} is not allowed: only expressions over one record")
    if node["alias"]:
        raise Refused(f"a name for a value ({str(node['alias'])[:60]}) is not allowed inside an expression")
    if strange := [key for key, part in node.items() if _is_strange(key, part, kind)]:
        raise Refused(f"{', '.join(strange)} is not allowed in an expression")
    inner = replace(place, depth=place.depth + 1)
    match kind:
        case "COLUMN_REF":
            _check_name(node, place)
        case "CAST":
            _check_cast(node)
            inner = replace(inner, made_by="CAST")
        case "FUNCTION":
            inner = _check_function(node, inner)
        case "OPERATOR" if node["type"] not in KINDS_OF_OPERATOR:
            raise Refused(f"{str(node['type']).removeprefix('OPERATOR_')}(…) is not allowed")
        case "LAMBDA":
            raise Refused("`->` and lambda stand in list_transform and list_filter only; for JSON use json_extract")
    for part in _parts(node, kind):
        _walk(part, inner)


def _is_strange(key: str, part: object, kind: str) -> bool:
    """Whether a node has a part that this module does not know."""
    if key == "order_bys":
        return bool(isinstance(part, dict) and part.get("orders"))
    return isinstance(part, dict | list) and bool(part) and key not in FACTS and key not in PARTS[kind]


def _parts(node: Node, kind: str) -> list[Node]:
    found: list[Node] = []
    for key in PARTS[kind]:
        part = node[key]
        if key == "case_checks":
            found += [check[side] for check in part for side in ("when_expr", "then_expr")]
        else:
            found += part if isinstance(part, list) else [part]
    seen_to = "LAMBDA" if node.get("function_name") in LISTS_WITH_LAMBDA else ""  # by `_check_lambda`
    return [part for part in found if part is not None and part["class"] != seen_to]


def _check_name(node: Node, place: _Place) -> None:
    name = str(node["column_names"][0])
    if name.lower() not in place.names:
        known = ", ".join(sorted(place.names))
        raise Refused(f"{name[:60]} is not known here; expected fields of the record such as r.field (names: {known})")


def _check_cast(node: Node) -> None:
    kind = str(node["cast_type"]["id"])
    of_constant = kind == "BOOLEAN" and node["child"]["class"] == "CONSTANT"
    if kind != "VARCHAR" and not of_constant and not (node["try_cast"] and kind in TRIED_TYPES):
        word = "TRY_CAST" if node["try_cast"] else "CAST"
        raise Refused(f"{word} to {kind} is not allowed: {CAST_ADVICE}")


def _check_function(node: Node, place: _Place) -> _Place:
    """Refuse what is not listed, and say where its arguments stand."""
    name = str(node["function_name"]).lower()
    known = name in FUNCTIONS or name in OPERATORS or name in OWN_MACROS
    if not known or node["catalog"] or node["schema"] not in ("", "main"):
        raise Refused(f"{name[:60]}(…) is not allowed; docs/how-to/own-format.md lists the functions that are")
    if node["distinct"]:
        raise Refused(f"{name}(…) takes no DISTINCT")
    if place.made_by and name in REFUSING:
        advice = "there use TRY_CAST(… AS BIGINT), and this macro outside of it"
        raise Refused(f"{name}(…) inside {place.made_by}(…) would hide that a text cannot be read: {advice}")
    arguments: list[Node] = node["children"]
    for number in FIXED.get(name, ()):
        if number < len(arguments) and not _is_fixed(arguments[number]):
            raise Refused(f"{name}(…): argument {number + 1} must be written out, not taken from the record")
    if name in LISTS_WITH_LAMBDA:
        _check_lambda(name, arguments, place)
    made_by = place.made_by if name in KEEPING else name
    place = replace(place, growth=place.growth * _growth(name, arguments), made_by=made_by)
    if place.growth > MAX_GROWTH:
        raise Refused(f"{name}(…) makes a text more than {MAX_GROWTH:,} times as long")
    return _inside_macro(name, place) if name in OWN_MACROS else place


def _inside_macro(name: str, place: _Place) -> _Place:
    limit = 0 if name in TIME_MACROS else MAX_MACROS_INSIDE - 1
    if place.macros > limit:
        allowed = (
            "not inside another macro" if name in TIME_MACROS else f"at most {MAX_MACROS_INSIDE} inside each other"
        )
        raise Refused(f"{name}(…): {allowed}")
    return replace(place, macros=place.macros + 1)


def _is_fixed(node: Node) -> bool:
    """Whether a value, or a list of values, is written out."""
    if node["class"] == "FUNCTION" and node["function_name"] == "list_value":
        return all(part["class"] == "CONSTANT" for part in node["children"])
    return bool(node["class"] == "CONSTANT")


def _growth(name: str, arguments: list[Node]) -> int:
    """How many times as long as its argument the answer can be."""
    number = GROWS_BY.get(name)
    if number is None or number >= len(arguments):
        return 1
    put_in = len(str(arguments[number]["value"].get("value") or ""))
    return max(1, put_in) if "replace" in name else 1 + put_in


def _check_lambda(name: str, arguments: list[Node], place: _Place) -> None:
    """A lambda sees its own entry only: the whole record for each entry would be a square."""
    for argument in arguments[1:]:
        if argument["class"] != "LAMBDA" or argument["lhs"]["class"] != "COLUMN_REF":
            raise Refused(f"{name}(…): expected `lambda entry: …` with one name")
        if place.in_lambda:
            raise Refused(f"{name}(…): no lambda inside another")
        entry = str(argument["lhs"]["column_names"][0]).lower()
        _walk(argument["expr"], replace(place, names=frozenset({entry}), in_lambda=True))
