"""Sysmon connections (3) and DNS queries (22), filtered connections of Windows (5156, 5157), from Winlogbeat.

As sent, the fields of the event stand in `winlog.event_data`; after the Sysmon module in ECS fields (`source.ip`,
`dns.question.name`). Other events of the same stream are unread, with provider and id named.
Reference: Microsoft Sysinternals, Sysmon, events 3 and 22; Microsoft, Windows security auditing, events 5156 and 5157;
Elastic, Winlogbeat, Sysmon module and exported fields.
"""

from playbooks.formats.format import Clock, Format, Json, Part
from playbooks.formats.sysmon_nxlog import CONNECTION_COLUMNS, DNS_COLUMNS, FIELDS, FILTERED_COLUMNS, of

# where the module puts the fields of the event; its list of answers in Sysmon's own spelling
ECS = {
    "User": "concat_ws(chr(92), said(r.user.domain), said(r.user.name))",
    "Image": "r.process.executable",
    "Protocol": "r.network.transport",
    "Initiated": "CASE WHEN r.network.direction IN ('ingress', 'inbound') THEN 'false' END",
    "SourceIp": "r.source.ip",
    "SourcePort": "r.source.port",
    "SourceHostname": "r.source.domain",
    "DestinationIp": "r.destination.ip",
    "DestinationPort": "r.destination.port",
    "DestinationHostname": "r.destination.domain",
    "QueryName": "r.dns.question.name",
    "QueryStatus": "r.sysmon.dns.status",
    "QueryResults": "array_to_string(list_transform(r.dns.answers, lambda answer: answer.data), ';')",
}
DATA = {name: f"r.winlog.event_data.{name}" for name in FIELDS}
PLACES = DATA | {name: f"coalesce({DATA[name]}, nullif({place}, ''))" for name, place in ECS.items()}
SHARED = """
        iso_time(r."@timestamp")    AS time,
        -- a record id counts within one host and channel
        said(r.winlog.computer_name) || '/' || r.winlog.channel || '/' || said(r.winlog.record_id)  AS metadata_uid,"""
VERDICT = """
        CASE r.winlog.event_id WHEN '5156' THEN 'allowed' ELSE 'blocked' END  AS disposition,"""
SYSMON = "r.winlog.provider_name = 'Microsoft-Windows-Sysmon'"

FORMAT = Format(
    name="sysmon_winlogbeat",
    product="Sysmon events 3 and 22, Windows events 5156 and 5157, Winlogbeat",
    cut=Json(
        keys=frozenset({"@timestamp", "winlog"}),
        only=(("winlog.provider_name", "Microsoft-Windows-(Sysmon|Security-Auditing)"),),
        shape="""{"@timestamp": "VARCHAR",
                  "winlog": {"provider_name": "VARCHAR", "event_id": "VARCHAR", "record_id": "VARCHAR",
                    "channel": "VARCHAR", "computer_name": "VARCHAR", "event_data": {"""
        + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS)
        + """}},
                  "user": {"domain": "VARCHAR", "name": "VARCHAR"}, "process": {"executable": "VARCHAR"},
                  "network": {"transport": "VARCHAR", "direction": "VARCHAR"},
                  "source": {"ip": "VARCHAR", "port": "VARCHAR", "domain": "VARCHAR"},
                  "destination": {"ip": "VARCHAR", "port": "VARCHAR", "domain": "VARCHAR"},
                  "dns": {"question": {"name": "VARCHAR"}, "answers": [{"data": "VARCHAR"}]},
                  "sysmon": {"dns": {"status": "VARCHAR"}}}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="concat_ws(' ', r.winlog.provider_name, r.winlog.event_id)",
    parts=(
        Part(
            table="network_activity",
            when=f"{SYSMON} AND r.winlog.event_id = '3'",
            columns=SHARED + of(PLACES, "r.winlog.computer_name", CONNECTION_COLUMNS),
        ),
        Part(
            table="dns_activity",
            when=f"{SYSMON} AND r.winlog.event_id = '22'",
            columns=SHARED + of(PLACES, "r.winlog.computer_name", DNS_COLUMNS),
        ),
        Part(
            table="network_activity",
            when="r.winlog.provider_name = 'Microsoft-Windows-Security-Auditing' "
            "AND r.winlog.event_id IN ('5156', '5157')",
            columns=SHARED + VERDICT + of(DATA, "r.winlog.computer_name", FILTERED_COLUMNS),
        ),
    ),
    shows="which process of which host connected to which address, and which names it asked for with what answer",
    cannot_show="bytes, paths; the query type; connections and names that Sysmon's configuration leaves out",
    reference="Microsoft Sysinternals, Sysmon events 3 and 22; Elastic, Winlogbeat exported fields",
)
