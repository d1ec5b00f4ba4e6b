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
from playbooks.scoping.logging_elsewhere import PARTS

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
        ("Microsoft 365", "Set-Mailbox", [{"Name": "AuditEnabled", "Value": "False"}], ("less", "narrowed")),
        ("Microsoft 365", "Set-OrganizationConfig", [{"Name": "AuditDisabled", "Value": "True"}],
         ("less", "narrowed")),
        ("Microsoft 365", "Set-ProtectionAlert", [{"Name": "Disabled", "Value": "True"}], ("less", "narrowed")),
        ("Microsoft 365", "Disable-JournalRule", [{"Name": "Identity", "Value": "all"}], ("less", "stopped")),
        ("Microsoft 365", "Set-Mailbox", [{"Name": "AuditOwner", "Value": "@{Remove=MailboxLogin}"}],
         ("unknown", "not comparable")),
        ("Cloudflare", "delete", None, ("less", "deleted")),
        ("Cloudflare", "job_update", {"enabled": False}, ("less", "narrowed")),
        ("Cloudflare", "job_update", {"enabled": True, "destination_conf": "s3://b?key=x"},
         ("unknown", "not comparable")),
        ("Azure", "Microsoft.OperationalInsights/workspaces/purge/action", None, ("less", "purged")),
        ("Azure", "Microsoft.Insights/dataCollectionRules/delete", None, ("less", "deleted")),
        ("Azure", "Microsoft.Security/pricings/write", {"properties": {"pricingTier": "Free"}}, ("less", "narrowed")),
        ("Azure", "Microsoft.Insights/diagnosticSettings/write",
         {"properties": {"logs": [{"category": "FunctionAppLogs", "enabled": False}]}}, ("less", "narrowed")),
        ("Azure", "Microsoft.OperationalInsights/workspaces/write", {"properties": {"sku": {}}}, None),
        ("GCP", "google.logging.v2.LoggingServiceV2.DeleteLog", None, ("less", "deleted")),
        ("GCP", "google.logging.v2.LoggingServiceV2.WriteLogEntries", None, None),
        ("GCP", "google.monitoring.v3.AlertPolicyService.DeleteAlertPolicy", None, ("less", "deleted")),
        ("GCP", "google.logging.v2.ConfigServiceV2.UpdateSettings", {"settings": {"disableDefaultSink": True}},
         ("less", "narrowed")),
        ("GCP", "google.logging.v2.ConfigServiceV2.UpdateSink",
         {"sink": {"exclusions": [{"name": "quiet", "filter": "resource.type=cloud_run_revision"}]}},
         ("less", "narrowed")),
        ("GCP", "google.logging.v2.ConfigServiceV2.UpdateExclusion", {"exclusion": {"disabled": True}},
         ("more", "widened")),
        ("GCP", "SetIamPolicy", {"policy": {"auditConfigs": []}}, ("less", "narrowed")),
        ("Google Workspace", "SYSTEM_DEFINED_RULE_UPDATED", {"parameters": [
            {"name": "SYSTEM_DEFINED_RULE_NAME", "value": "Suspicious login"},
            {"name": "SYSTEM_DEFINED_RULE_ACTION_STATUS_CHANGE", "value": "Status changed from ON to OFF"}]},
         ("less", "narrowed")),
        ("Google Workspace", "SYSTEM_DEFINED_RULE_UPDATED", {"parameters": {
            "SYSTEM_DEFINED_RULE_ACTION_STATUS_CHANGE": "Status changed from ON to OFF"}}, ("less", "narrowed")),
        ("Google Workspace", "ALERT_RECEIVERS_CHANGED", {"parameters": []}, ("unknown", "not comparable")),
        ("Google Workspace", "DELETE_ALERT", None, ("less", "deleted")),
        ("Google Workspace", "CREATE_USER", None, None),
        ("GitHub", "audit_log_streaming.destroy", None, ("less", "deleted")),
        ("GitHub", "audit_log_streaming.update", None, ("unknown", "not comparable")),
        ("GitHub", "audit_log_streaming.check", None, None),
        ("Okta", "system.log_stream.lifecycle.delete", None, None),
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


def elsewhere(time: str, provider: str, operation: str, content: Any = None, name: str = "one") -> dict[str, Any]:
    text = json.dumps(content) if content is not None else None
    service = "logpush.job" if provider == "Cloudflare" else "x"
    return event(time, operation, text, cloud_provider=provider, api_service_name=service, resource_name=name)


def test_categories_destination_and_retention_of_azure_are_compared_with_the_state_before(tmp_path: Path) -> None:
    def setting(*on: str, workspace: str = "/ws/a") -> dict[str, Any]:
        logs = [{"category": kind, "enabled": kind in on} for kind in ("FunctionAppLogs", "AppServiceHTTPLogs")]
        return {"properties": {"logs": logs, "workspaceId": workspace}}

    write, keep = "Microsoft.Insights/diagnosticSettings/write", "Microsoft.OperationalInsights/workspaces/write"
    records = [
        elsewhere("03-10 08:00", "Azure", write, setting("FunctionAppLogs", "AppServiceHTTPLogs")),
        elsewhere("03-10 09:00", "Azure", write, setting("AppServiceHTTPLogs")),
        elsewhere("03-10 10:00", "Azure", write, setting("FunctionAppLogs", "AppServiceHTTPLogs", workspace="/ws/b")),
        elsewhere("03-10 11:00", "Azure", keep, {"properties": {"retentionInDays": 90}}, "w"),
        elsewhere("03-10 12:00", "Azure", keep, {"properties": {"retentionInDays": 30}}, "w"),
    ]
    frame = changed(tmp_path, records)
    assert told(frame, "effect", "change", "until_ref") == [
        ("unknown", "not comparable", None),
        ("less", "narrowed", "E002:3"),
        ("less", "restored", None),
        ("unknown", "not comparable", None),
        ("less", "shortened", None),
    ]
    assert frame.sentence[1] == "diagnostic setting one narrowed: categories: no longer FunctionAppLogs"
    assert frame.sentence[4] == "log workspace w shortened: retention from 90 days to 30 days"


