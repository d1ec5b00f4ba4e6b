"""AWS VPC flow log as OpenSearch keeps it: the fields below `aws.vpc`, the line itself in `body`.

A row is one direction of a flow: bytes are what the source sent. `@timestamp` is when the document was made.
Reference: OpenSearch observability catalogue, VPC flow log schema; Amazon VPC User Guide, "Flow log records".
"""

from playbooks.formats.format import Clock, Format, Json

STATUS = """r.aws.vpc."log-status" = '{0}'"""

FORMAT = Format(
    name="aws_vpc_flow_opensearch",
    product="AWS VPC flow log, OpenSearch documents",
    table="network_activity",
    cut=Json(
        keys=frozenset({"aws", "event"}),
        any_of=frozenset({"body", "communication"}),
        only=(("event.domain", r"vpc\.flow_log"),),
        shape="""{"event": {"domain": "VARCHAR"},
                  "aws": {"vpc": {"start": "VARCHAR", "end": "VARCHAR", "srcaddr": "VARCHAR", "dstaddr": "VARCHAR",
                  "srcport": "VARCHAR", "dstport": "VARCHAR", "pkt-srcaddr": "VARCHAR", "pkt-dstaddr": "VARCHAR",
                  "instance-id": "VARCHAR", "protocol": "VARCHAR", "packets": "VARCHAR", "bytes": "VARCHAR",
                  "action": "VARCHAR", "log-status": "VARCHAR"}}}""",
    ),
    clock=Clock.IN_THE_STAMP,
    status=(
        (STATUS.format("NODATA"), "status line: no traffic in this interval (NODATA)"),
        (STATUS.format("SKIPDATA"), "status line: AWS skipped records in this interval (SKIPDATA)"),
    ),
    columns="""
        epoch_time(r.aws.vpc.start)  AS time,
        coalesce(address(r.aws.vpc."pkt-srcaddr"), address(r.aws.vpc.srcaddr))  AS src_endpoint_ip,
        port(r.aws.vpc.srcport)     AS src_endpoint_port,
        said(r.aws.vpc."instance-id")  AS src_endpoint_hostname,
        coalesce(address(r.aws.vpc."pkt-dstaddr"), address(r.aws.vpc.dstaddr))  AS dst_endpoint_ip,
        port(r.aws.vpc.dstport)     AS dst_endpoint_port,
        protocol(r.aws.vpc.protocol)  AS connection_info_protocol_name,
        amount(r.aws.vpc.bytes)     AS traffic_bytes_out,
        amount(r.aws.vpc.packets)   AS traffic_packets_out,
        millis_between(r.aws.vpc.start, r.aws.vpc."end")  AS duration_ms,
        CASE upper(r.aws.vpc.action) WHEN 'ACCEPT' THEN 'allowed' WHEN 'REJECT' THEN 'blocked'
             ELSE lower(said(r.aws.vpc.action)) END  AS disposition
    """,
    shows="which interface sent how many bytes to which address, and whether the rules let it pass",
    cannot_show="names, URLs, TLS; the direction of the connection; traffic to the VPC's own resolver",
    reference="Amazon VPC User Guide, Flow log records",
)
