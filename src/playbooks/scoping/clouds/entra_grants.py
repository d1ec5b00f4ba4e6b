"""Entra ID: application roles, consents, and roles of the directory.

The log of the directory lists its targets; the unified audit log of Microsoft 365 holds the changed properties only.
A consent for everybody counts as wide. Uses of these rights are calls of Microsoft Graph, which neither log holds.
Reference: Microsoft Graph, `appRoleAssignment`, `oAuth2PermissionGrant`; "Microsoft Entra audit log activities".
"""

from __future__ import annotations

from playbooks.knowledge.role_rights import RolePlatform
from playbooks.scoping.clouds.entra import BASIC, properties
from playbooks.scoping.clouds.grants import Grant, Step, Told
from playbooks.scoping.clouds.record_json import LISTED, objects_at, text_at

APP_ROLES = ("add app role assignment to service principal", "remove app role assignment from service principal")
CONSENTS = (
    *("add delegated permission grant", "add oauth2permissiongrant"),
    *("remove delegated permission grant", "remove oauth2permissiongrant"),
)
MEMBERS = (
    *("add member to role", "add eligible member to role", "remove member from role"),
    "remove eligible member from role",
)
DIRECTORY = "directory"


class EntraGrants:
    """Records of the directory log of Entra."""

    provider: str = "Azure"
    platform: RolePlatform = "entra"
    operations: tuple[str, ...] = (*APP_ROLES, *CONSENTS, *MEMBERS)
    asked: tuple[str, ...] = ()

    def record(self, step: Step) -> Told:
        """An application role, a consent or a role of the directory, given or taken away."""
        name = step.operation.lower().rstrip(".")
        grants = tuple(_grants(step, name))
        return Told(ended=tuple(one.key for one in grants)) if name.startswith("remove") else Told(given=grants)

    def answer(self, step: Step) -> Told:
        """None is asked for."""
        return Told()

    def holder_of(self, uid: str | None, name: str | None) -> str | None:
        """Nobody: uses stand in no log that is read here."""
        return None

    def action_of(self, service: str, operation: str) -> str | None:
        """None, likewise."""
        return None


class OfficeGrants(EntraGrants):
    """The same records in the unified audit log of Microsoft 365."""

    provider = "Microsoft 365"
    operations = tuple(f"{name}." for name in EntraGrants.operations)


def _grants(step: Step, name: str) -> list[Grant]:
    targets = objects_at(step.request, LISTED)
    changed = dict(properties(objects_at(step.response, LISTED), "Name", "NewValue"))
    before = dict(properties(objects_at(targets, "modifiedProperties"), "displayName", "oldValue"))
    changed |= properties(objects_at(targets, "modifiedProperties"), "displayName", "newValue")
    told = before | changed
    holder, label = told.get("ServicePrincipal.ObjectID"), told.get("ServicePrincipal.DisplayName")
    kind: str | None = "application"
    roles: list[str | None]
    if name in APP_ROLES:
        roles, form = [told.get("AppRole.Value")], "app_role"
    elif name in CONSENTS:
        asked = told.get("DelegatedPermissionGrant.Scope", "").split()
        roles, form = [one for one in asked if one not in BASIC], "consent"
    else:
        roles, form, kind = [told.get("Role.DisplayName")], "role", text_at(targets, "type")
        holder, label = text_at(targets, "id"), text_at(targets, "userPrincipalName", "displayName") or step.resource
    who = holder or label or step.resource
    everybody = told.get("DelegatedPermissionGrant.ConsentType") == "AllPrincipals"
    wide = form != "consent" or everybody
    scope = DIRECTORY if form != "consent" else "everybody" if everybody else "the one who consented"
    return [
        Grant(f"{form} {who} {role}", label or str(who), kind, role, scope, wide, step.account, form=form)
        for role in dict.fromkeys(roles)
        if role and who
    ]


ENTRA_GRANTS, OFFICE_GRANTS = EntraGrants(), OfficeGrants()
