"""SonicWall events in the Common Event Format (ArcSight syslog): connections and web requests.

The line has no stamp: it is syslog's, and only a header with year and zone gives a time; where a collector cut the
header off, there is none. A connection is the event where it is closed (537); its opening (98) does not hold all
bytes and goes to the table of what devices report besides, with the device's own messages.
Reference: SonicWall SonicOS Log Events Reference Guide, "ArcSight CEF Fields".
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

WHO = r"""
                iso_time(regexp_extract(r.prefix, '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)'))
                                            AS time,
                address(r.src)              AS src_endpoint_ip,
                port(r.spt)                 AS src_endpoint_port,
                said(trim(r.susr, '"'))     AS actor_user_name,
                address(r.dst)              AS dst_endpoint_ip,
                port(r.dpt)                 AS dst_endpoint_port,
                CASE WHEN r.fw_action IN ('"drop"', '"mgmt_drop"') THEN 'blocked'
                     WHEN r.fw_action = '"forward"' THEN 'allowed'
                     WHEN r.fw_action <> '"NA"' THEN lower(said(trim(r.fw_action, '"')))
                     WHEN regexp_matches(r.cef_name, '(?i)\b(dropped|blocked|denied)\b') THEN 'blocked' END
                                            AS disposition,
                lower(said(split_part(r.proto, '/', 1)))  AS connection_info_protocol_name,
                amount(r."out")             AS traffic_bytes_out,
                amount(r."in")              AS traffic_bytes_in,"""

FORMAT = Format(
    name="sonicwall_cef",
    product="SonicWall, CEF",
    cut=Pairs(
        style="cef",
        keys=frozenset({"cef_vendor"}),
        only=(("cef_vendor", "SonicWall"),),
        fields=(
            *(
                "prefix",
                "cef_vendor",
                "cef_signature",
                "cef_name",
                "cef_severity",
                "src",
                "spt",
                "dst",
                "dpt",
                "susr",
                "proto",
                "out",
            ),
            *("in", "request", "fw_action", "msg", "reason"),
        ),
    ),
    clock=Clock.IN_THE_STAMP,
    kind="concat_ws(' ', r.cef_signature, r.cef_name)",
    undated=r"NOT regexp_matches(coalesce(r.prefix, ''), '\d:\d\d')",
    parts=(
        Part(
            table="http_activity",
            when="r.proto IS NOT NULL AND r.request IS NOT NULL",
            columns=f"""{WHO}
                url_host(r.request)         AS dst_endpoint_hostname,
                said(r.request)             AS http_request_url_string
            """,
        ),
        Part(
            table="network_activity",
            when="r.proto IS NOT NULL AND r.request IS NULL AND r.cef_signature <> '98'",
            columns=WHO,
        ),
        Part(
            table="system_activity",
            when="r.cef_name IS NOT NULL AND r.cef_signature NOT IN ('97', '537')",
            columns=rf"""{WHO}
                CASE WHEN regexp_matches(r.cef_name, '(?i)authenticat|\blog(ged)? ?(in|out|on|off)\b') THEN 3002
                     ELSE 0 END
                                            AS class_uid,
                said(r.cef_signature)       AS activity_name,
                said(trim(r.susr, '"'))     AS user_name,
                said(r.cef_severity)        AS severity,
                CASE WHEN regexp_matches(r.cef_name, '(?i)\b(rejected|fail(ed|ure)?|denied|invalid)\b') THEN 'failure'
                     WHEN regexp_matches(r.cef_name, '(?i)\b(succe\w+|allowed|logged (in|out))\b') THEN 'success' END
                                            AS status,
                said(r.reason)              AS status_detail,
                concat_ws(': ', r.cef_name, said(trim(r.msg, '"')))  AS message
            """,
        ),
    ),
    shows="connections with user, bytes each way and, where logged, the verdict; web requests with host and path",
    cannot_show="the path of URLs inside TLS; names in plain connection records; processes",
    reference="SonicWall SonicOS Log Events Reference Guide",
)
