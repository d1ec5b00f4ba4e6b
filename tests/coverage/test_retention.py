"""Retention: what is there against the window, the baseline and what the owner of a source states."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.coverage.logs import DAY, HOUR, Log, covered, day

from playbooks.case_file import CaseFile


def told(
    folder: Path, logs: list[Log], days: float | None = 10, **config: Any
) -> tuple[list[dict[str, Any]], set[str]]:
    found = covered(folder, logs, days, **config)
    return found["retention"], {spot["id"] for spot in found["blind_spots"]}


def log(first: float, last: float, step: float = 600, **more: Any) -> Log:
    return Log(np.arange(first * DAY, last * DAY, step), **more)


@pytest.mark.parametrize(
    ("first", "window"), [(-3, "covered"), (0, "cut"), (1 / 1440, "cut"), (0.1, "late"), (11, "empty")]
)
def test_where_a_source_begins_is_compared_with_the_window(first: float, window: str, tmp_path: Path) -> None:
    [row], _ = told(tmp_path, [log(first, 12)])
    assert row["window"] == window
    assert (row["oldest"], row["oldest_ref"]) == (day(first), "E001:1")


def test_a_log_that_begins_exactly_at_the_window_says_that_it_was_cut(tmp_path: Path) -> None:
    [row], _ = told(tmp_path, [log(0, 9.9)])
    assert "It begins exactly where the window begins: the export was cut there" in row["sentence"]
    [row], _ = told(tmp_path / "twin", [log(-1.3, 9.9)])
    assert "cut there" not in row["sentence"]


def test_a_log_as_long_as_a_usual_retention_says_so(tmp_path: Path) -> None:
    [row], _ = told(tmp_path, [log(-20, 10.0)])
    assert "It is as long as a retention of 30 days." in row["sentence"]
    [row], _ = told(tmp_path / "twin", [log(-22, 10.0)])
    assert "as long as" not in row["sentence"]


@pytest.mark.parametrize(("days", "short"), [(30, True), (5, False)])
def test_less_than_was_stated_is_said_where_the_window_needs_it(days: int, short: bool, tmp_path: Path) -> None:
    stated = [{"source": "proxy*", "days": days, "owner": "Proxy team"}]
    [row], spots = told(tmp_path, [log(4, 10, name="proxy.log")], retention=stated)
    assert (row["stated_days"], row["stated_by"], row["short"]) == (days, "Proxy team", short)
    assert ("retention-short" in spots) == short
    assert (f"Proxy team states {days} days; 6 are there." in row["sentence"]) == short


def test_the_day_on_which_records_are_deleted_is_told_and_alarms_where_they_are_needed_longer(tmp_path: Path) -> None:
    stated = {"source": "network_activity", "days": 30, "owner": "Net team"}
    for name, until, alarm in (("a", "2026-04-01", True), ("b", "2026-03-31", False), ("c", None, False)):
        config = [{**stated, **({"needed_until": until} if until else {})}]
        [row], spots = told(tmp_path / name, [log(-1, 9)], retention=config)
        assert (row["expires"], row["alarm"]) == ("2026-04-01", alarm)
        assert ("retention-ends" in spots) == alarm


def test_a_statement_about_nothing_in_evidence_is_told(tmp_path: Path) -> None:
    rows, _ = told(tmp_path, [log(0, 9)], retention=[{"source": "edr-*", "days": 7, "owner": "SOC"}])
    assert rows[-1]["sentence"] == "SOC states 7 days for 'edr-*'; no source in evidence goes by that name."
    assert [row["source"] for row in rows] == ["E001", "edr-*"]


def test_one_odd_clock_is_no_retention(tmp_path: Path) -> None:
    times = np.concatenate([[-56 * 365.0 * DAY], np.arange(-2 * DAY, 9 * DAY, HOUR)])
    [row], _ = told(tmp_path, [Log(times)])
    assert (row["oldest"], row["oldest_ref"]) == (day(-2), "E001:2")


def test_an_office_that_opens_after_midnight_is_not_late_a_source_that_lacks_a_day_is(tmp_path: Path) -> None:
    few = np.array([1.4, 2.2, 5.0, 9.0]) * DAY
    rows, spots = told(tmp_path, [Log(few)])
    assert rows[0]["late_s"] == round(1.4 * DAY)
    assert "begins-zeek_conn-network_activity" in spots
    rows, spots = told(tmp_path / "twin", [Log(np.array([0.4, 2.2, 5.0, 9.5]) * DAY)])
    assert (rows[0]["late_s"], rows[0]["early_s"]) == (None, None)
    assert not {spot for spot in spots if spot.startswith(("begins-", "ends-"))}


@pytest.mark.parametrize("wrong", [{"days": 0}, {"days": "many"}, {"owner": ""}, {"source": ""}, {"kept": 3}])
def test_a_statement_that_cannot_be_meant_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="retention"):
        CaseFile.model_validate(
            {"case_id": "X", "retention": [{"source": "proxy*", "days": 30, "owner": "Team", **wrong}]}
        )
