"""Runs and reads that are alike stand for one another; changes and what order needs stay whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from tests.scoping.cloud_case import CI, MALLORY, by_role, case_of, event, tables_of

from playbooks.scoping.chains import chains
from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.control_plane import control_plane, framed
from playbooks.scoping.function_lifecycle import resources
from playbooks.scoping.passed_roles import role_links
from playbooks.scoping.role_activity import calls_by_hour
from playbooks.scoping.uses import FIRST, STANDS_FOR, number_of, thinned

APP = by_role("app", "task-1")


def runs(number: int, who: dict[str, str] = APP, day: str = "03-11") -> list[dict[str, Any]]:
    return [
        event(f"{day} {10 + n // 60:02d}:{n % 60:02d}", "Invoke", {"functionName": "relay"}, who) for n in range(number)
    ]


def held(tmp_path: Path, records: list[dict[str, Any]], minutes: int = 0) -> pd.DataFrame:
    tables = tables_of(tmp_path, records)
    return framed(thinned(control_plane(tables, case_of(tmp_path).config.estate.own), minutes=minutes))


def test_the_first_runs_stay_and_the_last_stands_for_the_others(tmp_path: Path) -> None:
    rows = held(tmp_path, runs(100))
    assert list(rows["ref"]) == [*(f"E001:{n}" for n in range(1, FIRST + 1)), "E001:100"]
    assert list(rows[STANDS_FOR]) == [1] * FIRST + [80]
    assert number_of(rows) == 100


def test_few_runs_all_stay(tmp_path: Path) -> None:
    rows = held(tmp_path, runs(FIRST + 1))
    assert list(rows[STANDS_FOR]) == [1] * (FIRST + 1)


def test_every_change_stays_and_runs_by_others_are_not_alike(tmp_path: Path) -> None:
    changes = [event(f"03-11 09:{n:02d}", "UpdateFunctionCode20150331v2", {"functionName": "relay"}) for n in range(40)]
    rows = held(tmp_path, [*changes, *runs(50), *runs(2, MALLORY)])
    assert rows.groupby(["principal", "phase"])[STANDS_FOR].agg(["size", "sum"]).to_dict("index") == {
        ("app", "invoke"): {"size": FIRST + 1, "sum": 50},
        ("ci-deployer", "modify-code"): {"size": 40, "sum": 40},
        ("mallory", "invoke"): {"size": 2, "sum": 2},
    }


def test_runs_near_to_a_change_by_the_same_principal_stay(tmp_path: Path) -> None:
    change = event("03-11 12:00", "UpdateFunctionCode20150331v2", {"functionName": "relay"}, MALLORY)
    rows = held(tmp_path, [change, *runs(180, MALLORY), *runs(180)], minutes=30)
    mine = rows[(rows["principal"] == "mallory") & (rows["phase"] == "invoke")]
    assert len(mine) == FIRST + 61 + 1  # the first ones, half an hour around noon to the minute, and the last
    assert number_of(mine) == 180
    assert len(rows[rows["principal"] == "app"]) == FIRST + 1


def test_chains_are_the_same_over_what_stays(tmp_path: Path) -> None:
    sitting = [
        event("03-11 12:31", "AttachRolePolicy", {"roleName": "r"}, MALLORY),
        event("03-11 12:40", "UpdateFunctionCode20150331v2", {"functionName": "relay"}, MALLORY),
        event("03-11 12:50", "StopLogging", {"name": "trail"}, MALLORY),
    ]
    tables, case = tables_of(tmp_path, [*sitting, *runs(180, MALLORY)]), case_of(tmp_path)
    links = role_links(tables, case)
    calls = calls_by_hour(tables, links, case.config)
    whole = cloud_activity(tables, case)
    some = whole[whole.ref.isin(held(tmp_path / "again", [*sitting, *runs(180, MALLORY)], minutes=60).ref)]
    assert len(some) < len(whole)
    heads, steps = chains(whole, tables, links, calls)
    assert len(heads) == 1
    pd.testing.assert_frame_equal(heads, chains(some, tables, links, calls)[0])
    pd.testing.assert_frame_equal(steps, chains(some, tables, links, calls)[1])


def test_the_four_questions_count_every_run(tmp_path: Path) -> None:
    tables, case = tables_of(tmp_path, runs(100)), case_of(tmp_path)
    [relay] = resources(cloud_activity(tables, case), tables, case).to_dict("records")
    assert relay["events"] == 100
    assert relay["invoked_by"] == (
        "app: Invoke 100 times, 2026-03-11 10:00 UTC to 2026-03-11 11:39 UTC "
        "(E001:1, E001:2, E001:3, E001:4, E001:5, …)"
    )


def test_a_role_assumed_with_a_users_credentials_stays_whole(tmp_path: Path) -> None:
    role = {"roleArn": "arn:aws:iam::111111111111:role/worker"}
    made = event("03-10 09:00", "CreateFunction20150331", {"functionName": "relay", "role": role["roleArn"]}, CI)
    by_hand = [event(f"03-11 10:{n:02d}", "AssumeRole", role, MALLORY) for n in range(40)]
    by_app = [event(f"03-11 11:{n:02d}", "AssumeRole", role, APP) for n in range(40)]
    rows = held(tmp_path, [made, *by_hand, *by_app])
    assert rows.groupby("principal").size().to_dict() == {"app": FIRST + 1, "ci-deployer": 1, "mallory": 40}


def test_no_events_give_no_rows(tmp_path: Path) -> None:
    rows = held(tmp_path, [event("03-11 10:00", "DescribeInstances", None)])
    assert len(rows) == number_of(rows) == 0
