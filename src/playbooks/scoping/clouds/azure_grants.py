"""Azure: role assignments and role definitions, and what a delegation gives to another tenant.

An assignment's request names role and holder; its scope stands in the id. Keys of bodies come in any case. Answers
are those of `az role assignment list` and `az role definition list` (flat) or of Resource Manager (`properties`).
Reference: Azure REST API, Authorization, RoleAssignments and RoleDefinitions; ManagedServices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.knowledge.role_rights import RolePlatform
from playbooks.scoping.clouds.grants import MAX_GRANTS, Definition, Grant, Step, Told
from playbooks.scoping.clouds.record_json import LISTED, objects_at, text_at, texts_at

ASSIGNED, DEFINED = "/roleassignments/", "/roledefinitions/"
SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
WIDE = re.compile(r"/?|/subscriptions/[^/]+/?|/providers/microsoft\.management/managementgroups/[^/]+/?", re.IGNORECASE)
UNDER = "microsoft.authorization"


class AzureGrants:
    """Role-based access control of Resource Manager."""

    provider: str = "Azure"
    platform: RolePlatform = "azure"
    operations: tuple[str, ...] = (
        *("/roleassignments/write", "/roleassignments/delete", "/roledefinitions/write", "/roledefinitions/delete"),
        "/registrationdefinitions/write",
    )
    asked: tuple[str, ...] = ("roleAssignments.list", "roleDefinitions.list")

    def record(self, step: Step) -> Told:
        """An assignment made or deleted, a definition written, a delegation to another tenant."""
        name, uid = step.operation.lower(), (step.resource or "").lower()
        if name.endswith("/roleassignments/delete"):
            return Told(ended=(uid,))
        if name.endswith("/roleassignments/write"):
            given = _assignment(step, _merged(step.request, step.response), uid)
            return Told(given=(given,) if given else ())
        if name.endswith("/roledefinitions/write"):
            found = _definition(_merged(step.request, step.response), uid)
            return Told(defined=dict([found]) if found else {})
        if name.endswith("/registrationdefinitions/write"):
            return Told(given=tuple(_delegated(step, uid)))
        return Told()

    def answer(self, step: Step) -> Told:
        """A list of assignments or of definitions."""
        listed = (objects_at(step.response, "value") or objects_at(step.response, LISTED))[:MAX_GRANTS]
        if step.operation == "roleDefinitions.list":
            return Told(defined=dict(found for one in listed if (found := _definition(one, _id(one)))))
        given = tuple(grant for one in listed if (grant := _assignment(step, one, _id(one))))
        whole = WIDE.fullmatch(step.resource or "") is not None
        return Told(given=given, listed=(step.account or _subscription(step.resource)) if whole else None)

    def holder_of(self, uid: str | None, name: str | None) -> str | None:
        """The object id."""
        return uid.lower() if uid else None

    def action_of(self, service: str, operation: str) -> str | None:
        """The operation itself; those of the directory are no actions of a role here."""
        return operation.lower() if operation.lower().startswith("microsoft.") else None


def _id(one: dict[str, object]) -> str:
    return (text_at(one, "id") or "").lower()


def _merged(request: dict[str, object], response: dict[str, object]) -> dict[str, object]:
    """The request, and the answer where the record holds no request."""
    return request if text_at(request, *_both("principalId"), *_both("roleName")) else response


def _both(name: str) -> tuple[str, str]:
    return f"properties.{name}", name


def _assignment(step: Step, one: dict[str, object], uid: str) -> Grant | None:
    holder, role = text_at(one, *_both("principalId")), text_at(one, *_both("roleDefinitionId"))
    if not holder or not role:
        return None
    scope = (text_at(one, *_both("scope")) or uid.partition(f"/providers/{UNDER}{ASSIGNED}")[0]).lower() or "/"
    kind = text_at(one, *_both("principalType"))
    abroad = text_at(one, *_both("delegatedManagedIdentityResourceId"))
    foreign = f"principal {holder} of another tenant" if kind == "ForeignGroup" or abroad else None
    condition = text_at(one, *_both("condition")) or ""
    short = role.rstrip("/").rsplit("/", 1)[-1].lower()
    account = _subscription(scope) or step.account
    return Grant(uid or f"{scope} {short} {holder.lower()}", holder.lower(), kind, short, scope, _wide(scope),
                 account, condition, foreign)  # fmt: skip


def _delegated(step: Step, uid: str) -> Iterator[Grant]:
    """Roles that a registration gives to principals of the tenant that manages."""
    for record in (step.request, step.response):
        tenant = text_at(record, *_both("managedByTenantId"))
        ours = {one.lower() for one in step.own.azure_tenants}
        for one in (objects_at(record, "properties.authorizations") if tenant else [])[:MAX_GRANTS]:
            holder, role = text_at(one, "principalId"), text_at(one, "roleDefinitionId")
            if tenant and holder and role:
                scope = uid.partition("/providers/microsoft.managedservices/")[0] or "/"
                foreign = None if tenant.lower() in ours else f"principal {holder} of tenant {tenant}, not ours,"
                short = role.rstrip("/").rsplit("/", 1)[-1].lower()
                yield Grant(f"{uid} {short} {holder.lower()}", holder.lower(), None, short, scope, _wide(scope),
                            _subscription(scope) or step.account, "", foreign)  # fmt: skip


def _definition(one: dict[str, object], uid: str) -> tuple[str, Definition] | None:
    name = text_at(one, *_both("roleName"))
    short = (uid.rsplit("/", 1)[-1] or text_at(one, "name") or "").lower()
    paths = ("properties.permissions", "permissions")
    held = next((found for path in paths if (found := objects_at(one, path))), [])
    if not short or not name or not held:
        return None
    actions = tuple(action for part in held for action in texts_at(part, "actions"))
    without = tuple(action for part in held for action in texts_at(part, "notActions"))
    return short, Definition(name, actions, without)


def _wide(scope: str) -> bool:
    return WIDE.fullmatch(scope) is not None


def _subscription(scope: str | None) -> str | None:
    found = SUBSCRIPTION.match(scope or "")
    return found[1].lower() if found else None


AZURE_GRANTS = AzureGrants()
