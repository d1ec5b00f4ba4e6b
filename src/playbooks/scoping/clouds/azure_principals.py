"""Who stands behind a record of Azure or of its directory: a person, an application, a managed identity.

An application is named by the object id of its service principal, which all of Microsoft's logs share and nobody can
choose; its display name, which its maker chooses, is only told beside it. A managed identity is named after its
resource. The claims are those of the caller's token (Microsoft identity platform, "Access token claims reference").
"""

from __future__ import annotations

import re

from playbooks.scoping.clouds.cloud import Actor, Principal

GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
# Claim xms_mirid: the resource whose identity asked, or the user-assigned identity itself.
IDENTITY_OF = re.compile(r"/subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/.*/([^/]+)", re.IGNORECASE)
PERSON, APPLICATION, MANAGED = "User", "ServicePrincipal", "ManagedIdentity"
# A person who holds a right through a group is logged with the group's kind.
KINDS = {"user": PERSON, "group": PERSON, "app": APPLICATION, "serviceprincipal": APPLICATION}
# Microsoft, "Verify first-party Microsoft applications in sign-in reports": the same in every tenant.
CLIENTS = {
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c": "Azure Portal",
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Azure CLI",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Azure PowerShell",
    "aebc6443-996d-45c2-90f0-388ff96faa56": "Visual Studio Code",
    "872cd9fa-d31f-45e0-9eab-6e460a02d1f1": "Visual Studio",
    "14d82eec-204b-4c2f-b7e8-296a70dab67e": "Microsoft Graph Command Line Tools",
    "7df0a125-d3be-4c96-aa54-591f83ff541c": "Microsoft Flow Service",
    "475226c6-020e-4fb2-8a90-7a972cbfc1d4": "PowerApps Service",
}


def principal_of(actor: Actor) -> Principal:
    """The principal of one record.

    A managed identity of another subscription than the resource's is written `subscription:group/name`, so that a
    namesake stays a stranger.
    """
    # the kind that only the claim gives: an application's display name can be made to look like an id
    identity = IDENTITY_OF.fullmatch(actor.name or "") if actor.kind == MANAGED else None
    if identity and actor.name:
        home, group, name = (part.lower() for part in identity.groups())
        foreign = actor.account is not None and home != actor.account.lower()
        who = f"{home}:{group}/{name}" if foreign else f"{group}/{name}"
        return Principal(who, MANAGED, f"identity of {actor.name.lower()}", False)
    kind = KINDS.get((actor.kind or "").lower(), actor.kind)
    if kind in (APPLICATION, MANAGED) or (kind is None and GUID.fullmatch(actor.name or "")):
        named = actor.name if actor.uid and actor.name and not GUID.fullmatch(actor.name) else None
        is_user = None if kind is None else False
        return Principal(actor.uid or actor.name, kind, via_application(named or actor.invoked_by), is_user)
    is_user = True if kind == PERSON or "@" in (actor.name or "") else None
    return Principal(person(actor.name) or actor.uid, kind, via_application(actor.invoked_by), is_user)


def person(name: str | None) -> str | None:
    """A user principal name in one spelling: case means nothing in it."""
    if not name or "@" not in name:
        return name
    return name.lower().removeprefix("live.com#")  # a personal account signs in under this prefix


def via_application(application: str | None) -> str | None:
    """The application in between, with the name of Microsoft's own where the log gives only its id."""
    if not application:
        return None
    known = CLIENTS.get(application.lower())
    return f"application {known} ({application.lower()})" if known else f"application {application}"
