"""pySigma's condition tree → the kit's tests: every value type and modifier of the Sigma specification.

What has no meaning for a record (placeholders without values, queries in another language) is refused by name.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from playbooks.engine import text_literal
from playbooks.sigma.conditions import Check, Compared, Either, Every, Node, Not, Test, Words

MAX_TESTS = 10_000  # of one rule: the longest public list of hashes holds about half of that
MAX_PATTERN_CHARS = 4_000
LIKE_ESCAPE = "^"
NUL = "\0"
# hexadecimal of an address, 8 digits or 32; NULL for what is no address
HEX = r"""CASE
    WHEN regexp_full_match({v}, '(\d{{1,3}}\.){{3}}\d{{1,3}}') THEN
        list_aggregate(list_transform(string_split({v}, '.'), lambda o: format('{{:02x}}', CAST(o AS INTEGER))),
                       'string_agg', '')
    WHEN regexp_full_match({v}, '[0-9a-fA-F:]*:[0-9a-fA-F:]*') THEN
        list_aggregate(list_transform(string_split(
            CASE WHEN contains({v}, '::') THEN
                rtrim(split_part({v}, '::', 1) || repeat(':0', greatest(0, 8 - len(list_filter(
                    string_split({v}, ':'), lambda g: g <> '')))) || CASE WHEN split_part({v}, '::', 2) <> ''
                    THEN ':' || split_part({v}, '::', 2) ELSE '' END, ':')
                ELSE {v} END, ':'), lambda g: lpad(lower(g), 4, '0')), 'string_agg', '')
    END"""


class NotConvertible(Exception):
    """A rule, or a part of it, for which there is no test; the message says which."""


def condition_of(rule: Any) -> Node:
    """The test that a pySigma rule stands for; several conditions of one rule are alternatives.

    Raises
    ------
    NotConvertible
        It holds something that cannot be tested.
    """
    from sigma.exceptions import SigmaError

    try:
        parsed = [condition.parsed for condition in rule.detection.parsed_condition]
    except SigmaError as error:
        raise NotConvertible(str(error)) from error
    backend = _Backend()
    nodes = tuple(backend.node(one) for one in parsed if one is not None)
    if not nodes:
        raise NotConvertible("the condition names nothing that could be tested")
    return nodes[0] if len(nodes) == 1 else Either(nodes)


class _Backend:
    """Walks one rule; counts its tests."""

    def __init__(self) -> None:
        self.tests = 0

    def node(self, item: Any) -> Node:
        from sigma import conditions as c

        match item:
            case c.ConditionAND(args=args):
                return Every(tuple(self.node(one) for one in args))
            case c.ConditionOR(args=args):
                return Either(tuple(self.node(one) for one in args))
            case c.ConditionNOT(args=args):
                return Not(self.node(args[0]))
            case c.ConditionFieldEqualsValueExpression(field=name, value=value):
                return self._field(name, value)
            case c.ConditionValueExpression(value=value):
                return self._words(value)
            case _:
                raise NotConvertible(f"a condition of the kind {type(item).__name__}")

    def _count(self) -> None:
        self.tests += 1
        if self.tests > MAX_TESTS:
            raise NotConvertible(f"more than {MAX_TESTS:,} tests in one rule")

    def _field(self, name: str, value: Any) -> Node:
        from sigma import types as t

        self._count()
        match value:
            case t.SigmaExpansion(values=values):
                return Either(tuple(self._field(name, one) for one in values))
            case t.SigmaNull():
                return Check(name, None)
            case t.SigmaExists():
                return Check(name, None, exists=bool(value))
            case t.SigmaFieldReference(field=other, starts_with=starts, ends_with=ends):
                return Compared(name, other, starts, ends)
            case t.SigmaString():
                cased = isinstance(value, t.SigmaCasedString)
                parts = _parts(value)
                equal = "".join(map(str, parts)) if all(isinstance(part, str) for part in parts) else None
                return Check(name, _text_test(parts, cased), cased, equal)
            case t.SigmaTimestampPart(timestamp_part=part, number=number):
                unit = part.name.lower()
                return Check(name, lambda v: f"date_part('{unit}', TRY_CAST({v} AS TIMESTAMPTZ)) = {number}", True)
            case t.SigmaNumber() | t.SigmaBool():
                text = str(value).lower()
                return Check(name, lambda v: f"{v} = {text_literal(text)}", equal=text)
            case _:
                return self._special(name, value)

    def _special(self, name: str, value: Any) -> Node:
        from sigma import types as t

        match value:
            case t.SigmaRegularExpression():
                return Check(name, _pattern_test(_pattern(value)), cased=True)
            case t.SigmaCIDRExpression(network=network):
                low, high = (f"{int(edge):0{network.max_prefixlen // 4}x}" for edge in (network[0], network[-1]))
                return Check(name, lambda v: _in_network(v, low, high), cased=True)
            case t.SigmaCompareExpression(number=number, op=op):
                sign = {"LT": "<", "LTE": "<=", "GT": ">", "GTE": ">=", "NEQ": "<>"}[op.name]
                return Check(name, lambda v: f"TRY_CAST({v} AS DOUBLE) {sign} {number.number}", cased=True)
            case _:
                raise NotConvertible(f"a value of the kind {type(value).__name__}")

    def _words(self, value: Any) -> Node:
        from sigma import types as t

        self._count()
        match value:
            case t.SigmaExpansion(values=values):
                return Either(tuple(self._words(one) for one in values))
            case t.SigmaRegularExpression():
                return Words(_pattern_test(_pattern(value)), cased=True)
            case t.SigmaString():
                cased = isinstance(value, t.SigmaCasedString)
                return Either(tuple(Words(test, cased) for test in _word_tests(_parts(value), cased)))
            case t.SigmaNumber() | t.SigmaBool():
                return Words(_text_test([MANY, _Text(str(value).lower()), MANY], False))
            case _:
                raise NotConvertible(f"a search in the whole record for a value of the kind {type(value).__name__}")


MANY, ONE = None, "?"  # wildcards in a list of parts; a text is wrapped in its own class below


class _Text(str):
    """A plain part of a value, as opposed to a wildcard."""

    __slots__ = ()


def _parts(value: Any) -> list[Any]:
    """The value as texts and wildcards, NUL characters refused: no column of text holds them."""
    from sigma.types import Placeholder, SpecialChars

    found: list[Any] = []
    for part in value.s:
        if isinstance(part, Placeholder):
            raise NotConvertible(f"the placeholder %{part.name}% has no values in a case")
        if isinstance(part, SpecialChars):
            found.append(MANY if part == SpecialChars.WILDCARD_MULTI else ONE)
        elif NUL in part:
            raise NotConvertible("a value with NUL characters (modifier wide or utf16), which no text of a log holds")
        else:
            found.append(_Text(part.encode("utf-8", "replace").decode()))
    return found


def _word_tests(parts: list[Any], cased: bool) -> list[Test]:
    """Tests for a keyword anywhere in the text of a record: as it is, and as JSON writes it."""
    escaped = [_Text(json.dumps(part)[1:-1]) if isinstance(part, _Text) else part for part in parts]
    return [_text_test([MANY, *one, MANY], cased) for one in ([parts] if parts == escaped else [parts, escaped])]


def _text_test(parts: list[Any], cased: bool) -> Test:
    """A test of a text against texts and wildcards, by the cheapest function that does it."""
    quoted = text_literal if cased else lambda text: f"lower({text_literal(text)})"
    inner = [part for part in parts if part is not MANY]
    if not inner:
        return (lambda v: f"{v} IS NOT NULL") if parts else (lambda v: f"{v} = ''")
    if ONE in [part for part in inner if not isinstance(part, _Text)] or len(inner) > 1:
        pattern = "".join("%" if p is MANY else _escaped(p) if isinstance(p, _Text) else "_" for p in parts)
        return lambda v: f"{v} LIKE {quoted(pattern)} ESCAPE '{LIKE_ESCAPE}'"
    text = quoted(str(inner[0]))
    match parts[0] is MANY, parts[-1] is MANY:
        case True, True:
            return lambda v: f"contains({v}, {text})"
        case True, False:
            return lambda v: f"ends_with({v}, {text})"
        case False, True:
            return lambda v: f"starts_with({v}, {text})"
        case _:
            return lambda v: f"{v} = {text}"


def _escaped(text: str) -> str:
    return "".join(LIKE_ESCAPE + letter if letter in "%_" + LIKE_ESCAPE else letter for letter in text)


def _pattern(value: Any) -> str:
    """The pattern of a regular expression, if RE2 takes it: its time grows with the text alone."""
    if value.contains_placeholder():
        raise NotConvertible("a placeholder in a regular expression has no values in a case")
    flags = "".join(sorted(value.sigma_to_re_flag[flag] for flag in value.flags))
    pattern: str = (f"(?{flags})" if flags else "") + value.regexp.to_plain(regex=True)
    if len(pattern) > MAX_PATTERN_CHARS:
        raise NotConvertible(f"a regular expression of more than {MAX_PATTERN_CHARS:,} characters")
    try:
        pc.match_substring_regex(pa.array([""], pa.string()), pattern=pattern)
    except (pa.ArrowInvalid, UnicodeEncodeError) as error:
        raise NotConvertible(f"a regular expression beyond RE2: {error}") from error
    return pattern


def _pattern_test(pattern: str) -> Test:
    return lambda v: f"regexp_matches({v}, {text_literal(pattern)})"


def _in_network(value: str, low: str, high: str) -> str:
    address = HEX.format(v=value)
    fits = f"lambda h: length(h) = {len(low)} AND h BETWEEN '{low}' AND '{high}'"
    return f"list_contains(list_transform([{address}], {fits}), true)"


__all__ = ["MAX_TESTS", "NotConvertible", "condition_of"]
