"""The ground: one engine, one family of errors, one dictionary of fields."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pytest
from tests.scoping.events import dns, tables

from playbooks import errors, schema
from playbooks.engine import connect, open_tables, text_literal


def test_a_table_without_evidence_is_empty_and_never_absent(tmp_path: Path) -> None:
    opened = open_tables(tmp_path / "none")
    for name, table in schema.TABLES.items():
        assert tuple(opened[name].columns) == table.names
        assert opened[name].count().execute() == 0


def test_an_unknown_table_is_named_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="no table 'logs'; known: dns_activity, "):
        open_tables(tmp_path)["logs"]


def test_a_path_may_hold_quotes_and_spaces(tmp_path: Path) -> None:
    folder = tmp_path / "it's; DROP TABLE x --"
    assert tables(folder, dns_activity=[dns(0, "192.0.2.1", "app.example.net")]).dns_activity.count().execute() == 1


def test_the_engine_speaks_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    row = connect().execute("SELECT '2026-03-10 09:00:00'::TIMESTAMPTZ, current_setting('TimeZone')").fetchone()
    assert row == (dt.datetime(2026, 3, 10, 9, tzinfo=dt.UTC), "UTC")


def test_a_remote_path_is_refused_and_nothing_is_fetched_to_open_it() -> None:
    con = connect().execute("SET custom_extension_repository = 'http://127.0.0.1:9'")
    with pytest.raises(duckdb.Error, match="httpfs") as caught:
        con.execute("SELECT * FROM 'https://198.51.100.7/x.csv'")
    assert "127.0.0.1:9" not in str(caught.value), "it was tried to fetch an extension"


@pytest.mark.parametrize("text", ["", "'", "''", "it's", "\\'", "é\n;--"])
def test_text_goes_into_sql_as_text(text: str) -> None:
    assert connect().execute(f"SELECT {text_literal(text)}").fetchone() == (text,)


def test_every_error_has_an_exit_code_of_its_own_and_a_meaning() -> None:
    family = errors.PlaybookError.__subclasses__()
    codes = [error.exit_code for error in family]
    assert len(set(codes)) == len(codes)
    assert set(codes) | {0, 1, errors.INTERRUPTED} == set(errors.EXIT_CODES)
    assert all(error.__doc__ for error in family)


def test_every_column_is_declared_once_and_means_something() -> None:
    declared: dict[str, set[str]] = {}
    for table in (*schema.TABLES.values(), schema.UNREAD, *schema.RESULT_TABLES.values()):
        assert len(set(table.names)) == len(table.names), table.name
        for column in table.columns:
            assert column.meaning, (table.name, column.name)
            declared.setdefault(column.name, set()).add(column.type)
    assert {name: types for name, types in declared.items() if len(types) > 1} == {}


def test_event_tables_begin_alike_and_follow_ocsf_classes() -> None:
    for table in schema.TABLES.values():
        assert table.names[:4] == ("evidence_id", "record_no", "format", "time")
    assert {t.name: t.class_uid for t in schema.EVENT_TABLES.values()} == {
        "dns_activity": 4003,
        "http_activity": 4002,
        "network_activity": 4001,
        "api_activity": 6003,
        "system_activity": None,  # many classes: each row has its own
    }
