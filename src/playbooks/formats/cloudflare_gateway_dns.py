"""Cloudflare Gateway DNS: queries of users and devices that resolve through Cloudflare One.

`SrcIP` is the public address of the office or of the device; `DeviceName` and `Email` tell who it was.
Reference: Cloudflare documentation, "Logpush datasets": Gateway DNS.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="cloudflare_gateway_dns",
    product="Cloudflare Gateway DNS log",
    table="dns_activity",
    cut=Json(
        keys=frozenset({"QueryName", "Datetime"}),
        shape="""{"Datetime": "VARCHAR", "QueryName": "VARCHAR", "QueryType": "VARCHAR", "QueryTypeName": "VARCHAR",
                  "RCode": "VARCHAR", "ResolvedIPs": "JSON", "RData": "JSON", "ResolverDecision": "VARCHAR",
                  "SrcIP": "VARCHAR", "SrcPort": "VARCHAR", "DstIP": "VARCHAR", "DstPort": "VARCHAR",
                  "Protocol": "VARCHAR", "Email": "VARCHAR", "DeviceName": "VARCHAR", "QueryID": "VARCHAR"}""",
        any_of=frozenset({"ResolverDecision", "RCode", "QueryTypeName", "QueryNameReversed"}),
    ),
    clock=Clock.ASK,
    columns="""
        stamp(r.Datetime)           AS time,
        said(r.QueryID)             AS metadata_uid,
        address(r.SrcIP)            AS src_endpoint_ip,
        port(nullif(r.SrcPort, '0'))  AS src_endpoint_port,
        said(r.DeviceName)          AS src_endpoint_hostname,
        said(r.Email)               AS actor_user_name,
        address(r.DstIP)            AS dst_endpoint_ip,
        port(nullif(r.DstPort, '0'))  AS dst_endpoint_port,
        lower(said(r.Protocol))     AS connection_info_protocol_name,
        hostname(r.QueryName)       AS query_hostname,
        coalesce(said(r.QueryTypeName), dns_type(r.QueryType))  AS query_type,
        dns_rcode(r.RCode)          AS rcode,
        -- RData holds CNAMEs and addresses; older jobs push only the addresses
        list_transform(coalesce(
            CASE WHEN json_array_length(r.RData) > 0 THEN json_extract_string(r.RData, '$[*].data') END,
            CASE WHEN json_array_length(r.ResolvedIPs) > 0 THEN json_extract_string(r.ResolvedIPs, '$[*]') END
        ), lambda a: rtrim(a, '.'))  AS answers,
        -- blockedByCategory, allowedOnNoPolicyMatch, overrideForSafeSearch, …
        CASE WHEN lower(r.ResolverDecision) LIKE 'block%' THEN 'blocked'
             WHEN lower(r.ResolverDecision) LIKE 'allow%' THEN 'allowed'
             ELSE lower(said(r.ResolverDecision)) END  AS disposition
    """,
    shows="which user, device and office asked for which name, what it was told, and whether Gateway blocked it",
    cannot_show="clients that use another resolver; the device's inside address; whether a connection followed",
    reference="Cloudflare documentation, Logpush datasets: Gateway DNS",
)
