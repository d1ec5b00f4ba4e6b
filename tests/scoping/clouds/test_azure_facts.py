"""What a record of Azure or Entra tells of its resource."""

from __future__ import annotations

from typing import Any

import pytest
from tests.scoping.clouds.calls import HOSTILE, NAMES, facts

from playbooks.case_file import Own
from playbooks.knowledge.operations import load_operations
from playbooks.scoping.clouds import Facts

GROUP = "/subscriptions/s/resourcegroups/g"
SITE = f"{GROUP}/providers/microsoft.web/sites/shop"
ACCOUNT = f"{GROUP}/providers/microsoft.automation/automationaccounts/auto"
AZURE = [one.operation for one in load_operations().operations if one.platform == "azure"]
ANONYMOUS = {"bindings": [{"type": "timerTrigger"}, {"type": "httpTrigger", "authLevel": "Anonymous"}]}


@pytest.mark.parametrize(
    ("operation", "uid", "name", "kept"),
    [
        ("Microsoft.Web/sites/write", SITE.upper(), "shop", SITE),
        ("Microsoft.Web/sites/config/write", f"{SITE}/config/appsettings", "shop", SITE),
        ("Microsoft.Web/sites/slots/write", f"{SITE}/slots/next", "shop/next", f"{SITE}/slots/next"),
        ("Microsoft.Web/sites/functions/write", f"{SITE}/functions/Book", "shop/book", f"{SITE}/functions/book"),
        (
            "Microsoft.Web/sites/functions/keys/write",
            f"{SITE.upper()}/FUNCTIONS/BOOK/KEYS/DEFAULT",
            "shop/book",
            f"{SITE}/functions/book",
        ),
        # a name that reads like a type stays a name
        (
            "Microsoft.Web/sites/functions/write",
            f"{GROUP}/providers/microsoft.web/sites/functions/functions/book",
            "functions/book",
            f"{GROUP}/providers/microsoft.web/sites/functions/functions/book",
        ),
        (
            "Microsoft.Web/sites/hostruntime/webhooks/api/workflows/triggers/listCallbackUrl/action",
            f"{SITE}/hostruntime/webhooks/api/workflows/nightly/triggers/manual",
            "shop/nightly",
            f"{SITE}/workflows/nightly",
        ),
        (
            "Microsoft.Logic/workflows/triggers/run/action",
            f"{GROUP}/providers/microsoft.logic/workflows/la/triggers/manual",
            "la",
            f"{GROUP}/providers/microsoft.logic/workflows/la",
        ),
        (
            "Microsoft.Automation/automationAccounts/runbooks/draft/write",
            f"{ACCOUNT}/runbooks/sync/draft",
            "auto/sync",
            f"{ACCOUNT}/runbooks/sync",
        ),
        (
            "Microsoft.Insights/diagnosticSettings/delete",
            f"{SITE}/providers/microsoft.insights/diagnosticsettings/siem",
            "siem",
            f"{SITE}/providers/microsoft.insights/diagnosticsettings/siem",
        ),
        ("Microsoft.Web/sites/write", "not an id", None, "not an id"),
        ("Microsoft.Web/sites/write", None, None, None),
    ],
)
def test_a_resource_has_one_name_however_it_is_written(
    operation: str, uid: str | None, name: str | None, kept: str | None
) -> None:
    found = facts("Azure", operation, uid=uid)
    assert (found.resource, found.uid) == (name, kept)


def test_a_job_of_automation_is_a_run_of_the_runbook_that_it_names() -> None:
    run = {"properties": {"runbook": {"name": "Sync"}}}
    found = facts("Azure", "Microsoft.Automation/automationAccounts/jobs/write", run, uid=f"{ACCOUNT}/jobs/7")
    assert (found.resource, found.uid) == ("auto/sync", f"{ACCOUNT}/runbooks/sync")
    unnamed = facts("Azure", "Microsoft.Automation/automationAccounts/jobs/write", uid=f"{ACCOUNT}/jobs/7")
    assert unnamed.resource == "auto/7"


def test_the_log_of_a_function_app_names_the_function_beside_the_app() -> None:
    found = facts("Azure", "Microsoft.Web/sites/functions/log", uid=SITE, name="Book")
    assert (found.resource, found.uid) == ("shop/book", f"{SITE}/functions/book")
    assert facts("Azure", "Microsoft.Web/sites/functions/log", uid=SITE, name="shop").resource == "shop"


