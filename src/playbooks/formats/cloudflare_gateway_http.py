"""Cloudflare Zero Trust (Logpush): requests through Gateway and sign-ins through Access, one a JSON object.

Collectors write the two datasets into one stream. The stamp is RFC 3339, or a number since the epoch, as the Logpush
job was set up. Port 0 and an empty address stand for what Gateway did not know.
Reference: Cloudflare Docs, Logs, datasets "Gateway HTTP" and "Access requests".
"""

from playbooks.formats.format import Clock, Format, Json, Part

# Cloudflare's stamps are UTC; some exports drop the Z
STAMP = """
    coalesce(epoch_time(nullif(regexp_extract({at}, '^\\d+$'), '')), iso_time({at}), iso_time({at} || 'Z'))  AS time"""

REQUEST = f"""{STAMP.format(at="r.Datetime")},
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
"""

SIGN_IN = f"""{STAMP.format(at="r.CreatedAt")},
    said(r.RayID)               AS metadata_uid,
    address(r.IPAddress)        AS src_endpoint_ip,
    said(r.Email)               AS actor_user_name,
    said(r.UserUID)             AS actor_user_uid,
    -- the identity provider
    said(r.Connection)          AS actor_session_issuer,
    said(r.Action)              AS api_operation,
    said(r.Action)              AS api_operation_base,
    'access'                    AS api_service_name,
    'Cloudflare'                AS cloud_provider,
    said(r.AppDomain)           AS resource_name,
    said(r.AppUUID)             AS resource_uid,
    CASE lower(r.Allowed) WHEN 'true' THEN 'success' WHEN 'false' THEN 'failure' END  AS status
"""

FORMAT = Format(
    name="cloudflare_gateway_http",
    product="Cloudflare Gateway HTTP and Access requests",
    cut=Json(
        keys=frozenset({"Action"}),
        any_of=frozenset({"HTTPHost", "AppUUID"}),
        shape="""{"Datetime": "VARCHAR", "HTTPHost": "VARCHAR", "HTTPMethod": "VARCHAR", "SourceIP": "VARCHAR",
                  "SourcePort": "VARCHAR", "URL": "VARCHAR", "DestinationIP": "VARCHAR",
                  "DestinationPort": "VARCHAR", "DeviceName": "VARCHAR", "Email": "VARCHAR",
                  "UserAgent": "VARCHAR", "Referer": "VARCHAR", "HTTPStatusCode": "VARCHAR",
                  "Action": "VARCHAR", "RequestID": "VARCHAR",
                  "CreatedAt": "VARCHAR", "AppUUID": "VARCHAR", "AppDomain": "VARCHAR", "Allowed": "VARCHAR",
                  "Connection": "VARCHAR", "IPAddress": "VARCHAR", "RayID": "VARCHAR", "UserUID": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    undated="coalesce(r.Datetime, r.CreatedAt) IS NULL AND coalesce(said(r.HTTPHost), said(r.AppUUID)) IS NOT NULL",
    kind="r.Action",
    parts=(
        Part("http_activity", "r.HTTPHost IS NOT NULL", REQUEST),
        Part("api_activity", "r.AppUUID IS NOT NULL", SIGN_IN),
    ),
    shows="which user and device asked for which URL, what the policy did, and who signed in to which app",
    cannot_show="bytes; URLs of hosts that policy exempts from inspection; traffic that does not pass Gateway",
    reference="Cloudflare Docs, Logs: Gateway HTTP dataset",
)
