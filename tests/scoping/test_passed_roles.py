"""Which role went to which function, by whom; and what of the role is not in evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from tests.scoping import events
from tests.scoping.cloud_case import CI, HOME, MALLORY, at, case_of, event

from playbooks import schema
from playbooks.scoping.passed_roles import role_links

ROLE = f"arn:aws:iam::{HOME}:role/service/billing-role"
POLICY = f"arn:aws:iam::{HOME}:policy/read-all"
ALL = ["GetRole", "ListAttachedRolePolicies", "ListRolePolicies"]


def answer(operation: str, resource: str, content: Any = None, **more: Any) -> dict[str, Any]:
    """One acquired answer; they are item E001 beside the records E002."""
    row = {"time": at("03-12 09:00"), "format": "acquired_answers", "source": "aws", "cloud_account_uid": HOME}
    place = {"api_service_name": "iam", "cloud_region": "global", "api_operation": operation, "resource_name": resource}
    return {**row, **place, "status": "answered", "response": json.dumps(content or {}), **more}


def settings(name: str, role: str, **more: Any) -> dict[str, Any]:
    place = {"api_service_name": "lambda", "cloud_region": "eu-central-1"}
    return answer("GetFunctionConfiguration", name, {"Role": role}, **place, **more)


def linked(tmp_path: Path, records: list[dict[str, Any]], answers: list[dict[str, Any]] | None = None) -> pd.DataFrame:
    tables = events.tables(tmp_path / "events", acquired_answers=answers or [], api_activity=records)
    return role_links(tables, case_of(tmp_path))


def told(frame: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return [
        tuple(None if value is None else list(value) if not isinstance(value, str) else value for value in row)
        for row in frame[list(names)].itertuples(index=False, name=None)
    ]


def test_who_names_a_role_passes_it_and_who_only_gets_it_back_does_not(tmp_path: Path) -> None:
    records = [
        event("03-10 09:00", "CreateFunction20150331", {"functionName": "billing", "role": ROLE}),
        event("03-10 10:00", "UpdateFunctionCode", {"functionName": "billing"}, MALLORY, response={"role": ROLE}),
        event("03-10 11:00", "UpdateFunctionConfiguration", {"functionName": "billing", "role": "admin"}, MALLORY),
        event("03-10 12:00", "GetFunction", {"functionName": "billing", "role": ROLE}, MALLORY),
    ]
    frame = linked(tmp_path, records)
    assert tuple(frame.columns) == schema.ROLE_LINKS.names
    assert told(frame, "principal", "relation", "role", "resource", "refs") == [
        ("ci-deployer", "passed", "billing-role", "billing", ["E002:1"]),
        (None, "held", "billing-role", "billing", ["E002:2"]),
        ("mallory", "passed", "admin", "billing", ["E002:3"]),
    ]
    assert list(frame.role_uid) == [ROLE, ROLE, None]


def test_a_refused_call_has_tried(tmp_path: Path) -> None:
    asked = {"functionName": "billing", "role": ROLE}
    frame = linked(tmp_path, [event("03-10 09:00", "CreateFunction", asked, MALLORY, denied="AccessDenied: no")])
    assert told(frame, "principal", "relation") == [("mallory", "tried")]


def test_a_rule_and_a_schedule_take_roles_too(tmp_path: Path) -> None:
    records = [
        event("03-10 09:00", "PutRule", {"name": "hourly", "roleArn": ROLE}),
        event("03-10 09:01", "CreateSchedule", {"name": "s", "target": {"roleArn": ROLE, "arn": "x"}},
              api_service_name="scheduler.amazonaws.com"),
    ]  # fmt: skip
    assert told(linked(tmp_path, records), "resource", "resource_type", "role") == [
        ("hourly", "rule", "billing-role"),
        ("s", "schedule", "billing-role"),
    ]


def test_what_lambda_took_for_a_function_is_used_and_what_a_person_took_is_not(tmp_path: Path) -> None:
    asked = {"roleArn": ROLE, "roleSessionName": "billing"}
    by_lambda = {"actor_user_type": "AWSService", "actor_invoked_by": "lambda.amazonaws.com"}
    records = [event("03-10 09:00", "AssumeRole", asked, by_lambda), event("03-10 09:01", "AssumeRole", asked, MALLORY)]
    assert told(linked(tmp_path, records), "relation", "role", "resource", "refs") == [
        ("used", "billing-role", "billing", ["E002:1"])
    ]


def test_settings_that_were_acquired_show_a_role_that_no_record_passes(tmp_path: Path) -> None:
    frame = linked(tmp_path, [], [settings("billing:3", ROLE), settings("other", ROLE, status="refused")])
    assert told(frame, "principal", "relation", "role", "resource", "region", "refs") == [
        (None, "held", "billing-role", "billing", "eu-central-1", ["E001:1"])
    ]


CREATED = event("03-10 09:00", "CreateFunction20150331", {"functionName": "billing", "role": ROLE})


def test_answers_about_the_role_are_linked_and_what_is_lacking_is_named(tmp_path: Path) -> None:
    attached = {"AttachedPolicies": [{"PolicyName": "read-all", "PolicyArn": POLICY}]}
    answers = [
        answer("GetRole", "billing-role"),
        answer("ListAttachedRolePolicies", "billing-role", attached),
        answer("GetRolePolicy", "billing-role/inline"),
        answer("GetPolicyVersion", f"{POLICY}:v1"),
        # near misses: another role, another account, a refusal, the policy of a function
        answer("GetRole", "billing-role-2"),
        answer("ListRolePolicies", "billing-role", cloud_account_uid="999999999999"),
        answer("ListRolePolicies", "billing-role", status="refused"),
        answer("GetPolicy", "billing-role", api_service_name="lambda"),
    ]
    assert told(linked(tmp_path / "a", [CREATED], answers), "policy_refs", "lacking") == [
        (["E001:1", "E001:2", "E001:3", "E001:4"], ["ListRolePolicies"])
    ]
    without = [one for one in answers if one["api_operation"] != "GetPolicyVersion"]
    assert told(linked(tmp_path / "b", [CREATED], without), "lacking") == [
        (["ListRolePolicies", f"GetPolicyVersion of {POLICY}"],)
    ]
    assert told(linked(tmp_path / "c", [CREATED]), "policy_refs", "lacking") == [([], ALL)]


def test_an_answer_that_is_no_json_links_nothing_more_and_stops_nothing(tmp_path: Path) -> None:
    answers = [answer("ListAttachedRolePolicies", "billing-role", response="<xml/>"), settings("billing", ROLE)]
    answers[1]["response"] = "[" * 100_000
    assert told(linked(tmp_path, [CREATED], answers), "relation", "lacking") == [
        ("passed", ["GetRole", "ListRolePolicies"])
    ]


def test_the_same_pass_day_after_day_is_one_row_with_its_span(tmp_path: Path) -> None:
    frame = linked(
        tmp_path, [CREATED, {**CREATED, "time": at("03-11 09:00")}, {**CREATED, **CI, "time": at("03-09 09:00")}]
    )
    assert told(frame, "refs") == [(["E002:3", "E002:1", "E002:2"],)]
    assert (frame.first_seen[0], frame.last_seen[0]) == (
        pd.Timestamp(at("03-09 09:00")),
        pd.Timestamp(at("03-11 09:00")),
    )


def test_without_records_and_answers_the_table_is_there(tmp_path: Path) -> None:
    frame = linked(tmp_path, [])
    assert (len(frame), tuple(frame.columns)) == (0, schema.ROLE_LINKS.names)
