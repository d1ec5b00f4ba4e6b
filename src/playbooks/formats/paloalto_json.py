"""Palo Alto Networks logs as JSON, as Strata Logging Service (Cortex Data Lake) forwards them.

Stamps are UTC. A URL is logged without its scheme. A traffic record of the subtype `end` is dated by the end of
its session. Of a DNS record some versions hold the answer and not the question. Users and addresses of SYSTEM
records stand in their text.
Reference: Strata Logging Service Log Reference, network and common logs, HTTPS fields.
"""

from playbooks.formats.format import Clock, Format, Json, Part

WHEN = """
                coalesce(iso_time(said(r.TimeGeneratedHighResolution)), iso_time(r.TimeGenerated),
                         iso_time(r.EventTime))
                                            AS time,"""

SESSION = f"""{WHEN}
                said(r.SessionID)           AS metadata_uid,
                address(r.SourceAddress)    AS src_endpoint_ip,
                port(r.SourcePort)          AS src_endpoint_port,
                said(r.SourceDeviceHost)    AS src_endpoint_hostname,
                said(r.SourceUser)          AS actor_user_name,
                address(r.DestinationAddress)  AS dst_endpoint_ip,
                port(r.DestinationPort)     AS dst_endpoint_port,
                lower(said(r.Protocol))     AS connection_info_protocol_name,"""

VERDICT = """
                CASE WHEN lower(r.Action) IN ('allow', 'alert', 'continue', 'override') THEN 'allowed'
                     WHEN regexp_matches(lower(r.Action), '^(deny|drop|reset|block|sinkhole)') THEN 'blocked'
                     ELSE lower(said(r.Action)) END  AS disposition"""

USER = r"""coalesce(
                    nullif(regexp_extract(r.EventDescription, '(?i)\buser \x27([^\x27]+)\x27', 1), ''),
                    nullif(regexp_extract(r.EventDescription, '(?i)authenticating user (\S+) from', 1), ''),
                    nullif(regexp_extract(r.EventDescription, '^User (\S+) logged (?:in|out)', 1), ''),
                    nullif(regexp_extract(r.EventDescription, ' by (\S+)$', 1), ''))"""

