"""Google Cloud VPC Flow Logs as Cloud Logging entries: one direction of a connection in an interval.

Both ends report a flow when both are virtual machines (`reporter`): such a flow stands in the log twice.
Bytes are what the source sent. Packets are sampled; Google scales the counts.
Reference: Google Cloud VPC documentation, "About VPC Flow Logs records".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="gcp_vpc_flow",
    product="Google Cloud VPC Flow Logs",
    table="network_activity",
    cut=Json(
        keys=frozenset({"jsonPayload", "logName", "insertId"}),
        only=(("logName", "projects/[^/]+/logs/[a-z.]+(%2F|/)vpc_flows"),),
        shape="""{"insertId": "VARCHAR", "logName": "VARCHAR", "timestamp": "VARCHAR",
                  "jsonPayload": {"start_time": "VARCHAR", "end_time": "VARCHAR", "bytes_sent": "VARCHAR",
                    "packets_sent": "VARCHAR", "reporter": "VARCHAR",
                    "connection": {"src_ip": "VARCHAR", "src_port": "VARCHAR", "dest_ip": "VARCHAR",
                                   "dest_port": "VARCHAR", "protocol": "VARCHAR"},
                    "src_instance": {"vm_name": "VARCHAR"}, "dest_instance": {"vm_name": "VARCHAR"}}}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        coalesce(iso_time(r.jsonPayload.start_time), iso_time(r.timestamp))  AS time,
        said(r.insertId)            AS metadata_uid,
        address(r.jsonPayload.connection.src_ip)  AS src_endpoint_ip,
        port(r.jsonPayload.connection.src_port)  AS src_endpoint_port,
        said(r.jsonPayload.src_instance.vm_name)  AS src_endpoint_hostname,
        address(r.jsonPayload.connection.dest_ip)  AS dst_endpoint_ip,
        port(r.jsonPayload.connection.dest_port)  AS dst_endpoint_port,
        hostname(r.jsonPayload.dest_instance.vm_name)  AS dst_endpoint_hostname,
        protocol(r.jsonPayload.connection.protocol)  AS connection_info_protocol_name,
        amount(r.jsonPayload.bytes_sent)  AS traffic_bytes_out,
        amount(r.jsonPayload.packets_sent)  AS traffic_packets_out,
        date_diff('millisecond', iso_time(r.jsonPayload.start_time), iso_time(r.jsonPayload.end_time))  AS duration_ms
    """,
    shows="which virtual machine or address sent how many bytes to which address and port",
    cannot_show="names, URLs, TLS; flows that sampling missed; what a firewall rule refused",
    reference="Google Cloud VPC documentation, About VPC Flow Logs records",
)
