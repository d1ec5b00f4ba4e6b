"""Who stands behind a record of Google Cloud: who asked first, not the service account that was borrowed.

A chain of impersonation is logged in the order of asking: whoever is first wanted the call, the service account at
its end only lent its rights. Where Google's own agent asked (a schedule, a push), nobody did: the service account
itself is named. The key of a service account names no person; it is shown, because keys are what is stolen.
Reference: Google Cloud documentation, `AuthenticationInfo`; "Service agents"; "Principal identifiers".
"""

from __future__ import annotations

import re

from playbooks.scoping.clouds.cloud import Actor, Principal

# Agents that act for a customer's resource. The list is closed: anybody may name an account `service-1` in a project
# whose name looks like one of these.
AGENT_PROJECTS = (
    *("apigateway", "artifactregistry", "cloudbuild", "cloudscheduler", "cloudtasks", "eventarc", "logging"),
    *("pubsub", "secretmanager", "workflows", "workflowexecutions"),
)
AGENT = re.compile(
    rf"service-[0-9]+@(?:gcp-sa-(?:{'|'.join(AGENT_PROJECTS)})|gcf-admin-robot|serverless-robot-prod|compute-system)"
    r"\.iam\.gserviceaccount\.com|[0-9]+@cloudservices\.gserviceaccount\.com"
)
SERVICE_ACCOUNT = re.compile(r"[^@\s]+@(?:[^@\s]+\.)?gserviceaccount\.com")
KEY = re.compile(r"//iam\.googleapis\.com/.*/keys/([^/]+)")
# principal://iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/POOL/subject/WHO
FEDERATED = re.compile(
    r"(principal(?:Set)?)://iam\.googleapis\.com/(.+?)/(workload|workforce)(?:Identity)?Pools/([^/]+)/"
)
KINDS = {"serviceAccount": "service account", "user": "user"}


def principal_of(actor: Actor) -> Principal:
    """The principal of one record: a person, a pipeline's federated identity, a service account, Google's agent."""
    used = actor.name or actor.uid
    first, last = (None, None) if _key(actor.issuer) else (actor.issuer, actor.invoked_by)
    if not first or first == used:
        key, kind = _key(actor.issuer), _kind(used, actor.kind)
        # a key is a credential that was handed out, as a user's is
        return Principal(_name(used), kind, f"key {key}" if key else None, True if key else _is_user(kind))
    if is_agent(first):
        kind = _kind(used, actor.kind)
        return Principal(_name(used), kind, f"by {first}", _is_user(kind))
    through = [last] if last and last not in (first, used) else []
    chain = [f"service account {name}" for name in (*through, used) if name]
    kind = _kind(first, None)
    return Principal(_name(first), kind, ", ".join(chain) or None, _is_user(kind))


def _is_user(kind: str | None) -> bool | None:
    return None if kind is None else kind == "user"


def is_agent(name: str | None) -> bool:
    """Whether an account is an agent of Google's that acts for a customer's resource."""
    return bool(name and AGENT.fullmatch(name))


def _key(issuer: str | None) -> str | None:
    found = KEY.fullmatch(issuer or "")
    return found[1] if found else None


def _name(text: str | None) -> str | None:
    """An identity of a pool as `POOL:WHO`: another pool may know the same subject."""
    found = FEDERATED.match(text or "")
    if not found or text is None:
        return text
    who = text[found.end() :]
    return f"{found[4]}:{who.partition('/')[2] or who}"


def _kind(name: str | None, logged: str | None) -> str | None:
    if is_agent(name):
        return "service agent"
    federated = FEDERATED.match(name or "")
    if federated:
        return f"{federated[3]} identity"
    if name and SERVICE_ACCOUNT.fullmatch(name):
        return "service account"
    return KINDS.get(logged or "", logged) or ("user" if name and "@" in name else None)
