"""AWS VPC flow log turned to JSON: one row of the log an object, names of fields as AWS writes them.

Pipelines write the names with hyphens or with underscores. A row is one direction of a flow: bytes are
what the source sent. With pkt-srcaddr and pkt-dstaddr the packet's own addresses are used, which differ
behind NAT gateways and transit gateways.
Reference: Amazon VPC User Guide, "Flow log records", available fields.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="aws_vpc_flow_json",
    product="AWS VPC flow log as JSON",
    table="network_activity",
    cut=Json(
        keys=frozenset({"start", "end"}),
        any_of=frozenset({"srcaddr", "pkt_srcaddr", "pkt-srcaddr"}),
        shape="""{"start": "VARCHAR", "end": "VARCHAR", "srcaddr": "VARCHAR", "dstaddr": "VARCHAR",
                  "srcport": "VARCHAR", "dstport": "VARCHAR", "pkt-srcaddr": "VARCHAR", "pkt-dstaddr": "VARCHAR",
                  "pkt_srcaddr": "VARCHAR", "pkt_dstaddr": "VARCHAR", "instance-id": "VARCHAR",
                  "instance_id": "VARCHAR", "protocol": "VARCHAR", "packets": "VARCHAR", "bytes": "VARCHAR",
                  "action": "VARCHAR", "log-status": "VARCHAR", "log_status": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    status=(
        (
            """coalesce(r."log-status", r.log_status) = 'NODATA'""",
            "status line: no traffic in this interval (NODATA)",
        ),
        (
            """coalesce(r."log-status", r.log_status) = 'SKIPDATA'""",
            "status line: AWS skipped records in this interval (SKIPDATA)",
        ),
    ),
    columns="""
        -- seconds since the epoch; some pipelines write them as text with date and zone
        CASE WHEN regexp_matches(r.start, '^\\d+$') THEN epoch_time(r.start) ELSE iso_time(r.start) END  AS time,
        coalesce(address(r."pkt-srcaddr"), address(r.pkt_srcaddr), address(r.srcaddr))  AS src_endpoint_ip,
        port(r.srcport)             AS src_endpoint_port,
        coalesce(said(r."instance-id"), said(r.instance_id))  AS src_endpoint_hostname,
        coalesce(address(r."pkt-dstaddr"), address(r.pkt_dstaddr), address(r.dstaddr))  AS dst_endpoint_ip,
        port(r.dstport)             AS dst_endpoint_port,
        protocol(r.protocol)        AS connection_info_protocol_name,
        amount(r.bytes)             AS traffic_bytes_out,
        amount(r.packets)           AS traffic_packets_out,
        millis_between(CASE WHEN regexp_matches(r.start, '^\\d{9,10}$') THEN r.start END,
                       CASE WHEN regexp_matches(r."end", '^\\d{9,10}$') THEN r."end" END)  AS duration_ms,
        CASE upper(r.action) WHEN 'ACCEPT' THEN 'allowed' WHEN 'REJECT' THEN 'blocked' ELSE lower(said(r.action)) END
                                    AS disposition
    """,
    shows="which interface sent how many bytes to which address, and whether the rules let it pass",
    cannot_show="names, URLs, TLS; the direction of the connection; traffic to the VPC's own resolver",
    reference="Amazon VPC User Guide, Flow log records",
)
