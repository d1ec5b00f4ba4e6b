"""Traits of tools: visible where they say, with an innocent reading, and silent on the near miss."""

from __future__ import annotations

import re

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playbooks.knowledge.characteristics import load_characteristics
from playbooks.schema import EVENT_TABLES

TRAITS = load_characteristics()
COLUMNS = {name for table in EVENT_TABLES.values() for name in table.names}


def test_every_trait_has_a_source_an_innocent_reading_and_an_example() -> None:
    for one in TRAITS.characteristics:
        assert one.sources, one.id
        assert one.innocent_if, one.id
        assert one.visible_in, one.id
        assert one.examples, one.id
    for client in TRAITS.clients:
        assert client.sources, client.id
    ids = [one.id for one in (*TRAITS.characteristics, *TRAITS.clients)]
    assert len(set(ids)) == len(ids)


def test_every_field_is_a_column_of_an_event_table() -> None:
    assert {field for one in TRAITS.characteristics for field in one.fields} <= COLUMNS


def test_every_regex_means_the_same_to_python_and_to_duckdb() -> None:
    rows = [(one.regex.pattern, text) for one in TRAITS.characteristics for text in one.examples]
    rows += [(one.regex.pattern, text) for one in TRAITS.clients for text in one.examples]
    with duckdb.connect() as connection:
        for pattern, text in rows:
            assert re.search(pattern, text), (pattern, text)
            assert connection.execute("SELECT regexp_matches(?, ?)", [text, pattern]).fetchone() == (True,)


def test_a_trait_is_found_in_its_own_field_only() -> None:
    for one in TRAITS.characteristics:
        for text in one.examples:
            for field in one.fields:
                assert one in TRAITS.seen_in(field, text), one.id
            assert one not in TRAITS.seen_in("src_endpoint_hostname", text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("query_hostname", "myflareprox-1700000000-abcdef.acct.workers.dev"),
        ("query_hostname", "flareprox-1700000000-abcdef.acct.workers.dev.example.com"),
        ("http_request_url_string", "https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/fireproxy/"),
        ("http_request_url_string", "https://example.com/fireprox/"),
        ("http_request_url_string", "https://example.com/jquery-3.3.11.min.js"),
        ("resource_name", "my-fireprox_example.com"),
        ("resource_name", "nightly-report"),
        ("http_request_user_agent", "Boto3/1.34.0 Pacu-Session-"),
        ("http_request_user_agent", ""),
    ],
)
def test_a_near_miss_shows_no_trait(field: str, value: str) -> None:
    assert TRAITS.seen_in(field, value) == ()


@pytest.mark.parametrize(
    ("user_agent", "id"),
    [
        ("curl/8.5.0", "curl"),
        ("python-requests/2.32.3", "python-requests"),
        ("Go-http-client/2.0", "go-http-client"),
        ("Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.1682", "powershell"),
    ],
)
def test_a_scripting_client_is_known_by_its_user_agent(user_agent: str, id: str) -> None:
    client = TRAITS.client(user_agent)
    assert client is not None
    assert (client.id, client.client_kind) == (id, "scripting")


@pytest.mark.parametrize(
    "user_agent",
    [
        "",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0 Safari/537.36",
        "Mozilla/5.0 (compatible; mentions curl/8.5.0)",
        "Javascript/1.0",
    ],
)
def test_a_browser_is_no_scripting_client(user_agent: str) -> None:
    assert TRAITS.client(user_agent) is None


@given(st.sampled_from(sorted(COLUMNS)), st.text())
def test_no_text_upsets_it(field: str, value: str) -> None:
    TRAITS.seen_in(field, value)
    TRAITS.client(value)
