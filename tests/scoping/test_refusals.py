"""What a cloud answers when rights are missing, told from faults of use, in the words each log has for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scoping.cloud_case import CI, case_of, event, tables_of

from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.identities import identities

AZURE = (
    '{"error":{"code":"AuthorizationFailed","message":"The client \'x\' with object id \'y\' does not have '
    "authorization to perform action 'Microsoft.Web/sites/write' over scope 'z'.\"}}"
)
GRAPH = "Authorization_RequestDenied: Insufficient privileges to complete the operation."


@pytest.mark.parametrize(
    ("detail", "code"),
    [
        ("AccessDenied: User: x is not authorized to perform: lambda:CreateFunction", "AccessDenied"),
        ("Client.UnauthorizedOperation: You are not authorized to perform this operation.", None),
        ("PERMISSION_DENIED: Permission 'cloudfunctions.functions.create' denied on resource", "PERMISSION_DENIED"),
        ("UNAUTHENTICATED: Request had invalid authentication credentials.", "UNAUTHENTICATED"),
        (AZURE, "AuthorizationFailed"),
        ("Forbidden: " + AZURE, "Forbidden"),
        ("Failed.Forbidden", "Failed.Forbidden"),
        (GRAPH, "Authorization_RequestDenied"),
        ("403: Authentication error", "403"),
        ("401", "401"),
        ("10000: Authentication error", "10000"),
        ("Failed: AccessDenied", None),
    ],
)
def test_a_call_refused_for_want_of_rights_counts_as_one_in_every_cloud(
    detail: str, code: str | None, tmp_path: Path
) -> None:
    refused, activity_code = told(detail, tmp_path)
    assert refused == 1
    assert code is None or activity_code == code


@pytest.mark.parametrize(
    "detail",
    [
        "InvalidParameterValueException: The role defined for the function cannot be assumed by Lambda.",
        "ResourceNotFoundException: Function not found: arn:aws:lambda:eu-central-1:401403403401:function:x",
        "NOT_FOUND: Resource 'x' was not found",
        "Conflict",
        '{"error":{"code":"Conflict","message":"Website with given name already exists."}}',
        "404: script 403 not found",
        "4030",
        "100007: workers.api.error.invalid_script_name",
        "Failed",
    ],
)
def test_a_fault_of_use_is_no_refusal(detail: str, tmp_path: Path) -> None:
    assert told(detail, tmp_path)[0] == 0


def told(detail: str, tmp_path: Path) -> tuple[int, str]:
    """Refused calls that the identity made, and the code that its row of activity shows."""
    tables = tables_of(tmp_path, [event("03-11 02:00", "CreateFunction20150331", None, CI, denied=detail)])
    case = case_of(tmp_path)
    who, _ = identities(tables, case.config)
    return int(who["refused"].iloc[0]), str(cloud_activity(tables, case)["outcome_detail"].iloc[0])
