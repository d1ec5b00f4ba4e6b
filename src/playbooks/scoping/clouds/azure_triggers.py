"""What a change in Azure lets start a function or its like, when, and which resources it names for that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from playbooks.scoping.clouds.azure_exposure import host_of
from playbooks.scoping.clouds.azure_names import named_by
from playbooks.scoping.clouds.cloud import Call, Target
from playbooks.scoping.clouds.record_json import json_object, objects_at, text_at, texts_at

# Ids of what runs code, in lower case; a function stands below its app.
RUNS_CODE = re.compile(
    r"/subscriptions/[^/\"\\\s]+/resourcegroups/[^/\"\\\s]+/providers/"
    r"(?:microsoft\.web/sites/[^/\"\\\s]+(?:/functions/[^/\"\\\s]+)?|microsoft\.logic/workflows/[^/\"\\\s]+"
    r"|microsoft\.app/(?:containerapps|jobs)/[^/\"\\\s]+"
    r"|microsoft\.automation/automationaccounts/[^/\"\\\s]+/runbooks/[^/\"\\\s]+)"
)
KINDS = {  # last type segment of such an id
    "functions": "function",
    "sites": "function-app",
    "workflows": "workflow",
    "containerapps": "app",
    "jobs": "job",
    "runbooks": "runbook",
}
GROUP = re.compile(r"/resourcegroups/([^/]+)")
SENT_TO = ("properties.destination.properties.endpointUrl", "properties.destination.properties.endpointBaseUrl")
MAX_TOUCHED = 20


def target_of(uid: str) -> Target | None:
    """The resource of an id that `touched_by` gives."""
    if not RUNS_CODE.fullmatch(uid):
        return None
    parts = uid.split("/")
    kind = KINDS[parts[-2]]
    name = named_by(uid, parts[6], kind).name
    return Target(kind, name, parts[2], group_of(uid)) if name else None


def group_of(uid: str | None) -> str | None:
    """Resource group of an id, in lower case: names of Azure are unique in one."""
    found = GROUP.search(uid.lower()) if uid else None
    return found[1] if found else None


def touched_by(call: Call) -> tuple[str, ...]:
    """Ids, in lower case, and hosts of what a trigger's request names; sorted."""
    if call.operation.phase != "trigger":
        return ()
    found = {match[0] for match in RUNS_CODE.finditer(json.dumps(call.request).lower())}
    found |= {f"https://{host}" for host in map(host_of, texts_at(call.request, SENT_TO[0])) if host}
    found |= {f"https://{host}" for host in map(host_of, texts_at(call.request, SENT_TO[1])) if host}
    runbook, uid = text_at(call.request, "properties.runbook.name"), (call.logged_uid or "").lower()
    account = named_by(uid, call.operation.service, "automation-account").uid if runbook else None
    if runbook and account and "/automationaccounts/" in account:
        found.add(f"{account}/runbooks/{runbook.lower()}")
    return tuple(sorted(found)[:MAX_TOUCHED])


def triggers_of(call: Call) -> tuple[str, ...]:
    """Kinds of triggers that a request sets, sorted."""
    name = call.operation.operation.lower()
    kinds = [text_at(one, "type") for one in (*_bindings(call), *_starts(call))]
    kinds += [text_at(call.request, "properties.configuration.triggerType")]
    if call.operation.phase == "trigger" and name.endswith("/write"):
        kinds.append(
            call.operation.resource_type if call.operation.resource_type != "trigger" else "event subscription"
        )
    return tuple(sorted({kind for kind in kinds if kind}))


def schedule_of(call: Call) -> str | None:
    """When it runs: an NCRONTAB or cron expression as written, or `every 5 Minute` of a recurrence."""
    said = [text_at(one, "schedule") for one in _bindings(call)]
    said += [text_at(call.request, "properties.configuration.scheduleTriggerConfig.cronExpression")]
    said += [_every(one.get("recurrence")) for one in _starts(call)]
    said += [_every(call.request.get("properties"))] if call.operation.resource_type == "schedule" else []
    return ", ".join(sorted({text for text in said if text})) or None


def _every(recurrence: object) -> str | None:
    often, unit = text_at(recurrence, "interval"), text_at(recurrence, "frequency")
    return f"every {often or 1} {unit}" if unit else None


def _bindings(call: Call) -> Iterator[dict[str, object]]:
    """Bindings of a function that start it; its settings are an object, or the text of function.json."""
    settings = [*objects_at(call.request, "properties.config")]
    for files in objects_at(call.request, "properties.files"):
        settings += [json_object(text) for name, text in files.items() if name.lower().endswith("function.json")]
    for one in (binding for held in settings for binding in objects_at(held, "bindings")):
        if (text_at(one, "type") or "").lower().endswith("trigger"):
            yield one


def _starts(call: Call) -> Iterator[dict[str, object]]:
    """Triggers in the definition of a workflow."""
    for held in objects_at(call.request, "properties.definition.triggers"):
        yield from (one for one in held.values() if isinstance(one, dict))
