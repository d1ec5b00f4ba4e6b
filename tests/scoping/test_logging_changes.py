"""Changes of what is logged: less, more or the same, compared with the state before, and until when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.scoping import events
from tests.scoping.cloud_case import CI, HOME, MALLORY, at, case_of, event
from tests.scoping.test_passed_roles import answer

from playbooks import schema
from playbooks.scoping.logging_changes import logging_changes

TRAIL = {"api_service_name": "cloudtrail.amazonaws.com"}
LOGS = {"api_service_name": "logs.amazonaws.com"}
ALL_RUNS = {"type": "AWS::Lambda::Function", "values": ["arn:aws:lambda"]}
ALL_OBJECTS = {"type": "AWS::S3::Object", "values": ["arn:aws:s3"]}


def trail(time: str, operation: str, request: dict[str, Any], **more: Any) -> dict[str, Any]:
    return event(time, operation, request, MALLORY, **{**TRAIL, **more})


def selected(time: str, *resources: dict[str, Any], management: bool = True, **more: Any) -> dict[str, Any]:
    one = {"readWriteType": "All", "includeManagementEvents": management, "dataResources": list(resources)}
    return trail(time, "PutEventSelectors", {"trailName": "main", "eventSelectors": [one]}, **more)


def changed(tmp_path: Path, records: list[dict[str, Any]], answers: list[dict[str, Any]] | None = None) -> pd.DataFrame:
    frame = logging_changes(
        events.tables(tmp_path / "events", acquired_answers=answers or [], api_activity=records), case_of(tmp_path)
    )
    assert tuple(frame.columns) == schema.LOGGING_CHANGES.names
    return frame


def told(frame: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in frame[list(names)].itertuples(index=False, name=None)]


def test_a_trail_that_is_stopped_and_started_again_recorded_less_for_that_span(tmp_path: Path) -> None:
    arn = f"arn:aws:cloudtrail:eu-central-1:{HOME}:trail/main"
    frame = changed(
        tmp_path,
        [trail("03-10 09:00", "StopLogging", {"name": arn}), trail("03-10 10:00", "StartLogging", {"name": "main"})],
    )
    assert told(frame, "ref", "effect", "change", "resource", "principal") == [
        ("E002:1", "less", "stopped", "main", "mallory"),
        ("E002:2", "more", "restored", "main", "mallory"),
    ]
    assert (frame.until[0], frame.until_ref[0], frame.until_ref[1]) == (at("03-10 10:00"), "E002:2", None)


def test_selectors_that_add_data_events_record_more_and_those_that_take_them_away_less(tmp_path: Path) -> None:
    records = [
        trail("03-10 08:00", "CreateTrail", {"name": "main", "s3BucketName": "logs", "isMultiRegionTrail": True}),
        selected("03-10 09:00", ALL_RUNS),
        selected("03-10 10:00", ALL_RUNS, ALL_OBJECTS),
        selected("03-10 11:00", ALL_OBJECTS),
        selected("03-10 11:00", ALL_OBJECTS),
        selected("03-10 12:00", {**ALL_RUNS, "values": ["arn:aws:lambda:x:1:function:a"]}, ALL_OBJECTS),
        selected("03-10 13:00", ALL_RUNS, ALL_OBJECTS),
    ]
    frame = changed(tmp_path, records)
    assert told(frame, "effect", "change", "before_ref", "until_ref") == [
        ("more", "set up", None, None),
        ("more", "widened", "E002:1", None),
        ("more", "widened", "E002:2", None),
        ("less", "narrowed", "E002:3", "E002:7"),
        ("same", "unchanged", "E002:4", None),
        ("more", "widened", "E002:5", None),
        ("more", "restored", "E002:6", None),
    ]
    assert frame.sentence[3] == (
        "trail main narrowed: what it records: no longer AWS::Lambda::Function reads, AWS::Lambda::Function writes"
    )


def test_selectors_before_which_nothing_is_known_are_not_called_tampering_unless_they_record_nothing(
    tmp_path: Path,
) -> None:
    nothing = [selected("03-10 09:00", {**ALL_RUNS, "values": []}, management=False)]
    assert told(changed(tmp_path / "a", nothing), "effect", "change") == [("less", "narrowed")]
    assert told(changed(tmp_path / "b", [selected("03-10 09:00", ALL_RUNS)]), "effect", "change", "before") == [
        ("unknown", "not comparable", None)
    ]


def test_advanced_selectors_are_compared_with_basic_ones(tmp_path: Path) -> None:
    fields = [{"field": "eventCategory", "equals": ["Data"]}, {"field": "resources.type", "equals": [ALL_RUNS["type"]]}]
    management = {"fieldSelectors": [{"field": "eventCategory", "equals": ["Management"]}]}
    advanced = {"trailName": "main", "advancedEventSelectors": [management, {"fieldSelectors": fields}]}
    narrower = [{"fieldSelectors": [*fields, {"field": "resources.ARN", "startsWith": ["arn:x"]}]}, management]
    records = [
        selected("03-10 09:00", ALL_RUNS),
        trail("03-10 10:00", "PutEventSelectors", advanced),
        trail("03-10 11:00", "PutEventSelectors", {**advanced, "advancedEventSelectors": narrower}),
    ]
    assert told(changed(tmp_path, records), "effect", "change")[1:] == [("same", "unchanged"), ("less", "narrowed")]


def test_what_was_acquired_before_the_change_tells_the_state_before_it(tmp_path: Path) -> None:
    place = {"api_service_name": "cloudtrail", "cloud_region": "eu-central-1", "time": at("03-10 08:00")}
    runs = {"Type": ALL_RUNS["type"], "Values": ["arn:aws:lambda"]}
    selector = {"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": [runs]}
    listed = [{"Name": "main", "IsMultiRegionTrail": True, "S3BucketName": "a"}]
    answers = [
        answer("DescribeTrails", "", {"trailList": listed}, **place),
        answer("GetEventSelectors", "main", {"EventSelectors": [selector]}, **place),
    ]
    records = [
        selected("03-10 09:00"),
        trail("03-10 10:00", "UpdateTrail", {"name": "main", "s3BucketName": "b"}),
        trail("03-10 11:00", "UpdateTrail", {"name": "main", "isMultiRegionTrail": False}),
        trail("03-10 12:00", "UpdateTrail", {"name": "main", "s3BucketName": "a", "isMultiRegionTrail": True}),
    ]
    frame = changed(tmp_path, records, answers)
    assert told(frame, "effect", "change", "before_ref") == [
        ("less", "narrowed", "E001:2"),
        ("less", "redirected", "E001:1"),
        ("less", "narrowed", "E001:1"),
        ("more", "restored", "E002:2"),
    ]
    assert list(frame.until_ref) == [None, "E002:4", "E002:4", None]


def group(time: str, operation: str, **request: Any) -> dict[str, Any]:
    return event(time, operation, {"logGroupName": "/aws/lambda/billing", **request}, CI, **LOGS)


def test_retention_is_shortened_or_lengthened(tmp_path: Path) -> None:
    records = [
        group("03-09 07:00", "CreateLogGroup"),
        group("03-10 08:00", "PutRetentionPolicy", retentionInDays=30),
        group("03-10 09:00", "PutRetentionPolicy", retentionInDays=1),
        group("03-10 10:00", "PutRetentionPolicy", retentionInDays=90),
        group("03-10 11:00", "DeleteRetentionPolicy"),
        group("03-10 12:00", "DeleteLogGroup"),
    ]
    frame = changed(tmp_path, records)
    assert told(frame, "effect", "change", "until_ref") == [
        ("less", "shortened", "E002:5"),
        ("less", "shortened", "E002:4"),
        ("more", "restored", None),
        ("more", "restored", None),
        ("less", "deleted", None),
    ]
    assert frame.sentence[1] == "log group /aws/lambda/billing shortened: retention from 30 days to 1 days"


def test_a_function_whose_log_group_changes_is_redirected_and_other_changes_of_it_are_none(tmp_path: Path) -> None:
    records = [
        event("03-10 08:00", "CreateFunction20150331", {"functionName": "billing"}),
        event("03-10 08:30", "UpdateFunctionConfiguration20150331v2", {"functionName": "billing", "memorySize": 256}),
        event("03-10 09:00", "UpdateFunctionConfiguration20150331v2",
              {"functionName": "billing", "loggingConfig": {"logGroup": "/elsewhere", "systemLogLevel": "INFO"}}),
        event("03-10 10:00", "UpdateFunctionConfiguration20150331v2",
              {"functionName": "billing", "loggingConfig": {"logGroup": "/elsewhere", "systemLogLevel": "WARN"}}),
    ]  # fmt: skip
    assert told(changed(tmp_path, records), "ref", "effect", "change") == [
        ("E002:3", "less", "redirected"),
        ("E002:4", "less", "narrowed"),
    ]


def test_an_attempt_changes_nothing(tmp_path: Path) -> None:
    denied = {"denied": "AccessDenied: no"}
    records = [
        trail("03-10 09:00", "StopLogging", {"name": "main"}, **denied),
        trail("03-10 09:01", "StartLogging", {"name": "main"}, **denied),
        event("03-10 09:02", "CreateFunction20150331", {"functionName": "billing"}, **denied),
    ]
    assert told(changed(tmp_path, records), "ref", "effect", "change", "outcome") == [
        ("E002:1", "same", "attempted", "failure")
    ]


@pytest.mark.parametrize(
    ("provider", "operation", "request_text", "expected"),
    [
        ("Azure", "MICROSOFT.INSIGHTS/DIAGNOSTICSETTINGS/DELETE", None, ("less", "deleted")),
        ("Azure", "Microsoft.Insights/diagnosticSettings/write", None, ("more", "widened")),
        ("GCP", "google.logging.v2.ConfigServiceV2.DeleteSink", None, ("less", "deleted")),
        ("GCP", "google.logging.v2.ConfigServiceV2.CreateExclusion", {}, ("less", "excluded")),
        ("GCP", "google.logging.v2.ConfigServiceV2.UpdateSink", {"sink": {"disabled": True}}, ("less", "narrowed")),
        ("GCP", "SetIamPolicy", {"policyDelta": {"auditConfigDeltas": [
            {"action": "REMOVE", "logType": "DATA_READ", "service": "run.googleapis.com"}]}}, ("less", "narrowed")),
        ("GCP", "SetIamPolicy", {"policyDelta": {"auditConfigDeltas": [
            {"action": "ADD", "logType": "DATA_READ", "exemptedMember": "user:a@b.example"}]}}, ("less", "narrowed")),
        ("GCP", "SetIamPolicy", {"policyDelta": {"bindingDeltas": []}}, None),
        ("Microsoft 365", "Set-AdminAuditLogConfig",
         [{"Name": "UnifiedAuditLogIngestionEnabled", "Value": "False"}], ("less", "narrowed")),
        ("Microsoft 365", "Set-AdminAuditLogConfig",
         [{"Name": "UnifiedAuditLogIngestionEnabled", "Value": "True"}], ("more", "widened")),
        ("Microsoft 365", "Set-MailboxAuditBypassAssociation",
         [{"Name": "AuditBypassEnabled", "Value": "True"}], ("less", "narrowed")),
        ("Microsoft 365", "Set-Mailbox", [{"Name": "ForwardingAddress", "Value": "x"}], None),
        ("Cloudflare", "delete", None, ("less", "deleted")),
    ],
)  # fmt: skip
def test_the_other_clouds_have_logs_that_can_be_ended_too(
    tmp_path: Path, provider: str, operation: str, request_text: Any, expected: Any
) -> None:
    service = "logpush.job" if provider == "Cloudflare" else "x"
    content = json.dumps(request_text) if request_text is not None else None
    record = event("03-10 09:00", operation, content, cloud_provider=provider, api_service_name=service,
                   resource_name="one")  # fmt: skip
    assert told(changed(tmp_path, [record]), "effect", "change") == ([expected] if expected else [])


def test_hostile_requests_stop_nothing(tmp_path: Path) -> None:
    deep = "[" * 100_000
    shapes = [deep, "7", json.dumps({"eventSelectors": [1, {"dataResources": {"a": 1}, "readWriteType": []}]}),
              json.dumps({"advancedEventSelectors": [{"fieldSelectors": [None, {"field": 1, "equals": {}}]}]}),
              json.dumps({"retentionInDays": "9" * 400, "logGroupName": "\ud800", "name": ["x"], "features": 3}),
              json.dumps({"retentionInDays": {"x": 1}, "configurationRecorder": [], "loggingConfig": 5})]  # fmt: skip
    names = ("PutEventSelectors", "CreateTrail", "StopLogging", "PutInsightSelectors")
    records = [trail("03-10 09:00", name, shape) for name in names for shape in shapes]
    records += [event("03-10 09:00", "PutRetentionPolicy", shape, CI, **LOGS) for shape in shapes]
    records += [event("03-10 09:00", "UpdateFunctionConfiguration", shape) for shape in shapes]
    config = {"api_service_name": "config.amazonaws.com"}
    records += [event("03-10 09:00", "PutConfigurationRecorder", shape, **config) for shape in shapes]
    answers = [
        answer(name, "x", response=deep) for name in ("DescribeTrails", "GetEventSelectors", "DescribeLogGroups")
    ]
    answers += [answer("DescribeTrails", "x", {"trailList": [1, {"Name": []}]})]
    assert set(changed(tmp_path, records, answers).outcome) == {"success"}
