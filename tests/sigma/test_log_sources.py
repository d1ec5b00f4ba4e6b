"""Log sources and fields: which records a rule speaks of, and where its fields stand in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.sigma.sigma_case import by_title, case_of, cloudtrail, matched, ran, rule

from playbooks.formats import FORMATS
from playbooks.schema import SIGMA_MATCHES
from playbooks.sigma import sigma_signals
from playbooks.sigma.sources import log_sources

AT = "2026-03-10T09:00:00Z"
ENTRA = {
    "time": AT,
    "operationName": "Add member to role",
    "category": "AuditLogs",
    "tenantId": "t-1",
    "properties": {
        "activityDisplayName": "Add member to role",
        "category": "RoleManagement",
        "result": "success",
        "targetResources": [{"type": "User", "modifiedProperties": [{"displayName": "Role", "newValue": "Owner"}]}],
    },
}
SIGN_IN = {
    "time": AT,
    "operationName": "Sign-in activity",
    "category": "SignInLogs",
    "resultType": "50126",
    "properties": {
        "userPrincipalName": "dana@example.test",
        "ipAddress": "192.0.2.10",
        "authenticationRequirement": "singleFactorAuthentication",
    },
}
UAL = {
    "CreationTime": "2026-03-10T09:00:00",
    "Operation": "AlertTriggered",
    "RecordType": 40,
    "UserId": "dana@example.test",
    "Workload": "SecurityComplianceCenter",
    "Name": "User restricted",
    "Status": "success",
}
WORKSPACE = {
    "id": {"time": AT, "applicationName": "admin", "uniqueQualifier": "1", "customerId": "C1"},
    "actor": {"email": "dana@example.test"},
    "events": [
        {
            "type": "SETTINGS",
            "name": "CHANGE_APPLICATION_SETTING",
            "parameters": [{"name": "SETTING_NAME", "value": "SSO"}, {"name": "NEW_VALUE", "value": "false"}],
        }
    ],
}
AZURE_API = {
    "authorization": {"action": "x"},
    "eventDataId": "e",
    "eventTimestamp": AT,
    "caller": "dana@example.test",
    "operationName": {"value": "Microsoft.Web/sites/write"},
    "status": {"value": "Succeeded"},
    "category": {"value": "Administrative"},
}
TABLE = {
    "TimeGenerated": AT,
    "EventName": "Invoke",
    "EventSource": "lambda.amazonaws.com",
    "SourceIpAddress": "192.0.2.10",
    "UserIdentityType": "IAMUser",
    "RequestParameters": json.dumps({"functionName": "pay", "l": [{"a": "b"}]}),
}
LOOKUP = {"EventName": "Invoke", "CloudTrailEvent": json.dumps(cloudtrail(eventName="Invoke"))}

FITS: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "Entra audit by its message": (ENTRA, "azure", "auditlogs", "properties.message: add member to role"),
    "Entra audit through lists": (ENTRA, "azure", "auditlogs", "TargetResources.ModifiedProperties.NewValue: owner"),
    "Entra audit, the category of the act": (ENTRA, "azure", "auditlogs", "Category: RoleManagement"),
    "Entra sign-in": (SIGN_IN, "azure", "signinlogs", "AuthenticationRequirement: singleFactorAuthentication"),
    "Entra sign-in by its code": (SIGN_IN, "azure", "signinlogs", "ResultType: 50126"),
    "an alert of Microsoft 365": (UAL, "m365", "threat_management", "eventName: User restricted"),
    "its source": (UAL, "m365", "threat_management", "eventSource: SecurityComplianceCenter"),
    "a parameter of Workspace": (WORKSPACE, "gcp", "google_workspace.admin", "setting_name: sso"),
    "a service of Workspace": (WORKSPACE, "gcp", "google_workspace.admin", "eventService: admin.googleapis.com"),
    "an operation of Azure's interface": (
        AZURE_API,
        "azure",
        "activitylogs",
        "operationName: MICROSOFT.WEB/SITES/WRITE",
    ),
    "a column of a table": (TABLE, "aws", "cloudtrail", "eventName: Invoke"),
    "a value in a column of JSON text": (TABLE, "aws", "cloudtrail", "requestParameters.functionName: pay"),
    "a list in a column of JSON text": (TABLE, "aws", "cloudtrail", "requestParameters.l.a: b"),
    "a record wrapped as text": (LOOKUP, "aws", "cloudtrail", "userIdentity.userName: dana"),
}


@pytest.mark.parametrize("name", FITS)
def test_a_field_is_found_where_the_format_has_it(name: str, tmp_path: Path) -> None:
    record, product, service, test = FITS[name]
    source = f"logsource: {{product: {product}, service: {service}}}\n"
    text = rule(name, f"detection:\n  a: {{{test}}}\n  condition: a", source)
    run = ran(case_of(tmp_path, [record], {"a.yml": text}))
    assert matched(run) == {name: [1]}, by_title(run)[name]


def test_a_rule_looks_at_the_records_of_its_log_source_alone(tmp_path: Path) -> None:
    body = "detection:\n  a: {properties.message: '*'}\n  condition: a"
    rules = {
        f"{s}.yml": rule(s, body, f"logsource: {{product: azure, service: {s}}}\n") for s in ("auditlogs", "signinlogs")
    }
    failed = SIGN_IN | {"resultDescription": "bad password"}
    run = ran(case_of(tmp_path, [ENTRA, failed], rules))
    assert matched(run) == {"auditlogs": [1], "signinlogs": [2]}
    assert {one.title: one.records for one in by_title(run).values()} == {"auditlogs": 1, "signinlogs": 1}


def test_clear_says_over_what_and_names_fields_that_no_record_has(tmp_path: Path) -> None:
    text = rule("a", "detection:\n  a: {eventName: Invoke, no.such.field: x}\n  condition: a")
    outcome = by_title(ran(case_of(tmp_path, [cloudtrail(s) for s in range(3)], {"a.yml": text})))["a"]
    assert (outcome.status, outcome.records) == ("clear", 3)
    assert outcome.reason == "records looked at: 3 of aws/cloudtrail; in none of them stands no.such.field"


def test_blind_says_what_is_missing(tmp_path: Path) -> None:
    body = "detection:\n  a: {action: x}\n  condition: a"
    rules = {
        "github.yml": rule("no records", body, "logsource: {product: github, service: audit}\n"),
        "risk.yml": rule("no such records", body, "logsource: {product: azure, service: riskdetection}\n"),
        "duo.yml": rule("no format", body, "logsource: {product: cisco, service: duo}\n"),
        "windows.yml": rule("no mapping", body, "logsource: {product: windows, category: process_creation}\n"),
    }
    found = by_title(ran(case_of(tmp_path, [cloudtrail()], rules)))
    assert {title: one.reason for title, one in found.items() if one.status == "blind"} == {
        "no records": "no telemetry: the case holds no records of github_audit",
        "no such records": "no telemetry: the case holds no records of entra_logs (UserRiskEvents, RiskyUsers, "
        "ServicePrincipalRiskEvents, RiskyServicePrincipals)",
        "no format": "no format of the kit reads Duo's log",
        "no mapping": "no mapping: the kit knows no records for the log source "
        "product windows, category process_creation",
    }


def test_records_of_another_log_in_the_same_file_are_looked_at_as_what_they_are(tmp_path: Path) -> None:
    rules = {
        "aws.yml": rule("aws", "detection:\n  a: {eventName: Invoke}\n  condition: a"),
        "okta.yml": rule(
            "okta",
            "detection:\n  a: {eventType: user.session.start}\n  condition: a",
            "logsource: {product: okta, service: okta}\n",
        ),
    }
    okta = {
        "actor": {"alternateId": "dana@example.test"},
        "eventType": "user.session.start",
        "published": AT,
        "uuid": "u",
    }
    records = [cloudtrail(s, eventName="Invoke") for s in range(8)] + [okta]
    assert matched(ran(case_of(tmp_path, records, rules))) == {"aws": list(range(1, 9)), "okta": [9]}


def test_every_log_source_names_formats_of_the_kit_or_says_why_there_are_none() -> None:
    known = {form.name for form in FORMATS}
    for source in log_sources():
        assert set(source.dialects) <= known, source.name
        assert set(source.codes) <= set(source.dialects), source.name
        assert bool(source.dialects) != bool(source.blind), source.name


def test_matches_become_one_signal_a_rule_principal_and_resource(tmp_path: Path) -> None:
    body = "detection:\n  a: {eventName: Invoke}\n  condition: a"
    rules = {
        "high.yml": rule("high <b>", body, level="high", tags="[attack.t1648, attack.execution]"),
        "info.yml": rule("info", body, level="informational"),
    }
    records = [cloudtrail(s, eventName="Invoke", requestParameters={"functionName": "pay"}) for s in range(3)]
    run = ran(case_of(tmp_path, records, rules))
    assert list(run.matches.columns) == list(SIGMA_MATCHES.names)
    [signal] = sigma_signals(run.matches)
    assert signal.sentence == "The Sigma rule ‘high <b>’ (high; ../rules/high.yml) fits 3 times"
    assert (signal.kind, signal.weight, signal.principal, signal.resource) == ("sigma", 0.3, "dana", "pay")
    assert (signal.refs, signal.attack) == (("E001:1", "E001:2", "E001:3"), ("T1648",))
