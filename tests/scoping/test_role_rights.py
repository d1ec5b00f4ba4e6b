"""Rights beyond AWS: roles that were granted in Azure, Google Cloud and Entra, beside the calls of their holders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.scoping import events
from tests.scoping.cloud_case import at, case_of

from playbooks import schema
from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.rights import rights

SUB = "aaaaaaaa-0000-0000-0000-0000000000aa"
ANNA, EVE = "aaaaaaaa-0000-0000-0000-000000000001", "eeeeeeee-0000-0000-0000-000000000009"
OWNER, WEB = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "de139f84-1756-47ae-9be6-808fbbe84772"
OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
CUSTOM = "cccccccc-0000-0000-0000-00000000000c"
SITE = f"/subscriptions/{SUB}/resourcegroups/shop/providers/microsoft.web/sites/pay"
PROJECT = "example-shop"
STRANGER = "x@elsewhere.iam.gserviceaccount.com"
ASSIGN = "Add app role assignment to service principal"


def azure(time: str, operation: str, resource: str, body: Any = None, **more: Any) -> dict[str, Any]:
    record = {"time": at(time), "format": "azure_activity", "cloud_provider": "Azure", "cloud_account_uid": SUB,
              "api_operation": operation, "api_service_name": operation.split("/")[0].lower(), "status": "success",
              "actor_user_uid": EVE, "actor_user_name": "eve@example.test", "actor_user_type": "User",
              "resource_uid": resource.lower(), "resource_name": resource.rsplit("/", 1)[-1]}  # fmt: skip
    return {**record, "request": body if isinstance(body, str | None) else json.dumps(body), **more}


def assigned(time: str, role: str, scope: str = f"/subscriptions/{SUB}", holder: str = EVE, number: int = 1,
             **more: Any) -> dict[str, Any]:  # fmt: skip
    """As the portal writes it: keys in capitals, the role by its whole id."""
    properties = {"PrincipalId": holder, "PrincipalType": "User",
                  "RoleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{role}",
                  "Scope": scope}  # fmt: skip
    place = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{number:08d}-0000-0000-0000-000000000000"
    body = {"Id": place.rsplit("/", 1)[-1], "Properties": {**properties, **more.pop("properties", {})}}
    return azure(time, "Microsoft.Authorization/roleAssignments/write", place, body, **more)


def google(time: str, method: str, resource: str = f"projects/{PROJECT}", request: Any = None, response: Any = None,
           **more: Any) -> dict[str, Any]:  # fmt: skip
    record = {"time": at(time), "format": "gcp_audit", "cloud_provider": "GCP", "cloud_account_uid": PROJECT,
              "api_operation": method, "api_service_name": "x.googleapis.com", "status": "success",
              "actor_user_name": "eve@example.test", "actor_user_uid": "user:eve@example.test",
              "resource_uid": resource, "resource_name": resource.rsplit("/", 1)[-1]}  # fmt: skip
    return {**record, "request": json.dumps(request), "response": json.dumps(response), **more}


def bound(time: str, role: str, member: str, action: str = "ADD", resource: str = f"projects/{PROJECT}",
          **condition: Any) -> dict[str, Any]:  # fmt: skip
    delta = {"action": action, "role": role, "member": member, **condition}
    return google(time, "SetIamPolicy", resource, response={"policyDelta": {"bindingDeltas": [delta]}})


def asked(operation: str, provider: str, resource: str, account: str, content: Any) -> dict[str, Any]:
    return {"time": at("03-11 20:00"), "format": "acquired_answers", "source": provider.lower(), "status": "answered",
            "cloud_provider": provider, "cloud_account_uid": account, "api_operation": operation,
            "resource_name": resource, "response": json.dumps(content)}  # fmt: skip


def judged(tmp_path: Path, records: list[dict[str, Any]], answers: list[dict[str, Any]] | None = None,
           **own: Any) -> pd.DataFrame:  # fmt: skip
    tables = events.tables(tmp_path / "events", acquired_answers=answers or [], api_activity=records)
    case = case_of(tmp_path, **({"estate": {"own": own}} if own else {}))
    frame = rights(cloud_activity(tables, case), tables, case)
    assert tuple(frame.columns) == schema.RIGHTS.names
    return frame[frame.kind != "used"].reset_index(drop=True)


def told(frame: pd.DataFrame, *names: str, kind: str | None = None) -> list[tuple[Any, ...]]:
    rows = frame[frame.kind == kind] if kind else frame[~frame.kind.isin(["not_answerable", "unused", "ungranted"])]
    return [tuple(row) for row in rows[list(names)].itertuples(index=False, name=None)]


def test_owner_of_a_subscription_holds_everything_and_owner_of_one_app_that_app(tmp_path: Path) -> None:
    frame = judged(tmp_path, [assigned("03-10 09:00", OWNER), assigned("03-10 09:01", OWNER, SITE, ANNA, 2)])
    assert told(frame, "kind", "identity", "policy", "account") == [
        ("all_actions", EVE, "Owner", SUB),
        ("pass_role_wide", EVE, "Owner", SUB),
        ("pass_role", ANNA, "Owner", SUB),
        ("role_grant", ANNA, "Owner", SUB),
    ]
    assert frame.sentence[0].startswith(f"holds Owner on /subscriptions/{SUB}, without condition, and may change code")
    assert list(frame.policy_refs[0]) == ["E002:1"]


def test_a_start_without_outcome_and_its_end_are_one_grant_and_a_failure_gives_nothing(tmp_path: Path) -> None:
    whole = assigned("03-10 09:00", WEB)
    start = {**whole, "status": None, "metadata_correlation_uid": "c-1"}
    end = {**whole, "time": at("03-10 09:01"), "request": None, "metadata_correlation_uid": "c-1"}
    refused = {**assigned("03-10 09:02", OWNER, number=2), "status": "failure"}
    frame = judged(tmp_path, [start, end, refused])
    assert told(frame, "kind", "policy") == [("role_grant", "Website Contributor")]


def test_an_assignment_that_was_deleted_stays_with_the_record_that_ended_it(tmp_path: Path) -> None:
    given = assigned("03-10 09:00", WEB)
    gone = azure("03-10 09:10", "Microsoft.Authorization/roleAssignments/delete", given["resource_uid"])
    frame = judged(tmp_path, [given, gone])
    assert told(frame, "kind", "ended") == [("role_grant", "E002:2")]
    assert not set(frame.kind) & {"unused"}


def test_managed_identity_operator_may_act_as_another_identity(tmp_path: Path) -> None:
    condition = {"Condition": "@Resource[x] StringEquals 'y'"}
    frame = judged(tmp_path, [assigned("03-10 09:00", OPERATOR, properties=condition)])
    assert told(frame, "kind", "action") == [
        ("pass_role_wide", "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action")
    ]
    assert 'with condition "@Resource[x]' in frame.sentence[0]


def test_a_custom_role_is_judged_by_its_definition_in_evidence_and_not_answerable_without(tmp_path: Path) -> None:
    definition = azure("03-10 08:00", "Microsoft.Authorization/roleDefinitions/write",
                       f"/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{CUSTOM}",
                       {"properties": {"roleName": "deployer", "permissions": [
                           {"actions": ["Microsoft.Web/*"],
                            "notActions": ["Microsoft.Web/sites/functions/write"]}]}})  # fmt: skip
    frame = judged(tmp_path / "a", [definition, assigned("03-10 09:00", CUSTOM)])
    assert told(frame, "kind", "policy") == [("role_grant", "deployer")]
    assert "Microsoft.Web/sites/config/write" in frame.sentence[0]
    assert "functions/write" not in frame.sentence[0]
    assert list(frame.policy_refs[0]) == ["E002:2", "E002:1"]
    without = judged(tmp_path / "b", [assigned("03-10 09:00", CUSTOM)])
    assert set(without.kind) == {"not_answerable"}
    assert "what it may do is not answerable: its definition is not in evidence" in " ".join(without.sentence)


@pytest.mark.parametrize("flat", [True, False])
def test_answers_of_both_shapes_list_grants_and_definitions_and_calls_are_compared(tmp_path: Path, flat: bool) -> None:
    subscription = f"/subscriptions/{SUB}"
    one = {"principalId": EVE, "principalType": "User", "scope": subscription, "condition": None,
           "roleDefinitionId": f"{subscription}/providers/Microsoft.Authorization/roleDefinitions/{WEB}"}  # fmt: skip
    name = f"{subscription}/providers/Microsoft.Authorization/roleAssignments/1"
    content: Any = [{**one, "id": name}] if flat else {"value": [{"id": name, "properties": one}]}
    answers = [asked("roleAssignments.list", "Azure", subscription, SUB, content)]
    restart = azure("03-10 10:00", "Microsoft.Web/sites/restart/action", SITE)
    vault = azure("03-10 10:01", "MICROSOFT.KEYVAULT/VAULTS/WRITE", "/x")
    frame = judged(tmp_path / "a", [restart, vault], answers)
    assert told(frame, "kind", "policy") == [("role_grant", "Website Contributor")]
    assert told(frame, "action", "calls", kind="ungranted") == [("microsoft.keyvault/vaults/write", 1)]
    assert not set(frame.kind) & {"unused", "not_answerable"}
    unused = judged(tmp_path / "b", [vault], answers)
    assert told(unused, "action", "sentence", kind="unused") == [
        (WEB, f"Website Contributor on {subscription}: used by none of 1 successful calls of the holder that can be "
         "compared")
    ]  # fmt: skip
    unlisted = judged(tmp_path / "c", [assigned("03-10 09:00", WEB), vault])
    assert told(unlisted, "action", "sentence", kind="not_answerable") == [
        ("ungranted rights", f"not answerable because not in evidence: the list of all grants of {SUB}")
    ]


def test_principals_of_other_tenants_are_named(tmp_path: Path) -> None:
    tenant = "dddddddd-0000-0000-0000-00000000000d"
    place = f"/subscriptions/{SUB}/providers/Microsoft.ManagedServices/registrationDefinitions/1"
    body = {"properties": {"managedByTenantId": tenant, "authorizations": [
        {"principalId": ANNA, "roleDefinitionId": "b24988ac-6180-42a0-ab88-20f7382dd24c"}]}}  # fmt: skip
    record = azure("03-10 09:00", "Microsoft.ManagedServices/registrationDefinitions/write", place, body)
    frame = judged(tmp_path / "a", [record])
    assert told(frame, "kind", "policy")[:2] == [("pass_role_wide", "Contributor"), ("not_action", "Contributor")]
    assert told(frame, "sentence", kind="cross_account")[0][0].startswith(
        f"principal {ANNA} of tenant {tenant}, not ours"
    )
    ours = judged(tmp_path / "b", [record], azure_tenants=[tenant.upper()])
    assert "cross_account" not in set(ours.kind)


def test_bindings_of_google_cloud(tmp_path: Path) -> None:
    function = f"projects/{PROJECT}/locations/europe-west1/functions/pay"
    account = f"projects/{PROJECT}/serviceAccounts/run@{PROJECT}.iam.gserviceaccount.com"
    records = [
        bound("03-10 09:00", "roles/owner", "user:eve@example.test"),
        bound("03-10 09:01", "roles/cloudfunctions.invoker", "allUsers", resource=function),
        bound("03-10 09:02", "roles/run.invoker", "allAuthenticatedUsers", resource=function,
              condition={"title": "until friday", "expression": "request.time < x"}),
        bound("03-10 09:03", "roles/iam.serviceAccountUser", "user:eve@example.test", resource=account),
        bound("03-10 09:04", "roles/iam.serviceAccountTokenCreator", f"serviceAccount:{STRANGER}"),
        bound("03-10 09:05", "roles/cloudfunctions.developer", "group:dev@example.test"),
        bound("03-10 09:06", "roles/cloudfunctions.developer", "group:dev@example.test", "REMOVE"),
        bound("03-10 09:07", "roles/viewer", "user:eve@example.test"),
    ]  # fmt: skip
    frame = judged(tmp_path, records, gcp_projects=[PROJECT])
    assert told(frame, "kind", "identity", "action", "ended") == [
        ("all_actions", "eve@example.test", "roles/owner", None),
        ("anyone", "allUsers", "roles/cloudfunctions.invoker", None),
        ("pass_role_wide", "eve@example.test", "iam.serviceAccounts.actAs", None),
        ("pass_role_wide", STRANGER, "iam.serviceAccounts.getAccessToken", None),
        ("cross_account", STRANGER, "roles/iam.serviceAccountTokenCreator", None),
        ("pass_role", "eve@example.test", "iam.serviceAccounts.actAs", None),
        ("limited_anyone", "allAuthenticatedUsers", "roles/run.invoker", None),
        ("role_grant", "allAuthenticatedUsers", "roles/run.invoker", None),
        ("role_grant", "allUsers", "roles/cloudfunctions.invoker", None),
        ("role_grant", "dev@example.test", "roles/cloudfunctions.developer", "E002:7"),
    ]
    assert "with condition 'until friday'" in told(frame, "sentence", kind="limited_anyone")[0][0]


def test_a_policy_set_whole_or_acquired_replaces_what_the_resource_had(tmp_path: Path) -> None:
    both = {"bindings": [{"role": "roles/editor", "members": ["user:anna@example.test", "user:eve@example.test"]}]}
    one = {"bindings": [{"role": "roles/editor", "members": ["user:anna@example.test"]}]}
    name = f"//cloudresourcemanager.googleapis.com/projects/{PROJECT}"
    records = [google("03-10 09:00", "SetIamPolicy", request={"policy": both})]
    frame = judged(tmp_path, records, [asked("getIamPolicy", "GCP", name, PROJECT, one)])
    assert told(frame, "kind", "identity", "ended") == [
        ("pass_role_wide", "anna@example.test", None),
        ("pass_role_wide", "eve@example.test", "E001:1"),
        ("not_action", "anna@example.test", None),
        ("not_action", "eve@example.test", "E001:1"),
    ]
    assert list(frame.policy_refs[0]) == ["E002:1", "E001:1"]


def test_calls_of_google_cloud_are_compared_under_their_permission(tmp_path: Path) -> None:
    policy = {"bindings": [{"role": "roles/eventarc.developer", "members": ["user:eve@example.test"]}]}
    answers = [asked("getIamPolicy", "GCP", PROJECT, PROJECT, policy)]
    records = [
        google("03-10 09:00", "google.cloud.functions.v2.FunctionService.CreateFunction"),
        google("03-10 09:01", "google.cloud.functions.v2.FunctionService.CreateFunction", status="failure"),
        google("03-10 09:02", "google.cloud.nobody.v1.Knows.This"),
    ]
    frame = judged(tmp_path, records, answers)
    assert told(frame, "action", "calls", kind="ungranted") == [("cloudfunctions.functions.create", 1)]
    assert told(frame, "action", kind="unused") == [("roles/eventarc.developer",)]
    used = [*records, google("03-10 09:03", "google.cloud.eventarc.v1.Eventarc.UpdateTrigger")]
    assert "unused" not in set(judged(tmp_path / "b", used, answers).kind)


def test_roles_whose_use_leaves_no_record_are_not_called_unused(tmp_path: Path) -> None:
    records = [
        bound("03-10 09:00", "roles/run.invoker", "user:eve@example.test"),
        google("03-10 09:01", "google.cloud.run.v2.Services.UpdateService"),
    ]
    frame = judged(tmp_path, records)
    assert "unused" not in set(frame.kind)
    assert "use of run.routes.invoke leaves a record in Data Access logs only" in " ".join(frame.sentence)


def directory(
    operation: str, properties: dict[str, str], kind: str = "ServicePrincipal", **more: Any
) -> dict[str, Any]:
    changed = [
        {"displayName": name, "oldValue": None, "newValue": json.dumps(value)} for name, value in properties.items()
    ]
    targets = [{"id": "t-1", "displayName": "Microsoft Graph", "type": kind, "modifiedProperties": changed}]
    return {**azure("03-10 09:00", operation, "x"), "api_service_name": "Core Directory", "cloud_account_uid": None,
            "format": "entra_audit", "request": json.dumps(targets), **more}  # fmt: skip


def test_application_roles_consents_and_directory_roles(tmp_path: Path) -> None:
    app = {"ServicePrincipal.ObjectID": "s-1", "ServicePrincipal.DisplayName": "Backup"}
    scopes = {
        "DelegatedPermissionGrant.Scope": " Mail.Read offline_access",
        "DelegatedPermissionGrant.ConsentType": "AllPrincipals",
    }
    records = [
        directory(ASSIGN, {**app, "AppRole.Value": "RoleManagement.ReadWrite.Directory"}),
        directory(ASSIGN, {**app, "AppRole.Value": "User.Read.All"}),
        directory("Remove app role assignment from service principal", {**app, "AppRole.Value": "User.Read.All"},
                  time=at("03-10 10:00")),
        directory("Add delegated permission grant", {**app, **scopes}),
        directory("Add member to role", {"Role.DisplayName": "Global Administrator"}, "User"),
    ]  # fmt: skip
    frame = judged(tmp_path, records)
    assert told(frame, "kind", "identity", "action", "ended") == [
        ("all_actions", "Backup", "RoleManagement.ReadWrite.Directory", None),
        ("all_actions", "Microsoft Graph", "Global Administrator", None),
        ("service_wildcard", "Backup", "Mail.Read", None),
        ("app_role", "Backup", "User.Read.All", "E002:3"),
    ]
    assert "unused" not in set(frame.kind)


def test_hostile_bodies_and_answers_stop_nothing(tmp_path: Path) -> None:
    deep = "[" * 100_000
    bodies: list[Any] = [deep, "7", "null", {"Properties": [1]},
                         {"Properties": {"PrincipalId": {}, "RoleDefinitionId": []}},
                         {"properties": {"principalId": "x" * 10_000, "roleDefinitionId": "///"}},
                         {"properties": {"permissions": "x", "roleName": ["a"]}}]  # fmt: skip
    names = (
        "roleAssignments/write",
        "roleAssignments/delete",
        "roleDefinitions/write",
        "registrationDefinitions/write",
    )
    records = [azure("03-10 09:00", f"Microsoft.Authorization/{name}", "", body) for name in names for body in bodies]
    for body in (
        {"policyDelta": {"bindingDeltas": [None, 1, {"role": [], "member": {}}]}},
        deep,
        {"bindings": {"a": 1}},
    ):
        records.append(google("03-10 09:01", "SetIamPolicy", request=body, response=body))
        records.append(google("03-10 09:01", "google.iam.admin.v1.CreateRole", request=body, response=body))
        records.append(directory("Add app role assignment to service principal.", {}, request=json.dumps(body)))
    calls = (("roleAssignments.list", "Azure"), ("roleDefinitions.list", "Azure"), ("getIamPolicy", "GCP"))
    answers = [asked(name, provider, "x", "y", body) for body in bodies for name, provider in calls]
    assert set(judged(tmp_path, records, answers).kind) <= {"not_answerable", "role_grant"}
