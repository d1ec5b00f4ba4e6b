"""Google Workspace: Drive, Admin and OAuth tokens, and Apps Script as far as they show it.

A script is called by the id of its file: its title is chosen and changed at will, and "Untitled project" is what most
have. The title stands in the words about what was opened. Runs, triggers and deployments are in no audit log.
Reference: Admin SDK, Reports API, "Activities" and the appendices of events.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.scoping.clouds.cloud import (
    CHANGING_PHASES,
    OPENING_PHASES,
    Actor,
    Call,
    Facts,
    NamedPerAccount,
    Principal,
)
from playbooks.scoping.clouds.record_json import plain_text, text_at, texts_at

VALUES = ("value", "multiValue", "intValue", "boolValue")  # where a parameter's value stands, by its type
OPEN_TO = {  # values of `visibility` and `new_value` of Drive's events
    "people_with_link": "anyone with the link",
    "people_with_link_can_edit": "anyone with the link",
    "public_on_the_web": "anyone on the web",
    "shared_externally": None,  # to whom stands in `target_user` or `target_domain`
}
DELEGATED = "AUTHORIZE_API_CLIENT_ACCESS"
MAX_SCOPES = 5  # of a delegation that are told; the record holds all
# The address at which a deployment answers, wherever a record shows it
WEB_APP = re.compile(r"script\.google\.com/(?:a/)?macros/(?:[\w.-]+/)?s/[\w-]{10,200}", re.ASCII)
DIRECTORY = {"KEY": "application", "USER": "user"}


class GoogleWorkspace(NamedPerAccount):
    """Records of the Reports API."""

    def principal(self, actor: Actor) -> Principal:
        """The person; an application that acts as a person by domain-wide delegation is the one that acted."""
        kind = DIRECTORY.get(actor.kind or "", actor.kind)
        if actor.issuer:
            who = f"as {actor.name}" if actor.name else "as a person that the record does not name"
            return Principal(actor.issuer, "application", f"{who} (domain-wide delegation)", False)
        through = f"by {actor.invoked_by}" if actor.invoked_by and actor.invoked_by != actor.name else None
        return Principal(actor.name or actor.uid or actor.invoked_by, kind, through, _is_user(actor))

    def facts(self, call: Call) -> Facts:
        """From the parameters of the event."""
        told = {"parameters": parameters(call.request)}
        named = (text for path in call.operation.resource_keys for text in texts_at(told, path))
        uid = plain_text(call.logged_uid)
        name = next((text for text in (*named, uid, plain_text(call.logged_name)) if text), None)
        if call.failed or call.operation.phase not in OPENING_PHASES:
            return Facts(name, uid)
        opened = "; ".join(_opened(call, told["parameters"])) or None
        texts = (text for path in told["parameters"] for text in texts_at(told["parameters"], path))
        shown = (WEB_APP.search(text) for text in texts) if call.operation.phase in CHANGING_PHASES else iter(())
        made = next((found for found in shown if found), None)
        return Facts(name, uid, opened, made[0] if made else None)


def _is_user(actor: Actor) -> bool | None:
    """Whether a person's account acted; a key is an application's. A trimmed record tells by its address alone."""
    if actor.kind:
        return actor.kind == "USER"
    return True if actor.name and "@" in actor.name else None


def parameters(event: dict[str, object]) -> dict[str, object]:
    """Parameters of an event by name: the API lists names with values, flattened exports hold an object."""
    held = event.get("parameters")
    if isinstance(held, dict):
        return held
    listed = (one for one in (held if isinstance(held, list) else []) if isinstance(one, dict))
    return {str(one.get("name")): next((one[at] for at in VALUES if at in one), None) for one in listed}


def _opened(call: Call, told: dict[str, object]) -> Iterator[str]:
    if call.operation.operation == DELEGATED:
        scopes = [part for text in texts_at(told, "API_SCOPES") for part in re.split(r"[,\s]+", text) if part]
        more = f" and {len(scopes) - MAX_SCOPES} more" if len(scopes) > MAX_SCOPES else ""
        rights = ", ".join(scopes[:MAX_SCOPES]) or "scopes that the record does not name"
        yield f"it may act as any person of the domain: {rights}{more} (domain-wide delegation)"
    elif call.operation.phase == "permission" and call.operation.service == "drive":
        yield from _shared(call, told)


def _shared(call: Call, told: dict[str, object]) -> Iterator[str]:
    """To whom a file was opened. `visibility` is the state after the event, whoever brought it about."""
    title = text_at(told, "doc_title")
    what = f"“{title[:100]}”" if title else "the file"
    target = text_at(told, "target_user", "target_domain")
    if target and target not in ("all", "none") and _is_ours(target, call.own.zones):
        return
    values = (*texts_at(told, "new_value"), *texts_at(told, "visibility"))
    reached = next((value for value in values if value in OPEN_TO), None)
    widened = text_at(told, "visibility_change") == "external"
    if reached and OPEN_TO[reached]:
        yield f"{OPEN_TO[reached]} may open {what} ({reached})"
    elif reached or widened:
        yield f"{target or 'somebody'}, outside the house, may open {what} ({reached or 'external'})"


def _is_ours(target: str, zones: list[str]) -> bool:
    domain = target.rpartition("@")[2].lower()
    return any(domain == zone.lower() or domain.endswith(f".{zone.lower()}") for zone in zones)


WORKSPACE = GoogleWorkspace()
