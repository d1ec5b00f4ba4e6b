"""Azure Front Door: access log and web application firewall, Standard/Premium and classic.

The classic tier spells its categories `Frontdoor…` and leaves fields out. `clientIp` is what the client's side claims
(X-Forwarded-For), `socketIp` who connected. Bytes are counted with headers.
Reference: Azure Front Door documentation, "Monitor metrics and logs"; "Web Application Firewall monitoring".
"""

from playbooks.formats.format import Clock, Format, Json, Part

ACCESS = """
    iso_time(r.time)            AS time,
    said(json_extract_string(r.properties, '$.trackingReference'))  AS metadata_uid,
    address(coalesce(said(json_extract_string(r.properties, '$.clientIp')),
                     said(json_extract_string(r.properties, '$.clientIP'))))  AS src_endpoint_ip,
    port(json_extract_string(r.properties, '$.clientPort'))  AS src_endpoint_port,
    -- N/A where no origin was asked
    address_before_port(nullif(json_extract_string(r.properties, '$.originIp'), 'N/A'))  AS dst_endpoint_ip,
    coalesce(hostname(json_extract_string(r.properties, '$.hostName')),
             url_host(json_extract_string(r.properties, '$.requestUri')))  AS dst_endpoint_hostname,
    url_port(json_extract_string(r.properties, '$.requestUri'))  AS dst_endpoint_port,
    said(json_extract_string(r.properties, '$.httpMethod'))  AS http_request_http_method,
    said(json_extract_string(r.properties, '$.requestUri'))  AS http_request_url_string,
    said(json_extract_string(r.properties, '$.userAgent'))  AS http_request_user_agent,
    said(json_extract_string(r.properties, '$.referer'))  AS http_request_referrer,
    small(coalesce(json_extract_string(r.properties, '$.httpStatusCode'),
                   json_extract_string(r.properties, '$.httpStatus')))  AS http_response_code,
    amount(json_extract_string(r.properties, '$.requestBytes'))  AS traffic_bytes_out,
    amount(json_extract_string(r.properties, '$.responseBytes'))  AS traffic_bytes_in,
    millis(json_extract_string(r.properties, '$.timeTaken'))  AS duration_ms
"""

FIREWALL = """
    iso_time(r.time)            AS time,
    said(json_extract_string(r.properties, '$.trackingReference'))  AS metadata_uid,
    address(coalesce(said(json_extract_string(r.properties, '$.clientIP')),
                     said(json_extract_string(r.properties, '$.clientIp'))))  AS src_endpoint_ip,
    port(json_extract_string(r.properties, '$.clientPort'))  AS src_endpoint_port,
    coalesce(hostname(json_extract_string(r.properties, '$.host')),
             url_host(json_extract_string(r.properties, '$.requestUri')))  AS dst_endpoint_hostname,
    url_port(json_extract_string(r.properties, '$.requestUri'))  AS dst_endpoint_port,
    said(json_extract_string(r.properties, '$.requestUri'))  AS http_request_url_string,
    lower(said(json_extract_string(r.properties, '$.action')))  AS disposition
"""

FORMAT = Format(
    name="azure_front_door",
    product="Azure Front Door access and firewall log",
    cut=Json(
        keys=frozenset({"time", "category", "properties"}),
        only=(("category", "Front[Dd]oor(?:AccessLog|WebApplicationFirewallLog)"),),
        shape="""{"time": "VARCHAR", "category": "VARCHAR", "properties": "JSON"}""",
        envelopes=("records",),
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.category",
    parts=(
        Part("http_activity", "lower(r.category) = 'frontdooraccesslog'", ACCESS),
        Part("http_activity", "lower(r.category) = 'frontdoorwebapplicationfirewalllog'", FIREWALL),
    ),
    shows="who asked for which URL at the edge, from where, with what volume, and what the firewall did",
    cannot_show="who the caller was signed in as; requests that reach the origin without Front Door",
    reference="Azure Front Door documentation, monitor metrics and logs",
)
