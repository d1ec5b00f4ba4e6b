"""Fortinet FortiOS logs as name=value pairs (FortiGate, FortiProxy): traffic, web and DNS records.

Of the security records (`type=utm`) those with a URL and those of DNS are read; the rest repeats its session.
`eventtime` is seconds, milliseconds or nanoseconds since the epoch, by version; without it `tz` gives the
zone of `date` and `time`. A traffic record is written at the end of its session. Fields between commas
(instead of blanks) are not read.
Reference: Fortinet FortiOS Log Message Reference, log field tables of traffic, webfilter and DNS.
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

WHEN = r"""
                coalesce(epoch_time(r.eventtime),
                         stamp(r.date || 'T' || r.time
                               || CASE WHEN regexp_matches(r.tz, '^[+-]\d{4}$') THEN r.tz ELSE '' END))  AS time,"""

WHO = """
                address(r.srcip)            AS src_endpoint_ip,
                port(r.srcport)             AS src_endpoint_port,
                said(r.srcname)             AS src_endpoint_hostname,
                nullif(said(r."user"), 'N/A')  AS actor_user_name,
                -- some products write the name of the destination in place of its address
                address(CASE WHEN is_address(r.dstip) THEN r.dstip END)  AS dst_endpoint_ip,
                port(r.dstport)             AS dst_endpoint_port,"""

VERDICT = """
                CASE WHEN r.action IN ('deny', 'block', 'blocked', 'dropped', 'drop', 'reset', 'redirect')
                     THEN 'blocked'
                     WHEN r.action IN ('accept', 'close', 'timeout', 'client-rst', 'server-rst', 'start', 'ip-conn',
                                       'dns', 'pass', 'passthrough', 'permit', 'monitor', 'detected', 'log-only')
                     THEN 'allowed'
                     ELSE lower(said(r.action)) END  AS disposition,
                coalesce(said(r.sessionid), said(r.logid))  AS metadata_uid"""

FORMAT = Format(
    name="fortigate",
    product="Fortinet FortiGate and FortiProxy",
    cut=Pairs(
        style="keyvalue",
        keys=frozenset({"logid", "type", "subtype"}),
        any_of=frozenset({"devname", "devid", "vd", "srcip"}),
        fields=(
            *("logid", "type", "subtype", "date", "time", "tz", "eventtime", "srcip", "srcport", "srcname", "user"),
            *("dstip", "dstport", "dstname", "hostname", "proto", "action", "sessionid", "url", "agent", "httpmethod"),
            *(
                "referralurl",
                "sentbyte",
                "rcvdbyte",
                "sentpkt",
                "rcvdpkt",
                "sentdelta",
                "rcvddelta",
                "duration",
                "qname",
                "qtype",
                "ipaddr",
            ),
        ),
    ),
    clock=Clock.ASK,
    kind="concat_ws(':', r.type, r.subtype) || CASE WHEN r.type = 'utm' THEN ' without a URL' ELSE '' END",
    parts=(
        Part(
            table="network_activity",
            when="r.type = 'traffic'",
            columns=f"""{WHEN}{WHO}
                hostname(coalesce(said(r.hostname), said(r.dstname)))  AS dst_endpoint_hostname,
                protocol(r.proto)           AS connection_info_protocol_name,
                -- a long session is reported several times: bytes of all, and (delta) since the last report
                coalesce(amount(r.sentdelta), amount(r.sentbyte))  AS traffic_bytes_out,
                coalesce(amount(r.rcvddelta), amount(r.rcvdbyte))  AS traffic_bytes_in,
                amount(r.sentpkt)           AS traffic_packets_out,
                amount(r.rcvdpkt)           AS traffic_packets_in,
                millis(r.duration)          AS duration_ms,{VERDICT}
            """,
        ),
        Part(
            table="dns_activity",
            when="r.type <> 'traffic' AND (r.type = 'dns' OR r.subtype = 'dns')",
            columns=f"""{WHEN}{WHO}
                protocol(r.proto)           AS connection_info_protocol_name,
                hostname(trim(r.qname, '[]'))           AS query_hostname,
                said(r.qtype)               AS query_type,
                CASE WHEN said(r.ipaddr) IS NOT NULL THEN string_split(replace(r.ipaddr, ' ', ''), ',') END
                                            AS answers,{VERDICT}
            """,
        ),
        Part(
            table="http_activity",
            when="r.type = 'utm' AND r.subtype <> 'dns' AND r.url IS NOT NULL",
            columns=f"""{WHEN}{WHO}
                coalesce(url_host(said(r.hostname)), hostname(CASE WHEN NOT is_address(r.dstip) THEN r.dstip END))
                                            AS dst_endpoint_hostname,
                said(r.httpmethod)          AS http_request_http_method,
                -- a path where the host stands apart, a whole URL in newer versions
                CASE WHEN coalesce(r.httpmethod, '') <> 'CONNECT' THEN said(r.url) END  AS http_request_url_string,
                said(r.agent)               AS http_request_user_agent,
                said(r.referralurl)         AS http_request_referrer,
                amount(r.sentbyte)          AS traffic_bytes_out,
                amount(r.rcvdbyte)          AS traffic_bytes_in,{VERDICT}
            """,
        ),
    ),
    shows="sessions with user, bytes and verdict; web requests that a filter looked at; DNS names asked for",
    cannot_show="sessions whose logging is off; web requests without a web filter; the path inside TLS not inspected",
    reference="Fortinet FortiOS Log Message Reference",
)
