"""Zeek ssl.log: one TLS handshake a record, as TSV or JSON.

Reference: Zeek documentation, ssl.log; ja3, ja3s and ja4 come from add-on packages.
"""

from playbooks.formats.format import Clock, Format, Zeek

FORMAT = Format(
    name="zeek_ssl",
    product="Zeek ssl.log",
    table="network_activity",
    cut=Zeek(
        path="ssl",
        fields=(
            *("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "version", "server_name"),
            *("issuer", "issuer_subject", "ja3", "ja3s", "ja4"),
        ),
        keys=frozenset({"ts", "id_orig_h", "id_resp_h"}),
        # not server_name or cipher: quic.log and kerberos.log have them too
        any_of=frozenset({"established", "resumed", "ssl_history"}),
    ),
    clock=Clock.ASK,
    columns="""
        stamp(r.ts)                 AS time,
        said(r.uid)                 AS metadata_uid,
        address(r.id_orig_h)        AS src_endpoint_ip,
        port(r.id_orig_p)           AS src_endpoint_port,
        address(r.id_resp_h)        AS dst_endpoint_ip,
        port(r.id_resp_p)           AS dst_endpoint_port,
        hostname(r.server_name)     AS dst_endpoint_hostname,
        hostname(r.server_name)     AS tls_sni,
        said(r.version)             AS tls_version,
        said(r.ja3)                 AS tls_ja3,
        said(r.ja3s)                AS tls_ja3s,
        said(r.ja4)                 AS tls_ja4,
        coalesce(said(r.issuer), said(r.issuer_subject))  AS tls_certificate_issuer,
        CASE WHEN r.version LIKE 'DTLS%' THEN 'udp' WHEN said(r.version) IS NOT NULL THEN 'tcp' END
                                    AS connection_info_protocol_name
    """,
    shows="server name (SNI), TLS version, fingerprints and issuer of each handshake",
    cannot_show="URLs, bytes (join conn.log by uid); the name where Encrypted ClientHello is used",
    reference="Zeek documentation, ssl.log",
)
