"""Azure network security group flow log, one tuple a record, as collectors split it.

The stamp is the tuple's, in epoch seconds; `time` is when the record was written. Version 1 tuples end
after the decision and carry no bytes; in version 2 a flow that begins (B) carries none either. The
nested files as Azure stores them (PT1H.json, many tuples a record) are not read.
Reference: Azure Network Watcher documentation, NSG flow logs, log format.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="azure_nsg_flow",
    product="Azure NSG flow log, split",
    table="network_activity",
    cut=Json(
        keys=frozenset({"flow.0", "resourceId", "operationName"}),
        shape="""{"flow.0": "VARCHAR", "resourceId": "VARCHAR", "operationName": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        epoch_time(string_split(r."flow.0", ',')[1])  AS time,
        address(string_split(r."flow.0", ',')[2])  AS src_endpoint_ip,
        port(string_split(r."flow.0", ',')[4])  AS src_endpoint_port,
        address(string_split(r."flow.0", ',')[3])  AS dst_endpoint_ip,
        port(string_split(r."flow.0", ',')[5])  AS dst_endpoint_port,
        CASE string_split(r."flow.0", ',')[6] WHEN 'T' THEN 'tcp' WHEN 'U' THEN 'udp'
             ELSE lower(said(string_split(r."flow.0", ',')[6])) END  AS connection_info_protocol_name,
        amount(string_split(r."flow.0", ',')[10])  AS traffic_packets_out,
        amount(string_split(r."flow.0", ',')[11])  AS traffic_bytes_out,
        amount(string_split(r."flow.0", ',')[12])  AS traffic_packets_in,
        amount(string_split(r."flow.0", ',')[13])  AS traffic_bytes_in,
        CASE string_split(r."flow.0", ',')[8] WHEN 'A' THEN 'allowed' WHEN 'D' THEN 'blocked'
             ELSE lower(said(string_split(r."flow.0", ',')[8])) END  AS disposition
    """,
    shows="who spoke with which address and port, whether the rules let it pass, bytes each way (version 2)",
    cannot_show="names, URLs, TLS, processes; traffic that no network security group watches",
    reference="Azure Network Watcher documentation, NSG flow logs",
)
