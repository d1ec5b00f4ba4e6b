"""Azure virtual network flow log: the files that Azure stores (PT1H.json), and tuples as collectors split them.

A record of a stored file holds many tuples, each an event. The stamp is the tuple's, in epoch milliseconds; `time` is
when the record was written. A flow that was denied has the state D, all others were let through.
Reference: Azure Network Watcher documentation, virtual network flow logs, log format.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="azure_vnet_flow",
    product="Azure VNet flow log",
    table="network_activity",
    cut=Json(
        keys=frozenset({"flowLogVersion", "flowLogGUID"}),
        any_of=frozenset({"flow.0", "flowRecords"}),
        shape="""{"flow.0": "VARCHAR", "flowLogVersion": "VARCHAR", "flowLogGUID": "VARCHAR", "flowRecords": "JSON"}""",
        envelopes=("records",),
    ),
    clock=Clock.IN_THE_STAMP,
    status=(("json_array_length(r.flowRecords, '$.flows') = 0", "status line: no flow in this minute"),),
    columns="""
        epoch_time(string_split(item, ',')[1])  AS time,
        address(string_split(item, ',')[2])  AS src_endpoint_ip,
        port(string_split(item, ',')[4])  AS src_endpoint_port,
        address(string_split(item, ',')[3])  AS dst_endpoint_ip,
        port(string_split(item, ',')[5])  AS dst_endpoint_port,
        protocol(string_split(item, ',')[6])  AS connection_info_protocol_name,
        amount(string_split(item, ',')[10])  AS traffic_packets_out,
        amount(string_split(item, ',')[11])  AS traffic_bytes_out,
        amount(string_split(item, ',')[12])  AS traffic_packets_in,
        amount(string_split(item, ',')[13])  AS traffic_bytes_in,
        CASE string_split(item, ',')[8] WHEN 'D' THEN 'blocked' WHEN 'B' THEN 'allowed' WHEN 'C' THEN 'allowed'
             WHEN 'E' THEN 'allowed' ELSE lower(said(string_split(item, ',')[8])) END  AS disposition
    """,
    each="""CASE WHEN said(r."flow.0") IS NOT NULL THEN [r."flow.0"]
        ELSE json_extract_string(r.flowRecords, '$.flows[*].flowGroups[*].flowTuples[*]') END""",
    shows="who spoke with which address and port, whether the rules let it pass, bytes each way",
    cannot_show="names, URLs, TLS, processes",
    reference="Azure Network Watcher documentation, VNet flow logs",
)
