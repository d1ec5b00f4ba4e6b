"""Control-plane events: what is a row, who did it, what it opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.scoping.cloud_case import CI, HOME, MALLORY, STRANGER, by_role, case_of, event, tables_of

from playbooks import schema
from playbooks.scoping.cloud_activity import cloud_activity

ARN = f"arn:aws:lambda:eu-central-1:{HOME}:function:billing"


def only(tmp_path: Path, record: dict[str, Any]) -> Any:
    rows = cloud_activity(tables_of(tmp_path, [record]), case_of(tmp_path))
    assert len(rows) == 1
    return rows.iloc[0]


def test_one_deployment_and_one_change_by_hand_read_as_they_happened(tmp_path: Path) -> None:
    records = [
        event("03-11 02:14", "UpdateFunctionCode20150331v2", {"functionName": ARN + ":live"}, MALLORY),
        event("03-10 09:00", "UpdateFunctionCode", {"functionName": "billing"}, metadata_uid="one"),
        event("03-10 09:01", "ListBuckets"),
        event("03-09 23:59", "UpdateFunctionCode", {"functionName": "billing"}),
    ]
    rows = cloud_activity(tables_of(tmp_path, records), case_of(tmp_path))
    assert tuple(rows.columns) == schema.CLOUD_ACTIVITY.names
    shown = rows[["ref", "operation_base", "phase", "principal", "via", "resource", "resource_type", "outcome"]]
    assert shown.to_dict("split")["data"] == [
        [
            "E001:2",
            "UpdateFunctionCode",
            "modify-code",
            "ci-deployer",
            "session build-4711",
            "billing",
            "function",
            "success",
        ],
        ["E001:1", "UpdateFunctionCode", "modify-code", "mallory", None, "billing", "function", "success"],
    ]
    assert list(rows["resource_uid"]) == [None, ARN]
    assert rows["novelty"].isna().all()


def test_an_event_in_two_items_counts_once_and_a_borrowed_id_hides_nothing(tmp_path: Path) -> None:
    first = event("03-10 09:00", "DeleteFunction20150331", {"functionName": "a"}, metadata_uid="one")
    records = [
        {**first, "evidence_id": "E010"},
        {**first, "evidence_id": "E002"},
        event("03-10 09:05", "DeleteFunction20150331", {"functionName": "b"}, metadata_uid="one", evidence_id="E010"),
        event("03-10 09:06", "DeleteFunction20150331", {"functionName": "c"}),
        event("03-10 09:06", "DeleteFunction20150331", {"functionName": "c"}),
    ]
    rows = cloud_activity(tables_of(tmp_path, records), case_of(tmp_path))
    assert list(rows["ref"]) == ["E002:1", "E010:2", "E001:1", "E001:2"]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("billing", "billing"),
        ("billing:live", "billing"),
        (f"{HOME}:function:billing", "billing"),
        (f"{HOME}:function:billing:live", "billing"),
        (ARN, "billing"),
        (ARN + ":$LATEST", "billing"),
    ],
)
def test_a_function_has_one_name_however_it_is_written(tmp_path: Path, name: str, short: str) -> None:
    assert only(tmp_path, event("03-10 09:00", "GetFunction20150331v2", {"functionName": name}))["resource"] == short


def test_a_refused_call_without_parameters_is_an_attempt_on_the_resource_it_names(tmp_path: Path) -> None:
    message = (
        f"AccessDenied: User: x is not authorized to perform: lambda:UpdateFunctionCode on resource: {ARN} because"
    )
    row = only(tmp_path, event("03-11 02:14", "UpdateFunctionCode20150331v2", None, MALLORY, denied=message))
    assert (row["outcome"], row["outcome_detail"], row["resource"]) == ("failure", "AccessDenied", "billing")
    assert row["exposure"] is None


ORG = {"principalOrgID": "o-1"}
TRUST = '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "%s"}, "Action": "sts:AssumeRole"}]}'


@pytest.mark.parametrize(
    ("operation", "request_", "exposure"),
    [
        ("AddPermission20150331v2", {"principal": "*"}, "anyone may invoke (principal *)"),
        ("AddPermission", {"principal": "*", "action": "lambda:InvokeFunction"}, "anyone may invoke (principal *)"),
        (
            "AddPermission20150331v2",
            {"principal": "*", "action": "lambda:InvokeFunctionUrl", "functionUrlAuthType": "NONE"},
            "anyone may call its URL (principal *, authType NONE)",
        ),
        (
            "AddPermission20150331v2",
            {"principal": "*", **ORG},
            "any account of organisation o-1 may invoke (principal *)",
        ),
        ("AddPermission20150331v2", {"principal": "sns.amazonaws.com"}, None),
        (
            "AddPermission20150331v2",
            {"principal": "sns.amazonaws.com", "sourceArn": f"arn:aws:sns:eu-central-1:{HOME}:t"},
            None,
        ),
        (
            "AddPermission20150331v2",
            {"principal": "sns.amazonaws.com", "sourceArn": f"arn:aws:sns:eu-central-1:{STRANGER}:t"},
            f"account {STRANGER}, not ours, may invoke (through principal sns.amazonaws.com)",
        ),
        (
            "AddPermission20150331v2",
            {"principal": STRANGER, "action": "lambda:*"},
            f"account {STRANGER}, not ours, may do * (principal {STRANGER})",
        ),
        ("AddPermission20150331v2", {"principal": f"arn:aws:iam::{HOME}:root"}, None),
        ("RemovePermission20150331v2", {"principal": "*"}, None),
        ("CreateFunctionUrlConfig", {"authType": "NONE"}, "its URL asks for no authentication (authType NONE)"),
        ("CreateFunctionUrlConfig", {"authType": "AWS_IAM"}, None),
        ("UpdateFunctionUrlConfig20211031", {"authType": "NONE"}, "its URL asks for no authentication (authType NONE)"),
        (
            "UpdateAssumeRolePolicy",
            {"roleName": "billing", "policyDocument": TRUST % f"arn:aws:iam::{STRANGER}:root"},
            f"account {STRANGER}, not ours, may assume the role (principal arn:aws:iam::{STRANGER}:root)",
        ),
        (
            "UpdateAssumeRolePolicy",
            {"roleName": "billing", "policyDocument": TRUST % f"arn:aws:iam::{HOME}:root"},
            None,
        ),
        (
            "PutTargets",
            {"rule": "nightly", "targets": [{"arn": f"arn:aws:lambda:eu-central-1:{STRANGER}:function:x"}]},
            f"events go to account {STRANGER}, not ours (arn:aws:lambda:eu-central-1:{STRANGER}:function:x)",
        ),
    ],
)
def test_exposure_says_what_is_opened_to_whom(
    tmp_path: Path, operation: str, request_: dict[str, Any], exposure: str | None
) -> None:
    assert (
        only(tmp_path, event("03-10 09:00", operation, {"functionName": "billing", **request_}))["exposure"] == exposure
    )


def test_a_url_that_was_created_is_an_endpoint_and_one_that_failed_makes_none(tmp_path: Path) -> None:
    ask = {"functionName": "billing", "authType": "NONE"}
    made = {"functionUrl": "https://ABC123.lambda-url.eu-central-1.on.aws/", "authType": "NONE"}
    records = [
        event("03-10 09:00", "CreateFunctionUrlConfig", ask, response=made),
        event("03-10 09:01", "CreateFunctionUrlConfig", ask, denied="ResourceNotFoundException: no such function"),
        event("03-10 09:02", "CreateRestApi", {"createRestApiInput": {"name": "x"}}, response={"id": "a1b2c3"}),
    ]
    rows = cloud_activity(tables_of(tmp_path, records), case_of(tmp_path))
    assert list(rows["endpoint"]) == [
        "abc123.lambda-url.eu-central-1.on.aws",
        None,
        "a1b2c3.execute-api.eu-central-1.amazonaws.com",
    ]
    # what was asked for is told of both; the outcome says whether it was opened
    assert list(zip(rows["exposure"].notna(), rows["outcome"], strict=True)) == [
        (True, "success"),
        (True, "failure"),
        (False, "success"),
    ]


def test_the_allow_list_covers_its_pipeline_until_it_expires_and_hides_nothing(tmp_path: Path) -> None:
    entry = {"kind": "principal", "value": "ci-*", "owner": "Platform", "actions": ["modify-code"], "resource": "bill*"}
    change = {"functionName": "billing"}
    records = [
        event("03-10 09:00", "UpdateFunctionCode20150331v2", change),
        event("03-10 09:00", "UpdateFunctionCode20150331v2", change, MALLORY),
        event("03-10 09:00", "UpdateFunctionCode20150331v2", change, by_role("ci-deployer", "x", STRANGER)),
        event("03-10 09:00", "AddPermission20150331v2", {**change, "principal": "sns.amazonaws.com"}),
        event("03-10 09:00", "UpdateFunctionCode20150331v2", {"functionName": "payroll"}),
        event("03-11 09:00", "UpdateFunctionCode20150331v2", change),
    ]
    case = case_of(tmp_path, allow_list=[{**entry, "expires": "2026-03-10"}])
    rows = cloud_activity(tables_of(tmp_path, records), case)
    covered = "ci-* (owner Platform, expires 2026-03-10)"
    assert list(rows["allowed_by"]) == [covered, None, None, None, None, None]


def test_a_foreign_namesake_of_the_pipeline_is_told_apart(tmp_path: Path) -> None:
    row = only(
        tmp_path, event("03-10 09:00", "GetFunction", {"functionName": "x"}, by_role("ci-deployer", "s", STRANGER))
    )
    assert row["principal"] == f"{STRANGER}:ci-deployer"


def test_assumed_roles_matter_when_a_function_has_them(tmp_path: Path) -> None:
    role = f"arn:aws:iam::{HOME}:role/service/billing-role"
    records = [
        event("03-10 08:00", "CreateFunction20150331", {"functionName": "billing", "role": role}),
        event("03-10 09:00", "AssumeRole", {"roleArn": role, "roleSessionName": "x"}, MALLORY),
        event("03-10 09:01", "AssumeRole", {"roleArn": f"arn:aws:iam::{HOME}:role/other"}, MALLORY),
        event(
            "03-10 09:02",
            "AssumeRole",
            {"roleArn": f"arn:aws:iam::{HOME}:role/o"},
            {"actor_invoked_by": "lambda.amazonaws.com"},
        ),
    ]
    rows = cloud_activity(tables_of(tmp_path, records), case_of(tmp_path))
    assert list(rows["resource"]) == ["billing", "billing-role", "o"]


HOSTILE = [
    "",
    "{",
    "null",
    "[]",
    '"text"',
    "1" * 10_000,
    '{"functionName": ' + "[" * 20_000 + "]" * 20_000 + "}",
    '{"functionName": {"a": 1}, "principal": {"AWS": ["*"]}, "authType": ["NONE"]}',
    '{"functionName": ["a", "b"], "principal": [[1]], "policy": "{\\"Statement\\": 7}"}',
    '{"functionName": 1' + "0" * 6000 + "}",
    '{"functionName": "\\ud800"}',
    '{"functionName": "arn:aws:lambda:::", "sourceArn": "arn:::::", "destinationArn": {"x": []}}',
    '{"targets": {"arn": "arn:aws:lambda:eu-central-1:999999999999:function:x"}, "functionName": null}',
    '{"policy": {"Statement": {"Effect": "Allow", "Principal": {"AWS": {"x": 1}}}}, "functionName": true}',
    '{"functionUrl": "https://[::1", "apiEndpoint": 5, "domainName": "//"}',
]


@pytest.mark.parametrize(
    "operation", ["AddPermission20150331v2", "CreateFunctionUrlConfig", "PutTargets", "AssumeRole"]
)
def test_hostile_json_is_a_row_and_never_an_error(tmp_path: Path, operation: str) -> None:
    records = [
        event("03-10 09:00", operation, request, {**CI, "actor_invoked_by": "lambda.amazonaws.com"}, response=response)
        for request in HOSTILE
        for response in (*HOSTILE[:2], HOSTILE[-1], request)
    ]
    rows = cloud_activity(tables_of(tmp_path, records), case_of(tmp_path))
    assert len(rows) == len(records)
    rows.to_parquet(tmp_path / "rows.parquet")  # half a surrogate pair would fail here


def test_no_audit_records_give_no_rows_with_all_columns(tmp_path: Path) -> None:
    for records in ([], [event("03-10 09:00", "ListBuckets")]):
        folder = tmp_path / str(len(records))
        rows = cloud_activity(tables_of(folder, records), case_of(tmp_path))
        assert tuple(rows.columns) == schema.CLOUD_ACTIVITY.names
        assert rows.empty
        assert isinstance(rows, pd.DataFrame)
