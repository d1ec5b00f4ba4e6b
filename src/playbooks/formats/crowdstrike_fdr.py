"""CrowdStrike Falcon Data Replicator: connections and DNS requests of the sensor, one JSON object an event.

All values are text. `timestamp` is when the cloud received the event (milliseconds), `ContextTimeStamp` when it
happened on the host (seconds); the latter is used, because sensors send in batches. A SIEM may keep the event as it
came in `event` and write its own stamps without a zone, in UTC, beside it (Panther). Many events name no host: then
`aid`, the sensor's id, stands for it. The other kinds of event are unread, with their name.
Reference: CrowdStrike Falcon Data Replicator, event data dictionary: NetworkConnectIP4, NetworkReceiveAcceptIP4,
DnsRequest.
"""

import re

from playbooks.formats.format import Clock, Format, Json, Part

FIELDS = (
    *("event_simpleName", "id", "aid", "timestamp", "ContextTimeStamp", "ComputerName", "UserName"),
    *("ContextBaseFileName", "ContextImageFileName", "ConnectionDirection", "Protocol", "OriginatingURL"),
    *("LocalAddressIP4", "LocalAddressIP6", "LocalPort", "RemoteAddressIP4", "RemoteAddressIP6", "RemotePort"),
    *("DomainName", "RequestType", "QueryStatus", "RespondingDnsServer"),
    *("CNAMERecords", "IP4Records", "IP6Records"),
)
_NAMES = ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS)


def _of(sql: str) -> str:
    """`@Name` is the field `Name` of the event, wherever it stands."""
    return re.sub(r"@(\w+)", r"coalesce(r.event.\1, r.\1)", sql)


_NAME = _of("coalesce(@event_simpleName, r.fdr_event_type)")
_INBOUND = f"(@ConnectionDirection = '1' OR {_NAME} LIKE 'NetworkReceiveAccept%')"
_LOCAL = "nullif(address(coalesce(@LocalAddressIP6, @LocalAddressIP4)), '0.0.0.0')"
_REMOTE = "nullif(address(coalesce(@RemoteAddressIP6, @RemoteAddressIP4)), '0.0.0.0')"
_HOST = "hostname(coalesce(said(@ComputerName), said(@aid)))"
_SHARED = """
        -- a number since the epoch; Panther's spelling has no zone and is UTC
        CASE WHEN regexp_matches(coalesce(said(@ContextTimeStamp), said(@timestamp)), '^\\d+(\\.\\d+)?$')
             THEN epoch_time(coalesce(said(@ContextTimeStamp), said(@timestamp)))
             ELSE coalesce(iso_time(coalesce(said(@ContextTimeStamp), said(@timestamp))),
                           iso_time(coalesce(said(@ContextTimeStamp), said(@timestamp)) || 'Z')) END  AS time,
        said(@UserName)             AS actor_user_name,
        coalesce(said(@ContextBaseFileName), file_name(@ContextImageFileName))
                                    AS actor_process_name,
        said(@ContextImageFileName)  AS actor_process_file_path,
        said(@id)                   AS metadata_uid,"""

_CONNECTION = f"""{_SHARED}
        CASE WHEN {_INBOUND} THEN {_REMOTE} ELSE {_LOCAL} END  AS src_endpoint_ip,
        port(CASE WHEN {_INBOUND} THEN @RemotePort ELSE nullif(@LocalPort, '0') END)  AS src_endpoint_port,
        CASE WHEN {_INBOUND} THEN NULL ELSE {_HOST} END  AS src_endpoint_hostname,
        CASE WHEN {_INBOUND} THEN {_LOCAL} ELSE {_REMOTE} END  AS dst_endpoint_ip,
        port(CASE WHEN {_INBOUND} THEN @LocalPort ELSE @RemotePort END)  AS dst_endpoint_port,
        -- mobile sensors know the name or URL that was asked for
        CASE WHEN {_INBOUND} THEN {_HOST} ELSE url_host(@OriginatingURL) END  AS dst_endpoint_hostname,
        protocol(@Protocol)         AS connection_info_protocol_name
"""

_DNS = f"""{_SHARED}
        {_HOST}                     AS src_endpoint_hostname,
        address(@RespondingDnsServer)  AS dst_endpoint_ip,
        hostname(@DomainName)       AS query_hostname,
        dns_type(@RequestType)      AS query_type,
        -- a Windows status
        CASE said(@QueryStatus) WHEN '0' THEN 'NOERROR' WHEN '9002' THEN 'SERVFAIL' WHEN '9003' THEN 'NXDOMAIN'
             WHEN '9005' THEN 'REFUSED' ELSE said(@QueryStatus) END  AS rcode,
        -- `name;name;`, one field a kind
        list_transform(list_filter(string_split(concat_ws(';', @CNAMERecords, @IP4Records, @IP6Records), ';'),
             lambda a: trim(a) <> ''), lambda a: address(rtrim(trim(a), '.')))  AS answers
"""

FORMAT = Format(
    name="crowdstrike_fdr",
    product="CrowdStrike Falcon Data Replicator, network and DNS events",
    cut=Json(
        keys=frozenset({"event_platform"}),
        any_of=frozenset({"event_simpleName", "fdr_event_type"}),
        shape=f'{{{_NAMES}, "event_platform": "VARCHAR", "fdr_event_type": "VARCHAR", "event": {{{_NAMES}}}}}',
    ),
    clock=Clock.IN_THE_STAMP,
    kind=_NAME,
    parts=(
        Part(
            table="network_activity",
            when=f"regexp_matches({_NAME}, '^Network(Connect|ReceiveAccept)IP[46]$')",
            columns=_of(_CONNECTION),
        ),
        Part(
            table="dns_activity",
            when=f"{_NAME} IN ('DnsRequest', 'SuspiciousDnsRequest')",
            columns=_of(_DNS),
        ),
    ),
    shows="which host connected to which address and asked for which name; on mobiles the URL's host",
    cannot_show="bytes, paths; the process, unless the event carries its name (else only in ProcessRollup2)",
    reference="CrowdStrike Falcon Data Replicator, event data dictionary",
)
