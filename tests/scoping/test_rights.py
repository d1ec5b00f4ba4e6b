"""Rights: weak policies in evidence, grants beside calls, and who used what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from tests.scoping import events
from tests.scoping.cloud_case import CI, HOME, MALLORY, by_role, case_of, event
from tests.scoping.test_passed_roles import answer

from playbooks import schema
from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.granted import identities
from playbooks.scoping.policies_in_evidence import policies_in_evidence
from playbooks.scoping.policy_documents import verdict
from playbooks.scoping.rights import rights

ROLE = f"arn:aws:iam::{HOME}:role/service/billing-role"
POLICY = f"arn:aws:iam::{HOME}:policy/billing-policy"
TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]}


def document(*actions: str, resource: str = "*", effect: str = "Allow") -> dict[str, Any]:
    return {"Statement": [{"Effect": effect, "Action": list(actions), "Resource": resource}]}


def judged(tmp_path: Path, records: list[dict[str, Any]], answers: list[dict[str, Any]] | None = None) -> pd.DataFrame:
    tables = events.tables(tmp_path / "events", acquired_answers=answers or [], api_activity=records)
    case = case_of(tmp_path)
    frame = rights(cloud_activity(tables, case), tables, case)
    assert tuple(frame.columns) == schema.RIGHTS.names
    return frame


def told(frame: pd.DataFrame, *names: str, kind: str | None = None) -> list[tuple[Any, ...]]:
    rows = frame[frame.kind == kind] if kind else frame[frame.kind != "used"]
    return [tuple(row) for row in rows[list(names)].itertuples(index=False, name=None)]


def whole_role(*actions: str) -> list[dict[str, Any]]:
    """Every answer that makes the rights of a role known whole: one inline policy and one managed."""
    return [
        answer("GetRole", "billing-role", {"Role": {"Arn": ROLE, "AssumeRolePolicyDocument": TRUST}}),
        answer("ListRolePolicies", "billing-role", {"PolicyNames": ["inline"]}),
        answer("GetRolePolicy", "billing-role/inline", {"PolicyDocument": document(*actions, resource="arn:x")}),
        answer("ListAttachedRolePolicies", "billing-role", {"AttachedPolicies": [{"PolicyArn": POLICY}]}),
        answer("GetPolicy", POLICY, {"Policy": {"DefaultVersionId": "v2"}}),
        answer("GetPolicyVersion", f"{POLICY}:v1", {"PolicyVersion": {"Document": document("sqs:DeleteQueue")}}),
        answer("GetPolicyVersion", f"{POLICY}:v2", {"PolicyVersion": {"Document": document("sqs:CreateQueue")}}),
    ]


def used(operation: str, service: str, **more: Any) -> dict[str, Any]:
    who = by_role("billing-role", "billing") | {"actor_session_issuer": ROLE}
    return event("03-10 10:00", operation, None, who, api_service_name=f"{service}.amazonaws.com", **more)


def test_grants_of_a_role_known_whole_are_compared_with_its_calls(tmp_path: Path) -> None:
    answers = whole_role("secretsmanager:GetSecretValue", "kms:*", "s3:GetObject")
    records = [used("GetSecretValue", "secretsmanager"), used("GetSecretValue", "secretsmanager"),
               used("RunInstances", "ec2"), used("CreateUser", "iam", denied="AccessDenied")]  # fmt: skip
    frame = judged(tmp_path, records, answers)
    assert told(frame, "identity", "action", kind="unused") == [
        ("billing-role", "kms:*"),
        ("billing-role", "sqs:CreateQueue"),
    ]
    assert frame[frame.kind == "unused"].sentence.iloc[0] == (
        "granted and used by none of 3 successful calls of the role, 2026-03-10 to 2026-03-10"
    )
    assert told(frame, "action", "calls", kind="ungranted") == [("ec2:RunInstances", 1)]
    assert list(frame[frame.kind == "ungranted"].refs.iloc[0]) == ["E002:3"]
    assert told(frame, "action", "sentence", kind="not_answerable") == [
        ("s3:GetObject", "whether s3:GetObject was used is not answerable because its use leaves no record without "
         "data events")
    ]  # fmt: skip


def test_a_role_of_which_something_is_lacking_is_not_judged_and_the_row_says_what_lacks(tmp_path: Path) -> None:
    answers = [one for one in whole_role("kms:*") if one["resource_name"] != f"{POLICY}:v2"]
    frame = judged(tmp_path, [used("RunInstances", "ec2")], answers)
    assert told(frame, "kind", "sentence", kind="not_answerable") == [
        ("not_answerable", f"not answerable because not in evidence: the document of {POLICY}")
    ]
    assert not set(frame.kind) & {"unused", "ungranted"}


def test_a_role_without_any_call_in_the_records_is_not_called_idle(tmp_path: Path) -> None:
    frame = judged(tmp_path, [], whole_role("kms:*"))
    assert told(frame, "sentence", kind="not_answerable") == [
        ("not answerable because the records hold no successful call of the role",)
    ]


def test_another_account_s_role_of_the_same_name_used_nothing_here(tmp_path: Path) -> None:
    other = used("GetSecretValue", "secretsmanager", actor_session_issuer=ROLE.replace(HOME, "222222222222"))
    frame = judged(tmp_path, [other], whole_role("kms:*"))
    assert not set(frame.kind) & {"unused", "ungranted"}


def test_a_run_in_the_records_is_the_use_of_the_right_that_iam_calls_otherwise(tmp_path: Path) -> None:
    frame = judged(tmp_path, [used("Invoke", "lambda")], whole_role("lambda:InvokeFunction"))
    assert "lambda:InvokeFunction" not in set(frame[frame.kind.isin(["unused", "ungranted"])].action)


def test_policies_that_records_set_are_read_and_the_record_that_ended_one_is_named(tmp_path: Path) -> None:
    iam = {"api_service_name": "iam.amazonaws.com"}
    named = {"roleName": "billing-role", "policyName": "open"}
    records = [
        event("03-10 09:00", "PutRolePolicy", {**named, "policyDocument": json.dumps(document("*"))}, MALLORY, **iam),
        event("03-10 09:05", "DeleteRolePolicy", named, MALLORY, **iam),
        event("03-10 09:06", "PutRolePolicy", {**named, "policyDocument": json.dumps(document("s3:*"))}, CI,
              denied="AccessDenied", **iam),
    ]  # fmt: skip
    frame = judged(tmp_path, records)
    assert told(frame, "kind", "identity", "policy", "ended") == [
        ("all_actions", "billing-role", "open", "E002:2"),
        ("pass_role_wide", "billing-role", "open", "E002:2"),
        ("not_answerable", "billing-role", None, None),
    ]
    assert list(frame[frame.kind == "all_actions"].policy_refs.iloc[0]) == ["E002:1"]


def test_administrator_access_is_known_without_its_document(tmp_path: Path) -> None:
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    record = event("03-10 09:00", "AttachRolePolicy", {"roleName": "r", "policyArn": arn}, MALLORY)
    frame = judged(tmp_path, [record])
    assert told(frame, "kind", "identity", "policy")[0] == (
        "all_actions",
        "r",
        "AdministratorAccess as AWS publishes it (v1)",
    )
    assert list(frame.policy_refs.iloc[0]) == ["E002:1"]
    unknown = {"roleName": "r", "policyArn": arn.replace("Administrator", "Whatever")}
    assert {
        row.kind for row in judged(tmp_path / "b", [event("03-10 09:00", "AttachRolePolicy", unknown)]).itertuples()
    } == {
        "not_answerable",
        "used",
    }


def test_policies_of_aws_say_all_that_their_documents_say(tmp_path: Path) -> None:
    records = [
        event("03-10 09:00", "AttachRolePolicy",
              {"roleName": "r", "policyArn": f"arn:aws:iam::aws:policy/{name}"}, MALLORY)
        for name in ("IAMFullAccess", "PowerUserAccess")
    ]  # fmt: skip
    held = {one.name: one for one in identities(policies_in_evidence(events.tables(tmp_path, api_activity=records)))}
    said = held["r"].statements
    for action in (
        "iam:PassRole",
        "organizations:ListRoots",
        "iam:ListRoles",
        "account:ListRegions",
        "ec2:RunInstances",
    ):
        assert verdict(said, action).allowed, action
    assert not verdict(said, "organizations:LeaveOrganization").allowed
    assert not verdict(said, "account:CloseAccount").allowed


def test_a_permission_of_a_function_lets_in_whom_its_answer_says(tmp_path: Path) -> None:
    open_to_all = {"Sid": "s", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": "x"}
    by_bucket = {**open_to_all, "Principal": {"Service": "s3.amazonaws.com"}}
    records = [
        event("03-10 09:00", "AddPermission20150331v2", {"functionName": "billing", "statementId": str(number)},
              MALLORY, response={"statement": json.dumps(statement)})
        for number, statement in enumerate((open_to_all, by_bucket))
    ]  # fmt: skip
    acquired = answer(
        "GetPolicy", "billing", {"Policy": json.dumps({"Statement": [open_to_all]})}, api_service_name="lambda"
    )
    frame = judged(tmp_path, records, [acquired])
    assert told(frame, "kind", "identity", "identity_type") == [
        ("anyone", "billing", "function"),
        ("condition_gap", "billing", "function"),
    ]
    assert list(frame.policy_refs.iloc[0]) == ["E002:1", "E001:1"]


def test_who_used_which_right_in_the_window(tmp_path: Path) -> None:
    records = [
        event("03-10 09:00", "UpdateFunctionCode20150331v2", {"functionName": "billing"}, MALLORY),
        event("03-10 09:01", "UpdateFunctionCode20150331v2", {"functionName": "other"}, MALLORY, denied="AccessDenied"),
        event("03-09 09:01", "UpdateFunctionCode20150331v2", {"functionName": "before"}, MALLORY),
    ]
    frame = judged(tmp_path, records)
    assert told(frame, "identity", "action", "calls", "sentence", kind="used") == [
        ("mallory", "lambda:UpdateFunctionCode", 2, "1 call succeeded, 1 failed on billing, other")
    ]
    assert list(frame.refs.iloc[0]) == ["E002:1", "E002:2"]


def test_hostile_answers_and_requests_stop_nothing(tmp_path: Path) -> None:
    deep = "[" * 100_000
    answers = [answer(name, "r", response=deep) for name in ("GetRole", "ListRolePolicies", "ListAttachedRolePolicies")]
    answers += [answer("GetRole", "r", {"Role": [1]}), answer("ListRolePolicies", "r", {"PolicyNames": {"a": 1}})]
    answers += [answer("ListAttachedRolePolicies", "r", {"AttachedPolicies": [None, 1, {"PolicyArn": ["x"]}]})]
    answers += [answer("GetPolicyVersion", "x", {"PolicyVersion": 1}), answer("GetPolicy", "x", {"Policy": deep})]
    records = [
        event("03-10 09:00", name, request)
        for name in ("PutRolePolicy", "CreateRole", "AttachRolePolicy", "AddPermission", "CreatePolicyVersion")
        for request in (deep, "7", {"roleName": ["r"], "policyDocument": {"Statement": deep}}, {"policyArn": {}})
    ]
    assert len(judged(tmp_path, records, answers)) >= 0
