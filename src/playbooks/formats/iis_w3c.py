"""Microsoft IIS log, W3C extended: one request a line, fields as the administrator chose them.

Blanks in user agents are written as `+`; a `+` that was sent looks the same. Host and scheme are mostly not logged:
the URL is the path with its query. A log whose fields lack `date` cannot be placed in time.
Reference: Microsoft Learn, IIS, "W3C Logging" and logFile, log fields.
"""

from playbooks.formats.format import Clock, Format, W3c

FORMAT = Format(
    name="iis_w3c",
    product="Microsoft IIS log, W3C extended",
    table="http_activity",
    cut=W3c(
        fields=(
            *("date", "time", "c_ip", "cs_username", "s_ip", "s_port", "cs_host", "s_computername", "cs_method"),
            *("cs_uri_stem", "cs_uri_query", "cs_user_agent", "cs_referer", "sc_status", "sc_bytes", "cs_bytes"),
            "time_taken",
        ),
        keys=frozenset({"c_ip", "cs_uri_stem"}),
        never=frozenset({"x_edge_location"}),
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- W3C logs of IIS are in UTC whatever the zone of the server
        iso_time(r.date || 'T' || r.time || 'Z')  AS time,
        address(r.c_ip)             AS src_endpoint_ip,
        said(r.cs_username)         AS actor_user_name,
        coalesce(url_host(said(r.cs_host)), hostname(r.s_computername))  AS dst_endpoint_hostname,
        address(r.s_ip)             AS dst_endpoint_ip,
        port(r.s_port)              AS dst_endpoint_port,
        said(r.cs_method)           AS http_request_http_method,
        said(r.cs_uri_stem) || coalesce('?' || said(r.cs_uri_query), '')  AS http_request_url_string,
        replace(said(r.cs_user_agent), '+', ' ')  AS http_request_user_agent,
        said(r.cs_referer)          AS http_request_referrer,
        small(r.sc_status)          AS http_response_code,
        amount(r.cs_bytes)          AS traffic_bytes_out,
        amount(r.sc_bytes)          AS traffic_bytes_in,
        whole(r.time_taken)         AS duration_ms
    """,
    shows="who asked this web server for which path, as which user, with what outcome",
    cannot_show="the host asked for and bytes unless these fields are logged; requests that http.sys refused",
    reference="Microsoft Learn, IIS W3C logging fields",
)
