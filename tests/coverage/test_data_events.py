"""Data events per cloud, account and service: pass with records, fail with proof, unknown with the reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.scoping.events import at, tables

from playbooks.case import Case, CaseFile
from playbooks.coverage.audit_logging import audit_logging
from playbooks.coverage.phases import PHASES, phases

REGION = "eu-north-1"
OBJECTS = "reads and writes of objects are recorded (data events)"
DATA_ACCESS = "data access is recorded (Data Access log)"


def event(
    provider: str, service: str, operation: str = "Do", code: str | None = None, seconds: float = 0, **more: Any
) -> dict[str, object]:
    row = {"time": at(seconds), "format": "x", "cloud_provider": provider, "cloud_account_uid": "acct"}
    return {
        **row, "api_service_name": service, "api_operation": operation, "metadata_event_code": code,
        "status": "success", **more,
    }  # fmt: skip


def checks(folder: Path, *records: dict[str, object], answers: list[dict[str, object]] | None = None) -> Any:
    case = Case(folder, CaseFile.model_validate({"case_id": "LOG-1"}))
    rows = {"acquired_answers": answers} if answers else {}
    return audit_logging(case, tables(folder / "events", api_activity=list(records), **rows))


def state(rows: Any, check: str, **where: str | None) -> tuple[str, list[str]]:
    [row] = [row for row in rows if row["check"] == check and all(row[key] == value for key, value in where.items())]
    return row["state"], row["proof"]


# ------------------------------------------------------------------------------------------------------ AWS


def test_objects_are_recorded_where_a_record_says_so_and_nowhere_else(tmp_path: Path) -> None:
    rows = checks(
        tmp_path,
        event("AWS", "s3.amazonaws.com", "PutObject", "Data", 1, cloud_region=REGION),
        event("AWS", "s3.amazonaws.com", "GetObject", "Data", 2, cloud_region=REGION),
        event("AWS", "s3.amazonaws.com", "CreateBucket", "Management", 3, cloud_region="eu-west-1"),
        event("AWS", "dynamodb.amazonaws.com", "GetItem", "Data", 4, cloud_region=REGION),
    )
    assert state(rows, OBJECTS, region=REGION) == ("pass", ["E001:1", "E001:2"])
    assert state(rows, OBJECTS, region="eu-west-1") == ("unknown", [])
    assert state(rows, "data events are recorded", service="dynamodb.amazonaws.com") == ("pass", ["E001:4"])


def selectors(
    values: list[str], read_write: str = "All", advanced: bool = False, **more: Any
) -> list[dict[str, object]]:
    def answer(operation: str, content: Any, trail: str) -> dict[str, object]:
        row = {
            "time": at(9),
            "format": "acquired_answers",
            "source": "aws",
            "cloud_provider": "AWS",
            "status": "answered",
        }
        place = {"cloud_account_uid": "acct", "cloud_region": REGION, "resource_name": trail}
        return {**row, **place, "api_operation": operation, "response": json.dumps(content)}

    basic = {"ReadWriteType": read_write, "DataResources": [{"Type": "AWS::S3::Object", "Values": values}]}
    fields = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
    ]
    wide = {"FieldSelectors": [*fields, *more.get("fields", [])]}
    content = {"AdvancedEventSelectors": [wide]} if advanced else {"EventSelectors": [basic] if values else []}
    trail = {"Name": "corp", "TrailARN": "arn:corp", "HomeRegion": REGION, "IsMultiRegionTrail": True}
    return [answer("DescribeTrails", {"trailList": [trail]}, ""), answer("GetEventSelectors", content, "arn:corp")]


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (selectors(["arn:aws:s3"]), "pass"),
        (selectors(["arn:aws:s3:::invoices/"]), "unknown"),
        (selectors(["arn:aws:s3"], "ReadOnly"), "unknown"),
        (selectors([]), "fail"),
        (selectors([], advanced=True), "pass"),
        (selectors([], advanced=True, fields=[{"Field": "readOnly", "Equals": ["true"]}]), "unknown"),
        (
            selectors([], advanced=True, fields=[{"Field": "resources.ARN", "StartsWith": ["arn:aws:s3:::x"]}]),
            "unknown",
        ),
    ],
)
def test_selectors_of_trails_speak_where_no_object_is_in_evidence(
    answers: list[dict[str, object]], said: str, tmp_path: Path
) -> None:
    rows = checks(tmp_path, event("AWS", "lambda.amazonaws.com", cloud_region=REGION), answers=answers)
    found, proof = state(rows, OBJECTS, region=REGION)
    assert (found, proof) == (said, ["E001:1", "E001:2"])


# ---------------------------------------------------------------------------------------- Azure, GCP, suites

CODE, FORM = "metadata_event_code", "format"
CASES = [
    ("Azure", "microsoft.web", "runs of function apps are recorded (FunctionAppLogs)", {FORM: "azure_function_app"}),
    ("Azure", "x", "runs of logic apps are recorded (WorkflowRuntime)", {FORM: "azure_logic_app_runtime"}),
    ("Azure", "microsoft.storage", "reads and writes of storage are recorded", {CODE: "StorageRead"}),
    ("Azure", "microsoft.keyvault", "use of secrets is recorded", {CODE: "AuditEvent"}),
    ("Microsoft 365", "MicrosoftFlow", "changes of flows are recorded (record type 30)", {CODE: "30"}),
    ("Microsoft 365", "Exchange", "access to mail is recorded (record type 50)", {CODE: "50"}),
    ("Microsoft 365", "x", "consent and changes are recorded (record type 8)", {CODE: "8"}),
    ("Google Workspace", "token", "consent of applications is recorded", {}),
    ("Cloudflare", "x", "runs of Workers are recorded (workers_trace_events)", {FORM: "cloudflare_workers_trace"}),
]


@pytest.mark.parametrize(("provider", "service", "check", "more"), CASES)
def test_a_kind_of_record_passes_with_its_records_and_is_unknown_without(
    provider: str, service: str, check: str, more: dict[str, str], tmp_path: Path
) -> None:
    rows = checks(tmp_path / "with", event(provider, service, **more))  # type: ignore[arg-type]
    assert state(rows, check) == ("pass", ["E001:1"])
    rows = checks(tmp_path / "without", event(provider, "other"))
    assert state(rows, check) == ("unknown", [])
    [why] = [row["why"] for row in rows if row["check"] == check]
    assert "no record of this kind in evidence" in why


def test_a_cloud_of_which_nothing_is_in_evidence_has_no_row(tmp_path: Path) -> None:
    rows = checks(tmp_path, event("AWS", "lambda.amazonaws.com", cloud_region=REGION))
    assert {row["provider"] for row in rows} == {"AWS"}


def gcp(service: str, code: str, seconds: float = 0, **more: Any) -> dict[str, object]:
    return event("GCP", service, "Call", code, seconds, **more)


def removing(action: str) -> dict[str, object]:
    delta = {
        "policyDelta": {"auditConfigDeltas": [{"action": action, "service": "allServices", "logType": "DATA_READ"}]}
    }
    return gcp("cloudresourcemanager.googleapis.com", "Management", 9, response=json.dumps(delta))


def test_data_access_is_told_per_service_and_fails_where_it_was_switched_off(tmp_path: Path) -> None:
    records = (gcp("run.googleapis.com", "Data", 1), gcp("cloudfunctions.googleapis.com", "Management", 2))
    rows = checks(tmp_path / "a", *records)
    assert state(rows, DATA_ACCESS, service="run.googleapis.com") == ("pass", ["E001:1"])
    assert state(rows, DATA_ACCESS, service="cloudfunctions.googleapis.com") == ("unknown", [])
    rows = checks(tmp_path / "b", *records, removing("REMOVE"))
    assert state(rows, DATA_ACCESS, service="cloudfunctions.googleapis.com") == ("fail", ["E001:3"])
    rows = checks(tmp_path / "c", *records, removing("ADD"))
    assert state(rows, DATA_ACCESS, service="cloudfunctions.googleapis.com") == ("unknown", [])


def test_a_log_that_was_switched_off_elsewhere_than_aws_fails_with_its_record(tmp_path: Path) -> None:
    ended = event("Azure", "microsoft.insights", "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE")
    check = "no log was switched off or weakened in the records"
    assert state(checks(tmp_path / "a", ended), check) == ("fail", ["E001:1"])
    tried = checks(tmp_path / "b", {**ended, "status": "failure"})
    assert [row for row in tried if row["check"] == check] == []


# ---------------------------------------------------------------------------------------------------- phases


def test_phases_seen_pass_with_a_record_and_others_say_why_not(tmp_path: Path) -> None:
    records = [
        event("AWS", "lambda.amazonaws.com", "CreateFunction20150331", "Management", 1),
        event("AWS", "lambda.amazonaws.com", "UpdateFunctionCode20150331v2", "Management", 2),
        event("AWS", "sts.amazonaws.com", "Nonsense", "Management", 3),
        event("Azure", "microsoft.web", "MICROSOFT.WEB/SITES/WRITE", "Administrative", 4),
    ]
    grid = {(row["provider"], row["phase"]): row for row in phases(tables(tmp_path, api_activity=records))}
    assert set(grid) == {(provider, phase) for provider in ("AWS", "Azure") for phase in PHASES}
    assert (grid["AWS", "create"]["state"], grid["AWS", "create"]["proof"]) == ("pass", ["E001:1"])
    assert grid["AWS", "modify-code"]["events"] == 1
    invoke = grid["AWS", "invoke"]
    assert (invoke["state"], invoke["events"], invoke["proof"]) == ("unknown", 0, [])
    assert "off until somebody switches them on" in invoke["why"]
    assert grid["AWS", "permission"]["why"] == "none in evidence; they are recorded by default"
