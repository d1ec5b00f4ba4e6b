"""Azure virtual network flow log, one tuple a record, as collectors split it.

The stamp is the tuple's, in epoch milliseconds; `time` is when the record was written. A flow that was
denied has the state D, all others were let through. The nested files as Azure stores them (PT1H.json,
many tuples a record) are not read.
Reference: Azure Network Watcher documentation, virtual network flow logs, log format.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="azure_vnet_flow",
    product="Azure VNet flow log, split",
    table="network_activity",
    cut=Json(
        keys=frozenset({"flow.0", "flowLogVersion", "flowLogGUID"}),
        shape="""{"flow.0": "VARCHAR", "flowLogVersion": "VARCHAR", "flowLogGUID": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        epoch_time(string_split(r."flow.0", ',')[1])  AS time,
        address(string_split(r."flow.0", ',')[2])  AS src_endpoint_ip,
        port(string_split(r."flow.0", ',')[4])  AS src_endpoint_port,
        address(string_split(r."flow.0", ',')[3])  AS dst_endpoint_ip,
        port(string_split(r."flow.0", ',')[5])  AS dst_endpoint_port,
        protocol(string_split(r."flow.0", ',')[6])  AS connection_info_protocol_name,
        amount(string_split(r."flow.0", ',')[10])  AS traffic_packets_out,
        amount(string_split(r."flow.0", ',')[11])  AS traffic_bytes_out,
        amount(string_split(r."flow.0", ',')[12])  AS traffic_packets_in,
        amount(string_split(r."flow.0", ',')[13])  AS traffic_bytes_in,
        CASE string_split(r."flow.0", ',')[8] WHEN 'D' THEN 'blocked' WHEN 'B' THEN 'allowed' WHEN 'C' THEN 'allowed'
             WHEN 'E' THEN 'allowed' ELSE lower(said(string_split(r."flow.0", ',')[8])) END  AS disposition
    """,
    shows="who spoke with which address and port, whether the rules let it pass, bytes each way",
    cannot_show="names, URLs, TLS, processes",
    reference="Azure Network Watcher documentation, VNet flow logs",
)
