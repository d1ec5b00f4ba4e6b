"""AWS Application Load Balancer access log: one request a line, quoted where spaces may stand.

New fields are added at the end; a line may carry more of them than are read here. A request that could not
be parsed has `-` for its method. WebSocket connections are logged when they end.
Reference: Elastic Load Balancing User Guide, "Access logs for your Application Load Balancer", log entries.
"""

from playbooks.formats.format import Clock, Format, TextLines

FORMAT = Format(
    name="aws_alb",
    product="AWS Application Load Balancer access log",
    table="http_activity",
    cut=TextLines(
        r"^(?P<type>http|https|h2|grpcs|ws|wss) (?P<ts>\d{4}-\d\d-\d\dT\S+) (?P<elb>app/\S+) "
        r"(?:\[?(?P<client>[0-9A-Fa-f:.]+)\]?:(?P<client_port>\d+)|-) "
        r"(?:\[?(?P<target>[0-9A-Fa-f:.]+)\]?:(?P<target_port>\d+)|-) "
        r"(?P<before>-1|\d{1,9}\.\d{1,9}) (?P<during>-1|\d{1,9}\.\d{1,9}) (?P<after>-1|\d{1,9}\.\d{1,9}) "
        r"(?P<status>\d{3}|-) (?P<target_status>\d{3}|-) (?P<received>-?\d+) (?P<sent>-?\d+) "
        r"\"(?P<method>\S+) (?P<url>\S*) (?P<version>[^\"]*)\" \"(?P<agent>(?:[^\"\\]|\\.)*)\" "
        r"(?P<cipher>\S+) (?P<tls>\S+) (?P<group>\S+) \"(?P<trace>[^\"]*)\" \"(?P<domain>[^\"]*)\" "
        r"\"(?P<cert>[^\"]*)\" (?P<rule>\S+) (?P<created>\S+) \"(?P<actions>[^\"]*)\" .*$"
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- when the response was made
        iso_time(r.ts)              AS time,
        said(r.trace)               AS metadata_uid,
        address(r.client)           AS src_endpoint_ip,
        port(r.client_port)         AS src_endpoint_port,
        -- the host asked for; address and port are those of the target that answered
        coalesce(CASE WHEN said(r.method) IS NOT NULL THEN url_host(r.url) END, hostname(r.domain))
                                    AS dst_endpoint_hostname,
        address(r.target)           AS dst_endpoint_ip,
        coalesce(port(r.target_port), url_port(r.url))  AS dst_endpoint_port,
        said(r.method)              AS http_request_http_method,
        CASE WHEN said(r.method) IS NOT NULL THEN said(r.url) END  AS http_request_url_string,
        said(r.agent)               AS http_request_user_agent,
        small(r.status)             AS http_response_code,
        amount(r.received)          AS traffic_bytes_out,
        amount(r.sent)              AS traffic_bytes_in,
        -- -1 where no target was asked or none answered
        CASE WHEN '-1' NOT IN (r.before, r.during, r.after)
             THEN millis(r.before) + millis(r.during) + millis(r.after) END  AS duration_ms,
        -- the web application firewall comes last only where it refused the request
        CASE WHEN regexp_matches(r.actions, '(^|,)waf$') THEN 'blocked' ELSE 'allowed' END  AS disposition
    """,
    shows="who asked which host and path of a load balancer, with what outcome, and which target answered",
    cannot_show="bodies and headers other than the user agent; which user asked; connections without a request",
    reference="Elastic Load Balancing User Guide, Application Load Balancer access log entries",
)
