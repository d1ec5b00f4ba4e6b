"""Palo Alto Networks logs in the Common Event Format: traffic, threat, URL, DNS and device records.

Here `in` counts what the source sent and `out` what it received. The stamp has no zone; `dtz` names it where the
logging service forwards (UTC). A URL is logged without its scheme.
Reference: Strata Logging Service Log Reference, CEF fields; PAN-OS Common Event Format Integration Guide.
"""

from playbooks.formats.format import Clock, Format, Pairs, Part

WHEN = """
                CASE WHEN r.dtz = 'UTC' THEN read_time(r.rt || ' +0000', '%b %d %Y %H:%M:%S %z')
                     ELSE case_clock(CAST(try_strptime(r.rt, '%b %d %Y %H:%M:%S') AS VARCHAR)) END  AS time,"""

WHO = """
                address(r.src)              AS src_endpoint_ip,
                port(r.spt)                 AS src_endpoint_port,
                coalesce(said(r.PanOSSourceDeviceHost), said(r.shost))  AS src_endpoint_hostname,
                coalesce(said(r.suser), said(r.PanOSSourceUser), said(r.PanOSSourceUserName))  AS actor_user_name,
                address(coalesce(said(r.dst), r.PanOSDNSResolverIP))  AS dst_endpoint_ip,
                port(r.dpt)                 AS dst_endpoint_port,
                lower(said(r.proto))        AS connection_info_protocol_name,
                CASE WHEN lower(r.act) IN ('allow', 'alert', 'continue', 'override') THEN 'allowed'
                     WHEN regexp_matches(lower(r.act), '^(deny|drop|reset|block|sinkhole)') THEN 'blocked'
                     ELSE lower(said(r.act)) END  AS disposition,"""

SESSION = f"""{WHEN}{WHO}
                coalesce(CASE WHEN r.cn1Label = 'SessionID' THEN said(r.cn1) END, said(r.PanOSSessionID))
                     AS metadata_uid,"""

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
                "cef_severity",
                "rt",
                "dtz",
                "cn1",
                "cn1Label",
                "cn3",
                "cn3Label",
            ),
            *("src", "spt", "shost", "suser", "duser", "dst", "dpt", "proto", "act", "in", "out", "request"),
            *("requestMethod", "requestClientApplication", "PanOSReferer", "PanOSPacketsSent", "PanOSPacketsReceived"),
            *(
                "PanOSSourceDeviceHost",
                "PanOSSourceUser",
                "PanOSSourceUserName",
                "PanOSSessionID",
                "PanOSDNSResolverIP",
            ),
            *("PanOSDNSResponse", "PanOSDNSResponseCode", "PanOSRecordType", "dvchost", "msg", "reason", "outcome"),
            *("PanOSSeverity", "PanOSEventStatus", "PanOSDescription", "PanOSEventDescription", "fname", "filePath"),
            *("PanOSTLSVersion", "PanOSServerNameIndication", "PanOSThreatNameFirewall", "externalId", "cat"),
        ),
    ),
    clock=Clock.ASK,
    kind="concat_ws(':', r.cef_signature, r.cef_name)",
    parts=(
        Part(
            table="network_activity",
            when="r.dpt IS NOT NULL AND r.cef_signature IN ('TRAFFIC', 'end', 'start', 'deny', 'drop')",
            columns=f"""{SESSION}
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
            columns=f"""{SESSION}
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
            when="r.dpt IS NOT NULL AND r.cef_signature = 'DECRYPTION'",
            columns=f"""{SESSION}
                hostname(r.PanOSServerNameIndication)  AS dst_endpoint_hostname,
                hostname(r.PanOSServerNameIndication)  AS tls_sni,
                said(r.PanOSTLSVersion)     AS tls_version
            """,
        ),
        Part(
            table="dns_activity",
            when="r.cef_signature = 'DNS' AND said(r.PanOSDNSResolverIP) IS NOT NULL",
            columns=f"""{SESSION}
                url_host(said(r.request))   AS query_hostname,
                dns_type(r.PanOSRecordType)  AS query_type,
                dns_rcode(r.PanOSDNSResponseCode)  AS rcode,
                CASE WHEN said(r.PanOSDNSResponse) IS NOT NULL
                     THEN string_split(regexp_replace(r.PanOSDNSResponse, '[\\[\\]" ]', '', 'g'), ',') END  AS answers
            """,
        ),
        Part(
            table="network_activity",
            when="""r.dpt IS NOT NULL AND r.cef_signature IN ('THREAT', 'SCTP', 'GTP', 'TUNNEL')
                    AND coalesce(r.cef_name, '') <> 'url'""",
            columns=SESSION,
        ),
        Part(
            table="system_activity",
            when="r.rt IS NOT NULL AND r.cef_signature NOT IN ('TRAFFIC', 'THREAT', 'DECRYPTION')",
            columns=rf"""{WHEN}{WHO}
                CASE WHEN r.cef_signature IN ('GLOBALPROTECT', 'USERID', 'AUTH', 'AUTHENTICATION')
                     OR r.cef_name = 'auth'
                     THEN 3002 ELSE 0 END   AS class_uid,
                concat_ws(':', r.cef_signature, r.cef_name)  AS activity_name,
                said(r.dvchost)             AS device_hostname,
                coalesce(said(r.suser), said(r.duser))  AS user_name,
                lower(coalesce(said(r.PanOSSeverity), said(r.cef_severity)))  AS severity,
                CASE WHEN regexp_matches(concat_ws(' ', r.outcome, r.PanOSEventStatus, r.msg),
                                         '(?i)\b(fail(ed|ure)?|denied|rejected|unauthorized)\b') THEN 'failure'
                     WHEN regexp_matches(concat_ws(' ', r.outcome, r.PanOSEventStatus, r.msg),
                                         '(?i)succe|\bauthenticated\b|logged (in|out)') THEN 'success' END  AS status,
                said(r.reason)              AS status_detail,
                coalesce(said(r.msg), said(r.PanOSEventDescription), said(r.PanOSDescription))  AS message,
                said(r.externalId)          AS metadata_uid
            """,
        ),
    ),
    shows="sessions with user, bytes each way and verdict; web requests that URL filtering logged; threats by session; "
    "names asked for in DNS where logged; logons, VPN and events of the device",
    cannot_show="web requests that URL filtering did not log; names in plain traffic records; processes",
    reference="Strata Logging Service Log Reference, CEF fields",
)
