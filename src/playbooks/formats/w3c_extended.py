"""Any other W3C extended log of web requests: what its `#Fields:` line names by the names of the draft.

Only for logs that no other format knows. `time-taken` is not read: the draft says seconds, most products write
milliseconds. Date and time are UTC by the draft; a product that writes local time must be read otherwise.
Reference: W3C working draft WD-logfile-960323, "Extended Log File Format".
"""

from playbooks.formats.format import Clock, Format, W3c

FORMAT = Format(
    name="w3c_extended",
    product="W3C extended log of web requests",
    table="http_activity",
    cut=W3c(
        fields=(
            *("date", "time", "c_ip", "c_port", "c_dns", "cs_username", "cs_method", "s_operation", "cs_uri"),
            *("cs_host", "r_host", "r_dns", "r_ip", "r_port", "cs_uri_scheme", "cs_uri_port", "cs_uri_path"),
            *(
                "cs_uri_query",
                "cs_user_agent",
                "c_agent",
                "cs_referer",
                "cs_x_forwarded_for",
                "sc_status",
                "sc_bytes",
                "cs_bytes",
                "s_ip",
            ),
        ),
        keys=frozenset({"c_ip", "date", "time"}),
        never=frozenset({"cs_uri_stem", "s_action", "x_cs_access_method", "x_edge_location"}),
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        iso_time(r.date || 'T' || r.time || 'Z')  AS time,
        address(r.c_ip)             AS src_endpoint_ip,
        port(nullif(r.c_port, '0'))  AS src_endpoint_port,
        hostname(r.c_dns)           AS src_endpoint_hostname,
        said(r.cs_username)         AS actor_user_name,
        coalesce(url_host(said(r.cs_host)), url_host(said(r.r_host)), hostname(r.r_dns),
                 CASE WHEN contains(r.cs_uri, '://') THEN url_host(r.cs_uri) END)  AS dst_endpoint_hostname,
        address(r.r_ip)             AS dst_endpoint_ip,
        coalesce(port(nullif(coalesce(said(r.r_port), said(r.cs_uri_port)), '0')), url_port(r.cs_uri))
                                    AS dst_endpoint_port,
        address(r.s_ip)             AS proxy_endpoint_ip,
        coalesce(said(r.cs_method), said(r.s_operation))  AS http_request_http_method,
        coalesce(said(r.cs_uri),
            coalesce(said(r.cs_uri_scheme) || '://' || coalesce(said(r.cs_host), said(r.r_host))
                || CASE WHEN said(r.cs_uri_port) IS NULL
                          OR r.cs_uri_scheme || r.cs_uri_port IN ('http80', 'https443')
                        THEN '' ELSE ':' || r.cs_uri_port END, '')
            || said(r.cs_uri_path) || coalesce('?' || ltrim(said(r.cs_uri_query), '?'), ''))
                                    AS http_request_url_string,
        -- some products write blanks as `+`, as IIS does
        CASE WHEN contains(r.cs_user_agent, ' ') THEN said(r.cs_user_agent)
             ELSE replace(coalesce(said(r.cs_user_agent), said(r.c_agent)), '+', ' ') END  AS http_request_user_agent,
        said(r.cs_referer)          AS http_request_referrer,
        said(r.cs_x_forwarded_for)  AS http_request_x_forwarded_for,
        small(nullif(r.sc_status, '0'))  AS http_response_code,
        amount(r.cs_bytes)          AS traffic_bytes_out,
        amount(r.sc_bytes)          AS traffic_bytes_in
    """,
    shows="client, user, host, URL, outcome and bytes, as far as the log has fields of these names",
    cannot_show="fields of other names; what the device decided; how long it took",
    reference="W3C working draft, Extended Log File Format",
)
