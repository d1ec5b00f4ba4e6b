r"""Netskope transaction events: the fixed W3C-like columns of one request a line, mostly without a header.

The order of columns is fixed and only grows at the end, so it is read with and without a `#Fields:` line. Texts
are quoted where blanks may stand. Traffic that is not decrypted has no method; its name is the TLS server name.
Reference: Netskope documentation, "Transaction Event Fields", formats 1 to 3.
"""

from playbooks.formats.format import Clock, Format, TextLines

CELL = r"(?:\"[^\"]*\"|[^\" ]\S*)"

FORMAT = Format(
    name="netskope_transaction",
    product="Netskope transaction events",
    table="http_activity",
    cut=TextLines(
        r"^(?P<date>\d{4}-\d\d-\d\d) (?P<time>\d\d:\d\d:\d\d) (?P<taken>\d+|-) (?P<sent>\d+|-) (?P<received>\d+|-) "
        r"(?:\d+|-) (?P<client>[0-9A-Fa-f:.]+|-) (?P<server>[0-9A-Fa-f:.]+|-) "
        rf"(?P<user>{CELL}) (?P<method>[A-Za-z_-]+) (?P<scheme>[A-Za-z0-9-]+) (?P<query>{CELL}) "
        rf"(?P<agent>\"[^\"]*\"|-) {CELL} (?P<status>\d+|-) {CELL} (?P<dns>\S+) (?P<host>\S+) (?P<uri>{CELL}) "
        rf"(?P<port>\d+|-) (?P<referrer>{CELL}) (?P<session>\d+|-) .* http_transaction "
        rf"{CELL} {CELL} (?P<transaction>\d+|-) (?P<request>\d+|-) (?P<sni>\S+) (?P<fronted>\S+)"
        rf"(?: {CELL} {CELL} {CELL} {CELL} (?P<ja3>\S+) (?P<ja3s>\S+))? .*$"
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- date and time are GMT
        iso_time(r.date || 'T' || r.time || 'Z')  AS time,
        nullif(said(r.transaction), '0')  AS metadata_uid,
        address(r.client)           AS src_endpoint_ip,
        said(trim(r.user, '"'))     AS actor_user_name,
        coalesce(url_host(said(r.host)), hostname(r.sni), hostname(r.dns))  AS dst_endpoint_hostname,
        address(r.server)           AS dst_endpoint_ip,
        port(nullif(r.port, '0'))   AS dst_endpoint_port,
        said(r.method)              AS http_request_http_method,
        said(r.scheme) || '://' || said(r.host) || said(trim(r.uri, '"'))
            || coalesce('?' || ltrim(said(trim(r.query, '"')), '?'), '')  AS http_request_url_string,
        hostname(r.sni)             AS tls_sni,
        nullif(regexp_extract(r.ja3, '^[0-9a-f]{32}$'), '')  AS tls_ja3,
        nullif(regexp_extract(r.ja3s, '^[0-9a-f]{32}$'), '')  AS tls_ja3s,
        said(trim(r.agent, '"'))    AS http_request_user_agent,
        said(trim(r.referrer, '"'))  AS http_request_referrer,
        small(nullif(r.status, '0'))  AS http_response_code,
        amount(r.sent)              AS traffic_bytes_out,
        amount(r.received)          AS traffic_bytes_in,
        whole(r.taken)              AS duration_ms
    """,
    shows="user, client, URL of decrypted requests, bytes both ways; the server name of traffic that is bypassed",
    cannot_show="path and method of bypassed TLS; what the policy did: its column differs by version",
    reference="Netskope documentation, Transaction Event Fields",
)
