"""What a record of Azure changes of logs: diagnostic settings, workspaces and their retention, alert rules, Defender.

A diagnostic setting is written whole: categories that its body leaves out or switches off are recorded no longer.
Reference: Azure REST API, Microsoft.Insights diagnosticSettings, Microsoft.OperationalInsights workspaces and tables,
Microsoft.Security pricings; "Azure permissions for Monitor", "… for Security".
"""

from __future__ import annotations

from playbooks.scoping.clouds.record_json import json_object, objects_at, text_at
from playbooks.scoping.logging_requests import OFF, ON, WRITES, flag
from playbooks.scoping.logging_state import Days, Facet, Flag, Place, Scope
from playbooks.scoping.logging_told import LogRecord, Told, whole_number

INSIGHTS, WORKSPACES = "microsoft.insights/", "microsoft.operationalinsights/workspaces/"
ENDING = {
    f"{INSIGHTS}diagnosticsettings/delete": "diagnostic setting",
    f"{INSIGHTS}logprofiles/delete": "log profile",
    f"{INSIGHTS}activitylogalerts/delete": "activity log alert",
    f"{INSIGHTS}scheduledqueryrules/delete": "alert rule",
    f"{INSIGHTS}metricalerts/delete": "alert rule",
    f"{INSIGHTS}actiongroups/delete": "action group",
    f"{INSIGHTS}components/delete": "application insights",
    f"{INSIGHTS}datacollectionrules/delete": "data collection rule",
    f"{INSIGHTS}datacollectionruleassociations/delete": "data collection rule",
    f"{WORKSPACES}delete": "log workspace",
    f"{WORKSPACES}purge/action": "log workspace",
    f"{WORKSPACES}tables/delete": "log table",
    f"{WORKSPACES}dataexports/delete": "data export",
    "microsoft.network/networkwatchers/flowlogs/delete": "flow log",
    "microsoft.network/networkwatchers/delete": "network watcher",
    "microsoft.securityinsights/alertrules/delete": "alert rule",
    "microsoft.securityinsights/dataconnectors/delete": "data connector",
    "microsoft.securityinsights/onboardingstates/delete": "sentinel",
}
PURGED = f"{WORKSPACES}purge/action"
RETAINED = {f"{WORKSPACES}write": "log workspace", f"{WORKSPACES}tables/write": "log table"}
RETENTIONS = {"retention": "properties.retentionInDays", "retention in all": "properties.totalRetentionInDays"}
DESTINATIONS = {
    "workspace": "properties.workspaceId",
    "storage account": "properties.storageAccountId",
    "event hub": "properties.eventHubAuthorizationRuleId",
}
PARTS = ("microsoft.insights/", "operationalinsights/workspaces", "networkwatchers", "securityinsights",
         "microsoft.security/pricings")  # fmt: skip


def told(record: LogRecord) -> Told | None:
    """What one record sets; null where it is no change of a log."""
    name, request = record.operation, json_object(record.request)
    if name in ENDING:
        return Told(ENDING[name], record.resource, OFF, "purged" if name == PURGED else "deleted")
    if name == f"{INSIGHTS}diagnosticsettings/write":
        return Told("diagnostic setting", record.resource, _setting(request))
    if name == "microsoft.network/networkwatchers/flowlogs/write":
        on = flag(_first(request, "properties.enabled"))
        return Told("flow log", record.resource, {WRITES: Flag(on is not False)})
    if name in RETAINED:
        days = {words: whole_number(text_at(request, path)) for words, path in RETENTIONS.items()}
        state: dict[str, Facet] = {words: Days(value) for words, value in days.items() if value is not None}
        return Told(RETAINED[name], record.resource, state) if state else None
    if name == "microsoft.security/pricings/write":
        tier = (text_at(request, "properties.pricingTier") or "").lower()
        return Told("defender plan", record.resource, ON if tier == "standard" else OFF) if tier else None
    return None


def _first(request: dict[str, object], path: str) -> object:
    held = request.get("properties") or request.get("Properties")
    return held.get(path.rpartition(".")[2]) if isinstance(held, dict) else None


def _setting(request: dict[str, object]) -> dict[str, Facet]:
    """Categories and destinations; without a body only that it writes."""
    listed = [*objects_at(request, "properties.logs"), *objects_at(request, "properties.metrics")]
    if not listed:
        return dict(ON)
    on = {
        kind
        for one in listed
        if flag(one.get("enabled", one.get("Enabled"))) and (kind := text_at(one, "category", "categoryGroup"))
    }
    places = {words: text_at(request, path) for words, path in DESTINATIONS.items()}
    found: dict[str, Facet] = {WRITES: Flag(bool(on)), "categories": Scope(frozenset((kind, None) for kind in on))}
    return found | {words: Place(where.lower()) for words, where in places.items() if where}
