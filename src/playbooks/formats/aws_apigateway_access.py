"""Amazon API Gateway access log as JSON: REST and HTTP APIs, with the field names that the console proposes.

The owner of an API chooses names and fields; other names are not read. `requestTimeEpoch` is in milliseconds
for REST APIs and in seconds for HTTP APIs. A `-` stands for nothing.
Reference: Amazon API Gateway Developer Guide, "Variables for access logging".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="aws_apigateway_access",
    product="Amazon API Gateway access log, JSON",
    table="http_activity",
    cut=Json(
        keys=frozenset({"httpMethod", "requestId", "status"}),
        any_of=frozenset({"requestTime", "requestTimeEpoch"}),
        shape="""{"requestId": "VARCHAR", "ip": "VARCHAR", "sourceIp": "VARCHAR", "caller": "VARCHAR",
                  "user": "VARCHAR", "principalId": "VARCHAR", "requestTime": "VARCHAR",
                  "requestTimeEpoch": "VARCHAR", "httpMethod": "VARCHAR", "path": "VARCHAR",
                  "resourcePath": "VARCHAR", "routeKey": "VARCHAR", "domainName": "VARCHAR", "status": "VARCHAR",
                  "responseLength": "VARCHAR", "responseLatency": "VARCHAR", "userAgent": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns=r"""
        coalesce(epoch_time(r.requestTimeEpoch), read_time(r.requestTime, '%d/%b/%Y:%H:%M:%S %z'))  AS time,
        address(coalesce(said(r.ip), said(r.sourceIp)))  AS src_endpoint_ip,
        coalesce(said(r."user"), said(r.caller), said(r.principalId))  AS actor_user_name,
        hostname(r.domainName)      AS dst_endpoint_hostname,
        said(r.httpMethod)          AS http_request_http_method,
        -- the resource of a REST API and the route of an HTTP API are patterns, taken where no path is logged
        coalesce('https://' || said(r.domainName), '')
            || coalesce(said(r.path), said(r.resourcePath),
                        said(regexp_replace(r.routeKey, '^[A-Z]+ |^\$default$', '')))  AS http_request_url_string,
        said(r.userAgent)           AS http_request_user_agent,
        small(r.status)             AS http_response_code,
        amount(r.responseLength)    AS traffic_bytes_in,
        whole(r.responseLatency)    AS duration_ms,
        said(r.requestId)           AS metadata_uid
    """,
    shows="who called which API of the account, from where, with what answer",
    cannot_show="bodies and query strings; fields that the owner of the API does not log; calls that logged nothing",
    reference="Amazon API Gateway Developer Guide, variables for access logging",
)