def test_a_start_and_its_end_are_one_change_and_a_start_that_failed_is_none(tmp_path: Path) -> None:
    delete = "Microsoft.Insights/diagnosticSettings/delete"
    start = elsewhere("03-10 09:00", "Azure", delete) | {"status": None, "metadata_correlation_uid": "c-1"}
    ended = elsewhere("03-10 09:01", "Azure", delete) | {"metadata_correlation_uid": "c-1"}
    begun = elsewhere("03-10 10:00", "Azure", delete, name="two") | {"status": None, "metadata_correlation_uid": "c-2"}
    failed = elsewhere("03-10 10:01", "Azure", delete, name="two") | {"metadata_correlation_uid": "c-2"}
    frame = changed(tmp_path, [start, ended, begun, failed | {"status": "failure"}])
    assert told(frame, "resource", "effect", "change", "ref") == [
        ("one", "less", "deleted", "E002:1"),
        ("two", "same", "attempted", "E002:3"),
    ]


def test_mailbox_audit_ages_and_audit_policies_are_retentions(tmp_path: Path) -> None:
    def age(time: str, text: str) -> dict[str, Any]:
        return elsewhere(time, "Microsoft 365", "Set-Mailbox", [{"Name": "AuditLogAgeLimit", "Value": text}])

    def policy(time: str, text: str) -> dict[str, Any]:
        named = [{"Name": "Identity", "Value": "p"}, {"Name": "RetentionDuration", "Value": text}]
        return elsewhere(time, "Microsoft 365", "Set-UnifiedAuditLogRetentionPolicy", named)

    records = [age("03-10 08:00", "180.00:00:00"), age("03-10 09:00", "1"), age("03-10 09:30", "x"),
               policy("03-10 10:00", "TwelveMonths"), policy("03-10 11:00", "ThreeMonths")]  # fmt: skip
    frame = changed(tmp_path, records)
    assert told(frame, "effect", "change", "resource") == [
        ("unknown", "not comparable", "one"),
        ("less", "shortened", "one"),
        ("unknown", "not comparable", "p"),
        ("less", "shortened", "p"),
    ]


def test_a_rule_of_workspace_that_is_switched_off_and_on_again_is_one_gap(tmp_path: Path) -> None:
    def switched(time: str, way: str) -> dict[str, Any]:
        given = {"SYSTEM_DEFINED_RULE_NAME": "Suspicious login",
                 "SYSTEM_DEFINED_RULE_ACTION_STATUS_CHANGE": f"Status changed from {way}."}  # fmt: skip
        content = {"parameters": [{"name": name, "value": value} for name, value in given.items()]}
        return elsewhere(time, "Google Workspace", "SYSTEM_DEFINED_RULE_UPDATED", content)

    frame = changed(tmp_path, [switched("03-10 09:00", "ON to OFF"), switched("03-10 10:00", "OFF to ON")])
    assert told(frame, "effect", "change", "resource", "until_ref") == [
        ("less", "narrowed", "Suspicious login", "E002:2"),
        ("more", "restored", "Suspicious login", None),
    ]


def test_a_destination_of_cloudflare_is_told_without_its_secret_and_a_new_one_redirects(tmp_path: Path) -> None:
    def job(time: str, where: str) -> dict[str, Any]:
        return elsewhere(time, "Cloudflare", "job_update", {"enabled": True, "destination_conf": where})

    frame = changed(tmp_path, [job("03-10 09:00", "s3://a?secret=x"), job("03-10 10:00", "https://b.example?secret=y")])
    assert told(frame, "effect", "change")[1] == ("less", "redirected")
    assert "secret" not in " ".join([*frame.sentence, *frame.after])


@pytest.mark.parametrize("provider", sorted(PARTS))
def test_hostile_records_of_every_reader_stop_nothing(tmp_path: Path, provider: str) -> None:
    deep = "[" * 100_000
    shapes = [deep, "7", "null", json.dumps([1, {"Name": [], "Value": {}}]), json.dumps({"sink": [1], "exclusion": 3}),
              json.dumps({"properties": {"logs": [None, {"enabled": {}}], "retentionInDays": "9" * 400}}),
              json.dumps({"parameters": {"a": 1}, "settings": [], "policy": {"auditConfigs": [1, {"service": []}]}}),
              json.dumps({"enabled": [], "destination_conf": {}, "Properties": 5})]  # fmt: skip
    names = [
        *("Microsoft.Insights/diagnosticSettings/write", "Microsoft.OperationalInsights/workspaces/write"),
        *("Microsoft.Security/pricings/write", "Microsoft.Network/networkWatchers/flowLogs/write", "SetIamPolicy"),
        *(f"google.logging.v2.ConfigServiceV2.{verb}" for verb in ("UpdateSink", "CreateExclusion", "UpdateSettings")),
        *("SYSTEM_DEFINED_RULE_UPDATED", "Set-Mailbox", "Set-AdminAuditLogConfig", "logpush job_update"),
        *("audit_log_streaming.update", "audit_log_streaming.x"),
    ]
    records = [event("03-10 09:00", name, shape, cloud_provider=provider) for name in names for shape in shapes]
    assert set(changed(tmp_path, records).effect) <= {"less", "more", "same", "unknown"}


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
