"""Values put into query text: checked against a type, then written as a literal of the query language.

`where Computer == {host:hostname} and TimeGenerated > {since:datetime}`: a template names each value and
its type. A value often comes from evidence, so it is hostile until it has passed. What cannot be written
safely is refused with a reason; nothing is ever pasted as it is.

Reference: Kusto "The string data type"; SQL string literals as DuckDB, PostgreSQL and Trino read them (a
quote is doubled), and as BigQuery, Spark, Snowflake, ClickHouse and MySQL do (a backslash escapes).
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playbooks.errors import UsageError
from playbooks.evidence.preserve import printable

LONGEST_VALUE = 8192
MOST_VALUES = 1000
HOSTNAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?")
HOLE = r"\{(?P<name>[A-Za-z_]\w*)(?::(?P<type>\w+))?\}"
KQL_TEXT = (
    r"```.*?```|~~~.*?~~~|//[^\n]*"
    r"|[hH]?@\"(?:[^\"]|\"\")*\"|[hH]?@'(?:[^']|'')*'"
    r'|"(?:[^"\\\n]|\\[^\n])*"' + r"|'(?:[^'\\\n]|\\[^\n])*'"
)
COMMENT = r"--[^\n]*|/\*.*?\*/"
DOUBLED_TEXT = (
    rf"{COMMENT}|(?<!\w)[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'" + r'|"(?:[^"]|"")*"|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$'
)
ESCAPED_TEXT = (
    rf"{COMMENT}|\#[^\n]*|'''.*?'''" + r'|""".*?"""' + r"|'(?:[^'\\]|\\.|'')*'" + r'|"(?:[^"\\]|\\.|"")*"|`[^`]*`'
)


@dataclass(frozen=True)
class Language:
    """How a query language writes literals, and what its text looks like between quotes and in comments."""

    name: str
    text: Callable[[str], str]
    moment: Callable[[dt.datetime], str]
    quoted: re.Pattern[str]


def _language(name: str, text: Callable[[str], str], moment: Callable[[dt.datetime], str], quoted: str) -> Language:
    return Language(name, text, moment, re.compile(rf"(?P<quoted>{quoted})|{HOLE}|(?P<loose>[\"'`])", re.DOTALL))


def _kql_text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def _doubled(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _escaped(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'".replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def _kql_moment(moment: dt.datetime) -> str:
    return f"datetime({moment:%Y-%m-%dT%H:%M:%S.%fZ})"


def _sql_moment(moment: dt.datetime) -> str:
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}'"


KQL = _language("kql", _kql_text, _kql_moment, KQL_TEXT)
LANGUAGES = {
    "kql": KQL,
    **{
        name: _language(name, _doubled, _sql_moment, DOUBLED_TEXT)
        for name in ("sql", "duckdb", "postgres", "trino", "athena", "sqlite")
    },
    **{
        name: _language(name, _escaped, _sql_moment, ESCAPED_TEXT)
        for name in ("bigquery", "pyspark", "spark", "databricks", "snowflake", "clickhouse", "mysql")
    },
}


@dataclass(frozen=True)
class Filled:
    """A query text as it is sent, and the values in it by name, as text."""

    query: str
    values: Mapping[str, Any]


def fill(template: str, values: Mapping[str, Any], language: str) -> Filled:
    """Fill the placeholders `{name:type}` of a query text; a list becomes literals between commas.

    Parameters
    ----------
    template
        Query text. Types: `string` (also where none is named), `hostname`, `address` (IPv4 or IPv6),
        `datetime` (with zone; written in UTC), `integer`.
    values
        One value, or a list of them, for each placeholder.
    language
        `kql`, `sql` (quotes doubled), or the name of an engine.

    Raises
    ------
    UsageError
        A value is not of its type, is missing or is named nowhere; a placeholder stands between quotes or in
        a comment; the language is unknown.
    """
    rules = LANGUAGES.get(language)
    if rules is None:
        if values:
            raise UsageError(f"values cannot be put into {printable(language)!r}: known are {', '.join(LANGUAGES)}.")
        return Filled(template, {})
    used: dict[str, Any] = {}

    def literal(found: re.Match[str]) -> str:
        return _part(found, values, rules, used)

    query = rules.quoted.sub(literal, template)
    if unknown := sorted(set(values) - set(used)):
        raise UsageError(f"no placeholder for {', '.join(unknown)}: write {{{unknown[0]}:string}} in the query text.")
    return Filled(query, used)


def _part(found: re.Match[str], values: Mapping[str, Any], rules: Language, used: dict[str, Any]) -> str:
    """One part of a template: text between quotes stays, a placeholder becomes a literal."""
    if found["loose"]:
        raise UsageError(f"the query text has a quote {found['loose']} that is never closed (place {found.start()}).")
    if quoted := found["quoted"]:
        if hole := next((hole for hole in re.finditer(HOLE, quoted) if hole["name"] in values), None):
            raise UsageError(
                f"the placeholder {hole[0]} stands between quotes or in a comment. Take the quotes away: they are "
                "written with the value."
            )
        if quoted.startswith("/*") and "/*" in quoted[2:]:
            raise UsageError("the query text has a comment inside a comment; engines disagree where it ends.")
        return quoted
    name, kind = found["name"], found["type"] or "string"
    if name not in values:
        raise UsageError(f"no value for the placeholder {found[0]}. (A brace that is none: put a space behind it.)")
    if kind not in TYPES:
        raise UsageError(f"the placeholder {found[0]} names no known type: known are {', '.join(TYPES)}.")
    given = values[name] if isinstance(values[name], list | tuple) else [values[name]]
    if not 0 < len(given) <= MOST_VALUES:
        raise UsageError(f"{found[0]}: {len(given)} values; expected 1 to {MOST_VALUES}.")
    literals = [TYPES[kind](name, value, rules) for value in given]
    used[name] = [str(value) for value in given] if isinstance(values[name], list | tuple) else str(values[name])
    return ", ".join(literals)


def _refused(name: str, value: object, expected: str) -> UsageError:
    return UsageError(f"value of {name}: expected {expected}, found {printable(repr(value)[:120])}. Nothing was sent.")


def _string(name: str, value: object, rules: Language) -> str:
    if not isinstance(value, str) or len(value) > LONGEST_VALUE:
        raise _refused(name, value, f"text of at most {LONGEST_VALUE} characters")
    for char in value:
        # NUL, other control characters and exotic line ends are read in different ways by different engines
        if unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") and char not in "\n\r\t":
            raise _refused(name, value, f"text without the character U+{ord(char):04X}")
    return rules.text(value)


def _hostname(name: str, value: object, rules: Language) -> str:
    if not isinstance(value, str) or not HOSTNAME.fullmatch(value):
        raise _refused(name, value, "a host name (letters, digits, dash, underscore, dots)")
    return rules.text(value)


def _address(name: str, value: object, rules: Language) -> str:
    text = str(value) if isinstance(value, str | ipaddress.IPv4Address | ipaddress.IPv6Address) else ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        raise _refused(name, value, "an IPv4 or IPv6 address") from error
    if "%" in text:  # a zone of IPv6 may hold any character
        raise _refused(name, value, "an address without a zone")
    return rules.text(str(address))


def _datetime(name: str, value: object, rules: Language) -> str:
    try:
        moment = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise _refused(name, value, "a time such as 2026-03-10T10:00:00Z") from error
    if not isinstance(moment, dt.datetime) or moment.tzinfo is None:
        raise _refused(name, value, "a time with a zone, such as 2026-03-10T10:00:00Z")
    return rules.moment(moment.astimezone(dt.UTC))


def _integer(name: str, value: object, rules: Language) -> str:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise _refused(name, value, "a whole number of 64 bits")
    return str(value)


TYPES: dict[str, Callable[[str, object, Language], str]] = {
    "string": _string,
    "hostname": _hostname,
    "address": _address,
    "datetime": _datetime,
    "integer": _integer,
}
