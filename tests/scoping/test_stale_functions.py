"""Functions that nobody touched for long: old by their own answer, and not in use by any record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from tests.scoping import events
from tests.scoping.cloud_case import CI, at, case_of, event
from tests.scoping.test_passed_roles import answer

from playbooks import schema
from playbooks.scoping.control_plane import control_plane
from playbooks.scoping.stale_functions import functions_listed, stale_functions

PLACE = {"api_service_name": "lambda", "cloud_region": "eu-central-1"}


def function(name: str, modified: object, **more: Any) -> dict[str, Any]:
    return {"FunctionName": name, "LastModified": modified, "Runtime": "python3.8", **more}


def listed(*functions: Any) -> dict[str, Any]:
    return answer("ListFunctions", "", {"Functions": list(functions)}, **PLACE)


def stale(tmp_path: Path, answers: list[dict[str, Any]], records: list[dict[str, Any]] | None = None) -> pd.DataFrame:
    tables = events.tables(tmp_path / "events", acquired_answers=answers, api_activity=records or [])
    case = case_of(tmp_path)
    frame = stale_functions(tables, control_plane(tables, case.config.estate.own), case)
    assert tuple(frame.columns) == schema.STALE_FUNCTIONS.names
    return frame


def test_an_old_function_without_a_record_is_stale_and_a_young_one_is_not(tmp_path: Path) -> None:
    answers = [
        listed(
            function("old-import", "2024-05-01T08:00:00.000+0000"), function("billing", "2026-03-01T08:00:00.000+0000")
        )
    ]
    [row] = stale(tmp_path, answers).to_dict("records")
    assert (row["function"], row["runtime"], list(row["refs"])) == ("old-import", "python3.8", ["E001:1"])
    assert row["sentence"].startswith("last changed 2024-05-01, 6")
    assert row["sentence"].endswith("no change and no run of it is in the records")


def test_half_a_year_less_a_day_is_not_yet_long(tmp_path: Path) -> None:
    start = pd.Timestamp(case_of(tmp_path / "x").config.window.start)
    times = {days: (start - pd.Timedelta(days=days, hours=1)).isoformat() for days in (179, 180)}
    found = stale(tmp_path, [listed(*(function(f"f{days}", time) for days, time in times.items()))])
    assert list(found["function"]) == ["f180"]


def test_what_ran_or_changed_in_the_records_is_in_use(tmp_path: Path) -> None:
    names = ("ran", "changed", "refused", "idle")
    records = [
        event("03-10 09:00", "Invoke", {"functionName": "ran"}, CI),
        event("03-10 09:10", "UpdateFunctionCode", {"functionName": "changed"}, CI),
        event("03-10 09:20", "UpdateFunctionCode", {"functionName": "refused"}, CI, status="failure"),
    ]
    found = stale(tmp_path, [listed(*(function(name, "2023-01-01T00:00:00Z") for name in names))], records)
    assert set(found["function"]) == {"refused", "idle"}


def test_the_newest_answer_counts_and_odd_ones_are_passed_over(tmp_path: Path) -> None:
    answers = [
        listed(function("f", "2020-01-01T00:00:00Z"), function("g", "yesterday"), function("h", None), "x", None, 7),
        answer("GetFunctionConfiguration", "f", function("f", "2026-03-01T00:00:00Z"), **PLACE),
        answer("GetFunction", "i", {"Configuration": function("i", "2020-01-01T00:00:00Z")}, **PLACE),
        answer("ListFunctions", "", {"Functions": {"FunctionName": ["a"], "LastModified": {}}}, **PLACE),
    ]
    assert list(stale(tmp_path, answers)["function"]) == ["i"]
    tables = events.tables(tmp_path / "again", acquired_answers=answers, api_activity=[])
    assert functions_listed(tables) == 2


def test_without_answers_nothing_is_said(tmp_path: Path) -> None:
    assert len(stale(tmp_path, [], [event("03-10 09:00", "Invoke", {"functionName": "f"}, CI)])) == 0
    assert at("03-10 09:00")
