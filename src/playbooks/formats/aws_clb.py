"""AWS Classic Load Balancer access log: one request a line; one connection a line where the listener is TCP or SSL.

A TCP listener logs no status and `- - - ` for the request. Times and sizes are -1 where nothing was exchanged.
Reference: Elastic Load Balancing User Guide for Classic Load Balancers, "Access logs", log entries.
"""

from playbooks.formats.format import Clock, Format, Part, TextLines

WHO = """
        iso_time(r.ts)              AS time,
        address(r.client)           AS src_endpoint_ip,
        port(r.client_port)         AS src_endpoint_port,
        -- address and port of the instance that answered
        address(r.backend)          AS dst_endpoint_ip,
        port(r.backend_port)        AS dst_endpoint_port,
        amount(nullif(r.received, '-1'))  AS traffic_bytes_out,
        amount(nullif(r.sent, '-1'))  AS traffic_bytes_in,
        CASE WHEN '-1' NOT IN (r.before, r.during, r.after)
             THEN millis(r.before) + millis(r.during) + millis(r.after) END  AS duration_ms,"""

FORMAT = Format(
    name="aws_clb",
    product="AWS Classic Load Balancer access log",
    cut=TextLines(
        r"^(?P<ts>\d{4}-\d\d-\d\dT\S+) (?P<elb>[\w-]+) (?:\[?(?P<client>[0-9A-Fa-f:.]+)\]?:(?P<client_port>\d+)|-) "
        r"(?:\[?(?P<backend>[0-9A-Fa-f:.]+)\]?:(?P<backend_port>\d+)|-) "
        r"(?P<before>-1|\d{1,9}\.\d{1,9}) (?P<during>-1|\d{1,9}\.\d{1,9}) (?P<after>-1|\d{1,9}\.\d{1,9}) "
        r"(?P<status>\d{1,3}|-) (?P<backend_status>\d{1,3}|-) (?P<received>-?\d+) (?P<sent>-?\d+) "
        r"\"(?P<method>\S+) (?P<url>\S*) (?P<version>[^\"]*)\""
        r"(?: \"(?P<agent>(?:[^\"\\]|\\.)*)\" (?P<cipher>\S+) (?P<tls>\S+))?$"
    ),
    clock=Clock.IN_THE_STAMP,
    kind="'load balancer record'",
    parts=(
        Part(
            table="http_activity",
            when="r.status <> '-'",
            columns=f"""{WHO}
        CASE WHEN said(r.method) IS NOT NULL THEN url_host(r.url) END  AS dst_endpoint_hostname,
        said(r.method)              AS http_request_http_method,
        CASE WHEN said(r.method) IS NOT NULL THEN said(r.url) END  AS http_request_url_string,
        said(r.agent)               AS http_request_user_agent,
        small(r.status)             AS http_response_code
    """,
        ),
        Part(
            table="network_activity",
            when="r.status = '-'",
            columns=f"""{WHO}
        'tcp'                       AS connection_info_protocol_name,
        said(r.tls)                 AS tls_version
    """,
        ),
    ),
    shows="who asked which host and path of a load balancer, or connected to it, and which instance answered",
    cannot_show="what passed in connections of TCP listeners; the server name of TLS; which user asked",
    reference="Elastic Load Balancing User Guide, Classic Load Balancer access log entries",
)
