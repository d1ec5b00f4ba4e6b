"""SentinelOne Cloud Funnel 2: everything that the agent reports, one JSON object an event.

Names with dots are keys as they stand. The process is the one SentinelOne holds responsible (`src.process`), not the
system service that resolved or connected for it (`osSrc.process`). `src.ip.address` began the connection; with
`INCOMING` the endpoint is the destination. On Linux the user stands in `eUserName`, the effective one.
Reference: SentinelOne, Cloud Funnel 2.0, event types and fields.
"""

from playbooks.formats.format import Clock, Format, Json, Part

_HOST = 'hostname(r."endpoint.name")'
_INCOMING = "coalesce(r.\"event.network.direction\" = 'INCOMING', false)"
_SHARED = """
        epoch_time(r."event.time")  AS time,
        coalesce(said(r."src.process.user"), said(r."src.process.eUserName"))  AS actor_user_name,
        said(r."src.process.name")  AS actor_process_name,
        said(r."src.process.image.path")  AS actor_process_file_path,
        said(r."src.process.cmdline")  AS actor_process_cmd_line,
        coalesce(said(r."src.process.image.sha256"), said(r."src.process.image.sha1"))  AS actor_process_file_hash,
        said(r."event.type")        AS activity_name,
        coalesce(said(r."src.process.parent.name"), file_name(r."src.process.parent.image.path"))
                                    AS actor_process_parent_process_name,
        said(r."event.id")          AS metadata_uid,"""

_CLASS = """CASE r."event.category"
             WHEN 'process' THEN 1007 WHEN 'cross_process' THEN 1007 WHEN 'file' THEN 1001 WHEN 'module' THEN 1005
             WHEN 'driver' THEN 1005 WHEN 'scheduled_task' THEN 1006 WHEN 'logins' THEN 3002 WHEN 'indicators' THEN 2004
             WHEN 'threat_intelligence_indicators' THEN 2004
             WHEN 'registry' THEN CASE WHEN r."event.type" LIKE '%Value%' THEN 201002 ELSE 201001 END ELSE 0 END"""

FORMAT = Format(
    name="sentinelone_cloudfunnel",
    product="SentinelOne Cloud Funnel",
    cut=Json(
        keys=frozenset({"event.type", "event.category", "event.time", "endpoint.name"}),
        shape="""{"event.type": "VARCHAR", "event.category": "VARCHAR", "event.time": "VARCHAR",
                  "event.id": "VARCHAR", "endpoint.name": "VARCHAR", "meta.event.name": "VARCHAR",
                  "src.process.user": "VARCHAR", "src.process.name": "VARCHAR",
                  "src.process.image.path": "VARCHAR", "src.process.cmdline": "VARCHAR",
                  "src.process.image.sha256": "VARCHAR", "src.process.image.sha1": "VARCHAR",
                  "src.process.parent.name": "VARCHAR", "src.process.parent.image.path": "VARCHAR",
                  "src.ip.address": "VARCHAR", "src.port.number": "VARCHAR",
                  "dst.ip.address": "VARCHAR", "dst.port.number": "VARCHAR",
                  "event.network.direction": "VARCHAR", "event.network.connectionStatus": "VARCHAR",
                  "event.dns.request": "VARCHAR", "event.dns.response": "VARCHAR",
                  "url.address": "VARCHAR", "src.process.eUserName": "VARCHAR",
                  "src.endpoint.ip.address": "VARCHAR", "event.login.userName": "VARCHAR",
                  "event.login.accountName": "VARCHAR", "event.login.accountDomain": "VARCHAR",
                  "event.login.loginIsSuccessful": "VARCHAR", "event.login.failureReason": "VARCHAR",
                  "event.login.type": "VARCHAR",
                  "tgt.process.user": "VARCHAR", "tgt.process.eUserName": "VARCHAR", "tgt.process.name": "VARCHAR",
                  "tgt.process.image.path": "VARCHAR", "tgt.process.cmdline": "VARCHAR",
                  "tgt.process.image.sha256": "VARCHAR", "tgt.process.image.sha1": "VARCHAR",
                  "tgt.file.path": "VARCHAR", "tgt.file.oldPath": "VARCHAR", "tgt.file.sha256": "VARCHAR",
                  "tgt.file.sha1": "VARCHAR", "registry.keyPath": "VARCHAR", "registry.value": "VARCHAR",
                  "task.name": "VARCHAR", "module.path": "VARCHAR", "namedPipe.name": "VARCHAR",
                  "indicator.name": "VARCHAR", "indicator.description": "VARCHAR", "cmdScript.content": "VARCHAR"}""",
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
        Part(
            table="system_activity",
            when='r."event.type" IS NOT NULL',
            columns=f"""{_SHARED}
        {_CLASS}                    AS class_uid,
        {_HOST}                     AS device_hostname,
        address(coalesce(r."src.endpoint.ip.address", r."src.ip.address"))  AS src_endpoint_ip,
        coalesce(CASE WHEN said(r."event.login.userName") IS NOT NULL
                      THEN concat_ws(chr(92), said(r."event.login.accountDomain"), r."event.login.userName") END,
                 said(r."event.login.accountName"), said(r."tgt.process.user"), said(r."tgt.process.eUserName"))
                                    AS user_name,
        said(r."tgt.process.name")  AS process_name,
        said(r."tgt.process.image.path")  AS process_file_path,
        said(r."tgt.process.cmdline")  AS process_cmd_line,
        coalesce(said(r."tgt.process.image.sha256"), said(r."tgt.process.image.sha1"))  AS process_file_hash,
        coalesce(said(r."registry.keyPath"), said(r."task.name"), said(r."module.path"), said(r."namedPipe.name"),
                 said(r."tgt.file.path"))  AS file_path,
        said(r."indicator.name")    AS finding_title,
        CASE lower(r."event.login.loginIsSuccessful") WHEN 'true' THEN 'success' WHEN 'false' THEN 'failure' END
                                    AS status,
        said(r."event.login.failureReason")  AS status_detail,
        nullif(concat_ws(', ', said(r."indicator.description"), said(r."cmdScript.content"),
            'login: ' || said(r."event.login.type"), 'value: ' || said(r."registry.value"),
            'old path: ' || said(r."tgt.file.oldPath"),
            'file hash: ' || coalesce(said(r."tgt.file.sha256"), said(r."tgt.file.sha1"))), '')  AS message
    """,
        ),
    ),
    shows="which process of which host connected where, asked for which name; URLs; processes, files, logons, alerts",
    cannot_show="bytes; query types; URLs of programs that the agent does not look into",
    reference="SentinelOne, Cloud Funnel 2.0, event types and fields",
)