@pytest.mark.parametrize(
    ("operation", "uid", "request_body", "opened"),
    [
        ("Microsoft.Web/sites/functions/write", SITE, {"properties": {"config": ANONYMOUS}}, "anyone may call its URL"),
        (
            "Microsoft.Web/sites/functions/write",
            SITE,
            {"properties": {"files": {"function.json": '{"bindings": [{"authLevel": "anonymous"}]}'}}},
            "anyone may call its URL",
        ),
        (
            "Microsoft.Web/sites/functions/write",
            SITE,
            {"properties": {"config": {"bindings": [{"authLevel": "function"}]}}},
            None,
        ),
        (
            "Microsoft.Web/sites/config/write",
            f"{SITE}/config/web",
            {"properties": {"ipSecurityRestrictions": [{"ipAddress": "Any", "action": "Allow"}]}},
            "its access restrictions let every address in",
        ),
        (
            "Microsoft.Web/sites/config/write",
            f"{SITE}/config/web",
            {"properties": {"ipSecurityRestrictions": [{"ipAddress": "Any", "action": "Deny"}]}},
            None,
        ),
        (
            "Microsoft.Web/sites/config/write",
            f"{SITE}/config/authsettingsv2",
            {"properties": {"globalValidation": {"requireAuthentication": False}}},
            "it asks its callers for no sign-in",
        ),
        (
            "Microsoft.Web/sites/config/write",
            f"{SITE}/config/authsettings",
            {"properties": {"enabled": False}},
            "it asks its",
        ),
        ("Microsoft.Web/sites/config/write", f"{SITE}/config/logs", {"properties": {"enabled": False}}, None),
        (
            "Microsoft.Web/sites/basicPublishingCredentialsPolicies/scm/write",
            SITE,
            {"properties": {"allow": True}},
            "whoever has its publishing password",
        ),
        (
            "Microsoft.Automation/automationAccounts/webhooks/write",
            f"{ACCOUNT}/webhooks/w",
            None,
            "whoever has its URL may start",
        ),
        ("Microsoft.Automation/automationAccounts/webhooks/delete", f"{ACCOUNT}/webhooks/w", None, None),
        ("Microsoft.Logic/workflows/triggers/listCallbackUrl/action", None, None, "whoever has the URL that was read"),
        (
            "Microsoft.Logic/workflows/write",
            None,
            {"properties": {"definition": {"triggers": {"manual": {"type": "Request"}}}}},
            "whoever has its signed URL may start it",
        ),
        (
            "Microsoft.Logic/workflows/write",
            None,
            {"properties": {"definition": {"triggers": {"daily": {"type": "Recurrence"}}}}},
            None,
        ),
        (
            "Microsoft.App/containerApps/write",
            None,
            {"properties": {"configuration": {"ingress": {"external": True}}}},
            "it can be reached from the internet",
        ),
        (
            "Microsoft.EventGrid/eventSubscriptions/write",
            None,
            {"properties": {"destination": {"properties": {"endpointUrl": "https://drop.example.net/x"}}}},
            "events go to drop.example.net, not in our zones",
        ),
        (
            "Microsoft.EventGrid/eventSubscriptions/write",
            None,
            {"properties": {"destination": {"properties": {"endpointUrl": "https://in.example.com/x"}}}},
            None,
        ),
        (
            "Microsoft.Authorization/roleAssignments/write",
            None,
            {"properties": {"principalId": "p", "principalType": "ForeignGroup", "roleDefinitionId": "/x/owner"}},
            "principal p of another tenant holds role owner",
        ),
        (
            "Microsoft.ManagedServices/registrationDefinitions/write",
            None,
            {"properties": {"managedByTenantId": "t"}},
            "tenant t, not ours, may manage it",
        ),
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
            None,
            {"properties": {"issuer": "https://token.example.net", "subject": "repo:x"}},
            "workloads of https://token.example.net may act as it (subject repo:x)",
        ),
    ],
)
def test_a_change_tells_what_it_opens(operation: str, uid: str | None, request_body: Any, opened: str | None) -> None:
    told = facts("Azure", operation, request_body, uid=uid).exposure
    assert told is None if opened is None else told is not None and told.startswith(opened)


def test_without_zones_no_host_is_called_foreign() -> None:
    body = {"properties": {"destination": {"properties": {"endpointUrl": "https://drop.example.net/x"}}}}
    told = facts("Azure", "Microsoft.EventGrid/eventSubscriptions/write", body, own=Own())
    assert told.exposure == "events go to drop.example.net"


