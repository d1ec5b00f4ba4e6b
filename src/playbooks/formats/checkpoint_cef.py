"""Check Point Log Exporter in the Common Event Format: connections with the gateway's verdict.

Threat records with a URL are web requests. `in` and `out` are counted from the gateway's interface and are no
bytes of client or server: they are not read. The word `CEF:` is cut off by some collectors.
Reference: Check Point "Log Exporter" guide, CEF field mapping; "Description of Fields in Check Point Logs".
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

SHARED = """
                epoch_time(r.rt)            AS time,
                said(r.loguid)              AS metadata_uid,
                address(CASE WHEN is_address(r.src) THEN r.src END)  AS src_endpoint_ip,
                port(r.spt)                 AS src_endpoint_port,
                said(r.shost)               AS src_endpoint_hostname,
                said(r.suser)               AS actor_user_name,
                address(CASE WHEN is_address(r.dst) THEN r.dst END)  AS dst_endpoint_ip,
                port(r.dpt)                 AS dst_endpoint_port,
                protocol(r.proto)           AS connection_info_protocol_name,"""

VERDICT = """
                CASE WHEN r.act IN ('Accept', 'Allow', 'Detect', 'Bypass', 'Encrypt', 'Decrypt', 'Monitor', 'Inform')
                     THEN 'allowed'
                     WHEN r.act IN ('Drop', 'Reject', 'Block', 'Prevent', 'Deny') THEN 'blocked'
                     ELSE lower(said(r.act)) END  AS disposition"""

FORMAT = Format(
    name="checkpoint_cef",
    product="Check Point, CEF",
    cut=Pairs(
        style="cef",
        keys=frozenset({"cef_vendor"}),
        only=(("cef_vendor", "Check Point"),),
        fields=(
            *("cef_vendor", "cef_product", "cef_name", "rt", "loguid", "src", "spt", "shost", "suser", "dst", "dpt"),
            *("dhost", "proto", "act", "request", "requestMethod", "requestClientApplication"),
            *(
                "cs4",
                "cs4Label",
                "flexString2",
                "duser",
                "msg",
                "reason",
                "cp_severity",
                "originsicname",
                "origin",
                "fname",
            ),
        ),
    ),
    clock=Clock.IN_THE_STAMP,
    undated="said(r.rt) IS NULL",
    kind="'record of ' || r.cef_product || ' without addresses'",
    parts=(
        Part(
            table="http_activity",
            when="r.src IS NOT NULL AND r.dst IS NOT NULL AND r.request IS NOT NULL",
            columns=f"""{SHARED}
                url_host(r.request)         AS dst_endpoint_hostname,
                said(r.requestMethod)       AS http_request_http_method,
                said(r.request)             AS http_request_url_string,
                said(r.requestClientApplication)  AS http_request_user_agent,{VERDICT}
            """,
        ),
        Part(
            table="network_activity",
            when="r.src IS NOT NULL AND r.dst IS NOT NULL AND r.request IS NULL",
            columns=f"""{SHARED}
                hostname(CASE WHEN NOT is_address(r.dhost) THEN r.dhost END)  AS dst_endpoint_hostname,{VERDICT}
            """,
        ),
        Part(
            table="system_activity",
            when="(r.src IS NULL OR r.dst IS NULL) AND r.dpt IS NULL AND r.rt IS NOT NULL",
            columns=f"""{SHARED}
                CASE WHEN regexp_matches(r.act, '(?i)log ?(in|out)|authenticat|failed') THEN 3002 ELSE 0 END
                     AS class_uid,
                coalesce(said(r.act), said(r.cef_name))  AS activity_name,
                said(r.suser)               AS user_name,
                said(r.origin)              AS device_hostname,
                said(r.fname)               AS file_path,
                CASE WHEN r.cef_product LIKE 'SmartDefense%' THEN said(r.cef_name) END  AS finding_title,
                lower(said(r.cp_severity))  AS severity,
                CASE WHEN regexp_matches(r.act, '(?i)fail|reject') THEN 'failure'
                     WHEN regexp_matches(r.act, '(?i)log ?(in|out)|success') THEN 'success' END  AS status,
                said(r.reason)              AS status_detail,
                coalesce(said(r.msg), said(r.flexString2), said(r.cef_name))  AS message
            """,
        ),
    ),
    shows="connections with ports, user where known and verdict; URLs where a blade looked at them",
    cannot_show="bytes; the end of a connection unless accounting is on; names in plain firewall records",
    reference="Check Point Log Exporter guide, CEF field mapping",
)
