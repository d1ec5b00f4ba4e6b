"""SonicWall syslog as name=value pairs (`id=firewall sn=… m=…`): connections and web requests.

`src` and `dst` are address, port and interface between colons. The stamp has a zone only where the device was
told to log UTC. A connection is read where it is closed (m=537): its opening (m=98) has no bytes.
Reference: SonicWall SonicOS Log Events Reference Guide, "Syslog Tags" and "Log Event Messages".
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

SHARED = r"""
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
                coalesce(amount(r.rcvd), amount(r."in"))  AS traffic_bytes_in,
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
            *("in", "spkt", "rpkt", "cdur", "op", "dstname", "arg", "fw_action"),
        ),
    ),
    clock=Clock.ASK,
    kind="'m=' || r.m",
    status=(("r.m = '98'", "status line: the opening of a connection; its closing (m=537) is the event"),),
    parts=(
        Part(
            table="http_activity",
            when="r.src IS NOT NULL AND r.proto IS NOT NULL AND r.m = '97'",
            columns=f"""{SHARED},
                hostname(r.dstname)         AS dst_endpoint_hostname,
                CASE r.op WHEN '1' THEN 'GET' WHEN '2' THEN 'POST' WHEN '3' THEN 'HEAD' ELSE upper(said(r.op)) END
                                            AS http_request_http_method,
                said(concat(r.dstname, r.arg))  AS http_request_url_string
            """,
        ),
        Part(
            table="network_activity",
            when="r.src IS NOT NULL AND r.proto IS NOT NULL AND r.m <> '97'",
            columns=rf"""{SHARED},
                hostname(nullif(regexp_extract(r.dst, '^[^:]+:\d+:[^:]*:(\S+)$', 1), ''))  AS dst_endpoint_hostname,
                lower(said(split_part(r.proto, '/', 1)))  AS connection_info_protocol_name,
                amount(r.spkt)              AS traffic_packets_out,
                amount(r.rpkt)              AS traffic_packets_in,
                whole(r.cdur)               AS duration_ms
            """,
        ),
    ),
    shows="connections with user, bytes each way and, where logged, the verdict; web requests with host and path",
    cannot_show="the path of URLs inside TLS; names in plain connection records; processes",
    reference="SonicWall SonicOS Log Events Reference Guide",
)
