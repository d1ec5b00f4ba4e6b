"""Fortinet FortiGate logs in the Common Event Format: traffic, web and DNS records.

The fields of FortiOS that CEF has no name for carry a prefix: FTNTFGT, FortinetFortiGate, or `ad.` where an
analyser forwards. `out` is what the source sent. Records without a stamp since the epoch are dated by no one.
Reference: Fortinet FortiOS Log Message Reference, "CEF support".
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

SHARED = """
                epoch_time(coalesce(r.FTNTFGTeventtime, r.FortinetFortiGateeventtime, r.ad_eventtime))  AS time,
                said(r.externalId)          AS metadata_uid,
                address(CASE WHEN is_address(r.src) THEN r.src END)  AS src_endpoint_ip,
                port(r.spt)                 AS src_endpoint_port,
                said(r.shost)               AS src_endpoint_hostname,
                -- the user behind the source stands in duser, in suser for application control
                nullif(coalesce(said(r.suser), said(r.duser)), 'N/A')  AS actor_user_name,
                address(CASE WHEN is_address(r.dst) THEN r.dst END)  AS dst_endpoint_ip,
                port(r.dpt)                 AS dst_endpoint_port,
                CASE WHEN r.act IN ('deny', 'block', 'blocked', 'dropped', 'drop', 'reset', 'redirect') THEN 'blocked'
                     WHEN r.act IN ('accept', 'close', 'timeout', 'client-rst', 'server-rst', 'start', 'ip-conn', 'dns',
                                    'pass', 'passthrough', 'permit', 'monitor', 'detected', 'log-only') THEN 'allowed'
                     ELSE lower(said(r.act)) END  AS disposition,"""

FORMAT = Format(
    name="fortigate_cef",
    product="Fortinet FortiGate, CEF",
    cut=Pairs(
        style="cef",
        keys=frozenset({"cef_vendor"}),
        only=(("cef_vendor", "Fortinet"), ("cef_product", "(?i)fortigate.*")),
        fields=(
            *("cef_vendor", "cef_product", "cat", "FTNTFGTeventtime", "FortinetFortiGateeventtime", "ad_eventtime"),
            *(
                "externalId",
                "src",
                "spt",
                "shost",
                "suser",
                "duser",
                "dst",
                "dpt",
                "dhost",
                "proto",
                "act",
                "in",
                "out",
            ),
            *("request", "requestClientApplication", "FTNTFGThttpmethod", "FTNTFGTreferralurl", "FTNTFGTqname"),
            *("FTNTFGTqtype", "FTNTFGTipaddr", "FTNTFGTsentpkt", "FTNTFGTrcvdpkt", "FTNTFGTduration"),
            *("ad_sentpkt", "ad_rcvdpkt", "ad_duration"),
        ),
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.cat",
    parts=(
        Part(
            table="network_activity",
            when="r.cat LIKE 'traffic%'",
            columns=f"""{SHARED}
                hostname(r.dhost)           AS dst_endpoint_hostname,
                protocol(r.proto)           AS connection_info_protocol_name,
                amount(r."out")             AS traffic_bytes_out,
                amount(r."in")              AS traffic_bytes_in,
                amount(coalesce(r.FTNTFGTsentpkt, r.ad_sentpkt))  AS traffic_packets_out,
                amount(coalesce(r.FTNTFGTrcvdpkt, r.ad_rcvdpkt))  AS traffic_packets_in,
                millis(coalesce(r.FTNTFGTduration, r.ad_duration))  AS duration_ms
            """,
        ),
        Part(
            table="dns_activity",
            when="r.cat LIKE 'dns%' OR r.cat LIKE 'utm:dns%'",
            columns=f"""{SHARED}
                protocol(r.proto)           AS connection_info_protocol_name,
                hostname(trim(r.FTNTFGTqname, '[]'))  AS query_hostname,
                said(r.FTNTFGTqtype)        AS query_type,
                CASE WHEN said(r.FTNTFGTipaddr) IS NOT NULL
                     THEN string_split(replace(r.FTNTFGTipaddr, ' ', ''), ',') END  AS answers
            """,
        ),
        Part(
            table="http_activity",
            when="r.cat LIKE 'utm:%' AND r.cat NOT LIKE 'utm:dns%' AND r.request IS NOT NULL",
            columns=f"""{SHARED}
                coalesce(url_host(said(r.dhost)), hostname(CASE WHEN NOT is_address(r.dst) THEN r.dst END))
                                            AS dst_endpoint_hostname,
                said(r.FTNTFGThttpmethod)   AS http_request_http_method,
                CASE WHEN coalesce(r.FTNTFGThttpmethod, '') <> 'CONNECT' THEN said(r.request) END
                                            AS http_request_url_string,
                said(r.requestClientApplication)  AS http_request_user_agent,
                said(r.FTNTFGTreferralurl)  AS http_request_referrer,
                amount(r."out")             AS traffic_bytes_out,
                amount(r."in")              AS traffic_bytes_in
            """,
        ),
    ),
    shows="sessions with user, bytes and verdict; web requests that a filter looked at; DNS names asked for",
    cannot_show="sessions whose logging is off; web requests without a web filter; the path inside TLS not inspected",
    reference="Fortinet FortiOS Log Message Reference, CEF support",
)
