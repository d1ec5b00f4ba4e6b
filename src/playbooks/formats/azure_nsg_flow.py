"""Azure network security group flow log: the files that Azure stores (PT1H.json), and tuples as collectors split them.

A record of a stored file holds many tuples, each an event. The stamp is the tuple's, in epoch seconds; `time` is when
the record was written. Version 1 tuples end after the decision and carry no bytes; in version 2 a flow that begins (B)
carries none either.
Reference: Azure Network Watcher documentation, NSG flow logs, log format.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="azure_nsg_flow",
    product="Azure NSG flow log",
    table="network_activity",
    cut=Json(
        keys=frozenset({"resourceId", "operationName"}),
        any_of=frozenset({"flow.0", "properties"}),
        only=(("operationName", "NetworkSecurityGroupFlowEvents?"),),
        shape="""{"flow.0": "VARCHAR", "resourceId": "VARCHAR", "operationName": "VARCHAR", "properties": "JSON"}""",
        envelopes=("records",),
    ),
    clock=Clock.IN_THE_STAMP,
    status=(("json_array_length(r.properties, '$.flows') = 0", "status line: no flow in this minute"),),
    columns="""
        epoch_time(string_split(item, ',')[1])  AS time,
        address(string_split(item, ',')[2])  AS src_endpoint_ip,
        port(string_split(item, ',')[4])  AS src_endpoint_port,
        address(string_split(item, ',')[3])  AS dst_endpoint_ip,
        port(string_split(item, ',')[5])  AS dst_endpoint_port,
        CASE string_split(item, ',')[6] WHEN 'T' THEN 'tcp' WHEN 'U' THEN 'udp'
             ELSE lower(said(string_split(item, ',')[6])) END  AS connection_info_protocol_name,
        amount(string_split(item, ',')[10])  AS traffic_packets_out,
        amount(string_split(item, ',')[11])  AS traffic_bytes_out,
        amount(string_split(item, ',')[12])  AS traffic_packets_in,
        amount(string_split(item, ',')[13])  AS traffic_bytes_in,
        CASE string_split(item, ',')[8] WHEN 'A' THEN 'allowed' WHEN 'D' THEN 'blocked'
             ELSE lower(said(string_split(item, ',')[8])) END  AS disposition
    """,
    each="""CASE WHEN said(r."flow.0") IS NOT NULL THEN [r."flow.0"]
        ELSE json_extract_string(r.properties, '$.flows[*].flows[*].flowTuples[*]') END""",
    shows="who spoke with which address and port, whether the rules let it pass, bytes each way (version 2)",
    cannot_show="names, URLs, TLS, processes; traffic that no network security group watches",
    reference="Azure Network Watcher documentation, NSG flow logs",
)
