"""Cloudflare firewall events of a zone (Logpush): one request that a security product acted on, a JSON object.

`Action` is what the rule did: block, challenge, skip, log, …; one request can be several events of one `RayID`. The
stamp is RFC 3339, or a number since the epoch, as the job was set up.
Reference: Cloudflare Docs, Logs, "Firewall events" dataset.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="cloudflare_firewall",
    product="Cloudflare firewall events",
    table="http_activity",
    cut=Json(
        keys=frozenset({"Action", "ClientIP", "ClientRequestHost", "Datetime", "RuleID"}),
        shape="""{"Action": "VARCHAR", "ClientIP": "VARCHAR", "ClientRequestHost": "VARCHAR", "Datetime": "VARCHAR",
                  "ClientRequestMethod": "VARCHAR", "ClientRequestScheme": "VARCHAR", "ClientRequestPath": "VARCHAR",
                  "ClientRequestQuery": "VARCHAR", "ClientRequestUserAgent": "VARCHAR", "ClientRefererHost": "VARCHAR",
                  "EdgeResponseStatus": "VARCHAR", "RayID": "VARCHAR", "RuleID": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns=r"""
        -- Cloudflare's stamps are UTC; some exports drop the Z
        coalesce(epoch_time(nullif(regexp_extract(r.Datetime, '^\d+$'), '')), iso_time(r.Datetime),
                 iso_time(r.Datetime || 'Z'))  AS time,
        said(r.RayID)               AS metadata_uid,
        address(r.ClientIP)         AS src_endpoint_ip,
        url_host(r.ClientRequestHost)  AS dst_endpoint_hostname,
        coalesce(url_port(r.ClientRequestHost), CASE lower(r.ClientRequestScheme) WHEN 'https' THEN small('443')
                 WHEN 'http' THEN small('80') END)  AS dst_endpoint_port,
        said(r.ClientRequestMethod)  AS http_request_http_method,
        coalesce(lower(said(r.ClientRequestScheme)) || '://' || said(r.ClientRequestHost), '')
            || said(r.ClientRequestPath) || coalesce('?' || nullif(ltrim(r.ClientRequestQuery, '?'), ''), '')
                                    AS http_request_url_string,
        said(r.ClientRequestUserAgent)  AS http_request_user_agent,
        said(r.ClientRefererHost)   AS http_request_referrer,
        small(nullif(r.EdgeResponseStatus, '0'))  AS http_response_code,
        CASE lower(r.Action) WHEN 'allow' THEN 'allowed' WHEN 'skip' THEN 'allowed' WHEN 'log' THEN 'allowed'
             WHEN 'block' THEN 'blocked' WHEN 'drop' THEN 'blocked' ELSE lower(said(r.Action)) END  AS disposition
    """,
    shows="which requests to a site behind Cloudflare a security rule acted on, from where, and what it did",
    cannot_show="requests that no rule acted on; bytes; bodies; who the user was",
    reference="Cloudflare Docs, Logs: Firewall events dataset",
)
