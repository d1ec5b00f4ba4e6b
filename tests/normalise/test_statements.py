"""Plans are kept from file to file, and nothing else is: no records, no clock, no layout."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
from tests.formats.refresh_cases import CASES, read_log

from playbooks.formats import FORMATS
from playbooks.normalise import Source, read
from playbooks.normalise.statements import MOST_IDLE, MOST_PLANS, Statements, _idle, statements

FORM = FORMATS[0]


def test_a_query_finds_the_records_of_the_moment_and_of_any_layout() -> None:
    ask = Statements(closed=False, clock=None)
    for values in ([1, 2], [3], []):
        ask.put("chunk", pa.table({"n": pa.array(values, pa.int64())}))
        assert ask.rows("SELECT n, $1 AS said FROM chunk", "it's").to_pylist() == [
            {"n": n, "said": "it's"} for n in values
        ]
    ask.put("chunk", pa.table({"n": ["text"]}))
    assert ask.rows("SELECT n, $1 AS said FROM chunk", "x").to_pylist() == [{"n": "text", "said": "x"}]


def test_what_waits_holds_no_records_and_is_not_without_end() -> None:
    for number in range(MOST_IDLE + 5):
        with statements(FORM, f"clock {number}") as ask:
            ask.put("chunk", pa.table({"n": [number] * 1000}))
    assert len(_idle) == MOST_IDLE
    assert all(len(given.table) == 0 for _, one in _idle for given in one._given.values())


def test_only_so_many_plans_are_kept_and_a_forgotten_one_is_made_again() -> None:
    ask = Statements(closed=False, clock=None)
    ask.put("chunk", pa.table({"n": [1]}))
    for _ in range(2):
        for number in range(MOST_PLANS + 3):
            assert ask.rows(f"SELECT n + {number} AS n FROM chunk").to_pylist() == [{"n": 1 + number}]
    assert len(ask._names) == MOST_PLANS


def test_a_thread_that_asks_for_a_format_in_use_gets_another_connection() -> None:
    with statements(FORM, None) as first, statements(FORM, None) as second:
        assert first is not second


def test_the_clock_of_one_case_is_not_that_of_the_next(tmp_path: Path) -> None:
    file = tmp_path / "zeek.log"
    text = (CASES / "zeek_conn" / "normal.log").read_text().split("\n")
    header = [line for line in text if line.startswith("#") and "#close" not in line]
    row = next(line for line in text if line and not line.startswith("#")).split("\t")
    file.write_text("\n".join([*header, "\t".join(["2026-03-10T09:00:00", *row[1:]])]) + "\n")
    times = [
        [event["time"].isoformat() for rows in read(Source("E001", file, clock)) for event in rows.in_order()]
        for clock in ("UTC", "Europe/Berlin", None, "UTC")
    ]
    assert times == [["2026-03-10T09:00:00+00:00"], ["2026-03-10T08:00:00+00:00"], [], ["2026-03-10T09:00:00+00:00"]]


def test_a_file_read_twice_gives_the_same() -> None:
    for name in ("suricata_eve", "zeek_conn", "azure_nsg_flow"):
        file = CASES / name / "normal.log"
        assert read_log(file) == read_log(file)
