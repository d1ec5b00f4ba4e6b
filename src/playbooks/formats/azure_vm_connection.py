"""Azure Monitor VM Insights `VMConnection`: connections of a machine's processes, summed over a minute.

A row is written by the machine in `Computer`, as client or as server: `Direction` says which. Bytes
are told from the side of the source in either case. The process is the client's only when outbound.
Reference: Azure Monitor Logs reference, table VMConnection.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="azure_vm_connection",
    product="Azure VM Insights VMConnection",
    table="network_activity",
    cut=Json(
        keys=frozenset({"TimeGenerated", "SourceIp", "DestinationIp", "Direction", "RemoteIp", "BytesSent"}),
        csv=True,
        shape="""{"TimeGenerated": "VARCHAR", "Computer": "VARCHAR", "Direction": "VARCHAR",
                  "ProcessName": "VARCHAR", "SourceIp": "VARCHAR", "DestinationIp": "VARCHAR",
                  "DestinationPort": "VARCHAR", "Protocol": "VARCHAR", "RemoteIp": "VARCHAR",
                  "RemoteDnsCanonicalNames": "JSON", "BytesSent": "VARCHAR", "BytesReceived": "VARCHAR",
                  "ConnectionId": "VARCHAR"}""",
    ),
    clock=Clock.ASK,
    columns="""
        -- Azure stores UTC; what a portal exports as CSV and a script turns to JSON may have lost the zone
        stamp(portal_iso(r.TimeGenerated))  AS time,
        address(r.SourceIp)         AS src_endpoint_ip,
        CASE WHEN lower(r.Direction) <> 'inbound' THEN said(r.Computer) END  AS src_endpoint_hostname,
        CASE WHEN lower(r.Direction) <> 'inbound' THEN said(r.ProcessName) END  AS actor_process_name,
        address(r.DestinationIp)    AS dst_endpoint_ip,
        port(r.DestinationPort)     AS dst_endpoint_port,
        -- names that the machine had resolved to the remote address; JSON text in some exports
        CASE WHEN lower(r.Direction) = 'inbound' THEN hostname(r.Computer)
             ELSE hostname(regexp_extract(CAST(r.RemoteDnsCanonicalNames AS VARCHAR),
                                          '[A-Za-z0-9_-]+(?:\\.[A-Za-z0-9_-]+)+')) END  AS dst_endpoint_hostname,
        lower(said(r.Protocol))     AS connection_info_protocol_name,
        amount(r.BytesSent)         AS traffic_bytes_out,
        amount(r.BytesReceived)     AS traffic_bytes_in,
        said(r.ConnectionId)        AS metadata_uid
    """,
    shows="which process of a machine spoke with which address and port, and how many bytes each way",
    cannot_show="the client's port; single connections within a minute; URLs; users",
    reference="Azure Monitor Logs reference, VMConnection",
)
