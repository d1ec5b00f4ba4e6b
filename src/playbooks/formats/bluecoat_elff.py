"""Blue Coat / Symantec ProxySG and Edge SWG access log: W3C extended (ELFF), fields as its `#Fields:` line says.

A tunnel has the scheme `tcp` or `ssl` and no real path. The query comes with its `?`. `s-ip` is the appliance;
the server's address stands in `r-ip` or, where the appliance went there itself, in `s-supplier-…`.
Reference: Broadcom Edge SWG (ProxySG) documentation, "Access log formats", ELFF fields.
"""

from playbooks.formats.format import Clock, Format, W3c

FORMAT = Format(
    name="bluecoat_elff",
    product="Blue Coat / Symantec ProxySG access log, ELFF",
    table="http_activity",
    cut=W3c(
        fields=(
            *("date", "time", "time_taken", "c_ip", "c_port", "x_client_device_name", "cs_username", "cs_userdn"),
            *("cs_method", "cs_host", "cs_uri_scheme", "cs_uri_port", "cs_uri_path", "cs_uri_query", "cs_uri"),
            *(
                "cs_user_agent",
                "cs_referer",
                "cs_x_forwarded_for",
                "sc_status",
                "sc_bytes",
                "cs_bytes",
                "s_action",
                "sc_filter_result",
            ),
            *("r_ip", "s_ip", "s_hierarchy", "s_supplier_ip", "s_supplier_name", "x_bluecoat_transaction_uuid"),
        ),
        keys=frozenset({"c_ip", "cs_host", "s_action"}),
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- the fields date and time are UTC; a zone in the `#Date:` line is that of the appliance
        iso_time(r.date || 'T' || r.time || 'Z')  AS time,
        said(r.x_bluecoat_transaction_uuid)  AS metadata_uid,
        address(r.c_ip)             AS src_endpoint_ip,
        port(nullif(r.c_port, '0'))  AS src_endpoint_port,
        said(r.x_client_device_name)  AS src_endpoint_hostname,
        coalesce(said(r.cs_username), said(r.cs_userdn))  AS actor_user_name,
        url_host(r.cs_host)         AS dst_endpoint_hostname,
        address(coalesce(said(r.r_ip), said(r.s_supplier_ip),
            CASE WHEN r.s_hierarchy LIKE '%DIRECT%' AND is_address(r.s_supplier_name) THEN r.s_supplier_name END))
                                    AS dst_endpoint_ip,
        coalesce(port(nullif(r.cs_uri_port, '0')), CASE lower(r.cs_uri_scheme) WHEN 'http' THEN 80 WHEN 'https' THEN 443
            WHEN 'ssl' THEN 443 END)  AS dst_endpoint_port,
        address(r.s_ip)             AS proxy_endpoint_ip,
        said(r.cs_method)           AS http_request_http_method,
        coalesce(said(r.cs_uri), said(r.cs_uri_scheme) || '://' || said(r.cs_host)
            || CASE WHEN said(r.cs_uri_port) IS NULL OR r.cs_uri_port = '0'
                      OR r.cs_uri_scheme || r.cs_uri_port IN ('http80', 'https443')
                    THEN '' ELSE ':' || r.cs_uri_port END
            || coalesce(said(r.cs_uri_path), '/') || coalesce('?' || ltrim(said(r.cs_uri_query), '?'), ''))
                                    AS http_request_url_string,
        said(r.cs_user_agent)       AS http_request_user_agent,
        said(r.cs_referer)          AS http_request_referrer,
        said(r.cs_x_forwarded_for)  AS http_request_x_forwarded_for,
        small(nullif(r.sc_status, '0'))  AS http_response_code,
        amount(r.cs_bytes)          AS traffic_bytes_out,
        amount(r.sc_bytes)          AS traffic_bytes_in,
        whole(r.time_taken)         AS duration_ms,
        CASE WHEN upper(r.sc_filter_result) = 'DENIED' OR upper(r.s_action) LIKE '%DENIED%' THEN 'blocked'
             ELSE 'allowed' END     AS disposition
    """,
    shows="client, user, URL of requests that were inspected, bytes both ways, what the policy decided",
    cannot_show="path and user agent inside tunnels; fields that the log format of the appliance leaves out",
    reference="Broadcom Edge SWG (ProxySG) documentation, access log formats",
)
