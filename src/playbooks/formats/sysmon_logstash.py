"""Sysmon network connections (3) and DNS queries (22) as Winlogbeat up to 6 sent them, mostly through logstash.

`event_id`, `computer_name` and `log_name` stand at the top, the fields of the event in `event_data`. Other events of
the same stream are unread, with source and id named.
Reference: Microsoft Sysinternals, Sysmon, events 3 and 22; Elastic, Winlogbeat 6, exported fields.
"""

from playbooks.formats.format import Clock, Format, Json, Part
from playbooks.formats.sysmon_nxlog import CONNECTION_COLUMNS, DNS_COLUMNS, FIELDS, of

PLACES = {name: f"r.event_data.{name}" for name in FIELDS}
SHARED = """
        coalesce(iso_time(r.event_data.UtcTime || 'Z'), iso_time(r."@timestamp"))  AS time,
        -- a record number counts within one host and channel
        said(r.computer_name) || '/' || said(r.record_number)  AS metadata_uid,"""
SYSMON = "r.log_name = 'Microsoft-Windows-Sysmon/Operational'"

FORMAT = Format(
    name="sysmon_logstash",
    product="Sysmon events 3 and 22, Winlogbeat up to 6",
    cut=Json(
        keys=frozenset({"@timestamp", "event_id", "event_data", "log_name"}),
        only=(("log_name", "Microsoft-Windows-Sysmon/Operational"),),
        shape="""{"@timestamp": "VARCHAR", "event_id": "VARCHAR", "log_name": "VARCHAR", "source_name": "VARCHAR",
                  "computer_name": "VARCHAR", "record_number": "VARCHAR", "event_data": {"UtcTime": "VARCHAR", """
        + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS)
        + "}}",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="concat_ws(' ', coalesce(r.source_name, r.log_name), r.event_id)",
    parts=(
        Part(
            table="network_activity",
            when=f"{SYSMON} AND r.event_id = '3'",
            columns=SHARED + of(PLACES, "r.computer_name", CONNECTION_COLUMNS),
        ),
        Part(
            table="dns_activity",
            when=f"{SYSMON} AND r.event_id = '22'",
            columns=SHARED + of(PLACES, "r.computer_name", DNS_COLUMNS),
        ),
    ),
    shows="which process of which host connected to which address, and which names it asked for with what answer",
    cannot_show="bytes, paths; the query type; connections and names that Sysmon's configuration leaves out",
    reference="Microsoft Sysinternals, Sysmon events 3 and 22; Elastic, Winlogbeat 6 exported fields",
)
