"""One call as a cloud module reads it, and JSON that nobody should meet."""

from __future__ import annotations

import json
from typing import Any

from playbooks.case_file import Own
from playbooks.knowledge.operations import load_operations
from playbooks.scoping.clouds import Facts, cloud_of
from playbooks.scoping.clouds.cloud import Call
from playbooks.scoping.clouds.record_json import json_record

HOUSE = Own(azure_tenants=["11111111-1111-4111-8111-111111111111"], zones=["example.com"])
DEEP = "[" * 5000 + "]" * 5000
HOSTILE = [
    None,
    "",
    "{",
    "null",
    "[]",
    "[1, null, {}]",
    '"text"',
    '{"properties": null, "identity": null}',
    '{"properties": "x", "identity": ["a"]}',
    '{"properties": {"config": [{"bindings": [7, {"authLevel": {"a": 1}}]}], "files": {"function.json": 5}}}',
    '{"properties": {"ipSecurityRestrictions": {"ipAddress": [], "action": 0}, "definition": {"triggers": 3}}}',
    '{"properties": {"definition": {"triggers": {"a": {"type": ["Request"]}}}, "runbook": {"name": {}}}}',
    '{"properties": {"destination": {"properties": {"endpointUrl": "https://[::1"}}, "issuer": "\\ud800"}}',
    '{"properties": {"configuration": {"ingress": true}}, "identity": {"userAssignedIdentities": {"\\udfff": 1}}}',
    '[{"Name": "ForwardTo", "Value": ["a@b.c", {"x": 1}]}, {"Name": 7, "Value": "\\ud83d"}, {"Value": "x"}]',
    '[{"Name": "RuleActions", "Value": "[{\\"ActionType\\": []}, 4]"}, {"Name": "User", "Value": "@"}]',
    '[{"modifiedProperties": [{"displayName": "ConsentAction.Permissions", "newValue": "=> Scope"}, null]}]',
    '[{"modifiedProperties": {"displayName": "FederatedIdentityCredentials", "newValue": "[{\\"Issuer\\": 1}, 2]"}}]',
    json.dumps([{"displayName": "x" * 100_000, "type": "Application"}]),
    DEEP,
    f'{{"properties": {DEEP}}}',
]
NAMES = [
    None,
    "",
    "/",
    "//",
    "/subscriptions//providers//",
    "/providers/microsoft.web/sites",
    "\\ud800",
    "\\",
    "é/" * 3000,
]


def facts(
    provider: str, operation: str, request: Any = None, response: Any = None, uid: str | None = None, **told: Any
) -> Facts:
    """What a call tells; request and response as JSON text or as what becomes one."""
    known = load_operations().find(provider, told.get("service"), operation)
    assert known is not None, operation
    asked, answered = (
        json_record(one if isinstance(one, str | None) else json.dumps(one)) for one in (request, response)
    )
    call = Call(
        known,
        asked,
        answered,
        told.get("account"),
        None,
        told.get("name"),
        uid,
        told.get("failed", False),
        None,
        told.get("own", HOUSE),
    )
    return cloud_of(provider).facts(call)
