"""What a record of Microsoft 365, Cloudflare or GitHub changes of logs: auditing, alert policies, Logpush, streaming.

References: Exchange Online and Security & Compliance PowerShell, the cmdlets named here; Cloudflare API, Logpush jobs;
GitHub documentation, "Audit log events for your enterprise", audit_log_streaming.
"""

from __future__ import annotations

import json
import re

from playbooks.scoping.clouds.record_json import MAX_VALUES, json_object, text_at
from playbooks.scoping.logging_requests import OFF, ON, WRITES, flag
from playbooks.scoping.logging_state import Days, Facet, Flag, Place, Test
from playbooks.scoping.logging_told import LogRecord, Told, whole_number

SWITCHES = {  # cmdlet: parameter, whether its truth means that less is recorded
    "set-adminauditlogconfig": (("UnifiedAuditLogIngestionEnabled", False), ("AdminAuditLogEnabled", False)),
    "set-organizationconfig": (("AuditDisabled", True),),
    "set-mailbox": (("AuditEnabled", False),),
    "set-mailboxauditbypassassociation": (("AuditBypassEnabled", True),),
    "set-protectionalert": (("Disabled", True),),
}
AGES = {"set-adminauditlogconfig": "adminauditlogagelimit", "set-mailbox": "auditlogagelimit"}
AUDITED = ("auditowner", "auditdelegate", "auditadmin")
RETAINED = {"threemonths": 90, "sixmonths": 180, "ninemonths": 270, "twelvemonths": 365, "tenyears": 3650}
ENDING = {
    "remove-unifiedauditlogretentionpolicy": "audit retention policy",
    "remove-protectionalert": "alert policy",
    "remove-activityalert": "alert policy",
    "disable-activityalert": "alert policy",
    "remove-journalrule": "journal rule",
    "disable-journalrule": "journal rule",
}
STARTING = {"enable-journalrule": "journal rule", "enable-activityalert": "alert policy"}
OFFICE_PARTS = ("auditlog", "set-mailbox", "set-organizationconfig", "protectionalert", "activityalert", "journalrule")
CLOUDFLARE_PARTS = ("logpush",)
GITHUB_PARTS = ("audit_log_streaming",)
AGE = re.compile(r"(\d{1,6})(?:\.\d\d:\d\d:\d\d)?")  # 90 or 90.00:00:00


def office(record: LogRecord) -> Told | None:
    """A cmdlet of Exchange or of the compliance center."""
    name, given = record.operation, _parameters(record.request)
    of = text_at(given, "identity", "name") or record.resource
    if name in ENDING:
        return Told(ENDING[name], of, OFF, "stopped" if name.startswith("disable") else "deleted")
    if name in STARTING:
        return Told(STARTING[name], of, ON)
    if name in ("set-unifiedauditlogretentionpolicy", "new-unifiedauditlogretentionpolicy"):
        days = RETAINED.get((text_at(given, "retentionduration") or "").lower())
        return Told("audit retention policy", of, {"retention": Days(days)}) if days else None
    state: dict[str, Facet] = {}
    for parameter, less_when in SWITCHES.get(name, ()):
        value = flag(given.get(parameter.lower()))
        if value is not None:
            state[parameter] = Flag(value != less_when)
    age = AGE.fullmatch(text_at(given, AGES[name]) or "") if name in AGES else None
    if age:
        state["retention"] = Days(float(age[1]))
    if name == "set-mailbox":
        state |= {part: Test(text) for part in AUDITED if (text := text_at(given, part))}
    kind = "alert policy" if name == "set-protectionalert" else "auditing"
    return Told(kind, record.resource, state) if state else None


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


def cloudflare(record: LogRecord) -> Told | None:
    """A Logpush job; a destination is told without what stands behind its `?`, which may be a secret."""
    if "logpush" not in f"{record.operation} {record.service} {record.resource or ''}".lower():
        return None
    if "delete" in record.operation:
        return Told("logpush job", record.resource, OFF, "deleted")
    request = json_object(record.request)
    on, test = flag(request.get("enabled")), text_at(request, "filter")
    where = (text_at(request, "destination_conf") or "").partition("?")[0]
    state: dict[str, Facet] = {} if on is None else {WRITES: Flag(on)}
    days = whole_number(text_at(request, "retention_days"))
    state |= {"destination": Place(where)} if where else {}
    state |= {"filter": Test(test)} if test else {}
    state |= {"retention": Days(days)} if days is not None else {}
    return Told("logpush job", record.resource, state or ON)


def github(record: LogRecord) -> Told | None:
    """A stream of the audit log; an update says neither what it was nor what it became."""
    verb = record.operation.removeprefix("audit_log_streaming.")
    if verb == record.operation or verb == "check":
        return None
    if verb == "update":
        return Told("audit log stream", record.resource, {"setting": Test("not told by the record")})
    return Told("audit log stream", record.resource, OFF if verb == "destroy" else ON,
                "deleted" if verb == "destroy" else None)  # fmt: skip
