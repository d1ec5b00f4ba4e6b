"""Zeek dns.log: one query with its answers a record, as TSV or JSON.

The client is whoever asked the sensor's side of the network: behind a resolver it is the resolver.
Reference: Zeek documentation, dns.log.
"""

from playbooks.formats.format import Clock, Format, Zeek

FORMAT = Format(
    name="zeek_dns",
    product="Zeek dns.log",
    table="dns_activity",
    cut=Zeek(
        path="dns",
        fields=(
            *("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto"),
            *("query", "qtype_name", "rcode_name", "answers", "TTLs", "rtt"),
        ),
        keys=frozenset({"ts", "id_orig_h"}),
        # not trans_id: dhcp.log has it too
        any_of=frozenset({"qtype_name", "qclass_name", "rcode_name"}),
    ),
    clock=Clock.ASK,
    columns="""
        stamp(r.ts)                 AS time,
        said(r.uid)                 AS metadata_uid,
        address(r.id_orig_h)        AS src_endpoint_ip,
        port(r.id_orig_p)           AS src_endpoint_port,
        address(r.id_resp_h)        AS dst_endpoint_ip,
        port(r.id_resp_p)           AS dst_endpoint_port,
        lower(said(r.proto))        AS connection_info_protocol_name,
        hostname(r.query)           AS query_hostname,
        said(r.qtype_name)          AS query_type,
        said(r.rcode_name)          AS rcode,
        listed(r.answers)           AS answers,
        ttls(listed(r.TTLs))        AS answers_ttl,
        millis(r.rtt)               AS duration_ms
    """,
    shows="which client asked for which name, when, and what it was told (CNAME chain and addresses)",
    cannot_show="whether the client then connected; the client behind a forwarding resolver; DNS over HTTPS",
    reference="Zeek documentation, dns.log",
)
