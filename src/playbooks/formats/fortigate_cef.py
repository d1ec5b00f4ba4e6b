"""Fortinet FortiGate logs in the Common Event Format: traffic, web, DNS and event records.

The fields of FortiOS that CEF has no name for carry a prefix: FTNTFGT, FortinetFortiGate, or `ad.` where an
analyser forwards. `out` is what the source sent. Old versions write no stamp at all: it is that of syslog. As in
`fortigate`, records of virus, intrusion and the like that name no URL, and the device's own events, go to the table
of such reports.
Reference: Fortinet FortiOS Log Message Reference, "CEF support".
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

PREFIXES = ("FTNTFGT", "FortinetFortiGate", "ad_")
OWN = (
    *("eventtime", "tz", "level", "logdesc", "subtype", "eventtype", "qname", "qtype", "ipaddr", "httpmethod"),
    *("referralurl", "sentpkt", "rcvdpkt", "duration", "sentdelta", "rcvddelta", "attack", "crlevel", "severity"),
    *("status", "virus", "ui", "action"),
)


def own(name: str) -> str:
    """A field of FortiOS that CEF has no name for, under any prefix."""
    return f"coalesce({', '.join(f'said(r.{prefix}{name})' for prefix in PREFIXES)})"


WHEN = rf"""
                coalesce(epoch_time({own("eventtime")}),
                         read_time(r.start || ' ' || trim(coalesce(said(r.tz), {own("tz")}), '"'),
                                   '%b %d %Y %H:%M:%S %z'),
                         case_clock(CAST(try_strptime(r.start, '%b %d %Y %H:%M:%S') AS VARCHAR)))  AS time,"""

SHARED = f"""{WHEN}
                said(r.externalId)  AS metadata_uid,
                address(CASE WHEN is_address(r.src) THEN r.src END)  AS src_endpoint_ip,
                port(r.spt)                 AS src_endpoint_port,
                said(r.shost)               AS src_endpoint_hostname,
                -- the user behind the source stands in duser, in suser for application control
                nullif(coalesce(said(r.suser), said(r.duser)), 'N/A')  AS actor_user_name,
                address(CASE WHEN is_address(r.dst) THEN r.dst END)  AS dst_endpoint_ip,
                port(r.dpt)                 AS dst_endpoint_port,
                CASE WHEN r.proto IS NOT NULL THEN protocol(r.proto) END  AS connection_info_protocol_name,
                coalesce(url_host(said(r.dhost)), hostname(CASE WHEN NOT is_address(r.dst) THEN r.dst END),
                         url_host(CASE WHEN regexp_matches(r.request, '^[A-Za-z]+://') THEN r.request END))
                                            AS dst_endpoint_hostname,"""

DID = """
                CASE WHEN r.act IN ('deny', 'block', 'blocked', 'dropped', 'drop', 'reset', 'redirect') THEN 'blocked'
                     WHEN r.act IN ('accept', 'close', 'timeout', 'client-rst', 'server-rst', 'start', 'ip-conn', 'dns',
                                    'pass', 'passthrough', 'permit', 'monitor', 'detected', 'log-only')
                                         THEN 'allowed'"""

VERDICT = f"""{DID} ELSE lower(said(r.act)) END  AS disposition"""

FORMAT = Format(
    name="fortigate_cef",
    product="Fortinet FortiGate, CEF",
    cut=Pairs(
        style="cef",
        keys=frozenset({"cef_vendor"}),
        only=(("cef_vendor", "Fortinet"), ("cef_product", "(?i)fortigate.*")),
        fields=(
            *("cef_vendor", "cef_product", "cef_signature", "cef_name", "cef_severity", "cat", "start", "tz"),
            *("externalId", "src", "spt", "shost", "suser", "duser", "dst", "dpt", "dhost", "proto"),
            *(
                "act",
                "app",
                "in",
                "out",
                "request",
                "requestClientApplication",
                "outcome",
                "reason",
                "msg",
                "fname",
                "cs1",
            ),
            *("cs1Label", "dvchost", "deviceExternalId", "cn1", "cn1Label", "cn2", "cn2Label", "cn3", "cn3Label"),
            *(prefix + name for prefix in PREFIXES for name in OWN),
        ),
    ),
    clock=Clock.ASK,
    undated=f"coalesce({own('eventtime')}, said(r.start)) IS NULL",
    kind="r.cat || ', cut short'",
    parts=(
        Part(
            table="network_activity",
            when="r.cat LIKE 'traffic%'",
            columns=f"""{SHARED}
                amount(r."out")             AS traffic_bytes_out,
                amount(r."in")              AS traffic_bytes_in,
                amount(coalesce({own("sentpkt")}, CASE WHEN r.cn2Label = 'Packets Sent' THEN r.cn2 END))
                                            AS traffic_packets_out,
                amount(coalesce({own("rcvdpkt")}, CASE WHEN r.cn3Label = 'Packets Received' THEN r.cn3 END))
                                            AS traffic_packets_in,
                millis(coalesce({own("duration")}, CASE WHEN r.cn1Label = 'Duration' THEN r.cn1 END))
                                            AS duration_ms,{VERDICT}
            """,
        ),
        Part(
            table="dns_activity",
            when="r.cat LIKE 'dns%' OR r.cat LIKE 'utm:dns%'",
            columns=f"""{SHARED}
                hostname(trim({own("qname")}, '[]'))  AS query_hostname,
                {own("qtype")}              AS query_type,
                CASE WHEN {own("ipaddr")} IS NOT NULL THEN string_split(replace({own("ipaddr")}, ' ', ''), ',') END
                                            AS answers,{VERDICT}
            """,
        ),
        Part(
            table="http_activity",
            when="r.cat LIKE 'utm:%' AND said(r.request) IS NOT NULL",
            columns=f"""{SHARED}
                {own("httpmethod")}         AS http_request_http_method,
                CASE WHEN coalesce({own("httpmethod")}, '') <> 'CONNECT'
                     THEN CASE WHEN r.request LIKE '/%' AND lower(r.app) IN ('http', 'https')
                               THEN coalesce(lower(r.app) || '://' || said(r.dhost), '') ELSE '' END
                          || said(r.request) END  AS http_request_url_string,
                said(r.requestClientApplication)  AS http_request_user_agent,
                {own("referralurl")}        AS http_request_referrer,
                amount(r."out")             AS traffic_bytes_out,
                amount(r."in")              AS traffic_bytes_in,{VERDICT}
            """,
        ),
        Part(
            table="system_activity",
            when="r.cat IS NOT NULL AND r.cat NOT LIKE 'utm:webfilter%'",
            columns=rf"""{SHARED}
                CASE WHEN coalesce({own("attack")}, {own("virus")}, CASE WHEN r.cs1Label = 'Virus' THEN said(r.cs1) END)
                          IS NOT NULL THEN 2004
                     WHEN regexp_matches(r.act, '(?i)log(in|out)|auth|tunnel-(up|down)') THEN 3002
                     ELSE 0 END             AS class_uid,
                coalesce(CASE WHEN r.cat LIKE 'event%' THEN said(r.act) END, said(r.cef_name))  AS activity_name,
                coalesce(said(r.dvchost), said(r.deviceExternalId))  AS device_hostname,
                said(r.fname)               AS file_path,
                said(r.request)             AS http_request_url_string,
                coalesce({own("attack")}, {own("virus")}, CASE WHEN r.cs1Label = 'Virus' THEN said(r.cs1) END)
                                            AS finding_title,
                coalesce({own("severity")}, {own("crlevel")}, {own("level")}, said(r.cef_severity))  AS severity,
                CASE WHEN regexp_matches(coalesce(r.outcome, {own("status")}), '(?i)^(succe|ok$|2\d\d$)') THEN 'success'
                     WHEN regexp_matches(coalesce(r.outcome, {own("status")}),
                          '(?i)^(fail|error|denied|drop|[45]\d\d$)')
                       OR regexp_matches(r.act, '(?i)(^|[_-])fail') THEN 'failure' END  AS status,
                coalesce(nullif(said(r.reason), 'N/A'), said(r.outcome))  AS status_detail,
                coalesce(said(r.msg), {own("logdesc")})  AS message,{DID} WHEN r.cat NOT LIKE 'event%'
                     THEN lower(said(r.act)) END  AS disposition
            """,
        ),
    ),
    shows="sessions with user, bytes and verdict; web requests that a filter looked at; DNS names asked for; logons, "
    "tunnels, changes of the configuration and what a blade found",
    cannot_show="sessions whose logging is off; web requests without a web filter; the path inside TLS not inspected",
    reference="Fortinet FortiOS Log Message Reference, CEF support",
)
