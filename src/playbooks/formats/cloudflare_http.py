"""Cloudflare HTTP requests log of a zone (Logpush, Logpull): one request a JSON object.

Requests come from the whole internet to a site of one's own, or from a Worker (`WorkerSubrequest`). The stamp is
RFC 3339, or a number since the epoch, as the job was set up.
Reference: Cloudflare Docs, Logs, "HTTP requests" dataset.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="cloudflare_http",
    product="Cloudflare HTTP requests log",
    table="http_activity",
    cut=Json(
        keys=frozenset({"ClientIP", "ClientRequestHost", "ClientRequestMethod", "EdgeStartTimestamp"}),
        shape="""{"ClientIP": "VARCHAR", "ClientRequestHost": "VARCHAR", "ClientRequestMethod": "VARCHAR",
                  "EdgeStartTimestamp": "VARCHAR", "EdgeTimeToFirstByteMs": "VARCHAR", "ClientSrcPort": "VARCHAR",
                  "ClientRequestScheme": "VARCHAR", "ClientRequestURI": "VARCHAR", "ClientRequestPath": "VARCHAR",
                  "ClientRequestUserAgent": "VARCHAR", "ClientRequestReferer": "VARCHAR",
                  "ClientSSLProtocol": "VARCHAR", "ClientRequestBytes": "VARCHAR", "EdgeResponseBytes": "VARCHAR",
                  "EdgeResponseStatus": "VARCHAR", "EdgeServerIP": "VARCHAR", "OriginIP": "VARCHAR",
                  "SecurityAction": "VARCHAR", "EdgePathingOp": "VARCHAR", "RayID": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- Cloudflare's stamps are UTC; some exports drop the Z
        coalesce(epoch_time(nullif(regexp_extract(r.EdgeStartTimestamp, '^\\d+$'), '')),
                 iso_time(r.EdgeStartTimestamp), iso_time(r.EdgeStartTimestamp || 'Z'))  AS time,
        said(r.RayID)               AS metadata_uid,
        address(r.ClientIP)         AS src_endpoint_ip,
        port(nullif(r.ClientSrcPort, '0'))  AS src_endpoint_port,
        url_host(r.ClientRequestHost)  AS dst_endpoint_hostname,
        -- the origin, where Cloudflare asked it; the edge stands in between
        address(r.OriginIP)         AS dst_endpoint_ip,
        address(r.EdgeServerIP)     AS proxy_endpoint_ip,
        said(r.ClientRequestMethod)  AS http_request_http_method,
        -- the scheme is not in every job; TLS tells it
        coalesce(said(r.ClientRequestScheme), CASE WHEN r.ClientSSLProtocol = 'none' THEN 'http'
                 WHEN said(r.ClientSSLProtocol) IS NOT NULL THEN 'https' END) || '://' || said(r.ClientRequestHost)
            || coalesce(said(r.ClientRequestURI), said(r.ClientRequestPath), '/')  AS http_request_url_string,
        said(r.ClientRequestUserAgent)  AS http_request_user_agent,
        said(r.ClientRequestReferer)  AS http_request_referrer,
        small(nullif(r.EdgeResponseStatus, '0'))  AS http_response_code,
        amount(r.ClientRequestBytes)  AS traffic_bytes_out,
        amount(r.EdgeResponseBytes)  AS traffic_bytes_in,
        whole(r.EdgeTimeToFirstByteMs)  AS duration_ms,
        -- what a rule did; without a rule, how Cloudflare handled the request
        coalesce(CASE lower(r.SecurityAction) WHEN 'unknown' THEN NULL WHEN 'allow' THEN 'allowed'
                      WHEN 'block' THEN 'blocked' ELSE lower(said(r.SecurityAction)) END,
                 CASE r.EdgePathingOp WHEN 'wl' THEN 'allowed' WHEN 'ban' THEN 'blocked'
                      WHEN 'chl' THEN 'challenged' END)
                                    AS disposition
    """,
    shows="who asked which path of a site behind Cloudflare, with what user agent and outcome; the origin's address",
    cannot_show="requests that reach the origin directly; bodies; who the user was",
    reference="Cloudflare Docs, Logs: HTTP requests dataset",
)
