"""The same for clouds and suites beside AWS: which of their operations end, narrow or restore a log, and of what.

Operations and parameters are those of the providers' audit references (Azure Activity Log; Cloud Logging
ConfigServiceV2; Exchange Online admin audit; Cloudflare audit logs). What is not listed here changes no log that we
know of.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from playbooks.scoping.clouds.record_json import MAX_VALUES, json_object, text_at
from playbooks.scoping.logging_requests import OFF, ON, WRITES, flag
from playbooks.scoping.logging_state import Days, Facet, Flag, Place, State, Test

AZURE_ENDING = {
    "microsoft.insights/diagnosticsettings/delete": "diagnostic setting",
    "microsoft.insights/logprofiles/delete": "log profile",
    "microsoft.insights/activitylogalerts/delete": "activity log alert",
    "microsoft.operationalinsights/workspaces/delete": "log workspace",
    "microsoft.network/networkwatchers/flowlogs/delete": "flow log",
    "microsoft.network/networkwatchers/delete": "network watcher",
    "microsoft.securityinsights/alertrules/delete": "alert rule",
    "microsoft.securityinsights/dataconnectors/delete": "data connector",
}
AZURE_SETTING = {
    "microsoft.insights/diagnosticsettings/write": "diagnostic setting",
    "microsoft.network/networkwatchers/flowlogs/write": "flow log",
}
GOOGLE = "google.logging.v2.configservicev2."
EXCHANGE = {  # cmdlet: parameter, whether its truth means that less is recorded, the thing
    "set-adminauditlogconfig": (("UnifiedAuditLogIngestionEnabled", False), ("AdminAuditLogEnabled", False)),
    "set-organizationconfig": (("AuditDisabled", True),),
    "set-mailbox": (("AuditEnabled", False),),
    "set-mailboxauditbypassassociation": (("AuditBypassEnabled", True),),
}


@dataclass(frozen=True)
class Told:
    """What one record sets of which thing; `word` where it ends something."""

    kind: str
    name: str | None
    sets: State
    word: str | None = None


def elsewhere(
    provider: str, operation: str, request: str | None, response: str | None, resource: str | None
) -> Told | None:
    """What a record of another provider than AWS sets; null where it is no change of a log."""
    name = operation.lower()
    if provider == "Azure":
        return _azure(name, resource)
    if provider == "GCP":
        return _google(name, json_object(request), json_object(response), resource)
    if provider == "Microsoft 365":
        return _exchange(name, request, resource)
    if provider == "Cloudflare":
        return _cloudflare(name, resource)
    return None


def _azure(name: str, resource: str | None) -> Told | None:
    if name in AZURE_ENDING:
        return Told(AZURE_ENDING[name], resource, OFF, "deleted")
    return Told(AZURE_SETTING[name], resource, ON) if name in AZURE_SETTING else None


def _google(
    name: str, request: Mapping[str, object], response: Mapping[str, object], resource: str | None
) -> Told | None:
    if name.startswith(GOOGLE):
        verb = name.removeprefix(GOOGLE)
        if verb in ("deletesink", "deletebucket", "deleteview"):
            return Told(verb.removeprefix("delete"), resource, OFF, "deleted")
        if verb in ("createsink", "updatesink"):
            return Told("sink", resource, _sink(request.get("sink")))
        if verb in ("createexclusion", "deleteexclusion"):
            excluded = verb.startswith("create")
            return Told("exclusion", resource, OFF if excluded else ON, "excluded" if excluded else None)
        if verb in ("createbucket", "updatebucket"):
            days = text_at(request, "bucket.retentionDays") or ""
            plain = days.isascii() and days.isdigit() and len(days) < 9
            return Told("bucket", resource, {"retention": Days(float(days))} if plain else {})
        return None
    if name.rsplit(".", 1)[-1] == "setiampolicy":
        state = dict(_audit_config([request, response]))
        return Told("audit configuration", resource, state) if state else None
    return None


def _sink(sink: object) -> State:
    off = flag(sink.get("disabled")) if isinstance(sink, dict) else None
    destination, test = text_at(sink, "destination"), text_at(sink, "filter")
    return {
        WRITES: Flag(not off),
        **({"destination": Place(destination)} if destination else {}),
        **({"filter": Test(test)} if test else {}),
    }


def _audit_config(records: list[Mapping[str, object]]) -> Iterator[tuple[str, Facet]]:
    """Data Access logs switched on or off, and members exempted from them."""
    for record in records:
        delta = record.get("policyDelta")
        listed = delta.get("auditConfigDeltas") if isinstance(delta, dict) else None
        for one in listed[:MAX_VALUES] if isinstance(listed, list) else ():
            action, kind = text_at(one, "action"), text_at(one, "logType")
            if action in ("ADD", "REMOVE") and kind:
                exempted = text_at(one, "exemptedMember")
                of = f" by {exempted}" if exempted else ""
                yield (
                    f"{kind} of {text_at(one, 'service') or 'all services'}{of}",
                    Flag((action == "ADD") != bool(exempted)),
                )


def _exchange(name: str, request: str | None, resource: str | None) -> Told | None:
    if name.startswith("remove-unifiedauditlogretentionpolicy"):
        return Told("audit retention policy", resource, OFF, "deleted")
    given = _parameters(request)
    state: dict[str, Facet] = {}
    for parameter, less_when in EXCHANGE.get(name, ()):
        value = flag(given.get(parameter.lower()))
        if value is not None:
            state[parameter] = Flag(value != less_when)
    return Told("auditing", resource, state) if state else None


def _parameters(request: str | None) -> dict[str, object]:
    """`[{"Name": …, "Value": …}]` by name in lower case."""
    try:
        listed = json.loads(request or "null")
    except (ValueError, RecursionError):
        return {}
    pairs = listed[:MAX_VALUES] if isinstance(listed, list) else []
    return {
        str(one.get("Name")).lower(): one.get("Value")
        for one in pairs
        if isinstance(one, dict) and isinstance(one.get("Value"), str | bool)
    }


def _cloudflare(name: str, resource: str | None) -> Told | None:
    job = f"{name} {resource or ''}".lower()
    if "logpush" not in job:
        return None
    ending = "delete" in name
    return Told("logpush job", resource, OFF if ending else ON, "deleted" if ending else None)