FORMAT = Format(
    name="paloalto_json",
    product="Palo Alto Networks, JSON",
    cut=Json(
        keys=frozenset({"LogType", "Subtype"}),
        any_of=frozenset({"DeviceSN", "LogSourceID"}),
        shape="""{"LogType": "VARCHAR", "Subtype": "VARCHAR", "ConfigVersion": "VARCHAR", "TimeGenerated": "VARCHAR",
                  "TimeGeneratedHighResolution": "VARCHAR", "EventTime": "VARCHAR", "SessionID": "VARCHAR",
                  "SourceAddress": "VARCHAR", "SourceIP": "VARCHAR", "PublicIPv4": "VARCHAR", "PublicIPv6": "VARCHAR",
                  "SourcePort": "VARCHAR", "SourceDeviceHost": "VARCHAR", "EndpointDeviceName": "VARCHAR",
                  "SourceUser": "VARCHAR", "SourceUserName": "VARCHAR", "User": "VARCHAR", "Admin": "VARCHAR",
                  "AdminUserName": "VARCHAR", "DestinationAddress": "VARCHAR", "DestinationPort": "VARCHAR",
                  "Protocol": "VARCHAR", "Action": "VARCHAR", "BytesSent": "VARCHAR", "BytesReceived": "VARCHAR",
                  "PacketsSent": "VARCHAR", "PacketsReceived": "VARCHAR", "SessionDuration": "VARCHAR",
                  "URL": "VARCHAR", "HTTPMethod": "VARCHAR", "UserAgent": "VARCHAR", "Referer": "VARCHAR",
                  "DNSResolverIP": "VARCHAR", "RecordType": "VARCHAR", "DNSResponse": ["VARCHAR"], "FQDN": "VARCHAR",
                  "DNSRequestName": "VARCHAR", "DNSResponseCode": "VARCHAR", "ServerNameIndication": "VARCHAR",
                  "SNI": "VARCHAR", "TLSVersion": "VARCHAR", "EventName": "VARCHAR", "EventIDValue": "VARCHAR",
                  "EventDescription": "VARCHAR", "Description": "VARCHAR", "EventStatus": "VARCHAR",
                  "EventResult": "VARCHAR", "HipMatchName": "VARCHAR", "VendorSeverity": "VARCHAR",
                  "DeviceName": "VARCHAR", "LogSourceName": "VARCHAR", "ConnectionError": "VARCHAR",
                  "Command": "VARCHAR", "EventCommand": "VARCHAR", "ConfigurationPath": "VARCHAR",
                  "SequenceNo": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="concat_ws(':', r.LogType, r.Subtype)",
    parts=(
        Part(
            table="network_activity",
            when="r.LogType IN ('TRAFFIC', 'DECRYPTION')",
            columns=f"""{SESSION}
                hostname(coalesce(said(r.ServerNameIndication), said(r.SNI)))  AS dst_endpoint_hostname,
                hostname(coalesce(said(r.ServerNameIndication), said(r.SNI)))  AS tls_sni,
                said(r.TLSVersion)          AS tls_version,
                amount(r.BytesSent)         AS traffic_bytes_out,
                amount(r.BytesReceived)     AS traffic_bytes_in,
                amount(r.PacketsSent)       AS traffic_packets_out,
                amount(r.PacketsReceived)   AS traffic_packets_in,
                millis(r.SessionDuration)   AS duration_ms,{VERDICT}
            """,
        ),
        Part(
            table="http_activity",
            when="r.LogType = 'THREAT' AND r.Subtype = 'url'",
            columns=f"""{SESSION}
                url_host(r.URL)             AS dst_endpoint_hostname,
                CASE WHEN lower(r.HTTPMethod) <> 'unknown' THEN upper(said(r.HTTPMethod)) END
                                            AS http_request_http_method,
                said(r.URL)                 AS http_request_url_string,
                said(r.UserAgent)           AS http_request_user_agent,
                said(r.Referer)             AS http_request_referrer,{VERDICT}
            """,
        ),
        Part(
            table="dns_activity",
            when="r.LogType = 'DNS'",
            columns=f"""{WHEN}
                address(r.SourceAddress)    AS src_endpoint_ip,
                said(r.SourceUser)          AS actor_user_name,
                address(coalesce(said(r.DNSResolverIP), r.DestinationAddress))  AS dst_endpoint_ip,
                hostname(coalesce(said(r.FQDN), said(r.DNSRequestName)))  AS query_hostname,
                dns_type(r.RecordType)      AS query_type,
                dns_rcode(r.DNSResponseCode)  AS rcode,
                r.DNSResponse               AS answers,{VERDICT}
            """,
        ),
        Part(
            table="network_activity",
            when="""r.LogType IN ('THREAT', 'GTP', 'SCTP', 'TUNNEL') AND r.Subtype <> 'url'
                    AND r.SourceAddress IS NOT NULL""",
            columns=f"""{SESSION}{VERDICT}
            """,
        ),
        Part(
            table="system_activity",
            when="r.LogType IS NOT NULL AND r.Subtype IS NOT NULL AND r.LogType NOT IN ('THREAT', 'DNS')",
            columns=rf"""{WHEN}
                CASE WHEN r.LogType IN ('GLOBALPROTECT', 'USERID', 'AUTH', 'AUTHENTICATION') OR r.Subtype = 'auth'
                     THEN 3002
                     WHEN r.Subtype = 'dhcp' THEN 4004 ELSE 0 END  AS class_uid,
                coalesce(said(r.EventIDValue), said(r.EventName), said(r.EventCommand), said(r.Command),
                         concat_ws(':', r.LogType, r.Subtype, said(r.HipMatchName)))  AS activity_name,
                address(coalesce(
                    said(r.PublicIPv4), said(r.PublicIPv6), said(r.SourceIP),
                         said(r.SourceAddress), nullif(regexp_extract(
                        r.EventDescription,
                             '(?i)(?:\bfrom:? \x27?|, ip )([0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f])', 1),
                        '')))               AS src_endpoint_ip,
                said(r.EndpointDeviceName)  AS src_endpoint_hostname,
                coalesce(said(r.SourceUser), said(r.SourceUserName), said(r."User"), said(r.AdminUserName),
                     said(r.Admin),
                         {USER})            AS actor_user_name,
                coalesce(said(r.LogSourceName), said(r.DeviceName))  AS device_hostname,
                lower(said(r.VendorSeverity))  AS severity,
                said(r.ConfigurationPath)   AS file_path,
                CASE WHEN regexp_matches(concat_ws(' ', r.EventStatus, r.EventResult, r.EventName, r.EventDescription),
                                         '(?i)\b(fail(ed|ure)?|denied|rejected|unauthorized)\b') THEN 'failure'
                     WHEN regexp_matches(concat_ws(' ', r.EventStatus, r.EventResult, r.EventName, r.EventDescription),
                                         '(?i)succe|\bauthenticated\b|logged (in|out)') THEN 'success' END  AS status,
                said(r.ConnectionError)     AS status_detail,
                coalesce(said(r.EventDescription), said(r.Description))  AS message,
                said(r.SequenceNo)          AS metadata_uid
            """,
        ),
    ),
    shows="sessions with user, bytes each way and verdict; web requests that URL filtering logged; threats by session; "
    "answers of DNS; logons, VPN and events of the device",
    cannot_show="web requests that URL filtering did not log; names in plain traffic records; processes; of some DNS "
    "records the name asked for",
    reference="Strata Logging Service Log Reference",
)
