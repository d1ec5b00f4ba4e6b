"""What a record of Google Cloud or Workspace changes of logs: sinks, exclusions, buckets, audit configurations, rules.

Workspace's own audit reports cannot be switched off; what can is who is told: the rules of the alert center. Retention
of the reports is fixed by Google.
Reference: Cloud Logging API, ConfigServiceV2 and LoggingServiceV2; Cloud Monitoring API, AlertPolicyService; IAM,
AuditConfigDelta; Reports API, "Admin Activity - Alert Center".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from playbooks.scoping.clouds.google_exposure import value_at
from playbooks.scoping.clouds.google_workspace import parameters
from playbooks.scoping.clouds.record_json import MAX_VALUES, json_object, objects_at, text_at, texts_at
from playbooks.scoping.logging_requests import OFF, ON, WRITES, flag
from playbooks.scoping.logging_state import Days, Facet, Flag, Place, Scope, State, Test
from playbooks.scoping.logging_told import LogRecord, Told, whole_number

CONFIG = "google.logging.v2.configservicev2."
ENDING = {
    "deletesink": "sink",
    "deletebucket": "bucket",
    "deleteview": "view",
    "deletelink": "link",
}
ELSEWHERE = {
    "google.logging.v2.loggingservicev2.deletelog": "log",
    "google.logging.v2.metricsservicev2.deletelogmetric": "log metric",
    "google.monitoring.v3.alertpolicyservice.deletealertpolicy": "alert policy",
    "google.monitoring.v3.notificationchannelservice.deletenotificationchannel": "notification channel",
}
PARTS = ("google.logging.v2.", "google.monitoring.v3.", "setiampolicy")
RULES = ("delete_system_defined_rule", "system_defined_rule_updated", "alert_receivers_changed",
         "alert_status_changed", "delete_alert")  # fmt: skip
CHANGED = "SYSTEM_DEFINED_RULE_ACTION_STATUS_CHANGE"


def told(record: LogRecord) -> Told | None:
    """What one record of Google Cloud sets; null where it is no change of a log."""
    name, request, response = record.operation, json_object(record.request), json_object(record.response)
    if name in ELSEWHERE:
        return Told(ELSEWHERE[name], record.resource, OFF, "deleted")
    if name.startswith(CONFIG):
        return _configured(name.removeprefix(CONFIG), request, record.resource)
    if name.rsplit(".", 1)[-1] == "setiampolicy":
        state = dict(_deltas([request, response])) or dict(_whole(request))
        return Told("audit configuration", record.resource, state) if state else None
    return None


def _configured(verb: str, request: Mapping[str, object], resource: str | None) -> Told | None:
    if verb in ENDING:
        return Told(ENDING[verb], resource, OFF, "deleted")
    if verb == "undeletebucket":
        return Told("bucket", resource, ON)
    if verb in ("createsink", "updatesink"):
        named = text_at(request, "sink.name") if verb.startswith("create") else None
        return Told("sink", named or resource, _sink(request.get("sink")))
    if verb in ("createexclusion", "updateexclusion", "deleteexclusion"):
        return _exclusion(verb, request, resource)
    if verb in ("createbucket", "updatebucket"):
        days = whole_number(text_at(request, "bucket.retentionDays"))
        return Told("bucket", resource, {"retention": Days(days)} if days is not None else {})
    off = flag(value_at(request, "settings", "disableDefaultSink"))
    if verb == "updatesettings" and off is not None:
        return Told("default sink of new projects", resource, {WRITES: Flag(not off)})
    return None


def _exclusion(verb: str, request: Mapping[str, object], resource: str | None) -> Told | None:
    """An exclusion that stands records less; one that is switched off or deleted excludes nothing."""
    named = text_at(request, "exclusion.name") if verb.startswith("create") else None
    off = flag(value_at(request, "exclusion", "disabled"))
    if verb.startswith("delete") or off:
        return Told("exclusion", named or resource, ON)
    if verb.startswith("update") and off is None:
        test = text_at(request, "exclusion.filter")
        return Told("exclusion", resource, {"filter": Test(test)}) if test else None
    return Told("exclusion", named or resource, OFF, "excluded")


def _sink(sink: object) -> State:
    off = flag(sink.get("disabled")) if isinstance(sink, dict) else None
    destination, test = text_at(sink, "destination"), text_at(sink, "filter")
    excluded = {
        f"what exclusion {text_at(one, 'name') or '?'} keeps out": Flag(flag(one.get("disabled")) is True)
        for one in objects_at(sink, "exclusions")
    }
    return {
        WRITES: Flag(not off),
        **({"destination": Place(destination)} if destination else {}),
        **({"filter": Test(test)} if test else {}),
        **excluded,
    }


def _deltas(records: list[dict[str, object]]) -> Iterator[tuple[str, Facet]]:
    """Data Access logs switched on or off, and members exempted from them."""
    for record in records:
        for one in objects_at(record, "policyDelta.auditConfigDeltas")[:MAX_VALUES]:
            action, kind = text_at(one, "action"), text_at(one, "logType")
            if action in ("ADD", "REMOVE") and kind:
                exempted = text_at(one, "exemptedMember")
                of = f" by {exempted}" if exempted else ""
                yield (
                    f"{kind} of {text_at(one, 'service') or 'all services'}{of}",
                    Flag((action == "ADD") != bool(exempted)),
                )


def _whole(request: dict[str, object]) -> Iterator[tuple[str, Facet]]:
    """The audit configuration that a policy sets whole, where the record holds no difference."""
    listed = value_at(request, "policy", "auditConfigs")
    if not isinstance(listed, list):
        return
    parts: set[tuple[str, str | None]] = set()
    for one in (held for held in listed[:MAX_VALUES] if isinstance(held, dict)):
        service = text_at(one, "service") or "all services"
        for kind in objects_at(one, "auditLogConfigs"):
            without = texts_at(kind, "exemptedMembers")
            part = f"except by {', '.join(sorted(without))}" if without else None
            parts.add((f"{text_at(kind, 'logType')} of {service}", part))
    yield "data access logs", Scope(frozenset(parts))


def workspace(record: LogRecord) -> Told | None:
    """A rule of the alert center that was switched, or deleted; whom it tells."""
    if record.operation not in RULES:
        return None
    told = parameters(json_object(record.request))
    given = {name: text_at(told, name) for name in told}
    rule = given.get("SYSTEM_DEFINED_RULE_NAME") or given.get("RULE_NAME") or given.get("ALERT_NAME") or record.resource
    if record.operation == "delete_alert":
        return Told("alert", rule, OFF, "deleted")
    if record.operation.startswith("delete"):
        return Told("alert rule", rule, OFF, "deleted")
    change = (given.get(CHANGED) or "").upper()
    if change.rstrip(" .").endswith(("TO OFF", "TO ON")):
        return Told("alert rule", rule, ON if change.rstrip(" .").endswith("TO ON") else OFF)
    words = "; ".join(f"{name} {value}" for name, value in sorted(given.items(), key=str) if name and value)
    return Told("alert rule", rule, {"setting": Test(words or "not told by the record")})
