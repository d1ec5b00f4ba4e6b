"""Argus bidirectional flows as CSV (`ra -c ,`, binetflow): one flow a line, both directions in it.

`TotBytes` counts both sides and `SrcBytes` the source's; the rest is what the source received. Ports
of ICMP are types and codes, sometimes in hexadecimal. The stamp has no zone unless `ra` was told so.
Reference: Argus client `ra` manual page, printable fields and `dir`; CTU-13 binetflow files.
"""

from playbooks.formats.format import Clock, Columns, Format

FORMAT = Format(
    name="argus_netflow",
    product="Argus binetflow",
    table="network_activity",
    cut=Columns(
        delimiter=",",
        fields=(
            *("starttime", "dur", "proto", "srcaddr", "sport", "dstaddr", "dport", "state", "totpkts", "totbytes"),
            *("srcbytes", "srcpkts"),
        ),
        keys=frozenset({"starttime", "srcaddr", "dstaddr", "totbytes", "srcbytes"}),
    ),
    clock=Clock.ASK,
    status=(("r.proto = 'man'", "status line: Argus reports on itself (man)"),),
    columns=r"""
        stamp(r.starttime)          AS time,
        -- frames without an internet layer carry hardware addresses
        address(CASE WHEN NOT regexp_matches(r.srcaddr, '^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$') THEN r.srcaddr END)
                                    AS src_endpoint_ip,
        port(CASE WHEN r.proto IN ('tcp', 'udp', 'sctp', 'rtp', 'rtcp') THEN r.sport END)  AS src_endpoint_port,
        address(CASE WHEN NOT regexp_matches(r.dstaddr, '^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$') THEN r.dstaddr END)
                                    AS dst_endpoint_ip,
        port(CASE WHEN r.proto IN ('tcp', 'udp', 'sctp', 'rtp', 'rtcp') THEN r.dport END)  AS dst_endpoint_port,
        lower(said(r.proto))        AS connection_info_protocol_name,
        amount(r.srcbytes)          AS traffic_bytes_out,
        coalesce(amount(CAST(whole(CASE WHEN regexp_matches(r.totbytes, '^\d{1,18}$') THEN r.totbytes END)
                           - whole(CASE WHEN regexp_matches(r.srcbytes, '^\d{1,18}$') THEN r.srcbytes END) AS VARCHAR)),
                 amount(CASE WHEN NOT regexp_matches(r.totbytes, '^\d{1,18}$') THEN r.totbytes END))
                                    AS traffic_bytes_in,
        amount(r.srcpkts)           AS traffic_packets_out,
        coalesce(amount(CAST(whole(CASE WHEN regexp_matches(r.totpkts, '^\d{1,18}$') THEN r.totpkts END)
                           - whole(CASE WHEN regexp_matches(r.srcpkts, '^\d{1,18}$') THEN r.srcpkts END) AS VARCHAR)),
                 amount(CASE WHEN NOT regexp_matches(r.totpkts, '^\d{1,18}$') THEN r.totpkts END))
                                    AS traffic_packets_in,
        millis(r.dur)               AS duration_ms,
        said(r.state)               AS disposition
    """,
    shows="who spoke with which address, when, how long, how many bytes and packets each way",
    cannot_show="names, URLs, TLS, processes; the zone of its stamps",
    reference="Argus client ra manual page, fields",
)
