"""Sophos Firewall (XG, SFOS) syslog as name=value pairs: firewall, web filter, TLS inspection, events.

`timestamp` of newer versions has a zone. Older ones write `date`, `time` and `timezone`: as an offset it is
used, as an abbreviation (CET) it is not, for it may stay the same in summer.
Reference: Sophos Firewall Syslog Guide, log fields of firewall and content filtering.
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

SHARED = r"""
                coalesce(stamp(r.timestamp),
                         stamp(r."date" || 'T' || r."time" || CASE
                             WHEN regexp_matches(r.timezone, '^[+-]\d\d$') THEN r.timezone || ':00'
                             WHEN regexp_matches(r.timezone, '^[+-]\d\d:?\d\d$') THEN r.timezone
                             WHEN r.timezone IN ('UTC', 'GMT') THEN 'Z' ELSE '' END))  AS time,
                coalesce(said(r.con_id), said(r.connid))  AS metadata_uid,
                address(r.src_ip)           AS src_endpoint_ip,
                port(r.src_port)            AS src_endpoint_port,
                said(r.user_name)           AS actor_user_name,
                address(r.dst_ip)           AS dst_endpoint_ip,
                port(r.dst_port)            AS dst_endpoint_port,
                lower(said(r.protocol))     AS connection_info_protocol_name,"""

DID = """
                CASE WHEN lower(r.log_subtype) IN ('allowed', 'allow', 'clean', 'detect', 'do not decrypt', 'decrypt')
                     THEN 'allowed'
                     WHEN lower(r.log_subtype) IN ('denied', 'deny', 'drop', 'dropped', 'blocked', 'reject', 'virus')
                     THEN 'blocked'"""

VERDICT = f"""{DID} ELSE lower(said(r.log_subtype)) END  AS disposition,"""

FORMAT = Format(
    name="sophos_firewall",
    product="Sophos Firewall",
    cut=Pairs(
        style="keyvalue",
        keys=frozenset({"log_type", "log_component", "log_subtype"}),
        fields=(
            *("log_type", "log_component", "log_subtype", "timestamp", "date", "time", "timezone", "con_id", "connid"),
            *("src_ip", "src_port", "user_name", "dst_ip", "dst_port", "protocol", "sent_bytes", "recv_bytes"),
            *("sent_pkts", "recv_pkts", "duration", "url", "domain", "user_agent", "referer", "status_code"),
            *(
                "http_method",
                "sni",
                "tls_version",
                "device_name",
                "severity",
                "priority",
                "status",
                "reason",
                "message",
            ),
            *(
                "signature_msg",
                "virus",
                "malware",
                "threatname",
                "filename",
                "remote_ip",
                "client_used",
                "auth_mechanism",
            ),
        ),
    ),
    clock=Clock.ASK,
    kind="concat_ws(': ', r.log_type, r.log_component)",
    undated="coalesce(said(r.timestamp), said(r.date), said(r.time)) IS NULL",
    parts=(
        Part(
            table="http_activity",
            when="r.src_ip IS NOT NULL AND r.log_type = 'Content Filtering' AND r.url IS NOT NULL",
            columns=f"""{SHARED}{VERDICT}
                coalesce(hostname(r.domain), url_host(r.url))  AS dst_endpoint_hostname,
                said(r.http_method)         AS http_request_http_method,
                said(r.url)                 AS http_request_url_string,
                said(r.user_agent)          AS http_request_user_agent,
                said(r.referer)             AS http_request_referrer,
                small(r.status_code)        AS http_response_code,
                amount(r.sent_bytes)        AS traffic_bytes_out,
                amount(r.recv_bytes)        AS traffic_bytes_in
            """,
        ),
        Part(
            table="network_activity",
            when="""r.src_ip IS NOT NULL AND (r.log_type IN ('Firewall', 'SSL')
                    OR (r.log_type = 'Content Filtering' AND r.url IS NULL))""",
            columns=f"""{SHARED}{VERDICT}
                hostname(r.sni)             AS dst_endpoint_hostname,
                hostname(r.sni)             AS tls_sni,
                said(r.tls_version)         AS tls_version,
                amount(r.sent_bytes)        AS traffic_bytes_out,
                amount(r.recv_bytes)        AS traffic_bytes_in,
                amount(r.sent_pkts)         AS traffic_packets_out,
                amount(r.recv_pkts)         AS traffic_packets_in,
                millis(r.duration)          AS duration_ms
            """,
        ),
        Part(
            table="system_activity",
            when="r.log_type IS NOT NULL AND r.log_subtype IS NOT NULL AND r.log_type NOT IN ('Firewall', 'SSL')",
            columns=f"""{SHARED}
                CASE WHEN coalesce(said(r.signature_msg), said(r.virus), said(r.malware),
                     said(r.threatname)) IS NOT NULL
                     THEN 2004 WHEN r.log_subtype = 'Authentication' OR lower(r.log_component) LIKE '%auth%' THEN 3002
                     ELSE 0 END             AS class_uid,
                concat_ws(': ', r.log_type, r.log_component, r.log_subtype)  AS activity_name,
                said(r.user_name)           AS user_name,
                said(r.device_name)         AS device_hostname,
                coalesce(said(r.signature_msg), said(r.virus), said(r.malware), said(r.threatname))  AS finding_title,
                lower(coalesce(said(r.severity), said(r.priority)))  AS severity,
                said(r.filename)            AS file_path,
                said(r.url)                 AS http_request_url_string,
                CASE WHEN regexp_matches(r.status, '(?i)^(succe|established|ok)') THEN 'success'
                     WHEN regexp_matches(r.status, '(?i)^(fail|denied|error|expire)') THEN 'failure' END  AS status,
                said(r.reason)              AS status_detail,
                said(r.message)             AS message,{DID} END  AS disposition
            """,
        ),
    ),
    shows="connections with user, bytes each way and verdict; web requests with URL; TLS names; logons and threats",
    cannot_show="the path of URLs inside TLS that is not inspected; connections of rules that do not log",
    reference="Sophos Firewall Syslog Guide",
)
