"""Cloudflare: account audit log, versions 1 and 2.

A route, a domain or a schedule belongs to the Worker that it runs, which the request names; so the history of a
Worker holds them. The audit log holds changes only: runs stand in Workers Trace Events, in another log.
"""

from __future__ import annotations

from playbooks.scoping.clouds.cloud import (
    CHANGING_PHASES,
    OPENING_PHASES,
    Actor,
    Call,
    Facts,
    NamedPerAccount,
    Principal,
)
from playbooks.scoping.clouds.google_exposure import host_of
from playbooks.scoping.clouds.record_json import LISTED, plain_text, text_at, texts_at

PATTERN_PATHS = ("pattern", "result.pattern")
HOST_PATHS = ("hostname", "result.hostname", "domain")
CRON_PATHS = (f"{LISTED}.cron", "schedules.cron")
KINDS = {"routes": "route", "filters": "route", "domains": "domain", "schedules": "schedule", "consumers": "queue"}
LABEL_PATHS = ("subdomain", "result.subdomain")


class Cloudflare(NamedPerAccount):
    """Records of the account audit log."""

    def principal(self, actor: Actor) -> Principal:
        """The person; the token that acted for them stands beside. A token of the account has no person."""
        token = actor.invoked_by
        who = actor.name or token or actor.uid
        is_user = actor.kind.lower() == "user" if actor.kind else None
        return Principal(who, actor.kind, f"token {token}" if token and token != who else None, is_user)

    def facts(self, call: Call) -> Facts:
        """Where the catalogue says that the name stands: in the path, in the request, or as an id."""
        name, uid = _named(call), plain_text(call.logged_uid)
        if call.failed or call.operation.phase not in OPENING_PHASES:
            return Facts(name, uid)
        changing = call.operation.phase in CHANGING_PHASES
        made = _endpoint(call) if changing else None
        return Facts(name, uid, _opened(call), made, triggers=_triggers(call), schedule=_schedule(call))


def _named(call: Call) -> str | None:
    record = {"request": call.request, "resource_name": call.logged_name, "resource_uid": call.logged_uid}
    found = (text for path in call.operation.resource_keys for text in texts_at(record, path))
    return next((text for text in (*found, plain_text(call.logged_name), plain_text(call.logged_uid)) if text), None)


def _opened(call: Call) -> str | None:
    if call.operation.operation.endswith("/subdomain") and call.operation.phase == "permission":
        on = call.request.get("enabled") is True
        return "anyone on the internet may call it (workers.dev switched on)" if on else None
    if call.operation.phase != "trigger":
        return None
    pattern, host = text_at(call.request, *PATTERN_PATHS), text_at(call.request, *HOST_PATHS)
    if pattern:
        return f"requests to {pattern} run it (route)"
    return f"requests to {host} run it (domain)" if host else None


def _triggers(call: Call) -> tuple[str, ...]:
    """What starts the Worker: the last part of the path that was called (`routes`, `schedules`)."""
    if call.operation.phase != "trigger":
        return ()
    parts = call.operation.operation.split(" ", 1)[-1].rstrip("/").split("/")
    kind = next((KINDS[part] for part in reversed(parts) if part in KINDS), None)
    return (kind,) if kind else (parts[0],)


def _schedule(call: Call) -> str | None:
    """Cron expressions of a Worker, sorted."""
    return ", ".join(sorted({text for path in CRON_PATHS for text in texts_at(call.request, path)})) or None


def _endpoint(call: Call) -> str | None:
    """Host that a route, a domain or the account's own name below workers.dev gives."""
    pattern = text_at(call.request, *PATTERN_PATHS)
    if pattern:
        return host_of(pattern.replace("*.", "").replace("*", ""))
    if call.operation.resource_type == "account-subdomain":
        label = text_at(call.request, *LABEL_PATHS) or text_at(call.response, *LABEL_PATHS)
        return f"{label}.workers.dev".lower() if label else None
    if call.operation.resource_type == "pages-project":
        return host_of(text_at(call.response, "subdomain", "result.subdomain", "url", "result.url"))
    return host_of(text_at(call.request, *HOST_PATHS))


CLOUDFLARE = Cloudflare()
