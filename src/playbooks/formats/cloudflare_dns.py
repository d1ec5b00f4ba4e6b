"""Cloudflare Logpush `dns_logs` and `dns_firewall_logs`: queries that reached a zone or a DNS firewall.

The client is whoever asked Cloudflare, nearly always a resolver; the person's machine stands in `EDNSSubnet` at
best, cut to a network, and is not read. Types and codes are numbers; `Timestamp` is RFC 3339, seconds or nanoseconds,
as the job was set up.
Reference: Cloudflare documentation, "Logpush datasets": DNS logs, DNS Firewall logs.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="cloudflare_dns",
    product="Cloudflare DNS and DNS Firewall logs",
    table="dns_activity",
    cut=Json(
        keys=frozenset({"QueryName", "QueryType", "Timestamp"}),
        shape="""{"Timestamp": "VARCHAR", "QueryName": "VARCHAR", "QueryType": "VARCHAR", "ResponseCode": "VARCHAR",
                  "ClientResponseCode": "VARCHAR", "SourceIP": "VARCHAR", "QueryTCP": "VARCHAR",
                  "UpstreamIP": "VARCHAR", "UpstreamResponseTimeMs": "VARCHAR"}""",
        any_of=frozenset({"ResponseCode", "ClientResponseCode", "ResponseCached"}),
    ),
    clock=Clock.ASK,
    columns="""
        stamp(r.Timestamp)          AS time,
        address(r.SourceIP)         AS src_endpoint_ip,
        -- the firewall's own origin server; 0.0.0.0 stands where none was asked
        nullif(address(r.UpstreamIP), '0.0.0.0')  AS dst_endpoint_ip,
        CASE lower(r.QueryTCP) WHEN 'true' THEN 'tcp' WHEN 'false' THEN 'udp' END
                                    AS connection_info_protocol_name,
        hostname(r.QueryName)       AS query_hostname,
        dns_type(r.QueryType)       AS query_type,
        dns_rcode(coalesce(r.ResponseCode, r.ClientResponseCode))  AS rcode,
        CASE WHEN said(r.UpstreamResponseTimeMs) <> '0' THEN amount(r.UpstreamResponseTimeMs) END  AS duration_ms
    """,
    shows="which resolver asked Cloudflare for which name of the zone, and the response code",
    cannot_show="the client behind the resolver; the answers; names of other zones",
    reference="Cloudflare documentation, Logpush datasets: DNS logs, DNS Firewall logs",
)
