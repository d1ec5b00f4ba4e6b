"""Audit logging: pass with a proof, fail with a proof, and unknown where nobody can say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.scoping.events import at, tables

from playbooks.case import Case, CaseFile
from playbooks.coverage.audit_logging import STILL, audit_logging
from playbooks.scoping.logging_changes import all_logging_changes

ACCOUNT, NORTH, WEST = "111122223333", "eu-north-1", "eu-west-1"
ARN = f"arn:aws:cloudtrail:{NORTH}:{ACCOUNT}:trail/corp"
RUNS = "runs of functions are recorded (data events)"
WIDE = "a trail covers every region"
ALL_FUNCTIONS = {
    "EventSelectors": [
        {"ReadWriteType": "All", "DataResources": [{"Type": "AWS::Lambda::Function", "Values": ["arn:aws:lambda"]}]}
    ]
}
NO_FUNCTION = {"EventSelectors": [{"ReadWriteType": "All", "DataResources": []}]}


def call(
    seconds: float, operation: str, region: str = NORTH, service: str = "lambda", **more: Any
) -> dict[str, object]:
    row = {"time": at(seconds), "format": "aws_cloudtrail", "cloud_provider": "AWS", "cloud_account_uid": ACCOUNT}
    named = {"cloud_region": region, "api_operation": operation, "api_service_name": f"{service}.amazonaws.com"}
    return {**row, **named, "status": "success", **more}


def answer(operation: str, content: Any, trail: str = ARN, **more: Any) -> dict[str, object]:
    row = {"time": at(9000), "format": "acquired_answers", "source": "aws", "cloud_provider": "AWS"}
    place = {"cloud_account_uid": ACCOUNT, "cloud_region": NORTH, "resource_name": trail, "api_operation": operation}
    response = content if isinstance(content, str | None) else json.dumps(content)
    return {**row, **place, "status": "answered", "response": response, **more}


def trails(multi: bool = True, **more: Any) -> dict[str, object]:
    one = {"Name": "corp", "TrailARN": ARN, "HomeRegion": NORTH, "IsMultiRegionTrail": multi, **more}
    return answer("DescribeTrails", {"trailList": [one]}, "")


def checked(
    folder: Path, records: list[dict[str, object]], answers: list[dict[str, object]] | None = None, **own: list[str]
) -> list[dict[str, Any]]:
    case = Case(folder, CaseFile.model_validate({"case_id": "LOG-1", "estate": {"own": own}}))
    rows = {"acquired_answers": answers} if answers else {}
    held = tables(folder / "events", api_activity=records, **rows)
    return audit_logging(case, held, all_logging_changes(held))


def state(rows: list[dict[str, Any]], check: str, region: str | None = NORTH) -> tuple[str, list[str]]:
    [row] = [row for row in rows if row["check"] == check and row["region"] == region]
    return row["state"], row["proof"]


# records are E001 without answers, E002 beside answers (E001)
CHANGE, RUN = call(0, "CreateFunction20150331"), call(60, "Invoke")


def test_a_run_in_one_region_says_nothing_of_another(tmp_path: Path) -> None:
    rows = checked(tmp_path, [CHANGE, RUN, call(30, "ListFunctions20150331", WEST)])
    assert state(rows, RUNS) == ("pass", ["E001:2"])
    assert state(rows, RUNS, WEST) == ("unknown", [])
    assert state(rows, "the control plane is recorded") == ("pass", ["E001:1", "E001:2"])


def test_the_run_of_another_service_and_the_one_that_is_always_recorded_are_no_proof(tmp_path: Path) -> None:
    rows = checked(tmp_path, [CHANGE, call(1, "Invoke", service="bedrock-agentcore"), call(2, "LambdaESMDisabled")])
    assert state(rows, RUNS) == ("unknown", [])


@pytest.mark.parametrize(
    ("selectors", "said"),
    [
        (ALL_FUNCTIONS, "pass"),
        (NO_FUNCTION, "fail"),
        ({"EventSelectors": [ALL_FUNCTIONS["EventSelectors"][0] | {"ReadWriteType": "ReadOnly"}]}, "fail"),
        (
            {"EventSelectors": [{"DataResources": [{"Type": "AWS::Lambda::Function", "Values": [ARN + ":f"]}]}]},
            "unknown",
        ),
        ({"EventSelectors": [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:lambda"]}]}]}, "fail"),
        (
            {"AdvancedEventSelectors": [{"FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::Lambda::Function"]},
            ]}]},
            "pass",
        ),
        (
            {"AdvancedEventSelectors": [{"FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::Lambda::Function"]},
                {"Field": "resources.ARN", "NotStartsWith": ["arn:aws:lambda:eu-north-1"]},
            ]}]},
            "unknown",
        ),
        ("not JSON", "unknown"),
        ("[" * 100_000, "unknown"),
        ({"EventSelectors": {"DataResources": 7}}, "unknown"),
        ({"EventSelectors": [{"DataResources": 7}, 7]}, "fail"),
    ],
)  # fmt: skip
def test_selectors_that_were_acquired_decide_where_no_run_is_in_evidence(
    selectors: Any, said: str, tmp_path: Path
) -> None:
    rows = checked(tmp_path, [CHANGE], [trails(), answer("GetEventSelectors", selectors)])
    assert state(rows, RUNS) == (said, ["E001:1", "E001:2"])


def test_a_trail_of_one_region_covers_no_other_and_a_stopped_one_covers_nothing(tmp_path: Path) -> None:
    records = [CHANGE, call(1, "CreateFunction20150331", WEST)]
    selectors = answer("GetEventSelectors", ALL_FUNCTIONS)
    rows = checked(tmp_path / "a", records, [trails(multi=False), selectors])
    assert (state(rows, RUNS)[0], state(rows, RUNS, WEST)[0]) == ("pass", "unknown")
    assert state(rows, WIDE, None) == ("fail", ["E001:1"])
    stopped = checked(tmp_path / "b", records, [trails(), selectors, answer("GetTrailStatus", {"IsLogging": False})])
    assert (state(stopped, RUNS)[0], state(stopped, RUNS, WEST)[0]) == ("fail", "fail")
    assert state(stopped, "trail corp is writing") == ("fail", ["E001:1", "E001:2", "E001:3"])
    assert state(stopped, WIDE, None) == ("pass", ["E001:1"])


def test_without_selectors_and_status_nothing_passes(tmp_path: Path) -> None:
    rows = checked(tmp_path, [CHANGE], [trails(LogFileValidationEnabled=True), answer("GetTrailStatus", {}, "other")])
    assert state(rows, RUNS)[0] == "unknown"
    assert state(rows, "trail corp is writing")[0] == "unknown"
    assert state(rows, "files of trail corp can be verified")[0] == "pass"


def test_a_refused_answer_says_nothing_and_an_unchanged_one_says_what_it_repeats(tmp_path: Path) -> None:
    refused = answer("GetEventSelectors", None, status="refused", status_detail="AccessDenied")
    first = answer("GetEventSelectors", ALL_FUNCTIONS)
    again = answer("GetEventSelectors", None, status="unchanged", same_as="E001:2")
    rows = checked(tmp_path / "a", [CHANGE], [trails(), refused])
    assert state(rows, RUNS)[0] == "unknown"
    rows = checked(tmp_path / "b", [CHANGE], [trails(), first, again])
    assert state(rows, RUNS) == ("pass", ["E001:1", "E001:3"])


def test_without_any_answer_whether_a_trail_covers_every_region_is_unknown(tmp_path: Path) -> None:
    assert state(checked(tmp_path, [CHANGE]), WIDE, None) == ("unknown", [])


def test_a_log_that_records_less_fails_with_the_record_and_a_refused_try_does_not(tmp_path: Path) -> None:
    name = json.dumps({"name": "corp"})
    tried = call(1, "StopLogging", service="cloudtrail", status="failure", request=name)
    assert [row for row in checked(tmp_path / "a", [CHANGE, tried]) if row["check"] == STILL] == []
    none = json.dumps({"trailName": "corp", "eventSelectors": []})
    done = call(1, "PutEventSelectors", service="cloudtrail", request=none)
    assert state(checked(tmp_path / "b", [CHANGE, done]), STILL) == ("fail", ["E001:2"])
    # the state before is not in evidence: nobody can say that it is less
    some = json.dumps({"trailName": "corp", "eventSelectors": [{"readWriteType": "WriteOnly"}]})
    other = call(1, "PutEventSelectors", service="cloudtrail", request=some)
    assert state(checked(tmp_path / "c", [CHANGE, other]), STILL) == ("unknown", ["E001:2"])
    again = call(1, "StartLogging", service="cloudtrail", request=name)
    assert [row for row in checked(tmp_path / "d", [CHANGE, again]) if row["check"] == STILL] == []


@pytest.mark.parametrize(
    ("provider", "operation", "facts"),
    [
        ("Azure", "Microsoft.Insights/diagnosticSettings/delete", {"resource_name": "to-siem"}),
        ("GCP", "google.logging.v2.ConfigServiceV2.DeleteSink", {"resource_name": "all"}),
        (
            "Microsoft 365",
            "Set-AdminAuditLogConfig",
            {"request": '[{"Name": "UnifiedAuditLogIngestionEnabled", "Value": "False"}]'},
        ),
        ("Cloudflare", "delete", {"api_service_name": "logpush", "resource_name": "job-1"}),
        ("Azure", "Microsoft.Insights/scheduledQueryRules/delete", {"resource_name": "new-keys"}),
        ("GCP", "google.logging.v2.LoggingServiceV2.DeleteLog", {"resource_name": "requests"}),
        ("Google Workspace", "DELETE_ALERT", {}),
        ("GitHub", "audit_log_streaming.destroy", {}),
    ],
)
def test_logs_of_every_cloud_are_checked_alike(
    provider: str, operation: str, facts: dict[str, Any], tmp_path: Path
) -> None:
    row = {"time": at(1), "cloud_provider": provider, "cloud_account_uid": "own", "api_operation": operation}
    rows = checked(tmp_path, [{**row, "status": "success", **facts}])
    [found] = [one for one in rows if one["check"] == STILL]
    assert (found["state"], found["provider"], found["account"], found["proof"]) == (
        "fail",
        provider,
        "own",
        ["E001:1"],
    )


def test_an_own_cloud_without_any_record_is_unknown(tmp_path: Path) -> None:
    rows = checked(tmp_path, [CHANGE], aws_accounts=[ACCOUNT, "444455556666"], gcp_projects=["prod-1"])
    unknown = [(row["service"], row["account"]) for row in rows if row["why"] == "no record of it in evidence"]
    assert unknown == [("AWS", "444455556666"), ("GCP", "prod-1")]


def test_without_audit_records_there_is_nothing_to_check(tmp_path: Path) -> None:
    assert checked(tmp_path, []) == []
