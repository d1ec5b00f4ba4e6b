"""Google Cloud: audit logs, their resource names, IAM policies and service accounts.

A resource is called by the last part of its name (`projects/P/locations/L/functions/F` is F); a call that makes one
names only its parent, and the new name stands in the request.
"""

from __future__ import annotations

from playbooks.scoping.clouds.cloud import CHANGING_PHASES, OPENING_PHASES, Actor, Call, Facts, Principal, Target
from playbooks.scoping.clouds.google_exposure import House, endpoint_of, exposure_of
from playbooks.scoping.clouds.google_principals import principal_of
from playbooks.scoping.clouds.google_triggers import place_of, schedule_of, target_of, touched_by, triggers_of
from playbooks.scoping.clouds.record_json import plain_text, text_at

# Where the name of what a call makes stands, by type of resource; a name beats the number that stands for it.
NAME_PATHS: dict[str | None, tuple[str, ...]] = {
    "function": ("function.name", "name", "functionId"),
    "service": ("service.metadata.name", "serviceId", "service.name"),
    "job": ("job.metadata.name", "jobId", "job.name", "name"),
    "trigger": ("triggerId", "trigger.name", "name"),
    "workflow": ("workflowId", "workflow.name", "parent"),
    "subscription": ("subscription.name", "name"),
    "build-trigger": ("trigger.name", "trigger.id"),
    "queue": ("queue.name", "parent"),
    "api": ("gatewayId", "apiConfigId", "gateway.name"),
    "sink": ("sink.name", "sinkName"),
    "exclusion": ("exclusion.name", "name"),
    "role": ("roleId", "role_id", "name"),
    "identity-pool": ("workloadIdentityPoolProviderId", "workloadIdentityPoolId"),
}
COLLECTIONS = {  # of a name that is the resource's own, not its parent's
    "function": "functions",
    "service": "services",
    "job": "jobs",
    "trigger": "triggers",
    "workflow": "workflows",
    "subscription": "subscriptions",
    "queue": "queues",
    "sink": "sinks",
    "exclusion": "exclusions",
    "role": "roles",
    "build-trigger": "triggers",
    "identity-pool": "providers",
}
ROLE_PATHS = (
    *("function.serviceAccountEmail", "function.serviceConfig.serviceAccountEmail", "serviceAccountEmail"),
    *("service.spec.template.spec.serviceAccountName", "service.template.serviceAccount"),
    *("job.spec.template.spec.template.spec.serviceAccountName", "job.template.template.serviceAccount"),
    *("workflow.serviceAccount", "trigger.serviceAccount", "job.httpTarget.oidcToken.serviceAccountEmail"),
    *("job.httpTarget.oauthToken.serviceAccountEmail", "pushConfig.oidcToken.serviceAccountEmail"),
    *("serviceConfig.serviceAccountEmail", "template.serviceAccount", "spec.template.spec.serviceAccountName"),
)


class GoogleCloud:
    """Records of Cloud Audit Logs."""

    def principal(self, actor: Actor) -> Principal:
        """Who asked first; the service account that was borrowed, or the key, stands beside."""
        return principal_of(actor)

    def facts(self, call: Call) -> Facts:
        """From the name of the resource first, then the request, then the answer."""
        name, uid = resource_of(call)
        changing = call.operation.phase in CHANGING_PHASES
        passed = text_at(call.request, *ROLE_PATHS) if changing else None
        role = passed or (text_at(call.response, *ROLE_PATHS) if changing else None)
        opening = call.operation.phase in OPENING_PHASES or call.operation.resource_type == "sink"
        tells = opening and not call.failed
        opened = exposure_of(call, House(call.account, call.own)) if tells else None
        made = endpoint_of(call) if tells and changing else None
        if not changing:
            return Facts(name, uid, opened, made)
        return Facts(name, uid, opened, made, touched_by(call), role, passed, triggers_of(call), schedule_of(call))

    def place(self, region: str | None, uid: str | None) -> str | None:
        """The location: in the resource's own name where it stands there."""
        return place_of(region, uid)

    def target(self, uid: str) -> Target | None:
        """The function, service, job or workflow of a full name."""
        return target_of(uid)


def resource_of(call: Call) -> tuple[str | None, str | None]:
    """Short name and full id of the resource."""
    kind, uid = call.operation.resource_type, plain_text(call.logged_uid)
    if kind == "service-account":
        named = (text_at(call.response, "email", "name"), text_at(call.request, "name", "account_id", "accountId"), uid)
        account = next((_account(text) for text in named if text and "@" in text), None)
        return account or text_at(call.request, "account_id", "accountId") or (_last(uid) if uid else None), uid
    collection = COLLECTIONS.get(kind or "")
    if uid and (not collection or f"/{collection}/" in f"/{uid}"):
        return _last(uid, collection), uid
    made = text_at(call.request, *NAME_PATHS.get(kind, ()))
    logged = _last(uid) if uid else plain_text(call.logged_name)
    return (_last(made, collection) if made else logged), uid


def _last(text: str, collection: str | None = None) -> str:
    """The last part of a name; of a name below a collection (`workflows/W/executions/E`) the one in it."""
    parts = text.rstrip("/").split("/")
    if collection in parts[:-1]:
        return parts[parts.index(collection) + 1]
    return parts[-1] or text


def _account(text: str) -> str:
    """`projects/-/serviceAccounts/EMAIL/keys/K` as EMAIL."""
    return next((part for part in text.split("/") if "@" in part), text)


GCP = GoogleCloud()
