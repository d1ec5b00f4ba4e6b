"""Amazon CloudFront standard log (W3C): one request a line, tab-separated under names separated by blanks.

User agents are URL-encoded. Requests come from the internet to a distribution; `cs(Host)` is the distribution,
`x-host-header` the name that the viewer asked for. One record may come hours late and out of order.
Reference: Amazon CloudFront Developer Guide, "Standard log file fields".
"""

from playbooks.formats.format import Clock, Format, W3c

FORMAT = Format(
    name="cloudfront_w3c",
    product="Amazon CloudFront standard log, W3C",
    table="http_activity",
    cut=W3c(
        fields=(
            *("date", "time", "c_ip", "c_port", "cs_method", "cs_host", "x_host_header", "cs_protocol", "cs_uri_stem"),
            *("cs_uri_query", "cs_user_agent", "cs_referer", "sc_status", "sc_bytes", "cs_bytes", "time_taken"),
            *("x_edge_location", "x_edge_request_id"),
        ),
        keys=frozenset({"c_ip", "cs_uri_stem", "x_edge_location"}),
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- date and time are UTC
        iso_time(r.date || 'T' || r.time || 'Z')  AS time,
        said(r.x_edge_request_id)   AS metadata_uid,
        address(r.c_ip)             AS src_endpoint_ip,
        port(r.c_port)              AS src_endpoint_port,
        url_host(coalesce(said(r.x_host_header), said(r.cs_host)))  AS dst_endpoint_hostname,
        CASE lower(r.cs_protocol) WHEN 'http' THEN 80 WHEN 'ws' THEN 80 WHEN 'https' THEN 443 WHEN 'wss' THEN 443 END
                                    AS dst_endpoint_port,
        said(r.cs_method)           AS http_request_http_method,
        coalesce(said(r.cs_protocol) || '://' || coalesce(said(r.x_host_header), said(r.cs_host)), '')
            || said(r.cs_uri_stem) || coalesce('?' || said(r.cs_uri_query), '')  AS http_request_url_string,
        percent_decoded(said(r.cs_user_agent))  AS http_request_user_agent,
        percent_decoded(said(r.cs_referer))  AS http_request_referrer,
        -- 000: the viewer hung up before a response
        small(nullif(r.sc_status, '000'))  AS http_response_code,
        amount(r.cs_bytes)          AS traffic_bytes_out,
        amount(r.sc_bytes)          AS traffic_bytes_in,
        millis(r.time_taken)        AS duration_ms
    """,
    shows="who asked which path of a distribution, with what user agent and outcome, bytes both ways",
    cannot_show="the origin's address; who the user was; every request: delivery is best effort",
    reference="Amazon CloudFront Developer Guide, standard log file fields",
)
