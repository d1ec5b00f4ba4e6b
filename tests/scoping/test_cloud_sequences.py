"""Steps that follow each other, and ordinary deployments that do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.scoping.cloud_case import CI, MALLORY, case_of, event, tables_of

from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.sequences import COLUMNS, sequences

RELAY = {"functionName": "relay"}


def found(tmp_path: Path, records: list[dict[str, Any]]) -> Any:
    table = sequences(cloud_activity(tables_of(tmp_path, records), case_of(tmp_path)))
    assert tuple(table.columns) == COLUMNS
    return table


def test_preparation_change_permission_run_and_evasion_make_one_sequence(tmp_path: Path) -> None:
    [row] = found(
        tmp_path,
        [
            event("03-11 02:00", "CreateFunction20150331", RELAY, MALLORY, denied="AccessDenied"),
            event("03-11 02:05", "AttachRolePolicy", {"roleName": "relay-role"}, MALLORY),
            event("03-11 02:06", "CreateFunction20150331", RELAY, MALLORY),
            event("03-11 02:10", "AddPermission20150331v2", {**RELAY, "principal": "*"}, MALLORY),
            event("03-11 02:20", "Invoke", RELAY, MALLORY),
            event("03-11 02:30", "StopLogging", {"name": "main"}, MALLORY),
            event("03-11 09:30", "GetFunction", RELAY, MALLORY),
        ],
    ).to_dict("records")
    assert row["principal"] == "mallory"
    assert row["resources"] == ["main", "relay", "relay-role"]
    assert row["stages"] == ["preparation", "change", "permission or trigger", "run", "evasion"]
    assert row["refs"] == [f"E001:{number}" for number in range(1, 7)]
    assert (str(row["start"]), str(row["end"])) == ("2026-03-11 02:00:00+00:00", "2026-03-11 02:30:00+00:00")


def test_deployments_slow_work_and_divided_work_are_no_sequence(tmp_path: Path) -> None:
    deployment = [
        event("03-10 09:00", "UpdateFunctionCode20150331v2", RELAY, CI),
        event("03-10 09:01", "AddPermission20150331v2", {**RELAY, "principal": "sns.amazonaws.com"}, CI),
    ]
    warming_up = [
        event("03-10 12:00", "CreateFunction20150331", RELAY, CI, denied="InvalidParameterValueException: no role yet"),
        event("03-10 12:01", "CreateFunction20150331", RELAY, CI),
        event("03-10 12:02", "AddPermission20150331v2", {**RELAY, "principal": "sns.amazonaws.com"}, CI),
    ]
    slow = [
        event("03-10 10:00", "UpdateFunctionCode20150331v2", RELAY, MALLORY),
        event("03-10 10:50", "AddPermission20150331v2", RELAY, MALLORY),
        event("03-10 11:10", "Invoke", RELAY, MALLORY),
    ]
    backwards = [
        event("03-11 10:00", "StopLogging", {"name": "main"}, MALLORY),
        event("03-11 10:10", "Invoke", RELAY, MALLORY),
        event("03-11 10:20", "UpdateFunctionCode20150331v2", RELAY, MALLORY),
    ]
    run_by_another = [event("03-10 09:02", "Invoke", RELAY, MALLORY)]
    assert found(tmp_path, [*deployment, *run_by_another, *warming_up, *slow, *backwards]).empty


def test_overlapping_chains_are_one_row_and_distant_ones_two(tmp_path: Path) -> None:
    steps = [("UpdateFunctionCode20150331v2", 0), ("AddPermission20150331v2", 10), ("Invoke", 20), ("Invoke", 25)]
    records = [
        event(f"03-11 {hour}:{minute:02d}", operation, RELAY, MALLORY)
        for hour in ("02", "20")
        for operation, minute in steps
    ]
    table = found(tmp_path, records)
    assert [list(refs) for refs in table["refs"]] == [
        ["E001:1", "E001:2", "E001:3", "E001:4"],
        ["E001:5", "E001:6", "E001:7", "E001:8"],
    ]


def test_no_activity_gives_no_sequences(tmp_path: Path) -> None:
    assert found(tmp_path, []).empty
