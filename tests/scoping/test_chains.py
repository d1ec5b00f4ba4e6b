"""Steps that lead to each other across principals, and ordinary work that looks alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.scoping.cloud_case import BASELINE, CI, MALLORY, by_role, by_user, case_of, event, tables_of

from playbooks import schema
from playbooks.scoping.chains import CHAIN_FROM, chains
from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.control_plane import control_plane
from playbooks.scoping.known_acts import known_acts
from playbooks.scoping.logging_changes import logging_changes
from playbooks.scoping.logging_effects import with_effect
from playbooks.scoping.passed_roles import role_links
from playbooks.scoping.role_activity import calls_by_hour
from playbooks.scoping.tunables import Tunables

RELAY = {"functionName": "relay"}
MADE = {"functionName": "relay", "role": "arn:aws:iam::111111111111:role/relay-role"}
KEY = "AKIAEXAMPLE000000042"
SVC = by_user("svc-backup")
ADMIN = by_user("admin")
PUBLIC = {**RELAY, "principal": "*"}
ROLE = by_role("relay-role", "relay")


def found(tmp_path: Path, records: list[dict[str, Any]], tunables: Tunables | None = None, **fields: Any) -> Any:
    case = case_of(tmp_path, **fields)
    tables = tables_of(tmp_path, records)
    links = role_links(tables, case)
    calls = calls_by_hour(tables, links, case.config)
    known = known_acts(control_plane(tables, case.config.estate.own), case.config)
    activity = with_effect(cloud_activity(tables, case), logging_changes(tables, case))
    heads, steps = chains(activity, tables, links, calls, tunables, known)
    assert tuple(heads.columns) == schema.CHAINS.names
    assert tuple(steps.columns) == schema.CHAIN_STEPS.names
    return heads, steps


def handed_over(day: str = "03-11", user_address: str = "192.0.2.10") -> list[dict[str, Any]]:
    there = {"src_endpoint_ip": user_address, "actor_session_uid": KEY}
    made = {"accessKey": {"accessKeyId": KEY, "userName": "svc-backup"}}
    return [
        event(f"{day} 02:00", "CreateAccessKey", {"userName": "svc-backup"}, MALLORY, response=made,
              api_service_name="iam.amazonaws.com"),
        event(f"{day} 02:10", "CreateFunction20150331", MADE, SVC, **there),
        event(f"{day} 02:12", "AddPermission20150331v2", PUBLIC, SVC, **there),
        event(f"{day} 02:20", "Invoke", RELAY, by_user("outsider")),
        event(f"{day} 02:21", "GetSecretValue", None, ROLE, api_service_name="secretsmanager.amazonaws.com"),
        event(f"{day} 02:30", "StopLogging", {"name": "main"}, SVC, **there),
    ]  # fmt: skip


def test_a_key_made_by_one_and_used_by_another_is_one_chain_to_the_evasion(tmp_path: Path) -> None:
    heads, steps = found(tmp_path, handed_over())
    [row] = heads.to_dict("records")
    assert row["stages"] == ["preparation", "change", "permission or trigger", "run", "downstream", "evasion"]
    assert row["principals"] == ["mallory", "svc-backup", "outsider", "relay-role"]
    assert row["refs"][:6] == [f"E001:{number}" for number in range(1, 7)]
    assert row["score"] >= 0.8
    assert "a function's role called what it did not call before" not in "; ".join(row["reasons"]), "no baseline"
    assert [(step.stage, step.principal, step.linked_by) for step in steps.itertuples()] == [
        ("preparation", "mallory", None),
        ("change", "svc-backup", f"mallory made the very key {KEY} (E001:1)"),
        ("permission or trigger", "svc-backup", f"mallory made the very key {KEY} (E001:1)"),
        ("run", "outsider", "runs relay, which svc-backup changed"),
        ("downstream", "relay-role", "svc-backup changed relay, which runs as relay-role (E001:3)"),
        ("evasion", "svc-backup", f"mallory made the very key {KEY} (E001:1)"),
    ]
    assert [(step.handed_over, step.handed_by, step.handed_ref) for step in steps.itertuples()] == [
        (None, None, None), ("credentials", "mallory", "E001:1"), ("credentials", "mallory", "E001:1"),
        ("run", "svc-backup", "E001:3"), ("function", "svc-backup", "E001:3"), ("credentials", "mallory", "E001:1"),
    ]  # fmt: skip


def test_maker_and_user_of_a_key_at_one_address_weigh_more_than_at_two(tmp_path: Path) -> None:
    one = found(tmp_path / "one", handed_over())[0].score[0]
    two = found(tmp_path / "two", handed_over(user_address="192.0.2.99"))[0].score[0]
    assert one > two


def sitting(hour: str, trail: str = "main") -> list[dict[str, Any]]:
    """One principal, each stage of its own doing within half an hour."""
    return [
        event(f"03-11 {hour}:00", "CreateFunction20150331", RELAY, MALLORY, denied="AccessDenied"),
        event(f"03-11 {hour}:05", "AttachRolePolicy", {"roleName": "relay-role"}, MALLORY),
        event(f"03-11 {hour}:06", "CreateFunction20150331", RELAY, MALLORY),
        event(f"03-11 {hour}:10", "AddPermission20150331v2", PUBLIC, MALLORY),
        event(f"03-11 {hour}:20", "Invoke", RELAY, MALLORY),
        event(f"03-11 {hour}:30", "StopLogging", {"name": trail}, MALLORY),
    ]


def test_preparation_change_permission_run_and_evasion_by_one_make_one_chain(tmp_path: Path) -> None:
    read = event("03-11 09:30", "GetFunction", RELAY, MALLORY)
    [row] = found(tmp_path, [*sitting("02"), read])[0].to_dict("records")
    assert row["principals"] == ["mallory"]
    assert row["resources"] == ["main", "relay", "relay-role"]
    assert row["stages"] == ["preparation", "change", "permission or trigger", "run", "evasion"]
    assert row["refs"][0] == "E001:1" and set(row["refs"]) == {f"E001:{number}" for number in range(1, 7)}
    assert (str(row["start"]), str(row["end"])) == ("2026-03-11 02:00:00+00:00", "2026-03-11 02:30:00+00:00")
    assert row["score"] >= CHAIN_FROM


def test_overlapping_steps_are_one_chain_and_distant_ones_two(tmp_path: Path) -> None:
    heads, _ = found(tmp_path, [*sitting("02"), *sitting("20", "second")])
    assert sorted(sorted(refs) for refs in heads["refs"]) == sorted(
        sorted(f"E001:{number}" for number in numbers) for numbers in (range(1, 7), range(7, 13))
    )


def test_warming_up_and_steps_in_another_order_are_no_chain(tmp_path: Path) -> None:
    warming_up = [
        event("03-10 12:00", "CreateFunction20150331", RELAY, CI, denied="InvalidParameterValueException: no role yet"),
        event("03-10 12:01", "CreateFunction20150331", RELAY, CI),
        event("03-10 12:02", "AddPermission20150331v2", {**RELAY, "principal": "sns.amazonaws.com"}, CI),
    ]
    backwards = [
        event("03-11 10:00", "StopLogging", {"name": "main"}, MALLORY),
        event("03-11 10:10", "Invoke", RELAY, MALLORY),
        event("03-11 10:20", "UpdateFunctionCode20150331v2", RELAY, MALLORY),
    ]
    assert found(tmp_path, [*warming_up, *backwards])[0].empty


def test_logging_restored_is_no_evasion_and_a_redirected_log_is_one(tmp_path: Path) -> None:
    steps = sitting("02")[:-1]
    restored = [event("03-11 02:30", "StartLogging", {"name": "main"}, MALLORY,
                      api_service_name="cloudtrail.amazonaws.com")]  # fmt: skip
    heads, _ = found(tmp_path / "restored", [*steps, *restored])
    assert "evasion" not in heads.stages[0] and heads.evasion_part[0] == 0
    moved = {"functionName": "relay", "loggingConfig": {"logGroup": "/elsewhere"}}
    redirected = [event("03-11 02:30", "UpdateFunctionConfiguration20150331v2", moved, MALLORY)]
    heads, _ = found(tmp_path / "redirected", [*steps, *redirected])
    assert "evasion" in heads.stages[0] and heads.evasion_part[0] > 0


def habitual(day: str, name: str = "relay", member: str = "sns.amazonaws.com") -> list[dict[str, Any]]:
    """A release in ten minutes in which the pipeline gives itself a key, and ends a log stream."""
    made = {"functionName": name}
    own_key = event(
        f"{day} 09:00", "CreateAccessKey", {"userName": "ci"}, by_user("ci"), api_service_name="iam.amazonaws.com"
    )
    return [
        own_key,
        event(f"{day} 09:02", "UpdateFunctionCode20150331v2", made, by_user("ci")),
        event(f"{day} 09:04", "AddPermission20150331v2", {**made, "principal": member}, by_user("ci")),
        event(f"{day} 09:06", "Invoke", made, by_user("ci")),
        event(f"{day} 09:09", "StopLogging", {"name": "main"}, by_user("ci")),
    ]


def test_a_chain_that_the_baseline_knows_step_by_step_stays_low_and_one_new_step_lifts_it(tmp_path: Path) -> None:
    habit = [one for day in ("03-03", "03-05", "03-07") for one in habitual(day)]
    as_ever, _ = found(tmp_path / "habit", [*habit, *habitual("03-10", name="relay-2")], baseline=BASELINE)
    assert as_ever.score[0] < CHAIN_FROM
    assert as_ever.reasons[0][-1] == "the baseline knows every step of its principal: counted less"
    opened, _ = found(tmp_path / "opened", [*habit, *habitual("03-10", member="*")], baseline=BASELINE)
    assert opened.score[0] >= CHAIN_FROM
    first, _ = found(tmp_path / "first", habitual("03-10"))
    assert first.score[0] >= CHAIN_FROM


def deployment(who: dict[str, str], start: int = 0) -> list[dict[str, Any]]:
    return [
        event(f"03-10 09:{start:02d}", "UpdateFunctionCode20150331v2", RELAY, who),
        event(f"03-10 09:{start + 1:02d}", "AddPermission20150331v2", {**RELAY, "principal": "sns.amazonaws.com"}, who),
        event(f"03-10 09:{start + 2:02d}", "PutRule", {"name": "daily", "scheduleExpression": "rate(1 day)"}, who),
        event(f"03-10 09:{start + 3:02d}", "Invoke", RELAY, by_user("customer")),
    ]


def first_release(who: dict[str, str]) -> list[dict[str, Any]]:
    return [
        event("03-10 08:55", "CreateRole", {"roleName": "relay-role"}, who),
        event("03-10 08:56", "AttachRolePolicy", {"roleName": "relay-role"}, who),
        event("03-10 08:57", "CreateFunction20150331", MADE, who),
        *deployment(who),
        event("03-10 09:10", "PutObject", None, ROLE, api_service_name="s3.amazonaws.com"),
    ]


def test_a_deployment_is_no_chain(tmp_path: Path) -> None:
    assert found(tmp_path, deployment(CI))[0].empty


@pytest.mark.parametrize("baseline", [None, BASELINE])
@pytest.mark.parametrize(
    "ordinary",
    [
        first_release(CI),
        [event("03-10 08:50", "AttachRolePolicy", {"roleName": "ci-deployer"}, ADMIN), *deployment(CI)],
        [event("03-10 08:50", "UpdateFunctionCode20150331v2", RELAY, CI, denied="AccessDenied: no"), *deployment(CI)],
    ],
    ids=["first release", "rights given to the pipeline", "refused once"],
)
def test_what_looks_like_a_chain_and_is_daily_work_scores_low(
    tmp_path: Path, ordinary: list[dict[str, Any]], baseline: dict[str, Any] | None
) -> None:
    habit = [
        event("03-03 09:00", "UpdateFunctionCode20150331v2", RELAY),
        event("03-04 09:00", "ListBuckets", None, ADMIN),
    ]
    heads, _ = found(tmp_path, [*habit, *ordinary], baseline=baseline)
    assert len(heads) == 1 and heads.score[0] < CHAIN_FROM


def test_steps_further_apart_than_the_window_are_no_chain_and_a_wider_window_joins_them(tmp_path: Path) -> None:
    slow = [
        event(
            "03-10 08:00", "AttachUserPolicy", {"userName": "mallory"}, MALLORY, api_service_name="iam.amazonaws.com"
        ),
        event("03-10 10:00", "UpdateFunctionCode20150331v2", RELAY, MALLORY),
        event("03-10 12:00", "AddPermission20150331v2", PUBLIC, MALLORY),
    ]
    assert found(tmp_path / "hour", slow)[0].empty
    heads, _ = found(tmp_path / "day", slow, Tunables(time_window_minutes=300))
    assert len(heads) == 1 and "somebody gave rights or a key to themselves" in heads.reasons[0]


def test_a_role_that_somebody_took_carries_their_chain_on(tmp_path: Path) -> None:
    role = by_role("deploy", "x")
    heads, steps = found(
        tmp_path,
        [
            event("03-11 02:00", "CreateFunction20150331", RELAY, MALLORY, denied="AccessDenied: no"),
            event("03-11 02:05", "AssumeRole", {"roleArn": "arn:aws:iam::111111111111:role/deploy"}, MALLORY),
            event("03-11 02:06", "UpdateFunctionCode20150331v2", RELAY, role),
            event("03-11 02:07", "AddPermission20150331v2", PUBLIC, role),
        ],
    )
    assert list(heads.principals[0]) == ["mallory", "deploy"]
    assert steps.linked_by[1] == "mallory took the role deploy (E001:2)"


def test_new_calls_downstream_are_named_in_the_reasons(tmp_path: Path) -> None:
    before = [event("03-04 09:00", "PutObject", None, ROLE, api_service_name="s3.amazonaws.com")]
    heads, _ = found(tmp_path, [*before, *handed_over()], baseline=BASELINE)
    told = "a function's role called what it did not call before: relay-role called GetSecretValue"
    assert told in heads.reasons[0]


def test_more_facts_never_lower_a_score(tmp_path: Path) -> None:
    records = handed_over()
    scores = [found(tmp_path / str(count), records[:count])[0].score.tolist() for count in range(3, len(records) + 1)]
    assert scores == sorted(scores) and all(len(one) == 1 for one in scores)


def test_the_role_scope_narrows_what_is_looked_at(tmp_path: Path) -> None:
    assert found(tmp_path, handed_over(), Tunables(role_scope=("other-*",)))[0].empty


def test_without_activity_there_are_no_chains(tmp_path: Path) -> None:
    heads, steps = found(tmp_path, [])
    assert heads.empty and steps.empty


def test_hostile_records_raise_nothing(tmp_path: Path) -> None:
    records = [
        event(
            "03-11 02:00", "CreateAccessKey", "{broken", MALLORY, response="[1]", api_service_name="iam.amazonaws.com"
        ),
        event("03-11 02:01", "AssumeRole", '{"roleArn": {"a": 1}}', MALLORY),
        event("03-11 02:02", "CreateFunction20150331", "[" * 5000, MALLORY),
        event(
            "03-11 02:03", "AddPermission20150331v2", {"functionName": "\ud800"}, {**MALLORY, "actor_user_name": "\x1f"}
        ),
    ]
    heads, _ = found(tmp_path, records)
    assert isinstance(heads, pd.DataFrame)
