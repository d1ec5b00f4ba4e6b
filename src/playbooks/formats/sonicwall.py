"""SonicWall syslog as name=value pairs (`id=firewall sn=… m=…`): connections, web requests and events.

`src` and `dst` are address, port and interface between colons. The stamp has a zone only where the device was
told to log UTC. A connection is the event where it is closed (m=537); its opening (m=98) has no bytes and goes to
the table of what devices report besides, with logons and the device's own messages.
Reference: SonicWall SonicOS Log Events Reference Guide, "Syslog Tags" and "Log Event Messages".
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

WHO = r"""
                CASE WHEN r."time" LIKE '% UTC' THEN iso_time(replace(r."time", ' UTC', 'Z'))
                     ELSE stamp(r."time") END  AS time,
                address(coalesce(nullif(regexp_extract(r.src, '^(\d+\.\d+\.\d+\.\d+)([:]|$)', 1), ''),
                                 CASE WHEN is_address(r.src) THEN r.src END))  AS src_endpoint_ip,
                port(regexp_extract(r.src, '^\d+\.\d+\.\d+\.\d+:(\d+)', 1))  AS src_endpoint_port,
                coalesce(said(r.usr), said(r.susr))  AS actor_user_name,
                address(coalesce(nullif(regexp_extract(r.dst, '^(\d+\.\d+\.\d+\.\d+)([:]|$)', 1), ''),
                                 CASE WHEN is_address(r.dst) THEN r.dst END))  AS dst_endpoint_ip,
                port(regexp_extract(r.dst, '^\d+\.\d+\.\d+\.\d+:(\d+)', 1))  AS dst_endpoint_port,
                coalesce(amount(r.sent), amount(r."out"))  AS traffic_bytes_out,
                coalesce(amount(r.rcvd), amount(r."in"))  AS traffic_bytes_in,"""

SHARED = rf"""{WHO}
                CASE WHEN r.fw_action IN ('drop', 'mgmt_drop') THEN 'blocked'
                     WHEN r.fw_action = 'forward' THEN 'allowed'
                     WHEN r.fw_action <> 'NA' THEN lower(said(r.fw_action))
                     WHEN regexp_matches(r.msg, '(?i)\b(dropped|blocked|denied)\b') THEN 'blocked' END
                                            AS disposition"""

FORMAT = Format(
    name="sonicwall",
    product="SonicWall, syslog",
    cut=Pairs(
        style="keyvalue",
        keys=frozenset({"id", "sn", "fw", "pri", "m"}),
        fields=(
            *("id", "sn", "fw", "pri", "m", "msg", "time", "src", "dst", "usr", "susr", "proto", "sent", "rcvd", "out"),
            *("in", "n", "c", "reason", "note", "spkt", "rpkt", "cdur", "op", "dstname", "arg", "fw_action"),
        ),
    ),
    clock=Clock.ASK,
    kind="'m=' || r.m",
    undated='said(r."time") IS NULL',
    parts=(
        Part(
            table="http_activity",
            when="r.src IS NOT NULL AND r.proto IS NOT NULL AND r.m = '97'",
            columns=f"""{SHARED},
                hostname(r.dstname)         AS dst_endpoint_hostname,
                lower(said(split_part(r.proto, '/', 1)))  AS connection_info_protocol_name,
                CASE r.op WHEN '1' THEN 'GET' WHEN '2' THEN 'POST' WHEN '3' THEN 'HEAD' ELSE upper(said(r.op)) END
                                            AS http_request_http_method,
                said(concat(r.dstname, r.arg))  AS http_request_url_string
            """,
        ),
        Part(
            table="network_activity",
            when="r.src IS NOT NULL AND r.proto IS NOT NULL AND r.m NOT IN ('97', '98')",
            columns=rf"""{SHARED},
                hostname(nullif(regexp_extract(r.dst, '^[^:]+:\d+:[^:]*:(\S+)$', 1), ''))  AS dst_endpoint_hostname,
                lower(said(split_part(r.proto, '/', 1)))  AS connection_info_protocol_name,
                amount(r.spkt)              AS traffic_packets_out,
                amount(r.rpkt)              AS traffic_packets_in,
                whole(r.cdur)               AS duration_ms
            """,
        ),
        Part(
            table="system_activity",
            when="r.m NOT IN ('97', '537') AND r.msg IS NOT NULL",
            columns=rf"""{WHO}
                CASE WHEN regexp_matches(r.msg, '(?i)authenticat|\blog(ged)? ?(in|out|on|off)\b') THEN 3002 ELSE 0 END
                                            AS class_uid,
                said(r.m)                   AS activity_name,
                coalesce(said(r.usr), said(r.susr))  AS user_name,
                lower(said(split_part(r.proto, '/', 1)))  AS connection_info_protocol_name,
                said(r.sn)                  AS device_hostname,
                said(r.pri)                 AS severity,
                CASE WHEN regexp_matches(r.msg, '(?i)\b(rejected|fail(ed|ure)?|denied|invalid)\b') THEN 'failure'
                     WHEN regexp_matches(r.msg, '(?i)\b(succe\w+|allowed|logged (in|out))\b') THEN 'success' END
                                            AS status,
                coalesce(said(r.note), said(r.reason))  AS status_detail,
                said(r.msg)                 AS message,
                CASE WHEN r.fw_action IN ('drop', 'mgmt_drop') THEN 'blocked'
                     WHEN r.fw_action = 'forward' THEN 'allowed' END  AS disposition
            """,
        ),
    ),
    shows="connections with user, bytes each way and, where logged, the verdict; web requests with host and path",
    cannot_show="the path of URLs inside TLS; names in plain connection records; processes",
    reference="SonicWall SonicOS Log Events Reference Guide",
)
