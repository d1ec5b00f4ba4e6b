"""The macros that take a short way for plain texts give what the whole pattern gives, whatever the text."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from playbooks import engine
from playbooks.formats import MACROS

PIECES = (
    *("http://", "HTTPS://", "a", "ex.test", "user@", "u:p@", "[2001:db8::1]", "[", "]", ":", "/", "?", "#", ":80"),
    *("://", ".", "..", "-", " ", "\t", "\n", "\u00a0", "null", "(empty)", "[a@]", "\x00", "ü://", "x+y.z-", "=", "1"),
)
AUTHORITY = r"^(?:[A-Za-z][A-Za-z0-9+.-]*://)?(?:[^@/?#]*@)?"
NOTHING = "('', '-', '(empty)', 'null')"


@pytest.fixture(scope="module")
def texts() -> pa.Table:
    chosen = random.Random()
    made = ["".join(chosen.choices(PIECES, k=chosen.randint(0, 7))) for _ in range(50_000)]
    letters = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    return pa.table({"t": pa.array([None, *made, *letters, *(letter + "-" for letter in letters[:0x3100])])})


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("said(t)", f"CASE WHEN trim(t) NOT IN {NOTHING} THEN t END"),
        ("hostname(t)", f"rtrim(lower(CASE WHEN trim(t) NOT IN {NOTHING} THEN t END), '.')"),
        ("url_host(t)", rf"hostname(regexp_extract(t, '{AUTHORITY}(\[[^\]]*\]|[^:/?#\[\]]+)', 1))"),
        (
            "url_port_digits(t)",
            rf"nullif(regexp_extract(t, '{AUTHORITY}(?:\[[^\]]*\]|[^:/?#\[\]]+):(\d+)(?:[/?#]|$)', 1), '')",
        ),
    ],
    ids=["said", "hostname", "url_host", "url_port_digits"],
)
def test_the_short_way_gives_what_the_whole_pattern_gives(texts: pa.Table, short: str, whole: str) -> None:
    with engine.connect() as con:
        con.execute(MACROS)
        con.register("texts", texts)
        differ = con.execute(f"SELECT t, {short}, {whole} FROM texts WHERE {short} IS DISTINCT FROM {whole}").fetchall()
    assert differ == []


def test_a_span_is_the_same_in_64_bits_and_beyond() -> None:
    values = ["0", "7", "-5", "1773100000", "4294967295", "4294967296", "9223372036854775807", "-9223372036854775808"]
    with engine.connect() as con:
        con.execute(MACROS)
        con.execute("CREATE TABLE v AS SELECT unnest(?) AS x", [values])
        found = con.execute("SELECT a.x, b.x, millis_between(a.x, b.x) FROM v a, v b").fetchall()
        (refused,) = con.execute("SELECT refused_whole()").fetchone() or ()
    for a, b, millis in found:
        span = (int(b) - int(a)) * 1000
        assert millis == (span if -(2**63) <= span < 2**63 else refused), (a, b)
