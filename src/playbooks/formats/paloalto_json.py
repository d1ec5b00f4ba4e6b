"""Palo Alto Networks logs as JSON, as Strata Logging Service (Cortex Data Lake) forwards them.

Stamps are UTC. A URL is logged without its scheme. A traffic record of the subtype `end` is dated by the end of
its session. Names of DNS records are not read: the log holds the answer and not always the question.
Reference: Strata Logging Service Log Reference, traffic, threat and URL logs, HTTPS fields.
"""

from playbooks.formats.format import Clock, Format, Json, Part

SHARED = """
                coalesce(iso_time(said(r.TimeGeneratedHighResolution)), iso_time(r.TimeGenerated))  AS time,
                said(r.SessionID)           AS metadata_uid,
                address(r.SourceAddress)    AS src_endpoint_ip,
                port(r.SourcePort)          AS src_endpoint_port,
                said(r.SourceDeviceHost)    AS src_endpoint_hostname,
                said(r.SourceUser)          AS actor_user_name,
                address(r.DestinationAddress)  AS dst_endpoint_ip,
                port(r.DestinationPort)     AS dst_endpoint_port,
                CASE WHEN r.Action IN ('allow', 'alert', 'continue', 'override') THEN 'allowed'
                     WHEN regexp_matches(r.Action, '^(deny|drop|reset|block|sinkhole)') THEN 'blocked'
                     ELSE lower(said(r.Action)) END  AS disposition,"""

FORMAT = Format(
    name="paloalto_json",
    product="Palo Alto Networks, JSON",
    cut=Json(
        keys=frozenset({"LogType", "Subtype", "ConfigVersion"}),
        any_of=frozenset({"DeviceSN", "LogSourceID"}),
        shape="""{"LogType": "VARCHAR", "Subtype": "VARCHAR", "ConfigVersion": "VARCHAR", "TimeGenerated": "VARCHAR",
                  "TimeGeneratedHighResolution": "VARCHAR", "SessionID": "VARCHAR", "SourceAddress": "VARCHAR",
                  "SourcePort": "VARCHAR", "SourceDeviceHost": "VARCHAR", "SourceUser": "VARCHAR",
                  "DestinationAddress": "VARCHAR", "DestinationPort": "VARCHAR", "Protocol": "VARCHAR",
                  "Action": "VARCHAR", "BytesSent": "VARCHAR", "BytesReceived": "VARCHAR", "PacketsSent": "VARCHAR",
                  "PacketsReceived": "VARCHAR", "SessionDuration": "VARCHAR", "URL": "VARCHAR",
                  "HTTPMethod": "VARCHAR", "UserAgent": "VARCHAR", "Referer": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="concat_ws(':', r.LogType, r.Subtype)",
    parts=(
        Part(
            table="network_activity",
            when="r.LogType = 'TRAFFIC'",
            columns=f"""{SHARED}
                lower(said(r.Protocol))     AS connection_info_protocol_name,
                amount(r.BytesSent)         AS traffic_bytes_out,
                amount(r.BytesReceived)     AS traffic_bytes_in,
                amount(r.PacketsSent)       AS traffic_packets_out,
                amount(r.PacketsReceived)   AS traffic_packets_in,
                millis(r.SessionDuration)   AS duration_ms
            """,
        ),
        Part(
            table="http_activity",
            when="r.LogType = 'THREAT' AND r.Subtype = 'url'",
            columns=f"""{SHARED}
                url_host(r.URL)             AS dst_endpoint_hostname,
                CASE WHEN lower(r.HTTPMethod) <> 'unknown' THEN upper(said(r.HTTPMethod)) END
                                            AS http_request_http_method,
                said(r.URL)                 AS http_request_url_string,
                said(r.UserAgent)           AS http_request_user_agent,
                said(r.Referer)             AS http_request_referrer
            """,
        ),
        Part(
            table="network_activity",
            when="r.LogType = 'THREAT' AND r.Subtype <> 'url'",
            columns=f"""{SHARED}
                lower(said(r.Protocol))     AS connection_info_protocol_name
            """,
        ),
    ),
    shows="sessions with user, bytes each way and verdict; web requests that URL filtering logged; threats by session",
    cannot_show="web requests that URL filtering did not log; names in plain traffic records; processes",
    reference="Strata Logging Service Log Reference",
)
