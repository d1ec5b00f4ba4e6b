"""AWS VPC flow log as text: the version 2 default, or any field list that stands in a header line.

A row is one direction of a flow: bytes are what `srcaddr` sent. With pkt-srcaddr and pkt-dstaddr the
packet's own addresses are used, which differ behind NAT gateways and transit gateways.
Reference: Amazon VPC User Guide, "Flow log records", available fields.
"""

from playbooks.formats.format import Clock, Columns, Format

DEFAULT = (
    *("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol"),
    *("packets", "bytes", "start", "end", "action", "log-status"),
)

FORMAT = Format(
    name="aws_vpc_flow",
    product="AWS VPC flow log",
    table="network_activity",
    cut=Columns(
        delimiter=" ",
        fields=(*DEFAULT, "pkt-srcaddr", "pkt-dstaddr", "instance-id"),
        keys=frozenset({"srcaddr", "dstaddr", "start"}),
        default=DEFAULT,
        default_mark=r"^2 \S+ \S+ \S+ \S+ \S+ \S+ \S+ \S+ \S+ \d+ \d+ (ACCEPT|REJECT|-) (OK|NODATA|SKIPDATA)$",
    ),
    clock=Clock.IN_THE_STAMP,
    status=(
        ("r.log_status = 'NODATA'", "status line: no traffic in this interval (NODATA)"),
        ("r.log_status = 'SKIPDATA'", "status line: AWS skipped records in this interval (SKIPDATA)"),
    ),
    columns="""
        epoch_time(r.start)         AS time,
        coalesce(address(r.pkt_srcaddr), address(r.srcaddr))  AS src_endpoint_ip,
        port(r.srcport)             AS src_endpoint_port,
        said(r.instance_id)         AS src_endpoint_hostname,
        coalesce(address(r.pkt_dstaddr), address(r.dstaddr))  AS dst_endpoint_ip,
        port(r.dstport)             AS dst_endpoint_port,
        protocol(r.protocol)        AS connection_info_protocol_name,
        amount(r.bytes)             AS traffic_bytes_out,
        amount(r.packets)           AS traffic_packets_out,
        millis_between(r.start, r."end")  AS duration_ms,
        CASE r.action WHEN 'ACCEPT' THEN 'allowed' WHEN 'REJECT' THEN 'blocked' END  AS disposition
    """,
    shows="which interface sent how many bytes to which address, and whether the rules let it pass",
    cannot_show="names, URLs, TLS; the direction of the connection; traffic to the VPC's own resolver",
    reference="Amazon VPC User Guide, Flow log records",
)
