"""Who stands behind a record of Microsoft 365 or Power Platform, and what it tells of its resource."""

from __future__ import annotations

from typing import Any

import pytest
from tests.scoping.clouds.calls import HOSTILE, NAMES, facts

from playbooks.case_file import Own
from playbooks.knowledge.operations import load_operations
from playbooks.scoping.clouds import Facts, Principal, principal_of

OBJECT = "bbbbbbbb-0000-4000-8000-000000000002"
M365 = [one for one in load_operations().operations if one.platform == "m365"]


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (
            ("Regular", "Dana@Example.com", "1003", None, "Power Automate"),
            Principal("dana@example.com", "Regular", "application Power Automate", True),
        ),
        (("Admin", "root@example.com", None, None, None), Principal("root@example.com", "Admin", None, True)),
        (
            ("System", "NT AUTHORITY\\SYSTEM (w3wp)", None, None, None),
            Principal("NT AUTHORITY\\SYSTEM (w3wp)", "System", None, False),
        ),
        (
            ("Regular", f"ServicePrincipal_{OBJECT}", "x", None, "Sync"),
            Principal(OBJECT, "ServicePrincipal", "application Sync", False),
        ),
        (
            ("Application", "app@sharepoint", "x", None, OBJECT),
            Principal(OBJECT, "Application", "logged as app@sharepoint", False),
        ),
        (("DcAdmin", "Microsoft Operator", None, None, None), Principal("Microsoft Operator", "DcAdmin", None, None)),
        ((None, "dana@example.com", None, None, None), Principal("dana@example.com", None, None, True)),
        ((None, None, None, None, None), Principal(None, None, None, None)),
    ],
)
def test_the_principal_is_the_one_behind_the_record(actor: tuple[str | None, ...], expected: Principal) -> None:
    assert principal_of("Microsoft 365", *actor, None) == expected


def told(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def property_of(name: str, value: str) -> list[dict[str, str]]:
    return [{"Name": f"powerplatform.analytics.resource.{name}", "Value": value}]


@pytest.mark.parametrize(
    ("operation", "asked", "logged", "name"),
    [
        ("CreateFlow", None, OBJECT.upper(), OBJECT),
        ("CreatePowerApp", property_of("power_app.id", "/providers/Microsoft.PowerApps/apps/AB"), None, "ab"),
        ("EnvironmentPropertyChange", property_of("environment.id", "Default-1"), None, "default-1"),
        ("New-InboxRule", told(Identity="my rule", Mailbox="Dana@example.com"), None, "dana@example.com"),
        ("New-InboxRule", told(Identity="my rule"), "Dana\\my rule", "dana"),
        ("Set-Mailbox", told(Identity="EUR.example/Hosted/example.com/dana"), None, "dana"),
        ("UpdateInboxRules", None, "Dana@example.com", "dana@example.com"),
        ("Set-AdminAuditLogConfig", None, "Admin Audit Log Settings", "Admin Audit Log Settings"),
        ("CreateFlow", None, None, None),
    ],
)
def test_a_resource_has_one_name(operation: str, asked: Any, logged: str | None, name: str | None) -> None:
    assert facts("Microsoft 365", operation, asked, name=logged).resource == name


RULE = '[{"ActionType": "Forward", "Recipients": ["a@example.net", "b@example.com"]}, {"ActionType": "Move"}]'


@pytest.mark.parametrize(
    ("operation", "asked", "opened"),
    [
        (
            "New-InboxRule",
            told(ForwardTo="A@example.net;b@example.com"),
            "mail goes to a@example.net, not in our zones",
        ),
        ("New-InboxRule", told(ForwardTo="b@mail.example.com"), None),
        ("New-InboxRule", told(MoveToFolder="RSS"), None),
        (
            "Set-Mailbox",
            told(ForwardingSmtpAddress="smtp:a@example.net"),
            "mail goes to a@example.net, not in our zones",
        ),
        (
            "Set-Mailbox",
            told(ForwardingSmtpAddress="x@notexample.com"),
            "mail goes to x@notexample.com, not in our zones",
        ),
        ("UpdateInboxRules", told(RuleActions=RULE), "mail goes to a@example.net, not in our zones"),
        ("New-TransportRule", told(BlindCopyTo="a@example.net"), "mail goes to a@example.net, not in our zones"),
        (
            "Add-MailboxPermission",
            told(User="eve@example.net"),
            "it may be opened by eve@example.net, not in our zones",
        ),
        (
            "Add-MailboxPermission",
            told(User="eve_example.net#EXT#@example.com"),
            "it may be opened by eve_example.net#ext#@example.com, not in our zones",
        ),
        ("PutPermissions", {"RecipientUPN": "eve@example.net"}, "it is shared with eve@example.net, not in our zones"),
        ("PutPermissions", {"RecipientUPN": "team@example.com"}, None),
        ("AnonymousLinkCreated", None, "whoever has its link may open it"),
        ("CreateFlow", None, None),
    ],
)
def test_a_change_tells_what_leaves_the_house(operation: str, asked: Any, opened: str | None) -> None:
    assert facts("Microsoft 365", operation, asked).exposure == opened


def test_without_zones_no_address_is_called_foreign() -> None:
    found = facts("Microsoft 365", "New-InboxRule", told(ForwardTo="a@example.net"), own=Own())
    assert found.exposure == "mail goes to a@example.net"


def test_many_addresses_are_counted() -> None:
    found = facts("Microsoft 365", "New-InboxRule", told(ForwardTo=";".join(f"a{n}@example.net" for n in range(7))))
    assert found.exposure is not None and found.exposure.endswith("a4@example.net and 2 more, not in our zones")


def test_a_consent_in_the_unified_log_tells_the_same_as_in_the_directory_log() -> None:
    changed = [{"Name": "ConsentContext.IsAdminConsent", "NewValue": "True", "OldValue": ""}]
    found = facts(
        "Microsoft 365", "Consent to application.", None, changed, name="Sync", service="AzureActiveDirectory"
    )
    assert (found.resource, found.exposure) == ("Sync", "application Sync may act for everybody in the tenant")


@pytest.mark.parametrize("operation", M365, ids=lambda one: one.operation)
def test_no_record_is_too_odd(operation: Any) -> None:
    for text in HOSTILE:
        for name in NAMES:
            found = facts(
                "Microsoft 365", operation.operation, text, text, uid=name, name=name, service=operation.service
            )
            assert isinstance(found, Facts)


@pytest.mark.parametrize(
    ("operation", "asked", "phase"),
    [
        ("Set-Mailbox", told(ForwardingSmtpAddress="smtp:a@example.net"), None),
        ("Set-Mailbox", told(DeliverToMailboxAndForward="False"), None),
        ("Set-Mailbox", told(Identity="dana", IssueWarningQuota="49GB"), "modify-config"),
        ("Set-Mailbox", None, None),
        ("Set-AdminAuditLogConfig", told(UnifiedAuditLogIngestionEnabled="False"), None),
        ("Set-AdminAuditLogConfig", told(UnifiedAuditLogIngestionEnabled="True"), "modify-config"),
        ("Set-AdminAuditLogConfig", told(AdminAuditLogAgeLimit="1"), None),
        ("Set-AdminAuditLogConfig", None, None),
    ],
)
def test_a_cmdlet_of_many_uses_is_what_its_parameters_show(operation: str, asked: Any, phase: str | None) -> None:
    assert facts("Microsoft 365", operation, asked).phase == phase
