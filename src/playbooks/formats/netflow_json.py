"""NetFlow, IPFIX and sFlow records as JSON: `nfdump -o json` and goflow2.

A record is one direction of a flow: bytes are what the source sent. nfdump writes its stamps in the zone of
the machine it runs on, without naming it; goflow2 writes nanoseconds since the epoch.
Reference: nfdump manual page, output format json; goflow2 documentation, output fields.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="netflow_json",
    product="NetFlow and IPFIX as JSON (nfdump, goflow2)",
    table="network_activity",
    cut=Json(
        keys=frozenset({"src_port", "dst_port", "proto"}),
        any_of=frozenset({"src4_addr", "src6_addr", "sampler_address"}),
        shape="""{"first": "VARCHAR", "last": "VARCHAR", "src4_addr": "VARCHAR", "dst4_addr": "VARCHAR",
                  "src6_addr": "VARCHAR", "dst6_addr": "VARCHAR", "in_packets": "VARCHAR", "in_bytes": "VARCHAR",
                  "out_packets": "VARCHAR", "out_bytes": "VARCHAR", "proto": "VARCHAR", "src_port": "VARCHAR",
                  "dst_port": "VARCHAR", "src_addr": "VARCHAR", "dst_addr": "VARCHAR", "bytes": "VARCHAR",
                  "packets": "VARCHAR", "time_flow_start_ns": "VARCHAR", "time_flow_end_ns": "VARCHAR",
                  "time_received_ns": "VARCHAR"}""",
    ),
    clock=Clock.ASK,
    columns=r"""
        coalesce(stamp(r.first), epoch_time(nullif(r.time_flow_start_ns, '0')), epoch_time(r.time_received_ns))
                                    AS time,
        address(coalesce(r.src4_addr, r.src6_addr, r.src_addr))  AS src_endpoint_ip,
        port(r.src_port)            AS src_endpoint_port,
        address(coalesce(r.dst4_addr, r.dst6_addr, r.dst_addr))  AS dst_endpoint_ip,
        port(r.dst_port)            AS dst_endpoint_port,
        CASE WHEN regexp_matches(r.proto, '^\d+$') THEN protocol(r.proto)
             WHEN lower(r.proto) IN ('ipv6-icmp', 'icmpv6') THEN 'icmp6' ELSE lower(said(r.proto)) END
                                    AS connection_info_protocol_name,
        coalesce(amount(r.in_bytes), amount(r.bytes))  AS traffic_bytes_out,
        amount(r.out_bytes)         AS traffic_bytes_in,
        coalesce(amount(r.in_packets), amount(r.packets))  AS traffic_packets_out,
        amount(r.out_packets)       AS traffic_packets_in,
        date_diff('millisecond', coalesce(stamp(r.first), epoch_time(nullif(r.time_flow_start_ns, '0'))),
                  coalesce(stamp(r.last), epoch_time(nullif(r.time_flow_end_ns, '0'))))  AS duration_ms
    """,
    shows="which address sent how many bytes and packets to which address and port, and when",
    cannot_show="names, URLs, TLS, processes; who began a connection; what sampling left out",
    reference="nfdump manual page; goflow2 documentation",
)
