"""Check Point Log Exporter as syslog: `name:"value";` pairs in brackets, with seconds since the epoch.

Reference: Check Point "Log Exporter" guide, syslog format; "Description of Fields in Check Point Logs".
"""

from playbooks.formats.format import Clock, Format, Part, TextLines


def told(name: str) -> str:
    r"""The value of `name:"value"`; quotes and brackets in it are escaped."""
    return (
        rf"""said(replace(nullif(regexp_extract(r.pairs, '(?:^|[\s;]){name}:"((?:[^"\\]|\\.)*)"', 1), ''), '\', ''))"""
    )


SHARED = f"""
                epoch_time({told("time")})  AS time,
                {told("loguid")}            AS metadata_uid,
                address({told("src")})      AS src_endpoint_ip,
                port({told("s_port")})      AS src_endpoint_port,
                {told("src_machine_name")}  AS src_endpoint_hostname,
                {told("src_user_name")}     AS actor_user_name,
                address({told("dst")})      AS dst_endpoint_ip,
                port({told("service")})     AS dst_endpoint_port,
                protocol({told("proto")})   AS connection_info_protocol_name,"""

VERDICT = f"""
                CASE WHEN {told("action")} IN ('Accept', 'Allow', 'Detect', 'Bypass', 'Encrypt', 'Decrypt', 'Inform')
                     THEN 'allowed'
                     WHEN {told("action")} IN ('Drop', 'Reject', 'Block', 'Prevent', 'Deny') THEN 'blocked'
                     ELSE lower({told("action")}) END  AS disposition"""

FORMAT = Format(
    name="checkpoint_syslog",
    product="Check Point, syslog",
    cut=TextLines(r"\[(?P<pairs>(?:action|flags|ifdir|ifname|logid|loguid|origin|time):\".*)$"),
    clock=Clock.IN_THE_STAMP,
    kind="'record without addresses'",
    parts=(
        Part(
            table="http_activity",
            when=f"{told('src')} IS NOT NULL AND {told('dst')} IS NOT NULL AND {told('resource')} IS NOT NULL",
            columns=f"""{SHARED}
                url_host({told("resource")})  AS dst_endpoint_hostname,
                {told("method")}            AS http_request_http_method,
                {told("resource")}          AS http_request_url_string,
                {told("web_client_type")}   AS http_request_user_agent,{VERDICT}
            """,
        ),
        Part(
            table="network_activity",
            when=f"{told('src')} IS NOT NULL AND {told('dst')} IS NOT NULL AND {told('resource')} IS NULL",
            columns=f"""{SHARED}
                hostname({told("dst_domain_name")})  AS dst_endpoint_hostname,
                amount({told("client_outbound_bytes")})  AS traffic_bytes_out,
                amount({told("client_inbound_bytes")})  AS traffic_bytes_in,{VERDICT}
            """,
        ),
        Part(
            table="system_activity",
            when=f"({told('src')} IS NULL OR {told('dst')} IS NULL) AND {told('service')} IS NULL",
            columns=f"""{SHARED}
                CASE WHEN regexp_matches({told("action")}, '(?i)log ?(in|out)|authenticat|failed') THEN 3002 ELSE 0 END
                                            AS class_uid,
                coalesce({told("action")}, {told("product")})  AS activity_name,
                coalesce({told("user")}, {told("src_user_name")}, {told("administrator")})  AS user_name,
                {told("origin")}            AS device_hostname,
                {told("attack")}            AS finding_title,
                lower({told("severity")})   AS severity,
                {told("reason")}            AS status_detail,
                coalesce({told("description")}, {told("message_info")}, {told("operation")})  AS message
            """,
        ),
    ),
    shows="connections with ports, user where known and verdict; URLs where a blade looked at them",
    cannot_show="bytes without accounting; names in plain firewall records",
    reference="Check Point Log Exporter guide, syslog format",
)
