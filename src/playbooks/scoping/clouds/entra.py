"""Entra ID: which object of the directory a record changed, and what a consent or a grant opens.

The directory log of Entra and the one of Microsoft 365 tell the same changes; the first lists its targets with
their modified properties, the second the properties alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from playbooks.scoping.clouds.azure_names import Named
from playbooks.scoping.clouds.cloud import Call, Facts
from playbooks.scoping.clouds.record_json import LISTED, json_record, objects_at, plain_text, text_at

# What the directory calls the objects that the catalogue calls so.
TYPES = {
    "application": ("serviceprincipal", "application"),
    "role": ("role",),
    "user": ("user",),
    "policy": ("policy",),
}
# In a grant the first target is what is granted, such as Microsoft Graph, and in a change of owners the new owner;
# the object that was changed stands in properties that begin so.
HOLDERS = {"application": ("ServicePrincipal", "Application"), "role": ("Role",)}
SCOPE = re.compile(r"Scope: *([^,\]]*)")
# Microsoft's low-risk permissions of user consent: who the user is, and that the application may ask again.
BASIC = frozenset({"openid", "profile", "email", "offline_access", "User.Read"})
MAX_SCOPE = 300  # characters of a list of rights in one sentence
Properties = Mapping[str, str]


def directory_facts(call: Call) -> Facts:
    """Resource and exposure of one record of the directory log."""
    targets = objects_at(call.request, LISTED)
    changed = properties(objects_at(targets, "modifiedProperties"), "displayName", "newValue")
    named = target_of(call, targets, changed)
    return Facts(named.name, named.uid, granted(changed, named.name))


def target_of(call: Call, targets: list[dict[str, object]], changed: Properties) -> Named:
    """The object that was changed: of the kind that the operation is about, else as the format found it."""
    kind = call.operation.resource_type or ""
    for holder in HOLDERS.get(kind, ()):
        name, uid = changed.get(f"{holder}.DisplayName"), changed.get(f"{holder}.ObjectID")
        if name or uid:
            held = (text_at(one, "displayName") for one in targets if uid and text_at(one, "id") == uid)
            return Named(name or next((label for label in held if label), uid), uid)
    for target in targets:
        label = text_at(target, "displayName", "userPrincipalName")
        if label and (text_at(target, "type") or "").lower() in TYPES.get(kind, ()):
            return Named(label, text_at(target, "id"))
    return Named(plain_text(call.logged_name) or plain_text(call.logged_uid), plain_text(call.logged_uid))


def properties(modified: Iterable[dict[str, object]], name: str, value: str) -> Properties:
    """Modified properties with their new values, which the log writes as JSON texts; the first of a name counts."""
    found: dict[str, str] = {}
    for one in modified:
        key, text = text_at(one, name), text_at(one, value)
        if key and text and key not in found:
            found[key] = text.strip().strip('"')
    return found


def granted(changed: Properties, name: str | None) -> str | None:
    """What a consent, a grant or a federated credential opens, in words; null where the record tells nothing."""
    who = f"application {name}" if name else "the application"
    scope = changed.get("DelegatedPermissionGrant.Scope", "") or _scope(changed.get("ConsentAction.Permissions", ""))
    rights = f" ({scope.strip()[:MAX_SCOPE]})" if scope.strip() else ""
    everybody = "AllPrincipals" in (
        changed.get("DelegatedPermissionGrant.ConsentType", ""),
        "AllPrincipals" if changed.get("ConsentContext.OnBehalfOfAll", "").lower() == "true" else "",
    )
    if everybody or changed.get("ConsentContext.IsAdminConsent", "").lower() == "true":
        return f"{who} may act for everybody in the tenant{rights}"
    if set(scope.split()) - BASIC:
        return f"{who} may act for the one who consented{rights}"
    if changed.get("AppRole.Value"):
        return f"{who} holds {changed['AppRole.Value'][:MAX_SCOPE]} by itself, without a user"
    return _federated(changed.get("FederatedIdentityCredentials"), who)


def _scope(permissions: str) -> str:
    """Scopes that a consent added; the log writes what was before, an arrow, and what is now."""
    found = SCOPE.search(permissions.rpartition("=>")[2])
    return found[1] if found else ""


def _federated(credentials: str | None, who: str) -> str | None:
    for one in objects_at(json_record(credentials), LISTED):
        issuer, subject = text_at(one, "Issuer"), text_at(one, "Subject")
        if issuer:
            return f"workloads of {issuer} may act as {who} (subject {subject or 'not told'})"
    return None
