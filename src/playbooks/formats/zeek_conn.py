"""Zeek conn.log: one connection a record, as TSV or JSON.

Bytes are payload bytes as Zeek counted them, beside those of the IP layer; a connection that is still open
is logged at its end.
Reference: Zeek documentation, conn.log.
"""

from playbooks.formats.format import Clock, Format, Zeek

FORMAT = Format(
    name="zeek_conn",
    product="Zeek conn.log",
    table="network_activity",
    cut=Zeek(
        path="conn",
        fields=(
            *("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "conn_state"),
            *("duration", "orig_bytes", "resp_bytes", "orig_pkts", "resp_pkts", "orig_ip_bytes"),
        ),
        keys=frozenset({"ts", "id_orig_h", "id_resp_h", "proto"}),
        any_of=frozenset({"conn_state", "orig_pkts"}),
    ),
    clock=Clock.ASK,
    columns="""
        stamp(r.ts)                 AS time,
        said(r.uid)                 AS metadata_uid,
        address(r.id_orig_h)        AS src_endpoint_ip,
        port(r.id_orig_p)           AS src_endpoint_port,
        address(r.id_resp_h)        AS dst_endpoint_ip,
        port(r.id_resp_p)           AS dst_endpoint_port,
        lower(said(r.proto))        AS connection_info_protocol_name,
        millis(r.duration)          AS duration_ms,
        amount(r.orig_bytes)        AS traffic_bytes_out,
        amount(r.resp_bytes)        AS traffic_bytes_in,
        amount(r.orig_ip_bytes)     AS traffic_ip_bytes_out,
        amount(r.orig_pkts)         AS traffic_packets_out,
        amount(r.resp_pkts)         AS traffic_packets_in,
        said(r.conn_state)          AS disposition
    """,
    shows="who connected to which address, when, how long, how many bytes each way",
    cannot_show="names, URLs, TLS details, processes",
    reference="Zeek documentation, conn.log",
)