@pytest.mark.parametrize(
    ("operation", "answer", "host"),
    [
        (
            "Microsoft.Web/sites/write",
            {"properties": {"defaultHostName": "Shop.azurewebsites.net"}},
            "shop.azurewebsites.net",
        ),
        (
            "Microsoft.App/containerApps/write",
            {"properties": {"configuration": {"ingress": {"fqdn": "a.b.westeurope.azurecontainerapps.io"}}}},
            "a.b.westeurope.azurecontainerapps.io",
        ),
        (
            "Microsoft.Logic/workflows/write",
            {"properties": {"accessEndpoint": "https://prod-1.westeurope.logic.azure.com:443/workflows/0a"}},
            "prod-1.westeurope.logic.azure.com",
        ),
        (
            "Microsoft.Logic/workflows/triggers/listCallbackUrl/action",
            {"value": "https://prod-1.westeurope.logic.azure.com/x?sig=1"},
            "prod-1.westeurope.logic.azure.com",
        ),
        (
            "Microsoft.Automation/automationAccounts/webhooks/write",
            {"properties": {"uri": "https://0a.webhook.we.azure-automation.net/webhooks?token=t"}},
            "0a.webhook.we.azure-automation.net",
        ),
        ("Microsoft.Web/sites/write", {"value": "1.2.3"}, None),
        ("Microsoft.Web/sites/write", None, None),
    ],
)
def test_a_host_is_known_only_where_the_record_shows_it(operation: str, answer: Any, host: str | None) -> None:
    assert facts("Azure", operation, None, answer, uid=SITE).endpoint == host
    assert facts("Azure", operation, None, answer, uid=SITE, failed=True).endpoint is None


def test_the_identity_that_a_request_gives_is_passed_and_the_one_in_the_answer_held() -> None:
    identity = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/Id"
    given = facts(
        "Azure", "Microsoft.Web/sites/write", {"identity": {"userAssignedIdentities": {identity: {}}}}, uid=SITE
    )
    assert (given.role, given.passed) == (identity.lower(), identity.lower())
    held = facts("Azure", "Microsoft.Web/sites/write", None, {"identity": {"principalId": "p"}}, uid=SITE)
    assert (held.role, held.passed) == ("p", None)


def modified(**properties: str) -> list[dict[str, Any]]:
    named = [{"displayName": name.replace("_", "."), "newValue": f'"{value}"'} for name, value in properties.items()]
    return [{"id": "1", "displayName": "Microsoft Graph", "type": "ServicePrincipal", "modifiedProperties": named}]


@pytest.mark.parametrize(
    ("operation", "targets", "name", "opened"),
    [
        (
            "Add delegated permission grant",
            modified(
                ServicePrincipal_DisplayName="Sync",
                ServicePrincipal_ObjectID="9",
                DelegatedPermissionGrant_Scope="Mail.Read",
                DelegatedPermissionGrant_ConsentType="AllPrincipals",
            ),
            "Sync",
            "application Sync may act for everybody in the tenant (Mail.Read)",
        ),
        (
            "Add app role assignment to service principal",
            modified(ServicePrincipal_ObjectID="9", AppRole_Value="Mail.Send"),
            "9",
            "application 9 holds Mail.Send by itself, without a user",
        ),
        (
            "Add owner to application",
            [
                {"id": "u", "userPrincipalName": "x@example.com", "type": "User"},
                {"id": "a", "displayName": "Shop", "type": "Application"},
            ],
            "Shop",
            None,
        ),
        (
            "Add member to role",
            modified(Role_DisplayName="Application Administrator"),
            "Application Administrator",
            None,
        ),
        (
            "Consent to application",
            modified(ConsentAction_Permissions="[] => [[Scope: User.Read openid, X]]"),
            "Microsoft Graph",
            None,
        ),
        (
            "Consent to application",
            modified(ConsentAction_Permissions="[[Scope: Old.Scope, X]] => [[Scope: Mail.Read, X]]"),
            "Microsoft Graph",
            "application Microsoft Graph may act for the one who consented (Mail.Read)",
        ),
    ],
)
def test_a_change_of_the_directory_is_about_who_gets_the_right(
    operation: str, targets: list[dict[str, Any]], name: str, opened: str | None
) -> None:
    found = facts("Azure", operation, targets, service="Core Directory")
    assert (found.resource, found.exposure) == (name, opened)


@pytest.mark.parametrize("operation", AZURE)
def test_no_record_is_too_odd(operation: str) -> None:
    for text in HOSTILE:
        for name in NAMES:
            assert isinstance(facts("Azure", operation, text, text, uid=name, name=name), Facts)
