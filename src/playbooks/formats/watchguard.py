"""WatchGuard Firebox logs in the LEEF format: traffic, web, DNS, and the device's own messages.

Collectors cut off the word `LEEF:` or write tabs as `#011`. LEEF lines of a Firebox hold no stamp unless
`devTime` was added; otherwise the syslog header's counts, if it has year and zone.
Reference: WatchGuard Fireware Log Catalog; IBM LEEF format version 1.0.
"""

from playbooks.formats.format import Clock, Format, Part, TextLines


def told(name: str) -> str:
    """The value of `name=value` between tabs."""
    return rf"said(regexp_extract(r.pairs, '(?:^|\t|#011){name}=([^\t#]*)', 1))"


SHARED = rf"""
                coalesce(stamp({told("devTime")}),
                         iso_time(regexp_extract(
                             r.prefix, '\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)')))  AS time,
                address({told("src")})      AS src_endpoint_ip,
                port({told("srcPort")})     AS src_endpoint_port,
                {told("src_user")}          AS actor_user_name,
                address({told("dst")})      AS dst_endpoint_ip,
                port({told("dstPort")})     AS dst_endpoint_port,
                CASE lower({told("disp")}) WHEN 'allow' THEN 'allowed' WHEN 'deny' THEN 'blocked'
                     ELSE lower({told("disp")}) END  AS disposition"""

USER = rf"""nullif(coalesce(
                    nullif(regexp_extract({told("msg")}, '(?i)\buser \[([^\]]+)\]', 1), ''),
                    nullif(regexp_extract({told("msg")}, '(?i)\buser ([^\s<>]+@\S+) from', 1), '')), '')"""

FORMAT = Format(
    name="watchguard",
    product="WatchGuard Firebox, LEEF",
    cut=TextLines(
        r"^(?P<prefix>.*?)(?:LEEF:)?1\.0\|WatchGuard\|(?P<model>[^|]*)\|(?P<version>[^|]*)\|(?P<id>[^|]*)\|"
        r"(?P<pairs>.*)$"
    ),
    clock=Clock.ASK,
    kind="r.id || ', cut short'",
    undated=rf"{told('devTime')} IS NULL AND NOT regexp_matches(r.prefix, '\d:\d\d')",
    parts=(
        Part(
            table="dns_activity",
            when=f"{told('dst')} IS NOT NULL AND {told('question')} IS NOT NULL",
            columns=f"""{SHARED},
                lower({told("proto")})      AS connection_info_protocol_name,
                hostname({told("question")})  AS query_hostname,
                {told("query_type")}        AS query_type
            """,
        ),
        Part(
            table="http_activity",
            when=f"{told('dst')} IS NOT NULL AND {told('question')} IS NULL AND {told('op')} IS NOT NULL",
            columns=rf"""{SHARED},
                hostname({told("dstname")})  AS dst_endpoint_hostname,
                lower({told("proto")})      AS connection_info_protocol_name,
                {told("op")}                AS http_request_http_method,
                said(concat({told("dstname")}, {told("arg")}))  AS http_request_url_string,
                amount({told("sent_bytes")})  AS traffic_bytes_out,
                amount({told("rcvd_bytes")})  AS traffic_bytes_in,
                millis(regexp_extract({told("elapsed_time")}, '^[\d.]+'))  AS duration_ms
            """,
        ),
        Part(
            table="network_activity",
            when=f"{told('dst')} IS NOT NULL AND {told('question')} IS NULL AND {told('op')} IS NULL",
            columns=rf"""{SHARED},
                hostname({told("dstname")})  AS dst_endpoint_hostname,
                lower({told("proto")})      AS connection_info_protocol_name,
                amount({told("sent_bytes")})  AS traffic_bytes_out,
                amount({told("rcvd_bytes")})  AS traffic_bytes_in,
                millis({told("duration")})  AS duration_ms
            """,
        ),
        Part(
            table="system_activity",
            when=f"{told('dst')} IS NULL AND {told('msg')} IS NOT NULL",
            columns=rf"""
                coalesce(stamp({told("devTime")}),
                         iso_time(regexp_extract(
                             r.prefix, '\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)')))  AS time,
                CASE WHEN {told("msg")} LIKE 'DHCP%' THEN 4004
                     WHEN regexp_matches({told("msg")}, '(?i)authenticat|\blog(ged)? ?(in|out|on|off)\b') THEN 3002
                     ELSE 0 END             AS class_uid,
                said(r.id)                  AS activity_name,
                address(coalesce({told("src")}, nullif(regexp_extract(
                    {told("msg")},
                    '\b(?:from|DHCP[A-Z]+ (?:on|of|for)) ([0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f])', 1), '')))
                                            AS src_endpoint_ip,
                hostname(nullif(regexp_extract({told("msg")}, '^DHCP.* \(([^()]+)\)', 1), ''))
                     AS src_endpoint_hostname,
                {USER}                      AS actor_user_name,
                {USER}                      AS user_name,
                {told("host_name")}         AS device_hostname,
                CASE WHEN regexp_matches({told("msg")}, '(?i)\b(rejected|fail(ed|ure)?|denied)\b') THEN 'failure'
                     WHEN regexp_matches({told("msg")}, '(?i)\b(succe\w+|accepted|logged (in|out))\b') THEN 'success'
                          END
                                            AS status,
                {told("msg")}               AS message
            """,
        ),
    ),
    shows="connections with user, bytes each way and verdict; web requests with host and path; DNS names asked for; "
    "logons, VPN and DHCP",
    cannot_show="the path of URLs inside TLS that is not inspected; stamps that the collector dropped",
    reference="WatchGuard Fireware Log Catalog",
)
