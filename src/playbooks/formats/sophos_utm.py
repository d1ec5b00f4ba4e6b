"""Sophos UTM (Astaro) logs as name="value" pairs: packet filter, web proxy, logons and others.

`size` is what the client received, `fullreqtime` is in microseconds, `length` is that of one packet. The stamp of
the device (2026:03:10-09:00:00) has no zone.
Reference: Sophos UTM Administration Guide, log file formats of the packet filter and the HTTP proxy.
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

SHARED = r"""
                coalesce(
                    iso_time(regexp_extract(r.prefix, '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)')),
                    case_clock(regexp_replace(regexp_extract(r.prefix, '\d{4}:\d\d:\d\d-\d\d:\d\d:\d\d'),
                                              '^(\d+):(\d+):(\d+)-', '\1-\2-\3 ')))  AS time,
                address(r.srcip)            AS src_endpoint_ip,
                address(r.dstip)            AS dst_endpoint_ip,
                CASE WHEN r.action IN ('drop', 'reject', 'block') THEN 'blocked'
                     WHEN r.action IN ('accept', 'pass', 'log', 'DNS request') THEN 'allowed'
                     ELSE lower(said(r.action)) END  AS disposition,"""

FORMAT = Format(
    name="sophos_utm",
    product="Sophos UTM",
    cut=Pairs(
        style="keyvalue",
        keys=frozenset({"id", "severity", "sys", "sub", "name"}),
        fields=(
            *("prefix", "id", "severity", "sys", "sub", "name", "action", "srcip", "dstip", "srcport", "dstport"),
            *(
                "caller",
                "reason",
                "host",
                "dstname",
                "engine",
                "attack",
                "proto",
                "length",
                "method",
                "user",
                "statuscode",
                "size",
                "url",
                "referer",
                "ua",
                "fullreqtime",
            ),
        ),
    ),
    clock=Clock.ASK,
    kind="concat_ws(': ', r.sub, r.name)",
    undated=r"NOT regexp_matches(coalesce(r.prefix, ''), '\d:\d\d')",
    parts=(
        Part(
            table="network_activity",
            when="r.sub = 'packetfilter' AND r.dstip IS NOT NULL AND r.proto IS NOT NULL",
            columns=f"""{SHARED}
                port(r.srcport)             AS src_endpoint_port,
                port(r.dstport)             AS dst_endpoint_port,
                protocol(r.proto)           AS connection_info_protocol_name,
                amount(r.length)            AS traffic_bytes_out
            """,
        ),
        Part(
            table="http_activity",
            when="r.sub = 'http' AND r.url IS NOT NULL",
            columns=rf"""{SHARED}
                said(r."user")              AS actor_user_name,
                url_host(r.url)             AS dst_endpoint_hostname,
                url_port(r.url)             AS dst_endpoint_port,
                said(r."method")            AS http_request_http_method,
                CASE WHEN r."method" <> 'CONNECT' THEN said(r.url) END  AS http_request_url_string,
                said(r.ua)                  AS http_request_user_agent,
                said(r.referer)             AS http_request_referrer,
                small(r.statuscode)         AS http_response_code,
                amount(r.size)              AS traffic_bytes_in,
                coalesce(whole(CASE WHEN regexp_matches(r.fullreqtime, '^\d{{1,15}}$') THEN r.fullreqtime END) // 1000,
                         whole(CASE WHEN NOT regexp_matches(r.fullreqtime, '^\d{{1,15}}$') THEN r.fullreqtime END))
                                            AS duration_ms
            """,
        ),
        Part(
            table="system_activity",
            when="r.name IS NOT NULL AND r.sub NOT IN ('packetfilter', 'http')",
            columns=f"""{SHARED}
                CASE WHEN r.sub = 'auth' THEN 3002 WHEN r.sub IN ('ips', 'waf', 'atp') THEN 2004 ELSE 0 END
                     AS class_uid,
                said(r.name)                AS activity_name,
                port(r.srcport)             AS src_endpoint_port,
                port(r.dstport)             AS dst_endpoint_port,
                said(r."user")              AS actor_user_name,
                said(r."user")              AS user_name,
                said(r.url)                 AS http_request_url_string,
                lower(said(r.severity))     AS severity,
                CASE WHEN regexp_matches(concat_ws(' ', r.name, r.reason), '(?i)\\b(fail(ed|ure)?|denied|rejected)\\b')
                     THEN 'failure'
                     WHEN regexp_matches(r.name, '(?i)succe') THEN 'success' END  AS status,
                nullif(concat_ws(': ', said(r.caller), said(r.reason)), '')  AS status_detail,
                concat_ws(': ', r.sub, r.name)  AS message
            """,
        ),
    ),
    shows="packets that a rule logged with the verdict; web requests with user, URL, user agent and bytes received",
    cannot_show="whole connections and their bytes; paths inside TLS that is not inspected; bytes sent by the client",
    reference="Sophos UTM Administration Guide",
)
