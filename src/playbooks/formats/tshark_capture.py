"""Packets of a capture as this kit puts them together from what tshark tells: one event a line.

A name asked for and its answer are one event, as are a request and its answer, and the greetings of a TLS
connection (in QUIC too). A flow ends after a minute of silence, a TCP connection after five. Bytes are those of
whole frames. `frame` is the number of its first packet, by which Wireshark finds it. JA4 needs tshark 4.2.
Reference: docs/how-to/packet-captures.md.
"""

from playbooks.formats.format import Clock, Format, Json, Part

ENDS = """
                iso_time(r.time)            AS time,
                'frame ' || said(r.frame)   AS metadata_uid,
                address(r.src_ip)           AS src_endpoint_ip,
                port(r.src_port)            AS src_endpoint_port,
                address(r.dst_ip)           AS dst_endpoint_ip,
                port(r.dst_port)            AS dst_endpoint_port,
"""
PROTOCOL = """
                lower(said(r.proto))        AS connection_info_protocol_name,
"""

FORMAT = Format(
    name="tshark_capture",
    product="Packet capture, read by tshark",
    cut=Json(
        keys=frozenset({"tshark", "frame"}),
        only=(("tshark", "dns|http|tls|flow"),),
        shape="""{"tshark": "VARCHAR", "frame": "VARCHAR", "time": "VARCHAR", "end": "VARCHAR",
                  "src_ip": "VARCHAR", "src_port": "VARCHAR", "dst_ip": "VARCHAR", "dst_port": "VARCHAR",
                  "proto": "VARCHAR", "query": "VARCHAR", "qtype": "VARCHAR", "rcode": "VARCHAR",
                  "answers": ["VARCHAR"], "ttls": ["VARCHAR"],
                  "duration_ms": "VARCHAR", "method": "VARCHAR", "host": "VARCHAR",
                  "url": "VARCHAR", "user_agent": "VARCHAR", "referrer": "VARCHAR", "status": "VARCHAR",
                  "request_bytes": "VARCHAR", "response_bytes": "VARCHAR", "sni": "VARCHAR", "version": "VARCHAR",
                  "ja3": "VARCHAR", "ja3s": "VARCHAR", "ja4": "VARCHAR", "packets_out": "VARCHAR",
                  "packets_in": "VARCHAR", "bytes_out": "VARCHAR", "bytes_in": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.tshark",
    parts=(
        Part(
            table="dns_activity",
            when="r.tshark = 'dns'",
            columns=ENDS
            + PROTOCOL
            + """
                hostname(r.query)           AS query_hostname,
                dns_type(r.qtype)           AS query_type,
                dns_rcode(r.rcode)          AS rcode,
                list_transform(r.answers, lambda a: rtrim(a, '.'))  AS answers,
                ttls(r.ttls)                AS answers_ttl,
                whole(r.duration_ms)        AS duration_ms
            """,
        ),
        Part(
            table="http_activity",
            when="r.tshark = 'http'",
            columns=ENDS
            + """
                CASE WHEN r.method = 'CONNECT' THEN url_host(coalesce(said(r.url), r.host))
                     ELSE url_host(coalesce(said(r.host), r.url)) END  AS dst_endpoint_hostname,
                said(r.method)              AS http_request_http_method,
                CASE WHEN r.method IS DISTINCT FROM 'CONNECT' THEN said(r.url) END  AS http_request_url_string,
                said(r.user_agent)          AS http_request_user_agent,
                said(r.referrer)            AS http_request_referrer,
                small(r.status)             AS http_response_code,
                amount(r.request_bytes)     AS traffic_bytes_out,
                amount(r.response_bytes)    AS traffic_bytes_in
            """,
        ),
        Part(
            table="network_activity",
            when="r.tshark = 'tls'",
            columns=ENDS
            + PROTOCOL
            + """
                hostname(r.sni)             AS dst_endpoint_hostname,
                hostname(r.sni)             AS tls_sni,
                said(r.version)             AS tls_version,
                said(r.ja3)                 AS tls_ja3,
                said(r.ja3s)                AS tls_ja3s,
                said(r.ja4)                 AS tls_ja4
            """,
        ),
        Part(
            table="network_activity",
            when="r.tshark = 'flow'",
            columns=ENDS
            + PROTOCOL
            + """
                amount(r.bytes_out)         AS traffic_bytes_out,
                amount(r.bytes_in)          AS traffic_bytes_in,
                amount(r.packets_out)       AS traffic_packets_out,
                amount(r.packets_in)        AS traffic_packets_in,
                date_diff('millisecond', iso_time(r.time), iso_time(r."end"))  AS duration_ms
            """,
        ),
    ),
    shows="names asked for and answers, web requests, TLS names and fingerprints, flows with bytes each way",
    cannot_show="other protocols; certificates; users and processes; what stands inside TLS",
    reference="docs/how-to/packet-captures.md",
)
