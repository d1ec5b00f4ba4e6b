"""What to do next, what may be innocent and what nobody can see, by the family of a resource, whatever its cloud."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from playbooks.scoping.cloud_activity import FUNCTION_CHANGES, LOGGING_TAMPERED, PUBLIC_EXPOSURE
from playbooks.scoping.question import Question


@dataclass(frozen=True)
class Family:
    """Kinds of resource that are looked after alike.

    `before` is done before anybody is asked or anything changed, `after` ends the abuse and keeps the evidence.
    """

    kinds: frozenset[str]
    before: str
    after: str
    asked: Question | None = None


CODE = Family(
    frozenset(
        {
            *("function", "function-app", "edge-function", "script", "notebook", "service", "app", "job", "workflow"),
            *("state-machine", "flow", "runbook", "automation-account", "agent", "pages-project", "project", "build"),
            *("pipeline", "task-definition", "layer", "deployment", "document", "stack", "environment", "worker-group"),
            *("runner", "dev-endpoint", "compute-environment"),
        }
    ),
    "Export code, settings, access rules and triggers of {resource}, of every version, before anything is changed.",
    "Stop new runs of {resource} in the way that keeps its code: no concurrency, stopped or disabled, never deleted. "
    "Record what opens it to strangers, then close that.",
    FUNCTION_CHANGES,
)
LOG = Family(
    frozenset(
        {
            *("trail", "log-group", "log-workspace", "log-bucket", "log", "log-job", "log-policy", "log-destination"),
            *("audit-log", "sink", "exclusion", "diagnostic-setting", "application-insights", "event-data-store"),
            *("flow-log", "query-log-config", "alert", "detector", "security-hub", "configuration-recorder"),
            "delivery-channel",
        }
    ),
    "Export the settings of {resource} and what it delivered so far; state from when to when it recorded less.",
    "Set {resource} back to what it recorded before, runs and access to data included; keep the changed settings as "
    "evidence.",
    LOGGING_TAMPERED,
)
IDENTITY = Family(
    frozenset(
        {
            *("user", "role", "service-account", "application", "identity", "oauth-client", "token", "secret"),
            *("role-assignment", "policy", "member", "delegation", "trust-anchor", "identity-pool"),
            *("roles-anywhere-profile", "mailbox"),
        }
    ),
    "List keys, secrets, sessions, grants, consents and rules of {resource}, with who made each and when.",
    "Take back what was newly given to {resource}, and disable, do not delete, its new keys and secrets.",
)
DOOR = Family(
    frozenset(
        {
            *("api", "api-service", "api-destination", "trigger", "build-trigger", "webhook", "schedule", "rule"),
            *("receipt-rule", "route", "domain", "domain-mapping", "account-subdomain", "distribution", "tunnel"),
            *("connection", "connector", "integration", "alias", "topic", "queue", "event-bus", "pipe", "subscription"),
        }
    ),
    "Export the definition of {resource}, what it lets in or starts, and with whose rights.",
    "Disable {resource}, do not delete it, once what it starts is preserved.",
)
OTHER = Family(
    frozenset(),
    "Export the settings of {resource}, and who may change them, before anything is changed.",
    "Set {resource} back to what it was, once the changed settings are kept as evidence.",
)
FAMILIES = (CODE, LOG, IDENTITY, DOOR)
LAST = (
    "Disable, do not delete, the keys and secrets that were used; revoke the sessions and tokens of the identities "
    "involved."
)


def family_of(kind: str) -> Family:
    """The family of a `resource_type`."""
    return next((family for family in FAMILIES if kind in family.kinds), OTHER)


def next_steps(kind: str, resource: str, people: str) -> tuple[str, ...]:
    """What to do, in order: preserve, ask, look elsewhere, stop, take the credentials."""
    family = family_of(kind)
    return (
        family.before.format(resource=resource),
        f"Ask the owner of {resource} and {people}, over another channel than the one in question, whether they did "
        "this.",
        f"List what {people} did elsewhere: other regions, accounts, projects and tenants, other keys and roles.",
        family.after.format(resource=resource),
        LAST,
    )


def questions_of(kind: str, kinds: Collection[str]) -> tuple[Question, ...]:
    """Questions whose innocent readings and limits hold for a resource with these kinds of signal."""
    asked = [family_of(kind).asked or FUNCTION_CHANGES]
    asked += [PUBLIC_EXPOSURE] if "exposure" in kinds else []
    asked += [LOGGING_TAMPERED] if "evasion" in kinds else []
    return tuple(dict.fromkeys(asked))
