"""Cloudflare Gateway HTTP log (Zero Trust, Logpush): one request a JSON object.

The stamp is RFC 3339, or a number since the epoch, as the Logpush job was set up. Port 0 and an empty address
stand for what Gateway did not know.
Reference: Cloudflare Docs, Logs, "Gateway HTTP" dataset.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="cloudflare_gateway_http",
    product="Cloudflare Gateway HTTP log",
    table="http_activity",
    cut=Json(
        keys=frozenset({"Datetime", "HTTPHost", "HTTPMethod", "SourceIP", "URL"}),
        shape="""{"Datetime": "VARCHAR", "HTTPHost": "VARCHAR", "HTTPMethod": "VARCHAR", "SourceIP": "VARCHAR",
                  "SourcePort": "VARCHAR", "URL": "VARCHAR", "DestinationIP": "VARCHAR",
                  "DestinationPort": "VARCHAR", "DeviceName": "VARCHAR", "Email": "VARCHAR",
                  "UserAgent": "VARCHAR", "Referer": "VARCHAR", "HTTPStatusCode": "VARCHAR",
                  "Action": "VARCHAR", "RequestID": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- Cloudflare's stamps are UTC; some exports drop the Z
        coalesce(epoch_time(nullif(regexp_extract(r.Datetime, '^\\d+$'), '')), iso_time(r.Datetime),
                 iso_time(r.Datetime || 'Z'))  AS time,
        said(r.RequestID)           AS metadata_uid,
        address(r.SourceIP)         AS src_endpoint_ip,
        port(nullif(r.SourcePort, '0'))  AS src_endpoint_port,
        said(r.DeviceName)          AS src_endpoint_hostname,
        said(r.Email)               AS actor_user_name,
        coalesce(url_host(r.HTTPHost), url_host(r.URL))  AS dst_endpoint_hostname,
        address(r.DestinationIP)    AS dst_endpoint_ip,
        coalesce(port(nullif(r.DestinationPort, '0')), url_port(r.URL))  AS dst_endpoint_port,
        said(r.HTTPMethod)          AS http_request_http_method,
        said(r.URL)                 AS http_request_url_string,
        said(r.UserAgent)           AS http_request_user_agent,
        said(r.Referer)             AS http_request_referrer,
        small(nullif(r.HTTPStatusCode, '0'))  AS http_response_code,
        CASE lower(r.Action) WHEN 'allow' THEN 'allowed' WHEN 'block' THEN 'blocked'
             ELSE lower(said(r.Action)) END  AS disposition
    """,
    shows="which user and device asked for which URL, and what the policy did",
    cannot_show="bytes; URLs of hosts that policy exempts from inspection; traffic that does not pass Gateway",
    reference="Cloudflare Docs, Logs: Gateway HTTP dataset",
)
