"""Google Cloud request log: requests to Cloud Run, functions of the second generation, and load balancers.

One `LogEntry` with `httpRequest` each. Numbers may be text. Functions of the first generation write no such log.
Reference: Google Cloud documentation, "LogEntry: HttpRequest"; Cloud Run documentation, "Logging and viewing logs".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="gcp_run_request",
    product="Google Cloud Run and load balancer request log",
    table="http_activity",
    cut=Json(
        keys=frozenset({"httpRequest", "logName", "timestamp"}),
        only=(("logName", r".*(?:/|%2F)requests"),),
        shape="""{"timestamp": "VARCHAR", "insertId": "VARCHAR", "logName": "VARCHAR",
                  "httpRequest": {"requestMethod": "VARCHAR", "requestUrl": "VARCHAR", "requestSize": "VARCHAR",
                    "status": "VARCHAR", "responseSize": "VARCHAR", "userAgent": "VARCHAR", "remoteIp": "VARCHAR",
                    "serverIp": "VARCHAR", "referer": "VARCHAR", "latency": "VARCHAR"}}""",
        envelopes=("entries",),
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        iso_time(r.timestamp)       AS time,
        said(r.insertId)            AS metadata_uid,
        -- some write the port behind it
        address_before_port(r.httpRequest.remoteIp)  AS src_endpoint_ip,
        address_before_port(r.httpRequest.serverIp)  AS dst_endpoint_ip,
        url_host(r.httpRequest.requestUrl)  AS dst_endpoint_hostname,
        url_port(r.httpRequest.requestUrl)  AS dst_endpoint_port,
        said(r.httpRequest.requestMethod)  AS http_request_http_method,
        said(r.httpRequest.requestUrl)  AS http_request_url_string,
        said(r.httpRequest.userAgent)  AS http_request_user_agent,
        said(r.httpRequest.referer)  AS http_request_referrer,
        small(r.httpRequest.status)  AS http_response_code,
        amount(r.httpRequest.requestSize)  AS traffic_bytes_out,
        amount(r.httpRequest.responseSize)  AS traffic_bytes_in,
        millis(regexp_replace(r.httpRequest.latency, 's$', ''))  AS duration_ms
    """,
    shows="who called which URL of a service or function, from where, with what outcome and volume",
    cannot_show="who the caller was signed in as; requests answered before they reached the service; bodies",
    reference="Google Cloud documentation, LogEntry: HttpRequest",
)
