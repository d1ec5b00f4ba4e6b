"""Fortinet FortiOS logs as name=value pairs (FortiGate, FortiProxy, FortiClient): traffic, web, DNS and events.

Of the security records (`type=utm`) those with a URL, those of DNS and the names of TLS are read as traffic; the
others (virus, intrusion, data leaks, …) and the device's own events go to the table of such reports: they repeat
the session that they speak of. `eventtime` is seconds, milliseconds or nanoseconds since the epoch, by version;
without it `tz` gives the zone of `date` and `time`, and the collector's `timestamp` comes last. A traffic record is
written at the end of its session. FortiClient names the client `hostname` and its process `srcname`.
Reference: Fortinet FortiOS Log Message Reference, log field tables of traffic, webfilter, DNS and event.
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

WHEN = r"""
                coalesce(epoch_time(r.eventtime),
                         stamp(r.date || 'T' || r.time
                               || CASE WHEN regexp_matches(r.tz, '^[+-]\d{4}$') THEN r.tz ELSE '' END),
                         CASE WHEN said(r.date) IS NULL THEN epoch_time(r.timestamp) END)  AS time,"""

WHO = """
                address(r.srcip)            AS src_endpoint_ip,
                port(r.srcport)             AS src_endpoint_port,
                said(r.srcname)             AS src_endpoint_hostname,
                nullif(said(r."user"), 'N/A')  AS actor_user_name,
                -- some products write the name of the destination in place of its address
                address(CASE WHEN is_address(r.dstip) THEN r.dstip END)  AS dst_endpoint_ip,
                port(r.dstport)             AS dst_endpoint_port,
                protocol(r.proto)           AS connection_info_protocol_name,"""

HOST = """
                coalesce(url_host(said(r.hostname)), hostname(r.dstname),
                         url_host(CASE WHEN regexp_matches(r.url, '^[A-Za-z]+://') THEN r.url END),
                         hostname(CASE WHEN NOT is_address(r.dstip) THEN r.dstip END))  AS dst_endpoint_hostname,"""

# a path where the host stands apart, a whole URL in newer versions
URL = """
                CASE WHEN coalesce(r.httpmethod, '') <> 'CONNECT'
                     THEN CASE WHEN r.url LIKE '/%' AND lower(coalesce(r.scheme, r.service)) IN ('http', 'https')
                               THEN coalesce(lower(coalesce(r.scheme, r.service)) || '://' || said({0}), '')
                               ELSE '' END || said(r.url) END  AS http_request_url_string,"""

DID = """
                CASE WHEN coalesce(r.action, r.utmaction) IN ('deny', 'block', 'blocked', 'dropped', 'drop', 'reset',
                                                             'redirect')
                     THEN 'blocked'
                     WHEN coalesce(r.action, r.utmaction) IN ('accept', 'allow', 'close', 'timeout', 'client-rst',
                                       'server-rst', 'start', 'ip-conn', 'dns', 'pass',
                                        'passthrough', 'permit', 'monitor', 'detected', 'log-only')
                     THEN 'allowed'"""

VERDICT = f"""{DID} ELSE lower(said(coalesce(r.action, r.utmaction))) END  AS disposition,
                coalesce(said(r.sessionid), said(r.logid))  AS metadata_uid"""

FORMAT = Format(
    name="fortigate",
    product="Fortinet FortiGate, FortiProxy and FortiClient",
    cut=Pairs(
        style="keyvalue",
        keys=frozenset({"type", "subtype", "level"}),
        any_of=frozenset({"devname", "devid", "vd"}),
        fields=(
            *(
                "logid",
                "type",
                "subtype",
                "date",
                "time",
                "tz",
                "timestamp",
                "eventtime",
                "eventtype",
                "level",
                "srcip",
            ),
            *("srcport", "srcname", "user", "dstip", "dstport", "dstname", "hostname", "proto", "action", "sessionid"),
            *("url", "agent", "httpmethod", "referralurl", "sentbyte", "rcvdbyte", "sentpkt", "rcvdpkt", "sentdelta"),
            *("rcvddelta", "duration", "qname", "qtype", "ipaddr", "scheme", "service", "utmaction", "statuscode"),
            *("devname", "remip", "remport", "locip", "locport", "userip", "ui", "nas", "status", "reason", "msg"),
            *("logdesc", "attack", "virus", "severity", "crlevel", "filename", "fctver", "deviceip", "remotename"),
            *("cfgpath", "cfgobj", "dtype", "method", "forwardedfor"),
        ),
    ),
    clock=Clock.ASK,
    undated="""coalesce(said(r.eventtime), said(r.date), said(r.timestamp)) IS NULL""",
    kind="concat_ws(':', r.type, r.subtype) || ', cut short'",
    parts=(
        Part(
            table="http_activity",
            when="r.fctver IS NOT NULL AND said(r.url) IS NOT NULL",
            columns=f"""{WHEN}
                address(r.deviceip)         AS src_endpoint_ip,
                said(r.hostname)            AS src_endpoint_hostname,
                nullif(said(r."user"), 'N/A')  AS actor_user_name,
                said(r.srcname)             AS actor_process_name,
                address(CASE WHEN is_address(r.remotename) THEN r.remotename END)  AS dst_endpoint_ip,
                port(r.dstport)             AS dst_endpoint_port,
                hostname(CASE WHEN NOT is_address(r.remotename) THEN r.remotename END)  AS dst_endpoint_hostname,
                protocol(r.proto)           AS connection_info_protocol_name,{URL.format("r.remotename")}
                amount(r.sentbyte)          AS traffic_bytes_out,
                amount(r.rcvdbyte)          AS traffic_bytes_in,{VERDICT}
            """,
        ),
        Part(
            table="dns_activity",
            when="r.type <> 'traffic' AND (r.type = 'dns' OR r.subtype = 'dns')",
            columns=f"""{WHEN}{WHO}
                hostname(trim(r.qname, '[]'))           AS query_hostname,
                said(r.qtype)               AS query_type,
                CASE WHEN said(r.ipaddr) IS NOT NULL THEN string_split(replace(r.ipaddr, ' ', ''), ',') END
                                            AS answers,{VERDICT}
            """,
        ),
        Part(
            table="http_activity",
            when="r.type IN ('utm', 'traffic') AND said(r.url) IS NOT NULL",
            columns=f"""{WHEN}{WHO}{HOST}
                said(r.httpmethod)          AS http_request_http_method,{URL.format("r.hostname")}
                said(r.agent)               AS http_request_user_agent,
                said(r.referralurl)         AS http_request_referrer,
                said(r.forwardedfor)        AS http_request_x_forwarded_for,
                small(nullif(r.statuscode, '0'))  AS http_response_code,
                amount(r.sentbyte)          AS traffic_bytes_out,
                amount(r.rcvdbyte)          AS traffic_bytes_in,{VERDICT}
            """,
        ),
        Part(
            table="network_activity",
            when="r.type = 'traffic'",
            columns=f"""{WHEN}{WHO}{HOST}
                -- a long session is reported several times: bytes of all, and (delta) since the last report
                coalesce(amount(r.sentdelta), amount(r.sentbyte))  AS traffic_bytes_out,
                coalesce(amount(r.rcvddelta), amount(r.rcvdbyte))  AS traffic_bytes_in,
                amount(r.sentpkt)           AS traffic_packets_out,
                amount(r.rcvdpkt)           AS traffic_packets_in,
                millis(r.duration)          AS duration_ms,{VERDICT}
            """,
        ),
        Part(
            table="network_activity",
            when="r.type = 'utm' AND r.subtype = 'ssl' AND said(r.hostname) IS NOT NULL",
            columns=f"""{WHEN}{WHO}{HOST}
                hostname(r.hostname)        AS tls_sni,{VERDICT}
            """,
        ),
        Part(
            table="system_activity",
            when="r.type IS NOT NULL AND r.subtype NOT IN ('webfilter', 'forward')",
            columns=rf"""{WHEN}
                CASE WHEN coalesce(said(r.attack), said(r.virus)) IS NOT NULL THEN 2004
                     WHEN regexp_matches(r.action, '(?i)log(in|out)|auth|tunnel-(up|down)') THEN 3002
                     ELSE 0 END             AS class_uid,
                CASE WHEN r.type = 'event' THEN coalesce(said(r.action), said(r.logdesc), said(r.logid))
                     ELSE concat_ws(':', r.subtype, r.eventtype) END  AS activity_name,
                -- an administrator's address stands behind the way in: GUI(192.0.2.1)
                address(coalesce(
                    CASE WHEN is_address(r.srcip) THEN r.srcip END, CASE WHEN is_address(r.remip) THEN r.remip END,
                    said(r.userip), nullif(regexp_extract(r.ui, '\(([0-9A-Fa-f.:]+)\)', 1), '')))  AS src_endpoint_ip,
                port(nullif(coalesce(r.srcport, r.remport), 'N/A'))  AS src_endpoint_port,
                CASE WHEN r.fctver IS NOT NULL THEN said(r.hostname) ELSE said(r.srcname) END
                                            AS src_endpoint_hostname,
                nullif(said(r."user"), 'N/A')  AS actor_user_name,
                address(coalesce(CASE WHEN is_address(r.dstip) THEN r.dstip END,
                                 CASE WHEN is_address(r.locip) THEN r.locip END,
                                 CASE WHEN is_address(r.nas) THEN r.nas END))  AS dst_endpoint_ip,
                port(nullif(coalesce(r.dstport, r.locport), 'N/A'))  AS dst_endpoint_port,
                CASE WHEN r.fctver IS NULL
                     THEN coalesce(url_host(said(r.hostname)),
                                   hostname(CASE WHEN NOT is_address(r.dstip) THEN nullif(r.dstip, 'N/A') END)) END
                                            AS dst_endpoint_hostname,
                CASE WHEN r.proto IS NOT NULL THEN protocol(r.proto) END  AS connection_info_protocol_name,
                said(r.devname)             AS device_hostname,
                coalesce(said(r.filename), nullif(concat_ws(' ', said(r.cfgpath), said(r.cfgobj)), ''))  AS file_path,
                -- of an administrator's request by the REST interface too
                coalesce(said(r.httpmethod), CASE WHEN r.subtype = 'rest-api' THEN said(r.method) END)
                                            AS http_request_http_method,
                said(r.url)                 AS http_request_url_string,
                said(r.agent)               AS http_request_user_agent,
                small(CASE WHEN r.subtype = 'rest-api' AND regexp_matches(r.status, '^\d{3}$') THEN r.status END)
                                            AS http_response_code,
                amount(r.sentbyte)          AS traffic_bytes_out,
                amount(r.rcvdbyte)          AS traffic_bytes_in,
                coalesce(said(r.attack), said(r.virus))  AS finding_title,
                coalesce(said(r.severity), said(r.crlevel), said(r.level))  AS severity,
                CASE WHEN regexp_matches(r.status, '(?i)^(succe|ok$|2\d\d$)') THEN 'success'
                     WHEN regexp_matches(r.status, '(?i)^(fail|error|denied|drop|[45]\d\d$)')
                       OR regexp_matches(r.action, '(?i)(^|[_-])fail') THEN 'failure' END  AS status,
                coalesce(nullif(said(r.reason), 'N/A'), said(r.status))  AS status_detail,
                coalesce(said(r.msg), said(r.logdesc))  AS message,{DID} WHEN r.type <> 'event'
                     THEN lower(said(r.action)) END  AS disposition,
                said(r.sessionid)           AS metadata_uid
            """,
        ),
    ),
    shows="sessions with user, bytes and verdict; web requests that a filter looked at; DNS names asked for; logons, "
    "tunnels, changes of the configuration and what a blade found",
    cannot_show="sessions whose logging is off; web requests without a web filter; the path inside TLS not inspected",
    reference="Fortinet FortiOS Log Message Reference",
)
