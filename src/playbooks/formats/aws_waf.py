"""AWS WAF log: one web request that a web ACL weighed, a JSON object.

`action` is what became of the request after all rules; rules that only count stand in lists of their own. Headers are a
list of names and values, as the client sent them. The scheme is in newer records only: without it the URL is a path.
Reference: AWS WAF Developer Guide, "Log fields for web ACL traffic".
"""

from playbooks.formats.format import Clock, Format, Json

HEADER = "said(list_filter(r.httpRequest.headers, lambda h: lower(h.name) = '%s')[1].value)"

FORMAT = Format(
    name="aws_waf",
    product="AWS WAF log",
    table="http_activity",
    cut=Json(
        keys=frozenset({"action", "httpRequest", "timestamp", "webaclId"}),
        shape="""{"timestamp": "VARCHAR", "webaclId": "VARCHAR", "action": "VARCHAR", "ja3Fingerprint": "VARCHAR",
                  "ja4Fingerprint": "VARCHAR", "responseCodeSent": "VARCHAR",
                  "httpRequest": {"clientIp": "VARCHAR", "uri": "VARCHAR", "args": "VARCHAR", "httpMethod": "VARCHAR",
                    "requestId": "VARCHAR", "scheme": "VARCHAR", "host": "VARCHAR",
                    "headers": [{"name": "VARCHAR", "value": "VARCHAR"}]}}""",
    ),
    clock=Clock.IN_THE_STAMP,
    undated="r.timestamp IS NULL AND said(r.httpRequest.clientIp) IS NOT NULL",
    columns=f"""
        epoch_time(r.timestamp)     AS time,
        said(r.httpRequest.requestId)  AS metadata_uid,
        address(r.httpRequest.clientIp)  AS src_endpoint_ip,
        url_host(coalesce(said(r.httpRequest.host), {HEADER % "host"}))  AS dst_endpoint_hostname,
        coalesce(url_port(coalesce(said(r.httpRequest.host), {HEADER % "host"})),
                 CASE lower(r.httpRequest.scheme) WHEN 'https' THEN small('443') WHEN 'http' THEN small('80') END)
                                    AS dst_endpoint_port,
        said(r.httpRequest.httpMethod)  AS http_request_http_method,
        coalesce(lower(said(r.httpRequest.scheme)) || '://'
                 || coalesce(said(r.httpRequest.host), {HEADER % "host"}), '')
            || said(r.httpRequest.uri) || coalesce('?' || nullif(ltrim(r.httpRequest.args, '?'), ''), '')
                                    AS http_request_url_string,
        {HEADER % "user-agent"}     AS http_request_user_agent,
        {HEADER % "referer"}        AS http_request_referrer,
        said(r.ja3Fingerprint)      AS tls_ja3,
        said(r.ja4Fingerprint)      AS tls_ja4,
        -- only where the web ACL itself answered
        small(r.responseCodeSent)   AS http_response_code,
        CASE upper(r.action) WHEN 'ALLOW' THEN 'allowed' WHEN 'BLOCK' THEN 'blocked'
             ELSE lower(said(r.action)) END  AS disposition
    """,
    shows="who asked which host and path of a load balancer, API, distribution or app, and what the web ACL did",
    cannot_show="bodies; what the service answered; bytes; requests to what no web ACL guards",
    reference="AWS WAF Developer Guide, log fields for web ACL traffic",
)
