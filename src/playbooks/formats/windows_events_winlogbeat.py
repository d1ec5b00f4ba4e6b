"""Windows events from Winlogbeat 7 and later, and from Elastic Agent: Sysmon, the security log, all other channels.

As sent, the fields of the event stand in `winlog.event_data` (or `user_data`); after the Sysmon, Security and
PowerShell modules partly in ECS fields (`source.ip`, `process.executable`, `dns.question.name`).
Connections (Sysmon 3, filtering platform 5152 to 5157) and DNS (Sysmon 22, DNS client 3008) have tables of their own.
Reference: Microsoft Sysinternals, Sysmon; Microsoft, Windows security auditing; Elastic, Winlogbeat, modules and
exported fields.
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

_SYSMON = "r.winlog.provider_name = 'Microsoft-Windows-Sysmon'"
# where the modules put the fields of the event; the list of answers in Sysmon's own spelling
ECS = {
    "User": f"CASE WHEN {_SYSMON} THEN concat_ws(chr(92), said(r.user.domain), said(r.user.name)) END",
    "Image": f"CASE WHEN {_SYSMON} THEN r.process.executable END",
    "CommandLine": "r.process.command_line",
    "ParentImage": "r.process.parent.executable",
    "ParentCommandLine": "r.process.parent.command_line",
    "Hashes": "'SHA256=' || said(r.process.hash.sha256)",
    "TargetFilename": f"CASE WHEN {_SYSMON} THEN r.file.path END",
    "TargetObject": "r.registry.path",
    "Path": "r.file.path",
    "Protocol": "r.network.transport",
    "Initiated": "CASE WHEN r.network.direction IN ('ingress', 'inbound') THEN 'false' END",
    "SourceIp": "r.source.ip",
    "SourcePort": "r.source.port",
    "SourceHostname": "r.source.domain",
    "IpAddress": "r.source.ip",
    "DestinationIp": "r.destination.ip",
    "DestinationPort": "r.destination.port",
    "DestinationHostname": "r.destination.domain",
    "QueryName": "r.dns.question.name",
    "QueryStatus": "r.sysmon.dns.status",
    "QueryResults": "array_to_string(list_transform(r.dns.answers, lambda answer: answer.data), ';')",
}
USER_DATA = ("SubjectUserName", "SubjectDomainName", "User", "Address", "param1", "param2", "param3")


def _place(name: str) -> str:
    places = [f'r.winlog.event_data."{name}"']
    places += [f"r.winlog.user_data.{name}"] if name in USER_DATA else []
    places += [f"nullif({ECS[name]}, '')"] if name in ECS else []
    return f"coalesce({', '.join(places)})" if len(places) > 1 else places[0]


PLACES = {plain(name): _place(name) for name in FIELDS} | {
    "§host": "r.winlog.computer_name",
    "§provider": "r.winlog.provider_name",
    "§id": "r.winlog.event_id",
    "§task": "coalesce(said(r.event.action), r.winlog.task)",
    "§message": "r.message",
    "§level": "coalesce(said(r.log.level), r.winlog.level)",
    "§outcome": "r.event.outcome",
    "§account": f"CASE WHEN NOT ({_SYSMON}) AND coalesce(said(r.user.name), said(r.winlog.user.name)) IS NOT NULL THEN "
    "concat_ws(chr(92), coalesce(said(r.user.domain), said(r.winlog.user.domain)), "
    "coalesce(said(r.user.name), said(r.winlog.user.name))) END",
}
SHARED = """
        iso_time(r."@timestamp")    AS time,
        -- a record id counts within one host and channel
        said(r.winlog.computer_name) || '/' || r.winlog.channel || '/' || said(r.winlog.record_id)  AS metadata_uid,"""
_DATA = ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS)
_USER_DATA = ", ".join(f'"{name}": "VARCHAR"' for name in USER_DATA)

FORMAT = Format(
    name="windows_events_winlogbeat",
    product="Windows events (Sysmon, Security, …), Winlogbeat and Elastic Agent",
    cut=Json(
        keys=frozenset({"@timestamp", "winlog"}),
        only=(("winlog.provider_name", ".+"), ("winlog.event_id", r"\d+")),
        shape="""{"@timestamp": "VARCHAR", "message": "VARCHAR", "log": {"level": "VARCHAR"},
                  "event": {"action": "VARCHAR", "outcome": "VARCHAR"},
                  "winlog": {"provider_name": "VARCHAR", "event_id": "VARCHAR", "record_id": "VARCHAR",
                    "channel": "VARCHAR", "computer_name": "VARCHAR", "task": "VARCHAR", "level": "VARCHAR",
                    "user": {"domain": "VARCHAR", "name": "VARCHAR"},
                    "event_data": {"""
        + _DATA
        + '}, "user_data": {'
        + _USER_DATA
        + """}},
                  "user": {"domain": "VARCHAR", "name": "VARCHAR"},
                  "process": {"executable": "VARCHAR", "command_line": "VARCHAR", "hash": {"sha256": "VARCHAR"},
                    "parent": {"executable": "VARCHAR", "command_line": "VARCHAR"}},
                  "file": {"path": "VARCHAR"}, "registry": {"path": "VARCHAR"},
                  "network": {"transport": "VARCHAR", "direction": "VARCHAR"},
                  "source": {"ip": "VARCHAR", "port": "VARCHAR", "domain": "VARCHAR"},
                  "destination": {"ip": "VARCHAR", "port": "VARCHAR", "domain": "VARCHAR"},
                  "dns": {"question": {"name": "VARCHAR"}, "answers": [{"data": "VARCHAR"}]},
                  "sysmon": {"dns": {"status": "VARCHAR"}}}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="concat_ws(' ', r.winlog.provider_name, r.winlog.event_id)",
    undated='r."@timestamp" IS NULL',
    parts=(
        Part("network_activity", of(PLACES, CONNECTION), SHARED + of(PLACES, CONNECTION_COLUMNS)),
        Part("dns_activity", of(PLACES, DNS), SHARED + of(PLACES, DNS_COLUMNS)),
        Part("network_activity", of(PLACES, FILTERED), SHARED + of(PLACES, FILTERED_COLUMNS)),
        Part("system_activity", "r.winlog.event_id IS NOT NULL", SHARED + of(PLACES, SYSTEM_COLUMNS)),
    ),
    shows="connections and names asked for with process and host; processes, logons, files, registry, services, alerts",
    cannot_show="bytes, paths; what the audit policy and Sysmon's configuration leave out",
    reference="Microsoft Sysinternals, Sysmon; Microsoft, Windows security auditing; Elastic, Winlogbeat fields",
)
