"""AWS VPC flow log as Panther keeps it: joined names (`srcAddr`), stamps as text in UTC.

A row is one direction of a flow: bytes are what the source sent. With the packet's own addresses, these are used.
Reference: Panther documentation, supported logs, AWS VPC: `AWS.VPCFlow`.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="aws_vpc_flow_panther",
    product="AWS VPC flow log, Panther",
    table="network_activity",
    cut=Json(
        keys=frozenset({"srcAddr", "dstAddr"}),
        any_of=frozenset({"dstPort", "p_log_type", "interfaceId"}),
        shape="""{"start": "VARCHAR", "end": "VARCHAR", "p_event_time": "VARCHAR", "srcAddr": "VARCHAR",
                  "dstAddr": "VARCHAR", "srcPort": "VARCHAR", "dstPort": "VARCHAR", "pktSrcAddr": "VARCHAR",
                  "pktDstAddr": "VARCHAR", "instanceId": "VARCHAR", "protocol": "VARCHAR", "packets": "VARCHAR",
                  "bytes": "VARCHAR", "action": "VARCHAR", "status": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    status=(
        ("r.status = 'NODATA'", "status line: no traffic in this interval (NODATA)"),
        ("r.status = 'SKIPDATA'", "status line: AWS skipped records in this interval (SKIPDATA)"),
    ),
    undated="coalesce(said(r.start), said(r.p_event_time)) IS NULL AND said(r.srcAddr) IS NOT NULL",
    columns=r"""
        -- `2026-03-10 09:00:00.000000000` is UTC
        stamp(regexp_replace(coalesce(said(r.start), said(r.p_event_time)),
                             '^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d{1,6})?)\d*Z?$', '\1T\2Z'))  AS time,
        coalesce(address(r.pktSrcAddr), address(r.srcAddr))  AS src_endpoint_ip,
        port(r.srcPort)             AS src_endpoint_port,
        said(r.instanceId)          AS src_endpoint_hostname,
        coalesce(address(r.pktDstAddr), address(r.dstAddr))  AS dst_endpoint_ip,
        port(r.dstPort)             AS dst_endpoint_port,
        protocol(r.protocol)        AS connection_info_protocol_name,
        amount(r.bytes)             AS traffic_bytes_out,
        amount(r.packets)           AS traffic_packets_out,
        CASE upper(r.action) WHEN 'ACCEPT' THEN 'allowed' WHEN 'REJECT' THEN 'blocked' ELSE lower(said(r.action)) END
                                    AS disposition
    """,
    shows="which interface sent how many bytes to which address, and whether the rules let it pass",
    cannot_show="names, URLs, TLS; the direction of the connection; traffic to the VPC's own resolver",
    reference="Panther documentation, AWS.VPCFlow",
)
