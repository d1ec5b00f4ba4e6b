"""Hostile text is shown, and can do nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.report.inert import defanged, figure_label, redacted, shortened, visible, without_ansi


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("invoice\u202egpj.exe", "invoice‹U+202E›gpj.exe"),
        ("a\x00b", "a‹U+0000›b"),
        ("half\ud800", "half‹U+D800›"),
        ("zero\u200bwidth", "zero‹U+200B›width"),
        ("line\r\nline\ttab", "line\nline\ttab"),
        ("return\rhides", "return‹U+000D›hides"),
        ("Grüße – ×", "Grüße – ×"),
    ],
)
def test_unseen_characters_are_written_out_and_others_stay(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_terminal_colours_and_titles_are_removed() -> None:
    assert without_ansi("\x1b[1;31mred\x1b[0m \x1b]0;title\x07end") == "red end"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("to evil.example now", "to evil[.]example now"),
        ("https://a.b.workers.dev/x", "hxxps://a.b.workers[.]dev/x"),
        ("x.lambda-url.us-east-1.on.aws", "x.lambda-url.us-east-1.on[.]aws"),
        ("xn--80ak6aa92e.xn--p1ai", "xn--80ak6aa92e[.]xn--p1ai"),
        ("by j.doe in results/findings.json, conn.log.gz, 0.1.0, 10.1.4.23", None),
        ("odd.tld-of-the-case.strange", "odd.tld-of-the-case[.]strange"),
    ],
)
def test_names_of_hosts_are_broken_and_other_dotted_words_are_not(text: str, shown: str | None) -> None:
    assert defanged(text, {"odd.tld-of-the-case.strange"}) == (shown or text)


@pytest.mark.parametrize(
    ("text", "shown", "count"),
    [
        ("GET https://x.example/f?id=1&code=abc&z=2", "GET https://x.example/f?id=1&code=REDACTED&z=2", 1),
        (r'{"u":"https:\/\/x\/f?a=1\u0026sig=abc"}', r'{"u":"https:\/\/x\/f?a=1\u0026sig=REDACTED"}', 1),
        ("u=https%3A%2F%2Fx%3Fkey%3Dabc%26y%3D1", "u=https%3A%2F%2Fx%3Fkey%3DREDACTED%26y%3D1", 1),
        ("GET /api/f token=0123456789 443", "GET /api/f token=REDACTED 443", 1),
        ('"sessionToken": "FQoG", "x": 1', '"sessionToken": "REDACTED", "x": 1', 1),
        ("status code=200, monkey=banana", "status code=200, monkey=banana", 0),
    ],
)
def test_secrets_are_taken_out_and_counted(text: str, shown: str, count: int) -> None:
    assert redacted(text) == (shown, count)


@given(st.text())
def test_redacting_twice_changes_nothing(text: str) -> None:
    once, _ = redacted(text)
    assert redacted(once) == (once, 0)


def test_long_names_keep_their_two_ends() -> None:
    assert shortened("function-aaaaaaaaaaaaaaaaaaaa-prod", 16) == "function-…a-prod"
    assert shortened("short", 16) == "short"


def test_a_figure_label_holds_no_markup_and_one_line() -> None:
    assert figure_label('<a href="javascript:x">\nb</a>') == '&lt;a href="javascript:x"&gt; b&lt;/a&gt;'
