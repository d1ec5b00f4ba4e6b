"""Windows events as flat JSON, as NXLog writes them: Sysmon, the security log and all other channels.

Everything stands on one level: `EventID`, `Channel` and the fields of the event. `EventTime` is local time, in older
versions without a zone; Sysmon's `UtcTime` is the event's own time in UTC. `AccountName` beside `AccountType` is the
account under which the event was written, for Sysmon that of its service; `User` is that of the process.
Connections (Sysmon 3, filtering platform 5152 to 5157) and DNS (Sysmon 22, DNS client 3008) have tables of their own.
Reference: Microsoft Sysinternals, Sysmon; Microsoft, Windows security auditing; NXLog, im_msvistalog fields.
"""

from playbooks.formats.format import Clock, Format, Json, Part
from playbooks.formats.windows_events import (
    CONNECTION,
    CONNECTION_COLUMNS,
    DNS,
    DNS_COLUMNS,
    FIELDS,
    FILTERED,
    FILTERED_COLUMNS,
    SYSTEM_COLUMNS,
    of,
    plain,
)

PLACES = {plain(name): f'r."{name}"' for name in FIELDS} | {
    "AccountName": "CASE WHEN r.AccountType IS NULL THEN r.AccountName END",
    "§host": "r.Hostname",
    "§provider": "r.SourceName",
    "§id": "r.EventID",
    "§task": "r.Category",
    "§message": "r.Message",
    "§level": "r.Severity",
    "§outcome": "CASE WHEN r.EventType LIKE 'AUDIT_%' THEN lower(replace(r.EventType, 'AUDIT_', '')) END",
    "§account": "CASE WHEN r.AccountType IS NOT NULL AND r.SourceName <> 'Microsoft-Windows-Sysmon' "
    "THEN concat_ws(chr(92), said(r.Domain), said(r.AccountName)) END",
}
SHARED = """
        coalesce(iso_time(r.UtcTime || 'Z'), stamp(r.EventTime))  AS time,
        -- a record number counts within one host and channel
        said(r.Hostname) || '/' || r.Channel || '/' || said(r.RecordNumber)  AS metadata_uid,"""
AROUND = (
    *("EventID", "Channel", "Hostname", "EventTime", "SourceName", "RecordNumber", "Category", "Message"),
    *("Severity", "EventType", "Domain", "AccountType"),
)

FORMAT = Format(
    name="windows_events_nxlog",
    product="Windows events (Sysmon, Security, …), flat JSON by NXLog",
    cut=Json(
        keys=frozenset({"EventID", "Channel", "Hostname", "SourceName"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in AROUND + FIELDS) + "}",
    ),
    clock=Clock.ASK,
    kind="concat_ws(' ', r.SourceName, r.EventID)",
    undated="r.EventTime IS NULL AND r.UtcTime IS NULL",
    parts=(
        Part("network_activity", of(PLACES, CONNECTION), SHARED + of(PLACES, CONNECTION_COLUMNS)),
        Part("dns_activity", of(PLACES, DNS), SHARED + of(PLACES, DNS_COLUMNS)),
        Part("network_activity", of(PLACES, FILTERED), SHARED + of(PLACES, FILTERED_COLUMNS)),
        Part("system_activity", "r.EventID IS NOT NULL", SHARED + of(PLACES, SYSTEM_COLUMNS)),
    ),
    shows="connections and names asked for with process and host; processes, logons, files, registry, services, alerts",
    cannot_show="bytes, paths; what the audit policy and Sysmon's configuration leave out",
    reference="Microsoft Sysinternals, Sysmon; Microsoft, Windows security auditing; NXLog im_msvistalog fields",
)
