"""Windows events as Winlogbeat up to 6 sent them, mostly through logstash: Sysmon, the security log, other channels.

`event_id`, `computer_name` and `log_name` stand at the top, the fields of the event in `event_data`.
Reference: Microsoft Sysinternals, Sysmon; Microsoft, Windows security auditing; Elastic, Winlogbeat 6, exported fields.
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

PLACES = {plain(name): f'r.event_data."{name}"' for name in FIELDS} | {
    "§host": "r.computer_name",
    "§provider": "r.source_name",
    "§id": "r.event_id",
    "§task": "r.task",
    "§message": "r.message",
    "§level": "r.level",
    "§outcome": "CASE WHEN r.keywords LIKE '%Audit Success%' THEN 'success' "
    "WHEN r.keywords LIKE '%Audit Failure%' THEN 'failure' END",
    "§account": "CASE WHEN r.source_name <> 'Microsoft-Windows-Sysmon' AND said(r.user.name) IS NOT NULL "
    "THEN concat_ws(chr(92), said(r.user.domain), said(r.user.name)) END",
}
SHARED = """
        coalesce(iso_time(r.event_data.UtcTime || 'Z'), iso_time(r."@timestamp"))  AS time,
        -- a record number counts within one host and channel
        said(r.computer_name) || '/' || said(r.log_name) || '/' || said(r.record_number)  AS metadata_uid,"""
AROUND = (
    *("@timestamp", "event_id", "log_name", "source_name", "computer_name", "record_number", "task", "message"),
    *("level", "keywords"),
)

FORMAT = Format(
    name="windows_events_winlogbeat6",
    product="Windows events (Sysmon, Security, …), Winlogbeat up to 6",
    cut=Json(
        keys=frozenset({"@timestamp", "event_id", "event_data", "log_name", "source_name"}),
        shape="{"
        + ", ".join(f'"{name}": "VARCHAR"' for name in AROUND)
        + ', "user": {"name": "VARCHAR", "domain": "VARCHAR"}, "event_data": {'
        + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS)
        + "}}",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="concat_ws(' ', r.source_name, r.event_id)",
    parts=(
        Part("network_activity", of(PLACES, CONNECTION), SHARED + of(PLACES, CONNECTION_COLUMNS)),
        Part("dns_activity", of(PLACES, DNS), SHARED + of(PLACES, DNS_COLUMNS)),
        Part("network_activity", of(PLACES, FILTERED), SHARED + of(PLACES, FILTERED_COLUMNS)),
        Part("system_activity", "r.event_id IS NOT NULL", SHARED + of(PLACES, SYSTEM_COLUMNS)),
    ),
    shows="connections and names asked for with process and host; processes, logons, files, registry, services, alerts",
    cannot_show="bytes, paths; what the audit policy and Sysmon's configuration leave out",
    reference="Microsoft Sysinternals, Sysmon; Microsoft, Windows security auditing; Elastic, Winlogbeat 6 fields",
)
