"""The matrix source × hour: every event counted once, hours without any record included, bounded for long cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.coverage.logs import DAY, HOUR, Log, covered, day

NAN = float("nan")


def matrix(folder: Path, logs: list[Log], days: float | None, **config: Any) -> dict[str, Any]:
    found: dict[str, Any] = covered(folder, logs, days, **config)["matrix"]
    return found


def test_cells_before_after_and_without_a_time_add_up_to_the_events(tmp_path: Path) -> None:
    times = [-3 * HOUR, -1.0, 0.0, 59 * 60.0, 5 * HOUR, DAY - 1, DAY + 0.5, 40 * DAY, NAN, NAN]
    [row] = matrix(tmp_path, [Log(times)], 1)["rows"]
    assert row["counts"][:6] == [2, 0, 0, 0, 0, 1]
    assert (sum(row["counts"]), row["before"], row["after"], row["timeless"]) == (4, 2, 2, 2)
    assert sum(row["counts"]) + row["before"] + row["after"] + row["timeless"] == len(times)
    assert (row["evidence_id"], row["table"], row["format"]) == ("E001", "network_activity", "zeek_conn")


def test_hours_without_any_record_stand_in_it_with_their_number(tmp_path: Path) -> None:
    found = matrix(tmp_path, [Log([3 * HOUR]), Log([0.0, 23 * HOUR], form="squid_access", table="http_activity")], 1)
    assert (found["cell_hours"], len(found["hours"])) == (1, 24)
    assert (found["hours"][0], found["hours"][-1]) == (day(0), day(23 / 24))
    assert [sum(row["quiet_hours"]) for row in found["rows"]] == [23, 22]
    assert [row["counts"].count(0) for row in found["rows"]] == [23, 22]


def test_window_and_baseline_are_both_looked_at(tmp_path: Path) -> None:
    config = {"window": {"start": day(3), "end": day(4)}, "baseline": {"start": day(0), "end": day(2)}}
    found = matrix(tmp_path, [Log([1.0, 2.5 * DAY, 3.5 * DAY])], None, **config)
    assert (found["hours"][0], len(found["hours"])) == (day(0), 96)
    assert sum(found["rows"][0]["counts"]) == 3


@pytest.mark.parametrize(("days", "cell_hours", "cells"), [(10, 1, 240), (11, 24, 11), (90, 24, 90), (500, 168, 72)])
def test_a_long_case_is_counted_by_days_or_weeks_and_stays_small(
    days: int, cell_hours: int, cells: int, tmp_path: Path
) -> None:
    times = np.arange(0, days * DAY, 7 * HOUR)
    found = matrix(tmp_path, [Log(times)], days)
    assert (found["cell_hours"], len(found["hours"])) == (cell_hours, cells)
    [row] = found["rows"]
    assert sum(row["counts"]) == len(times)
    assert sum(row["quiet_hours"]) == days * 24 - len(times)


def test_a_day_that_begins_within_the_window_says_only_its_hours_of_the_window(tmp_path: Path) -> None:
    window = {"start": day(0.5), "end": day(20.25)}
    found = matrix(tmp_path, [Log([0.5 * DAY])], None, window=window)
    [row] = found["rows"]
    assert (found["hours"][0], found["cell_hours"]) == (day(0), 24)
    assert (row["quiet_hours"][0], row["quiet_hours"][1], row["quiet_hours"][-1]) == (11, 24, 6)


def test_ninety_days_of_many_sources_stay_a_small_file(tmp_path: Path) -> None:
    logs = [Log(np.arange(0, 90 * DAY, 11 * HOUR), form=f"form_{number}") for number in range(40)]
    found = covered(tmp_path, logs, 90)
    assert len(json.dumps(found["matrix"])) < 60_000
    assert all(len(source["quiet"]) <= 50 for source in found["sources"])
    assert all(source["quiet_total"] > 50 for source in found["sources"]), "the rest is counted"


def test_a_source_that_is_quiet_in_the_window_is_told(tmp_path: Path) -> None:
    found = covered(tmp_path, [Log([-DAY, -2.0 * DAY]), Log([1.0], form="squid_access", table="http_activity")], 1)
    assert [stream["quiet_in_window"] for stream in found["streams"]] == [True, False]
    spots = {spot["id"]: spot for spot in found["blind_spots"]}
    assert "quiet-zeek_conn-network_activity" in spots
    assert "quiet-squid_access-http_activity" not in spots
    assert spots["quiet-zeek_conn-network_activity"]["how_established"].startswith(
        "0 records in the window; E001 holds 2"
    )


def test_events_without_a_time_are_a_blind_spot_and_in_no_hour(tmp_path: Path) -> None:
    found = covered(tmp_path, [Log([NAN, 1.0, NAN])], 1)
    [spot] = [spot for spot in found["blind_spots"] if spot["id"] == "no-time"]
    assert spot["missing"] == "the time of records without a stamp: E001 (2)"
    [facts] = [fact for fact in found["tables"] if fact["table"] == "network_activity"]
    assert (facts["events"], facts["in_window"], facts["timeless"]) == (1, 1, 2)


def test_an_item_of_which_no_event_has_a_time_breaks_nothing(tmp_path: Path) -> None:
    found = covered(tmp_path, [Log([NAN, NAN])], None)
    assert found["matrix"]["hours"] == []
    assert [(stream["events"], stream["timeless"], stream["first"]) for stream in found["streams"]] == [(2, 2, None)]


def test_the_same_evidence_gives_the_same_bytes(tmp_path: Path) -> None:
    logs = [
        Log(np.arange(0, 3 * DAY, 61.0)),
        Log(np.arange(0, 3 * DAY, 600.0), form="squid_access", table="http_activity"),
    ]
    first, second = (json.dumps(covered(tmp_path / name, logs, 3), sort_keys=True) for name in ("a", "b"))
    assert first == second
