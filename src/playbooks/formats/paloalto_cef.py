"""Palo Alto Networks logs in the Common Event Format: traffic, threat and URL records.

Here `in` counts what the source sent and `out` what it received. The stamp has no zone; `dtz` names it where the
logging service forwards (UTC). A URL is logged without its scheme.
Reference: Strata Logging Service Log Reference, CEF fields; PAN-OS Common Event Format Integration Guide.
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

SHARED = """
                CASE WHEN r.dtz = 'UTC' THEN read_time(r.rt || ' +0000', '%b %d %Y %H:%M:%S %z')
                     ELSE case_clock(CAST(try_strptime(r.rt, '%b %d %Y %H:%M:%S') AS VARCHAR)) END  AS time,
                CASE WHEN r.cn1Label = 'SessionID' THEN said(r.cn1) END  AS metadata_uid,
                address(r.src)              AS src_endpoint_ip,
                port(r.spt)                 AS src_endpoint_port,
                said(r.PanOSSourceDeviceHost)  AS src_endpoint_hostname,
                said(r.suser)               AS actor_user_name,
                address(r.dst)              AS dst_endpoint_ip,
                port(r.dpt)                 AS dst_endpoint_port,
                CASE WHEN r.act IN ('allow', 'alert', 'continue', 'override') THEN 'allowed'
                     WHEN regexp_matches(r.act, '^(deny|drop|reset|block|sinkhole)') THEN 'blocked'
                     ELSE lower(said(r.act)) END  AS disposition,"""

FORMAT = Format(
    name="paloalto_cef",
    product="Palo Alto Networks, CEF",
    cut=Pairs(
        style="cef",
        keys=frozenset({"cef_vendor"}),
        only=(("cef_vendor", "Palo Alto Networks"),),
        fields=(
            *(
                "cef_vendor",
                "cef_signature",
                "cef_name",
                "rt",
                "dtz",
                "cn1",
                "cn1Label",
                "cn3",
                "cn3Label",
                "src",
                "spt",
            ),
            *("suser", "dst", "dpt", "proto", "act", "in", "out", "request", "requestMethod"),
            *("requestClientApplication", "PanOSReferer", "PanOSPacketsSent", "PanOSPacketsReceived"),
            "PanOSSourceDeviceHost",
        ),
    ),
    clock=Clock.ASK,
    kind="concat_ws(':', r.cef_signature, r.cef_name)",
    parts=(
        Part(
            table="network_activity",
            when="r.dpt IS NOT NULL AND r.cef_signature IN ('TRAFFIC', 'end', 'start', 'deny', 'drop')",
            columns=f"""{SHARED}
                lower(said(r.proto))        AS connection_info_protocol_name,
                amount(r."in")              AS traffic_bytes_out,
                amount(r."out")             AS traffic_bytes_in,
                amount(r.PanOSPacketsSent)  AS traffic_packets_out,
                amount(r.PanOSPacketsReceived)  AS traffic_packets_in,
                CASE WHEN r.cn3Label LIKE '%Duration' OR r.cn3Label LIKE 'Elapsed%' THEN millis(r.cn3) END
                                            AS duration_ms
            """,
        ),
        Part(
            table="http_activity",
            when="r.dpt IS NOT NULL AND r.request IS NOT NULL AND (r.cef_name = 'url' OR r.cef_signature = 'url')",
            columns=f"""{SHARED}
                url_host(said(trim(r.request, '"')))  AS dst_endpoint_hostname,
                CASE WHEN lower(r.requestMethod) <> 'unknown' THEN upper(said(r.requestMethod)) END
                                            AS http_request_http_method,
                said(trim(r.request, '"'))  AS http_request_url_string,
                said(r.requestClientApplication)  AS http_request_user_agent,
                said(r.PanOSReferer)        AS http_request_referrer
            """,
        ),
        Part(
            table="network_activity",
            when="r.dpt IS NOT NULL AND r.cef_signature = 'THREAT' AND r.cef_name <> 'url'",
            columns=f"""{SHARED}
                lower(said(r.proto))        AS connection_info_protocol_name
            """,
        ),
    ),
    shows="sessions with user, bytes each way and verdict; web requests that URL filtering logged; threats by session",
    cannot_show="web requests that URL filtering did not log; names in plain traffic records; processes",
    reference="Strata Logging Service Log Reference, CEF fields",
)
