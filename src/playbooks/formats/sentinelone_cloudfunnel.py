"""SentinelOne Cloud Funnel 2: connections, DNS answers and URLs of the agent, one JSON object an event.

Names with dots are keys as they stand. The process is the one SentinelOne holds responsible (`src.process`), not the
system service that resolved or connected for it (`osSrc.process`). `src.ip.address` began the connection; with
`INCOMING` the endpoint is the destination. The other kinds of event are unread, with their name.
Reference: SentinelOne, Cloud Funnel 2.0, event types and fields.
"""

from playbooks.formats.format import Clock, Format, Json, Part

_HOST = 'hostname(r."endpoint.name")'
_INCOMING = "coalesce(r.\"event.network.direction\" = 'INCOMING', false)"
_SHARED = """
        epoch_time(r."event.time")  AS time,
        said(r."src.process.user")  AS actor_user_name,
        said(r."src.process.name")  AS actor_process_name,
        said(r."src.process.image.path")  AS actor_process_file_path,
        said(r."src.process.cmdline")  AS actor_process_cmd_line,
        coalesce(said(r."src.process.image.sha256"), said(r."src.process.image.sha1"))  AS actor_process_file_hash,
        said(r."event.id")          AS metadata_uid,"""

FORMAT = Format(
    name="sentinelone_cloudfunnel",
    product="SentinelOne Cloud Funnel, network, DNS and URL events",
    cut=Json(
        keys=frozenset({"event.type", "event.category", "event.time", "endpoint.name"}),
        shape="""{"event.type": "VARCHAR", "event.category": "VARCHAR", "event.time": "VARCHAR",
                  "event.id": "VARCHAR", "endpoint.name": "VARCHAR", "meta.event.name": "VARCHAR",
                  "src.process.user": "VARCHAR", "src.process.name": "VARCHAR",
                  "src.process.image.path": "VARCHAR", "src.process.cmdline": "VARCHAR",
                  "src.process.image.sha256": "VARCHAR", "src.process.image.sha1": "VARCHAR",
                  "src.ip.address": "VARCHAR", "src.port.number": "VARCHAR",
                  "dst.ip.address": "VARCHAR", "dst.port.number": "VARCHAR",
                  "event.network.direction": "VARCHAR", "event.network.connectionStatus": "VARCHAR",
                  "event.dns.request": "VARCHAR", "event.dns.response": "VARCHAR",
                  "url.address": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind='r."event.type"',
    parts=(
        Part(
            table="network_activity",
            when="r.\"event.type\" = 'IP Connect'",
            columns=f"""{_SHARED}
        address(r."src.ip.address")  AS src_endpoint_ip,
        port(r."src.port.number")   AS src_endpoint_port,
        CASE WHEN NOT {_INCOMING} THEN {_HOST} END  AS src_endpoint_hostname,
        address(r."dst.ip.address")  AS dst_endpoint_ip,
        port(r."dst.port.number")   AS dst_endpoint_port,
        CASE WHEN {_INCOMING} THEN {_HOST} END  AS dst_endpoint_hostname,
        -- TCPV4, TCPV6, UDPV4, …
        nullif(lower(regexp_extract(r."meta.event.name", '^(TCP|UDP)V[46]$', 1)), '')
                                    AS connection_info_protocol_name,
        CASE r."event.network.connectionStatus" WHEN 'SUCCESS' THEN 'allowed' WHEN 'FAILURE' THEN 'failed'
             ELSE lower(said(r."event.network.connectionStatus")) END  AS disposition
    """,
        ),
        Part(
            table="dns_activity",
            when="r.\"event.type\" IN ('DNS Resolved', 'DNS Unresolved')",
            columns=f"""{_SHARED}
        {_HOST}                     AS src_endpoint_hostname,
        hostname(r."event.dns.request")  AS query_hostname,
        -- `type:  5 name;192.0.2.1;`
        list_transform(list_filter(string_split(said(r."event.dns.response"), ';'), lambda a: trim(a) <> ''),
             lambda a: address(rtrim(regexp_replace(trim(a), '^type: +\\d+ +', ''), '.')))  AS answers
    """,
        ),
        Part(
            table="http_activity",
            when="r.\"event.category\" = 'url'",
            columns=f"""{_SHARED}
        {_HOST}                     AS src_endpoint_hostname,
        url_host(r."url.address")   AS dst_endpoint_hostname,
        url_port(r."url.address")   AS dst_endpoint_port,
        -- the type of a URL event is its method
        said(r."event.type")        AS http_request_http_method,
        said(r."url.address")       AS http_request_url_string
    """,
        ),
    ),
    shows="which process of which host connected where, asked for which name, and which URLs a browser opened",
    cannot_show="bytes; query types; URLs of programs that the agent does not look into",
    reference="SentinelOne, Cloud Funnel 2.0, event types and fields",
)
