"""Symantec (Broadcom) Cloud SWG access log as JSON: the names of its W3C fields as keys.

`s-ip` is the appliance that the client reached, `r-ip` the server. Query texts come with or without their `?`.
Reference: Symantec Cloud SWG documentation, "Access log formats", fields of the access log.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="symantec_wss_json",
    product="Symantec Cloud SWG access log, JSON",
    table="http_activity",
    cut=Json(
        keys=frozenset({"date", "time", "c-ip", "cs-host", "cs-method", "sc-filter-result"}),
        shape="""{"date": "VARCHAR", "time": "VARCHAR", "time-taken": "VARCHAR", "c-ip": "VARCHAR",
                  "x-client-device-name": "VARCHAR", "cs-username": "VARCHAR", "cs-userdn": "VARCHAR",
                  "cs-method": "VARCHAR", "cs-host": "VARCHAR", "cs-uri-scheme": "VARCHAR", "cs-uri-port": "VARCHAR",
                  "cs-uri-path": "VARCHAR", "cs-uri-query": "VARCHAR", "cs(User-Agent)": "VARCHAR",
                  "cs(Referer)": "VARCHAR", "cs(X-Forwarded-For)": "VARCHAR", "sc-status": "VARCHAR",
                  "sc-bytes": "VARCHAR", "cs-bytes": "VARCHAR", "sc-filter-result": "VARCHAR", "r-ip": "VARCHAR",
                  "s-ip": "VARCHAR", "x-bluecoat-transaction-uuid": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- the fields date and time are UTC
        iso_time(r.date || 'T' || r.time || 'Z')  AS time,
        said(r."x-bluecoat-transaction-uuid")  AS metadata_uid,
        address(r."c-ip")           AS src_endpoint_ip,
        said(r."x-client-device-name")  AS src_endpoint_hostname,
        coalesce(said(r."cs-username"), said(r."cs-userdn"))  AS actor_user_name,
        url_host(r."cs-host")       AS dst_endpoint_hostname,
        address(r."r-ip")           AS dst_endpoint_ip,
        port(r."cs-uri-port")       AS dst_endpoint_port,
        address(r."s-ip")           AS proxy_endpoint_ip,
        said(r."cs-method")         AS http_request_http_method,
        said(r."cs-uri-scheme") || '://' || said(r."cs-host")
            || CASE WHEN r."cs-uri-scheme" || r."cs-uri-port" IN ('http80', 'https443')
                      OR said(r."cs-uri-port") IS NULL THEN '' ELSE ':' || r."cs-uri-port" END
            || coalesce(said(r."cs-uri-path"), '/')
            || coalesce('?' || ltrim(said(r."cs-uri-query"), '?'), '')  AS http_request_url_string,
        said(r."cs(User-Agent)")    AS http_request_user_agent,
        said(r."cs(Referer)")       AS http_request_referrer,
        said(r."cs(X-Forwarded-For)")  AS http_request_x_forwarded_for,
        small(nullif(r."sc-status", '0'))  AS http_response_code,
        amount(r."cs-bytes")        AS traffic_bytes_out,
        amount(r."sc-bytes")        AS traffic_bytes_in,
        whole(r."time-taken")       AS duration_ms,
        CASE upper(r."sc-filter-result") WHEN 'DENIED' THEN 'blocked' WHEN 'OBSERVED' THEN 'allowed'
             WHEN 'PROXIED' THEN 'allowed' ELSE lower(said(r."sc-filter-result")) END  AS disposition
    """,
    shows="client, user, URL of inspected requests, bytes both ways, what the policy decided, the server's address",
    cannot_show="paths of traffic that is not inspected; DNS records that the same feed may carry",
    reference="Symantec Cloud SWG documentation, access log fields",
)
