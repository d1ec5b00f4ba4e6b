"""Values in query text: whatever they hold, they stay one literal, or nothing is sent."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import duckdb
import ibis
import pytest

from playbooks.errors import UsageError
from playbooks.evidence.acquire.quoting import LANGUAGES, fill

HOSTILE = [
    "plain",
    "",
    'quote " quote',
    "quote ' quote",
    "'; DROP TABLE hosts; --",
    '" | union SecurityEvent //',
    "\\",
    '\\" | take 10 //',
    "\\' OR 1=1 --",
    "''",
    '""',
    "'''",
    "line\nbreak | where 1 == 1",
    "carriage\rreturn\ttab",
    "--",
    "/* */",
    "```",
    "~~~",
    "$$",
    "{host:string}",
    "{{host}}",
    "%s ? :1 $1",
    "größe 日本 🦊",
    "\u202eright to left",
    "a" * 8192,
]
KQL_TEMPLATE = "Heartbeat\n| where Computer == {host}\n| take 5"
ESCAPES = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t"}


def kql_tokens(query: str) -> list[tuple[str, str]]:
    """A strict reader of the KQL used here: words, signs and plain string literals; anything else fails."""
    tokens = []
    place = 0
    while place < len(query):
        char = query[place]
        if char.isspace():
            place += 1
        elif char == '"':
            value, place = kql_string(query, place + 1)
            tokens.append(("string", value))
        elif found := re.compile(r"[A-Za-z0-9]+").match(query, place):
            tokens.append(("word", found[0]))
            place = found.end()
        elif found := re.compile(r"==|\|").match(query, place):
            tokens.append(("sign", found[0]))
            place = found.end()
        else:
            raise AssertionError(f"{char!r} at {place} is none of what the template holds")
    return tokens


def kql_string(query: str, place: int) -> tuple[str, int]:
    value = ""
    while query[place] != '"':
        assert query[place].isprintable() or query[place] in "\u202e", "a raw control character in a literal"
        if query[place] == "\\":
            place += 1
            value += ESCAPES[query[place]]
        else:
            value += query[place]
        place += 1
    return value, place + 1


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_stays_one_string_literal_of_kql(value: str) -> None:
    query = fill(KQL_TEMPLATE, {"host": value}, "kql").query
    words = [("word", "Heartbeat"), ("sign", "|"), ("word", "where"), ("word", "Computer"), ("sign", "==")]
    assert kql_tokens(query) == [*words, ("string", value), ("sign", "|"), ("word", "take"), ("word", "5")]


def test_the_reader_of_this_test_sees_an_injection() -> None:
    with pytest.raises(AssertionError):
        kql_tokens(KQL_TEMPLATE.replace("{host}", '"' + '" | union SecurityEvent //' + '"'))


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_comes_back_from_a_real_engine_as_data(value: str) -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE hosts (name VARCHAR)")
    con.execute("INSERT INTO hosts VALUES (?), ('other')", [value])
    backend = ibis.duckdb.from_connection(con)
    filled = fill("SELECT name, {host} AS asked FROM hosts WHERE name = {host}", {"host": value}, "duckdb")
    assert backend.sql(filled.query).to_pyarrow().to_pylist() == [{"name": value, "asked": value}]
    assert con.execute("SELECT count(*) FROM hosts").fetchone() == (2,)


@pytest.mark.parametrize("dialect", ["bigquery", "spark", "clickhouse", "mysql", "snowflake", "trino", "postgres"])
@pytest.mark.parametrize("value", HOSTILE)
def test_other_engines_read_a_hostile_value_as_one_literal_too(dialect: str, value: str) -> None:
    import sqlglot

    query = fill("SELECT {host} AS asked", {"host": value}, dialect).query
    (selected,) = sqlglot.parse_one(query, dialect=dialect).expressions
    assert (selected.alias, selected.this.is_string, selected.this.this) == ("asked", True, value)


REFUSED: list[tuple[str, Any, str]] = [
    ("string", "nul\0", "text without the character U+0000"),
    ("string", "escape\x1b[31m", "text without the character U+001B"),
    ("string", "next line\x85", "text without the character U+0085"),
    ("string", "line separator\u2028", "text without the character U+2028"),
    ("string", "half a pair\ud800", "text without the character U+D800"),
    ("string", "a" * 8193, "text of at most 8192 characters"),
    ("string", None, "text of at most 8192 characters"),
    ("string", b"bytes", "text of at most 8192 characters"),
    ("string", 7, "text of at most 8192 characters"),
    ("hostname", 'lap"top', "a host name"),
    ("hostname", "lap top", "a host name"),
    ("hostname", "laptop\n", "a host name"),
    ("hostname", "", "a host name"),
    ("hostname", "-rf", "a host name"),
    ("hostname", "a" * 64, "a host name"),
    ("hostname", "größe.example", "a host name"),
    ("address", "192.0.2.300", "an IPv4 or IPv6 address"),
    ("address", "192.0.2.1' OR '1'='1", "an IPv4 or IPv6 address"),
    ("address", "2001:db8::1%eth0' OR 1=1 --", "an address without a zone"),
    ("address", 3221225985, "an IPv4 or IPv6 address"),
    ("datetime", "2026-03-10T10:00:00", "a time with a zone"),
    ("datetime", "yesterday", "a time such as"),
    ("datetime", dt.datetime(2026, 3, 10), "a time with a zone"),
    ("datetime", "2026-03-10T10:00:00Z) | union x", "a time such as"),
    ("integer", "1 OR 1=1", "a whole number"),
    ("integer", True, "a whole number"),
    ("integer", 2**63, "a whole number"),
    ("integer", 1.5, "a whole number"),
]


@pytest.mark.parametrize(("kind", "value", "said"), REFUSED)
def test_a_value_that_is_not_of_its_type_is_refused_before_anything_is_sent(kind: str, value: Any, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)) as error:
        fill(f"T | where x == {{v:{kind}}}", {"v": value}, "kql")
    assert "value of v: expected" in str(error.value)
    assert str(error.value).endswith("Nothing was sent.")
    assert str(error.value).isprintable()


NOON = dt.datetime(2026, 3, 10, 13, 0, tzinfo=dt.timezone(dt.timedelta(hours=1)))
FILLED: list[tuple[str, Any, str, str]] = [
    ("hostname", "Laptop-7.corp.example", '"Laptop-7.corp.example"', "'Laptop-7.corp.example'"),
    ("hostname", "_dmarc.example.", '"_dmarc.example."', "'_dmarc.example.'"),
    ("address", "2001:DB8:0::1", '"2001:db8::1"', "'2001:db8::1'"),
    ("address", "192.0.2.7", '"192.0.2.7"', "'192.0.2.7'"),
    ("datetime", NOON, "datetime(2026-03-10T12:00:00.000000Z)", "TIMESTAMP '2026-03-10 12:00:00.000000'"),
    (
        "datetime",
        "2026-03-10T12:00:00.5Z",
        "datetime(2026-03-10T12:00:00.500000Z)",
        "TIMESTAMP '2026-03-10 12:00:00.500000'",
    ),
    ("integer", -(2**63), str(-(2**63)), str(-(2**63))),
    ("string", ["a", "b'"], '"a", "b\'"', "'a', 'b'''"),
]


@pytest.mark.parametrize(("kind", "value", "kql", "sql"), FILLED)
def test_a_value_of_its_type_becomes_a_literal_of_each_language(kind: str, value: Any, kql: str, sql: str) -> None:
    template = f"x in ({{v:{kind}}})"
    assert fill(template, {"v": value}, "kql").query == f"x in ({kql})"
    assert fill(template, {"v": value}, "sql").query == f"x in ({sql})"


@pytest.mark.parametrize(
    ("language", "template", "said"),
    [
        ("kql", 'T | where x == "{v}"', "stands between quotes or in a comment"),
        ("kql", "T | where x == @'{v}'", "stands between quotes or in a comment"),
        ("kql", "T // {v}", "stands between quotes or in a comment"),
        ("kql", "T | where x == ```{v}```", "stands between quotes or in a comment"),
        ("kql", 'T | where x == "open {v}', "never closed"),
        ("sql", "SELECT '{v}'", "stands between quotes or in a comment"),
        ("sql", 'SELECT 1 AS "{v}"', "stands between quotes or in a comment"),
        ("sql", "SELECT 1 -- {v}", "stands between quotes or in a comment"),
        ("sql", "SELECT 1 /* {v} */", "stands between quotes or in a comment"),
        ("sql", "SELECT $$ {v} $$", "stands between quotes or in a comment"),
        ("sql", "SELECT 1 /* a /* b */ + {v} /* */", "a comment inside a comment"),
        ("sql", "SELECT 'open || {v}", "never closed"),
        ("mysql", "SELECT `{v}`", "stands between quotes or in a comment"),
        ("bigquery", "SELECT 1 # {v}", "stands between quotes or in a comment"),
        ("sql", "SELECT {v:text}", "names no known type"),
        ("sql", "SELECT {v} , {w}", "no value for the placeholder {w}"),
        ("sql", "SELECT 1", "no placeholder for v"),
        ("spl", "search {v}", "values cannot be put into 'spl'"),
    ],
)
def test_a_template_that_cannot_be_filled_safely_is_refused(language: str, template: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        fill(template, {"v": "x"}, language)


def test_braces_that_are_no_placeholders_stay() -> None:
    kql = 'print dynamic({"a": {"b": 1}}) | where x matches regex "a{3}{name}" and y == {v}'
    assert fill(kql, {"v": "1"}, "kql").query == kql.replace("{v}", '"1"')
    sql = "SELECT {'a': 1} AS s, E'it\\'s' AS t, $q$ it's $q$ AS u"
    assert fill(sql, {}, "duckdb").query == sql
    assert fill("index=main {anything} 'open", {}, "spl").query == "index=main {anything} 'open"


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(UsageError, match="0 values; expected 1 to 1000"):
        fill("x in ({v})", {"v": []}, "kql")


def test_every_language_has_both_kinds_of_literals() -> None:
    for rules in LANGUAGES.values():
        assert rules.text("a") in ('"a"', "'a'")
        assert "2026-03-10" in rules.moment(NOON)
