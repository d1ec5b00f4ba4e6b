"""Azure Network Watcher traffic analytics as CSV: flows between the same ends, summed over an hour or less.

Names are those of the table `NTANetAnalytics`, or of `AzureNetworkAnalytics_CL` without the endings `_s`, `_t`
and `_d`. With public addresses on the other side SrcIP and DestIP are empty: the machine's address and the
external one stand in VMIP and in the list of public addresses. Azure stores UTC; exports drop the zone.
Reference: Azure Network Watcher documentation, "Traffic analytics schema and data aggregation".
"""

from playbooks.formats.format import Clock, Columns, Format

FORMAT = Format(
    name="azure_network_analytics",
    product="Azure traffic analytics, CSV",
    table="network_activity",
    cut=Columns(
        delimiter=",",
        fields=(
            *("flowstarttime", "flowendtime", "flowdirection", "flowtype", "srcip", "destip", "srcport", "destport"),
            *("l4protocol", "vmname", "vmipaddress", "allextips", "allowedinflows", "allowedoutflows", "deniedinflows"),
            *("deniedoutflows", "flowstatus", "bytessrctodest", "bytesdesttosrc", "packetssrctodest"),
            *("packetsdesttosrc", "srcvm", "destvm"),
        ),
        keys=frozenset({"flowstarttime", "flowendtime", "flowdirection", "l4protocol", "destport"}),
    ),
    clock=Clock.ASK,
    columns=r"""
        stamp(r.flowstarttime)      AS time,
        address(coalesce(said(r.srcip), CASE WHEN r.flowdirection IN ('O', 'Outbound') THEN said(r.vmipaddress)
                                             ELSE said(r.allextips) END))  AS src_endpoint_ip,
        port(r.srcport)             AS src_endpoint_port,
        coalesce(said(r.srcvm), CASE WHEN r.flowdirection IN ('O', 'Outbound') THEN said(r.vmname) END)
                                    AS src_endpoint_hostname,
        address(coalesce(said(r.destip), CASE WHEN r.flowdirection IN ('O', 'Outbound') THEN said(r.allextips)
                                              ELSE said(r.vmipaddress) END))  AS dst_endpoint_ip,
        -- data frames turn whole numbers to 443.0
        port(regexp_replace(r.destport, '\.0$', ''))  AS dst_endpoint_port,
        hostname(coalesce(said(r.destvm), CASE WHEN r.flowdirection NOT IN ('O', 'Outbound') THEN said(r.vmname) END))
                                    AS dst_endpoint_hostname,
        CASE r.l4protocol WHEN 'T' THEN 'tcp' WHEN 'U' THEN 'udp' ELSE lower(said(r.l4protocol)) END
                                    AS connection_info_protocol_name,
        amount(regexp_replace(r.bytessrctodest, '\.0$', ''))  AS traffic_bytes_out,
        amount(regexp_replace(r.bytesdesttosrc, '\.0$', ''))  AS traffic_bytes_in,
        amount(regexp_replace(r.packetssrctodest, '\.0$', ''))  AS traffic_packets_out,
        amount(regexp_replace(r.packetsdesttosrc, '\.0$', ''))  AS traffic_packets_in,
        CASE WHEN r.flowstatus = 'Denied' OR regexp_matches(concat(r.deniedinflows, ' ', r.deniedoutflows), '[1-9]')
             THEN 'blocked'
             WHEN r.flowstatus = 'Allowed' OR regexp_matches(concat(r.allowedinflows, ' ', r.allowedoutflows), '[1-9]')
             THEN 'allowed' ELSE lower(said(r.flowstatus)) END  AS disposition
    """,
    shows="which machine spoke with which address and port within an interval, and whether the rules let it pass",
    cannot_show="single connections; names, URLs, TLS; bytes in the older table",
    reference="Azure Network Watcher documentation, Traffic analytics schema",
)
