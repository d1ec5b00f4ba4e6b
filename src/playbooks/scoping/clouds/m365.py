"""Microsoft 365, Power Platform and its directory: the unified audit log's users, flows, mailboxes and shares."""

from __future__ import annotations

import re

from playbooks.scoping.clouds.azure_names import Named
from playbooks.scoping.clouds.azure_principals import GUID, person, via_application
from playbooks.scoping.clouds.cloud import Actor, Call, Facts, NamedPerAccount, Principal
from playbooks.scoping.clouds.entra import granted, properties, target_of
from playbooks.scoping.clouds.m365_exposure import exposure_of, parameters
from playbooks.scoping.clouds.record_json import LISTED, objects_at, plain_text

SERVICE_PRINCIPAL = "ServicePrincipal"
# Kinds of user (Office 365 Management Activity API schema, "User Type"); an operator of Microsoft's is neither.
USERS: dict[str, bool | None] = {
    "Regular": True,
    "Admin": True,
    "System": False,
    "Application": False,
    "ServicePrincipal": False,
    "CustomPolicy": False,
    "SystemPolicy": False,
    "DcAdmin": None,
    "Reserved": None,
}
# An application that acts in SharePoint for itself is logged under a name that all of them share.
SHARED_NAMES = frozenset({"app@sharepoint"})
# Power Platform keeps ids in its property collection: that of the app or the flow, not of its environment.
PLATFORM_ID = re.compile(r"powerplatform\.analytics\.resource\.(?:power_app|cloud_flow|connection)\.id")
POLICY_ID = re.compile(r"powerplatform\.analytics\.resource\.(?:environment|tenant\.governance\.api_policy)\.id")
DIRECTORY = "AzureActiveDirectory"
# Parameters of Set-Mailbox that send mail on; of Set-AdminAuditLogConfig, those that switch audit and that narrow it
FORWARDS = ("forwardingsmtpaddress", "forwardingaddress", "delivertomailboxandforward")
SWITCHES = ("unifiedauditlogingestionenabled", "adminauditlogenabled")
NARROWS = ("adminauditlogagelimit", "adminauditlogcmdlets", "adminauditlogparameters", "adminauditlogexcludedcmdlets")
BY_PARAMETER = ("mailbox", "identity")  # of a cmdlet that works on a mailbox


class Microsoft365(NamedPerAccount):
    """Records of the unified audit log, and of its table in Log Analytics."""

    def principal(self, actor: Actor) -> Principal:
        """The user, the administrator or the service principal; `via` names the application in between."""
        name = actor.name or ""
        if name.lower() in SHARED_NAMES and actor.invoked_by:
            return Principal(actor.invoked_by, actor.kind, f"logged as {name}", False)
        number = name.removeprefix("ServicePrincipal_")
        if number != name and GUID.fullmatch(number):
            return Principal(number, SERVICE_PRINCIPAL, via_application(actor.invoked_by), False)
        is_user = USERS.get(actor.kind or "", True if "@" in name else None)
        return Principal(person(actor.name) or actor.uid, actor.kind, via_application(actor.invoked_by), is_user)

    def facts(self, call: Call) -> Facts:
        """From the parameters or properties of the record, where it holds them."""
        if call.operation.service == DIRECTORY:
            changed = properties(objects_at(call.response, LISTED), "Name", "NewValue")
            named = target_of(call, [], changed)
            return Facts(named.name, named.uid, granted(changed, named.name))
        named = _named(call)
        return Facts(named.name, named.uid, exposure_of(call), phase=_phase(call))


def _phase(call: Call) -> str | None:
    """What a cmdlet did that has many uses, where its parameters show another one than the catalogue's; else null.

    A record without parameters shows nothing: it stays what the catalogue fears.
    """
    told = parameters(call)
    named = call.operation.operation
    if named == "Set-Mailbox" and told and not any(name in told for name in FORWARDS):
        return "modify-config"
    if named == "Set-AdminAuditLogConfig" and told and not any(_less_is_audited(*one) for one in told.items()):
        return "modify-config"
    return None


def _less_is_audited(parameter: str, value: str) -> bool:
    return parameter in NARROWS or (parameter in SWITCHES and value.lower() != "true")


def _named(call: Call) -> Named:
    """The flow, app, mailbox or object; ids and addresses in lower case, so that each has one name."""
    logged, uid = plain_text(call.logged_name), plain_text(call.logged_uid)
    told = parameters(call)
    for pattern in (PLATFORM_ID, POLICY_ID):
        found = next((text for name, text in told.items() if pattern.fullmatch(name)), None)
        if found:
            return Named(found.rstrip("/").rsplit("/", 1)[-1].lower(), found)
    if call.operation.resource_type == "mailbox":
        named = next((told[name] for name in BY_PARAMETER if _is_mailbox(call, name, told)), logged)
        return Named(_mailbox(named), uid)
    if call.operation.resource_type in ("flow", "app") and logged:
        return Named(logged.lower(), uid)
    return Named(logged, uid)


def _is_mailbox(call: Call, name: str, told: dict[str, str]) -> bool:
    """Of a rule, `Identity` is the rule's own name."""
    return name in told and (name == "mailbox" or "Mailbox" in call.operation.operation)


def _mailbox(text: str | None) -> str | None:
    """Address or alias out of `server/organisation/alias` or `alias\\rule`."""
    alias = (text or "").rsplit("/", 1)[-1].partition("\\")[0]
    return alias.lower() or text


M365 = Microsoft365()
