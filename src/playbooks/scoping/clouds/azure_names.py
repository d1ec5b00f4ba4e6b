"""Which resource an id of Azure Resource Manager is about, by one name however the record writes it.

Ids know no case and are logged in any; names are compared, and shown, in lower case. A child carries its parent's
name (`app/function`, `account/runbook`), because children of different parents are often called the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.scoping.clouds.cloud import Call
from playbooks.scoping.clouds.record_json import plain_text, text_at, texts_at

# Type segments of an id that name a resource of each kind; of other kinds the whole id is the name.
SEGMENTS: dict[str, tuple[str, ...]] = {
    "function-app": ("sites", "slots"),
    "function": ("functions",),
    "workflow": ("workflows",),
    "app": ("containerapps",),
    "job": ("jobs",),
    "environment": ("managedenvironments",),
    "automation-account": ("automationaccounts",),
    "runbook": ("runbooks",),
    "webhook": ("webhooks",),
    "schedule": ("schedules", "jobschedules"),
    "worker-group": ("hybridrunbookworkergroups",),
    "connection": ("connections", "customapis"),
    "identity": ("userassignedidentities",),
    "storage-account": ("storageaccounts",),
    "log-workspace": ("workspaces",),
}
PARENTS = frozenset({"sites", "slots", "automationaccounts"})  # whose names stand before their children's
# Workflows of a Standard logic app are reached through the runtime of the app that hosts them.
RUNTIME = "/hostruntime/webhooks/api/"


@dataclass(frozen=True)
class Named:
    """A resource: short name, and the id up to it."""

    name: str | None
    uid: str | None


def resource_of(call: Call) -> Named:
    """The resource of one record, from its id; else as the format found it.

    A job of Azure Automation has a number of its own; the runbook that it ran stands in the request.
    """
    logged = plain_text(call.logged_uid)
    if logged is None or not logged.startswith("/"):
        name = plain_text(call.logged_name)
        return Named(name.lower() if name else None, logged)
    found = named_by(logged, call.operation.service, call.operation.resource_type or "")
    return _runbook(call, logged) or _function(call, logged) or found


def _function(call: Call, uid: str) -> Named | None:
    """A function that the log of its app names beside the app's id."""
    name = plain_text(call.logged_name) if call.operation.resource_type == "function" else None
    app = named_by(uid, call.operation.service, "function-app")
    if name is None or app.uid is None or uid.lower() != app.uid or name.lower() == app.uid.rsplit("/", 1)[-1]:
        return None
    return Named(f"{app.name}/{name.lower()}", f"{app.uid}/functions/{name.lower()}")


def _runbook(call: Call, uid: str) -> Named | None:
    name = text_at(call.request, "properties.runbook.name") if call.operation.resource_type == "runbook" else None
    account = named_by(uid, call.operation.service, "automation-account")
    if name is None or "/runbooks/" in uid.lower() or account.uid is None:
        return None
    return Named(f"{account.name}/{name.lower()}", f"{account.uid}/runbooks/{name.lower()}")


def named_by(uid: str, service: str, kind: str) -> Named:
    """Name and id of the resource of `kind` within an ARM id, which may go on below it."""
    text = uid.lower().rstrip("/").replace(RUNTIME, "/")
    head, marker, tail = _provider(text, service.lower())
    parts = tail.split("/")
    pairs = list(zip(parts[::2], parts[1::2], strict=False))
    wanted = SEGMENTS.get(kind, ())
    ends = [place for place, (segment, _) in enumerate(pairs) if segment in wanted]
    kept = pairs[: ends[-1] + 1] if ends else pairs
    if not kept:
        return Named(text.rsplit("/", 1)[-1] or None, text)
    named = "/".join(name for segment, name in kept if not ends or segment in wanted or segment in PARENTS)
    return Named(named, head + marker + "/".join(part for pair in kept for part in pair))


def _provider(text: str, service: str) -> tuple[str, str, str]:
    """An id before, at and behind `/providers/NAMESPACE/`: of `service`, else the last one."""
    marker = f"/providers/{service}/"
    if marker in text:
        return text.rpartition(marker)
    before, last, behind = text.rpartition("/providers/")
    namespace, slash, tail = behind.partition("/")
    return (before, last + namespace + slash, tail) if last else ("", "", text.strip("/"))


def identities_given(request: dict[str, object]) -> list[str]:
    """Ids of the managed identities that a request gives to its resource, in lower case, sorted."""
    given = request.get("identity")
    assigned = given.get("userAssignedIdentities") if isinstance(given, dict) else None
    ids = [text for text in map(plain_text, assigned if isinstance(assigned, dict) else ()) if text]
    return sorted(text.lower() for text in ids)


def identity_held(response: dict[str, object]) -> str | None:
    """Object id of the identity that the answer shows the resource to have."""
    return next(iter(texts_at(response, "identity.principalId")), None)
