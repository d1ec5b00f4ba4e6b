"""Sysmon connections (3) and DNS queries (22), filtered connections of Windows (5156, 5157), as flat JSON by NXLog.

Everything stands on one level: `EventID`, `Channel` and the fields of the event. `EventTime` is local time, in older
versions without a zone; Sysmon's `UtcTime` is the event's own time in UTC. `AccountName` is the account of the Sysmon
service, `User` that of the process. Other events of the same stream are unread, with source and id named.
Reference: Microsoft Sysinternals, Sysmon, events 3 and 22; Microsoft, Windows security auditing, events 5156 and 5157;
NXLog, im_msvistalog fields.
"""

import re

from playbooks.formats.format import Clock, Format, Json, Part

FIELDS = (
    *("User", "Image", "Protocol", "Initiated", "SourceIp", "SourcePort", "SourceHostname", "DestinationIp"),
    *("DestinationPort", "DestinationHostname", "QueryName", "QueryStatus", "QueryResults"),
    *("Application", "Direction", "SourceAddress", "DestAddress", "DestPort"),
)

# In what follows `@Name` is the field `Name` of the event.
_PROCESS = """
        said(@User)                 AS actor_user_name,
        file_name(@Image)            AS actor_process_name,
        said(@Image)                AS actor_process_file_path"""

# the source is who began it; with `Initiated: false` that is the other end, and the host that logged is the destination
CONNECTION_COLUMNS = f"""
        address(@SourceIp)          AS src_endpoint_ip,
        port(@SourcePort)           AS src_endpoint_port,
        hostname(CASE WHEN lower(@Initiated) = 'false' THEN @SourceHostname ELSE §host END)
                                    AS src_endpoint_hostname,
        address(@DestinationIp)     AS dst_endpoint_ip,
        port(@DestinationPort)      AS dst_endpoint_port,
        -- Sysmon's own reverse lookup, no name that the process asked for
        hostname(CASE WHEN lower(@Initiated) = 'false' THEN §host ELSE @DestinationHostname END)
                                    AS dst_endpoint_hostname,
        lower(said(@Protocol))      AS connection_info_protocol_name,{_PROCESS}"""

DNS_COLUMNS = f"""
        hostname(§host)             AS src_endpoint_hostname,
        hostname(@QueryName)        AS query_hostname,
        -- a Windows status, or its name
        CASE WHEN @QueryStatus IN ('0', 'SUCCESS') THEN 'NOERROR'
             WHEN @QueryStatus IN ('9002', 'DNS_ERROR_RCODE_SERVER_FAILURE') THEN 'SERVFAIL'
             WHEN @QueryStatus IN ('9003', 'DNS_ERROR_RCODE_NAME_ERROR') THEN 'NXDOMAIN'
             WHEN @QueryStatus IN ('9005', 'DNS_ERROR_RCODE_REFUSED') THEN 'REFUSED'
             ELSE said(@QueryStatus) END  AS rcode,
        -- `type:  5 name;` for a CNAME, then addresses, IPv4 often in the IPv6 spelling
        list_transform(list_filter(string_split(rtrim(said(@QueryResults), ';'), ';'), lambda a: trim(a) <> ''),
             lambda a: address(rtrim(regexp_replace(trim(a), '^type: +\\d+ +', ''), '.')))  AS answers,{_PROCESS}"""

# the source is who began it, here too; the process is a path of the kernel's
FILTERED_COLUMNS = """
        address(@SourceAddress)     AS src_endpoint_ip,
        port(@SourcePort)           AS src_endpoint_port,
        CASE WHEN @Direction NOT IN ('%%14592', 'Inbound') THEN hostname(§host) END  AS src_endpoint_hostname,
        address(@DestAddress)       AS dst_endpoint_ip,
        port(@DestPort)             AS dst_endpoint_port,
        CASE WHEN @Direction IN ('%%14592', 'Inbound') THEN hostname(§host) END  AS dst_endpoint_hostname,
        protocol(@Protocol)         AS connection_info_protocol_name,
        file_name(@Application)     AS actor_process_name,
        said(@Application)          AS actor_process_file_path"""


def of(places: dict[str, str], host: str, sql: str) -> str:
    """The SQL for events whose fields stand at `places`, of the host named in `host`."""
    return re.sub(r"@(\w+)", lambda name: places[name[1]], sql.replace("§host", host))


PLACES = {name: f"r.{name}" for name in FIELDS}
SHARED = """
        -- a record number counts within one host and channel
        said(r.Hostname) || '/' || r.Channel || '/' || said(r.RecordNumber)  AS metadata_uid,"""
UTC = """
        iso_time(r.UtcTime || 'Z')  AS time,"""
LOCAL = """
        stamp(r.EventTime)          AS time,
        CASE r.EventID WHEN '5156' THEN 'allowed' ELSE 'blocked' END  AS disposition,"""

FORMAT = Format(
    name="sysmon_nxlog",
    product="Sysmon events 3 and 22, Windows events 5156 and 5157, flat JSON (NXLog)",
    cut=Json(
        keys=frozenset({"EventID", "Channel", "Hostname", "EventTime"}),
        only=(("Channel", "Microsoft-Windows-Sysmon/Operational|Security"),),
        shape="""{"EventID": "VARCHAR", "Channel": "VARCHAR", "Hostname": "VARCHAR", "UtcTime": "VARCHAR",
                  "EventTime": "VARCHAR", "SourceName": "VARCHAR", "RecordNumber": "VARCHAR", """
        + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS)
        + "}",
    ),
    clock=Clock.ASK,
    kind="concat_ws(' ', r.SourceName, r.EventID)",
    parts=(
        Part(
            table="network_activity",
            when="r.Channel = 'Microsoft-Windows-Sysmon/Operational' AND r.EventID = '3'",
            columns=UTC + SHARED + of(PLACES, "r.Hostname", CONNECTION_COLUMNS),
        ),
        Part(
            table="dns_activity",
            when="r.Channel = 'Microsoft-Windows-Sysmon/Operational' AND r.EventID = '22'",
            columns=UTC + SHARED + of(PLACES, "r.Hostname", DNS_COLUMNS),
        ),
        Part(
            table="network_activity",
            when="r.Channel = 'Security' AND r.EventID IN ('5156', '5157')",
            columns=LOCAL + SHARED + of(PLACES, "r.Hostname", FILTERED_COLUMNS),
        ),
    ),
    shows="which process of which host connected to which address, and which names it asked for with what answer",
    cannot_show="bytes, paths; the query type; connections and names that Sysmon's configuration leaves out",
    reference="Microsoft Sysinternals, Sysmon events 3 and 22; NXLog im_msvistalog fields",
)
