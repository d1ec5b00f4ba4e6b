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
    heads, steps = chains(cloud_activity(tables, case), tables, links, calls, tunables)
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
