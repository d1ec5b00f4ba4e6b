"""What a successful change in Google Cloud opens, and to whom; and the host that it made.

A member of a policy is foreign where the house names what is its own: projects for service accounts, zones for people.
Where it names none, only `allUsers`, `allAuthenticatedUsers` and consumer accounts are known to be strangers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from playbooks.case_file import Own
from playbooks.knowledge.operations import Operation
from playbooks.scoping.clouds.cloud import Call
from playbooks.scoping.clouds.google_principals import is_agent
from playbooks.scoping.clouds.record_json import plain_text, text_at, texts_at

ANYONE = {"allUsers": "anyone", "allAuthenticatedUsers": "anyone with a Google account"}
CONSUMER = ("gmail.com", "googlemail.com")
BINDINGS = ("policy.bindings", "bindings")
DELTAS = ("policyDelta.bindingDeltas", "serviceData.policyDelta.bindingDeltas")
PUSH_PATHS = ("pushConfig.pushEndpoint", "subscription.pushConfig.pushEndpoint")
TARGET_PATHS = ("job.httpTarget.uri", "httpTarget.uri", "task.httpRequest.url", "trigger.destination.httpEndpoint.uri")
SINK_PATHS = ("sink.destination", "destination")
ENDPOINT_PATHS = (
    *("httpsTrigger.url", "function.httpsTrigger.url", "serviceConfig.uri", "url", "uri", "status.url"),
    *("status.address.url", "urls", "defaultHostname", "gateway.defaultHostname"),
)
GOOGLE_HOSTS = (".run.app", ".cloudfunctions.net", ".appspot.com", ".googleapis.com")
SA_PROJECT = re.compile(r"[^@\s]+@([a-z0-9.:-]+)\.iam\.gserviceaccount\.com")
SINK_PROJECT = re.compile(r"[a-z]+\.googleapis\.com/(?:projects/([^/]+)/|[^/]+$)")
CLOSING = ("Delete", "Pause", "Remove")
MAX_SAID = 5  # grants of one call that are told


@dataclass(frozen=True)
class House:
    """Against what foreign is measured."""

    project: str | None
    own: Own

    def stranger(self, member: str) -> str | None:
        """`member` in words where it is known to be none of the house."""
        if member in ANYONE:
            return ANYONE[member]
        kind, _, name = member.partition(":")
        project = SA_PROJECT.fullmatch(name)
        if kind == "serviceAccount":
            known = project is not None and self.own.gcp_projects and not is_agent(name)
            strange = known and project is not None and project[1] not in (*self.own.gcp_projects, self.project)
            return f"{name}, of another project," if strange else None
        domain = name.rpartition("@")[2].lower()
        if kind not in ("user", "group", "domain") or not domain:
            return None
        foreign = domain in CONSUMER or (self.own.zones and not self.is_ours(domain))
        return f"{name}, outside the house," if foreign else None

    def is_ours(self, host: str) -> bool:
        """Whether a domain or host lies in a zone of the house."""
        return any(host == zone.lower() or host.endswith(f".{zone.lower()}") for zone in self.own.zones)


def exposure_of(call: Call, house: House) -> str | None:
    """What a successful call opens beyond the house; null where it opens nothing."""
    if call.operation.operation.rpartition(".")[2].startswith(CLOSING):
        return None
    facts = [*_granted(call, house), *_unchecked(call), *_pushed(call, house), *_sent_abroad(call, house)]
    return "; ".join(dict.fromkeys(facts)) or None


def _granted(call: Call, house: House) -> Iterator[str]:
    added = list(_added(call))
    told = [
        f"{who} may {_verb(role, call.operation)} ({member}, {role})"
        for member, role in (added if added else _bound(call))
        if (who := house.stranger(member))
    ]
    yield from told[:MAX_SAID]


def _added(call: Call) -> Iterator[tuple[str, str]]:
    """What a policy's difference says was added: `old` grants of the same policy are none of this call's."""
    for path in DELTAS:
        for delta in _objects(call.response, path):
            role, member = text_at(delta, "role"), text_at(delta, "member")
            if role and member and text_at(delta, "action") == "ADD":
                yield member, role


def _bound(call: Call) -> Iterator[tuple[str, str]]:
    """The whole policy that a call set: the only thing known where its difference is not logged."""
    if any(True for path in DELTAS for _ in _objects(call.response, path)):
        return
    for path in BINDINGS:
        for binding in _objects(call.request, path):
            role = text_at(binding, "role") or "a role that the record does not name"
            yield from ((member, role) for member in texts_at(binding, "members"))


def _objects(record: object, path: str) -> Iterator[dict[str, object]]:
    """Objects in the list at dotted `path`."""
    found = value_at(record, *path.split("."))
    yield from (one for one in (found if isinstance(found, list) else []) if isinstance(one, dict))


def _verb(role: str, operation: Operation) -> str:
    if role.rpartition(".")[2].lower().endswith("invoker"):
        return "invoke"
    if "serviceAccount" in role or "workloadIdentity" in role:
        return "act as it"
    return "use the project" if operation.resource_type == "project" else "act on it"


def _unchecked(call: Call) -> Iterator[str]:
    """Cloud Run without a check of the caller's right, reachable from outside."""
    service = value_at(call.request, "service")
    asked = service if isinstance(service, dict) else call.request
    notes = value_at(asked, "metadata", "annotations")
    off = (value_at(asked, "invokerIamDisabled"), value_at(notes, "run.googleapis.com/invoker-iam-disabled"))
    ingress = (value_at(asked, "ingress"), value_at(notes, "run.googleapis.com/ingress"))
    inside = any("internal" in one.lower() for one in ingress if isinstance(one, str))
    if not inside and any(one is True or one == "true" for one in off):
        yield "it asks no caller for the right to invoke (invoker check off)"


def value_at(record: object, *steps: str) -> object:
    """What stands at `steps` of nested objects, whatever its type; null where a step is missing."""
    for step in steps:
        record = record.get(step) if isinstance(record, dict) else None
    return record


def _pushed(call: Call, house: House) -> Iterator[str]:
    for paths, what in ((PUSH_PATHS, "messages are pushed to"), (TARGET_PATHS, "it calls")):
        host = host_of(text_at(call.request, *paths))
        if host and not host.endswith(GOOGLE_HOSTS) and not house.is_ours(host):
            yield f"{what} {host}, a host that the case does not list"


def _sent_abroad(call: Call, house: House) -> Iterator[str]:
    if call.operation.resource_type != "sink":
        return
    target = text_at(call.request, *SINK_PATHS)
    found = SINK_PROJECT.match(target or "")
    project = found[1] if found else None
    mine = {*house.own.gcp_projects, house.project}
    if project and house.own.gcp_projects and project not in mine:
        yield f"log records go to project {project}, not ours ({target})"


def endpoint_of(call: Call) -> str | None:
    """Host that the answer, or the finished request, shows: a function's URL, a service's, a gateway's."""
    return host_of(text_at(call.response, *ENDPOINT_PATHS) or text_at(call.request, "function.httpsTrigger.url"))


def host_of(text: str | None) -> str | None:
    """Host of a URL or a bare host name."""
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname if text else None
    except ValueError:
        return None
    return plain_text(host) if host and "." in host and " " not in host else None
