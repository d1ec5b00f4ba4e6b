"""Azure Application Gateway (v2): access log and firewall log.

Bytes are the gateway's: received from the client, sent to it. The server behind it stands in `serverRouted`. Of a
firewall record there is one for each rule that matched.
Reference: Azure Application Gateway documentation, "Diagnostic logs": access log and firewall log.
"""

from playbooks.formats.format import Clock, Format, Json, Part

ACCESS = """
    iso_time(coalesce(r.timeStamp, r.time))  AS time,
    said(json_extract_string(r.properties, '$.transactionId'))  AS metadata_uid,
    address(json_extract_string(r.properties, '$.clientIP'))  AS src_endpoint_ip,
    port(json_extract_string(r.properties, '$.clientPort'))  AS src_endpoint_port,
    address_before_port(json_extract_string(r.properties, '$.serverRouted'))  AS dst_endpoint_ip,
    coalesce(hostname(json_extract_string(r.properties, '$.originalHost')),
             hostname(json_extract_string(r.properties, '$.host')))  AS dst_endpoint_hostname,
    said(json_extract_string(r.properties, '$.httpMethod'))  AS http_request_http_method,
    -- the path as asked, behind the name that was asked for
    CASE WHEN lower(json_extract_string(r.properties, '$.sslEnabled')) = 'on' THEN 'https://' ELSE 'http://' END
        || coalesce(said(json_extract_string(r.properties, '$.originalHost')),
                    said(json_extract_string(r.properties, '$.host')))
        || coalesce(said(json_extract_string(r.properties, '$.originalRequestUriWithArgs')),
                    said(json_extract_string(r.properties, '$.requestUri')))  AS http_request_url_string,
    said(json_extract_string(r.properties, '$.userAgent'))  AS http_request_user_agent,
    small(json_extract_string(r.properties, '$.httpStatus'))  AS http_response_code,
    amount(json_extract_string(r.properties, '$.receivedBytes'))  AS traffic_bytes_out,
    amount(json_extract_string(r.properties, '$.sentBytes'))  AS traffic_bytes_in,
    millis(json_extract_string(r.properties, '$.timeTaken'))  AS duration_ms
"""

FIREWALL = """
    iso_time(coalesce(r.timeStamp, r.time))  AS time,
    said(json_extract_string(r.properties, '$.transactionId'))  AS metadata_uid,
    address(json_extract_string(r.properties, '$.clientIp'))  AS src_endpoint_ip,
    port(json_extract_string(r.properties, '$.clientPort'))  AS src_endpoint_port,
    hostname(json_extract_string(r.properties, '$.hostname'))  AS dst_endpoint_hostname,
    said(json_extract_string(r.properties, '$.requestUri'))  AS http_request_url_string,
    lower(said(json_extract_string(r.properties, '$.action')))  AS disposition
"""

FORMAT = Format(
    name="azure_appgw",
    product="Azure Application Gateway access and firewall log",
    cut=Json(
        keys=frozenset({"category", "properties"}),
        any_of=frozenset({"timeStamp", "time"}),
        only=(("category", "ApplicationGateway(?:Access|Firewall)Log"),),
        shape="""{"time": "VARCHAR", "timeStamp": "VARCHAR", "category": "VARCHAR", "properties": "JSON"}""",
        envelopes=("records",),
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.category",
    parts=(
        Part("http_activity", "r.category = 'ApplicationGatewayAccessLog'", ACCESS),
        Part("http_activity", "r.category = 'ApplicationGatewayFirewallLog'", FIREWALL),
    ),
    shows="who asked for which URL, from where, with what volume, which server answered, and what the firewall did",
    cannot_show="who the caller was signed in as; bodies",
    reference="Azure Application Gateway documentation, diagnostic logs",
)
