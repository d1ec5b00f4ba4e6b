"""Backends of pySigma for KQL and for Splunk's search language, strict about values.

The public backends for both ask for pySigma 1 (docs/decisions/0019-own-query-backends.md). These two know what the
kit's rules use: fields and whole records, compared as equal, by beginning, end or part; and, or. All else is refused.

No character of a value ends a string: in KQL, what is not plain is an escape of four hexadecimal digits. Splunk's
search knows no escape for `*`, so a value with anything unusual becomes a regular expression of letters, digits and
`\\x{…}`.
Reference: Kusto documentation, "The string data type"; Splunk documentation, "Write better searches", function `match`.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Any, ClassVar

from sigma.conditions import ConditionAND, ConditionNOT, ConditionOR
from sigma.conversion.base import TextQueryBackend
from sigma.exceptions import SigmaFeatureNotSupportedByBackendError
from sigma.types import SigmaString, SpecialChars

EQUAL, BEGINS, ENDS, HOLDS = "equal", "begins", "ends", "holds"
KQL_SIGNS = {EQUAL: "=~", BEGINS: "startswith", ENDS: "endswith", HOLDS: "contains"}
KQL_PLAIN = re.compile(r"[ !#-\[\]-~]")  # printable ASCII without quotation mark and backslash
# What stands in a quoted word of a search as it is: no wildcard, macro, subsearch, pipe, variable or escape.
SPL_PLAIN = re.compile(r"[A-Za-z0-9 ._:/@+=,;()#~%!&<>{}^'?-]*")
SPL_IN_PATTERN = re.compile(r"[A-Za-z0-9]")
LARGEST_UNIT = 0xFFFF


class _Backend(TextQueryBackend):
    """What both have in common: which comparison a value of Sigma asks for, and its plain text."""

    precedence = (ConditionNOT, ConditionAND, ConditionOR)
    parenthesize = True
    group_expression = "({expr})"
    token_separator = " "  # noqa: S105  a word of the language
    convert_or_as_in = False
    convert_and_as_in = False

    @abstractmethod
    def compared(self, field: str, how: str, text: str) -> str:
        """A comparison of a field with a text."""

    @abstractmethod
    def anywhere(self, text: str) -> str:
        """A search for a text in the whole record."""

    def convert_condition_field_eq_val(self, cond: Any, state: Any) -> str:
        """Only texts are compared; the kit's rules hold nothing else."""
        if not isinstance(cond.value, SigmaString):
            raise SigmaFeatureNotSupportedByBackendError(f"a value of the kind {type(cond.value).__name__}")
        return self.compared(cond.field, *_asked(cond.value))

    def convert_condition_val(self, cond: Any, state: Any) -> str:
        """A text anywhere in the record, with or without wildcards around it."""
        if not isinstance(cond.value, SigmaString):
            raise SigmaFeatureNotSupportedByBackendError(f"a search for the kind {type(cond.value).__name__}")
        return self.anywhere(_asked(cond.value)[1])


def _asked(value: SigmaString) -> tuple[str, str]:
    """How a value is compared, and its text without wildcards."""
    parts = [*value.s]
    begins = bool(parts) and parts[0] == SpecialChars.WILDCARD_MULTI
    ends = len(parts) > 1 and parts[-1] == SpecialChars.WILDCARD_MULTI
    inner = parts[begins : len(parts) - ends]
    if not all(isinstance(part, str) for part in inner):
        raise SigmaFeatureNotSupportedByBackendError("a wildcard within a value")
    how = {(False, False): EQUAL, (False, True): BEGINS, (True, False): ENDS, (True, True): HOLDS}[begins, ends]
    return how, "".join(map(str, inner))


class KqlBackend(_Backend):
    """Conditions of KQL; names of fields are the kit's own expressions, put in by its pipeline."""

    name: ClassVar[str] = "KQL of the kit"
    and_token: ClassVar[str] = "and"  # noqa: S105  a word of the language
    or_token: ClassVar[str] = "or"  # noqa: S105  a word of the language
    not_token: ClassVar[str] = "not"  # noqa: S105  a word of the language

    def compared(self, field: str, how: str, text: str) -> str:
        return f"{field} {KQL_SIGNS[how]} {kql_text(text)}"

    def anywhere(self, text: str) -> str:
        return f"* contains {kql_text(text)}"


def kql_text(text: str) -> str:
    """A string of KQL that is this text, whatever is in it."""
    return '"' + "".join(one if KQL_PLAIN.fullmatch(one) else _utf16(one) for one in text) + '"'


def _utf16(letter: str) -> str:
    code = ord(letter)
    if code <= LARGEST_UNIT:
        return f"\\u{code:04x}"
    code -= LARGEST_UNIT + 1
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


class SplBackend(_Backend):
    """Conditions of the command `search`, for values that it can hold as they are."""

    name: ClassVar[str] = "SPL of the kit"
    and_token: ClassVar[str] = "AND"  # noqa: S105  a word of the language
    or_token: ClassVar[str] = "OR"  # noqa: S105  a word of the language
    not_token: ClassVar[str] = "NOT"  # noqa: S105  a word of the language

    def compared(self, field: str, how: str, text: str) -> str:
        before, after = ("*" if how in (ENDS, HOLDS) else ""), ("*" if how in (BEGINS, HOLDS) else "")
        return f'{field}="{before}{_in_search(text)}{after}"'

    def anywhere(self, text: str) -> str:
        return f'"*{_in_search(text)}*"'


def _in_search(text: str) -> str:
    if not SPL_PLAIN.fullmatch(text):
        raise SigmaFeatureNotSupportedByBackendError("a value that the command search cannot hold as it is")
    return text


class SplWhereBackend(SplBackend):
    """Conditions of the command `where`, for any value: each is a regular expression that holds no sign of SPL."""

    name: ClassVar[str] = "SPL of the kit, command where"

    def compared(self, field: str, how: str, text: str) -> str:
        before, after = ("" if how in (ENDS, HOLDS) else r"\\A"), ("" if how in (BEGINS, HOLDS) else r"\\z")
        return f"match('{field}', \"(?i){before}{_as_pattern(text)}{after}\")"

    def anywhere(self, text: str) -> str:
        return f'match(_raw, "(?i){_as_pattern(text)}")'


def _as_pattern(text: str) -> str:
    """A regular expression for a text; the backslash is doubled, as a string of `eval` wants it."""
    return "".join(one if SPL_IN_PATTERN.fullmatch(one) else f"\\\\x{{{ord(one):04X}}}" for one in text)
