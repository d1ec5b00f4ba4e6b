"""Cisco Secure Web Appliance (WSA) access log: Squid's first ten fields, the decision tag and a verdict in <…>.

The log may come with its severity (`Info: `) in front. A tunnel is logged as `tunnel://host:443/`. Fields that
an administrator appended behind the verdict are not read: their order cannot be known.
Reference: Cisco Secure Web Appliance User Guide, "Monitor System Activity Through Logs", access log files.
"""

from playbooks.formats.format import Clock, Format, TextLines

FORMAT = Format(
    name="cisco_wsa",
    product="Cisco Secure Web Appliance (WSA) access log",
    table="http_activity",
    cut=TextLines(
        r"^(?:[A-Z][a-z]+: )?(?P<ts>\d{9,10}\.\d{3}) +(?P<elapsed>-?\d+) (?P<client>\S+) "
        r"(?P<result>[A-Z_]+)/(?P<status>\d{1,3}) (?P<size>-?\d+) (?P<method>\S+) (?P<url>\S+) "
        r"(?:\"(?P<quoted>[^\"]*)\"|(?P<user>[^\" ]\S*)) (?P<hierarchy>[A-Z_0-9]+)/(?P<peer>\S*) (?P<type>\S+) "
        r"(?P<decision>[^<]*[^< ]) <(?P<verdict>.*)>(?: .*)?$"
    ),
    clock=Clock.IN_THE_STAMP,
    ends=True,
    columns="""
        epoch_time(r.ts)            AS time,
        address(r.client)           AS src_endpoint_ip,
        coalesce(said(r.quoted), said(r.user))  AS actor_user_name,
        url_host(r.url)             AS dst_endpoint_hostname,
        coalesce(url_port(r.url), CASE WHEN r.method = 'CONNECT' THEN 443 END)  AS dst_endpoint_port,
        -- the peer is mostly the server's name; behind a parent it is the next proxy
        CASE WHEN is_address(r.peer) AND r.hierarchy NOT LIKE '%PARENT%' THEN address(r.peer) END  AS dst_endpoint_ip,
        CASE WHEN is_address(r.peer) AND r.hierarchy LIKE '%PARENT%' THEN address(r.peer) END  AS proxy_endpoint_ip,
        nullif(lower(regexp_extract(r.result, '^(TCP|UDP)_', 1)), '')  AS connection_info_protocol_name,
        said(r.method)              AS http_request_http_method,
        r.url                       AS http_request_url_string,
        -- 0 where no response was sent
        CASE WHEN r.status NOT IN ('0', '000') THEN small(r.status) END  AS http_response_code,
        amount(r.size)              AS traffic_bytes_in,
        whole(r.elapsed)            AS duration_ms,
        CASE WHEN r.result LIKE '%DENIED%' OR regexp_matches(r.decision, '(^|.* )(BLOCK|DROP)_')
             THEN 'blocked' ELSE 'allowed' END  AS disposition
    """,
    shows="client, user, host, URL of requests that were decrypted, bytes to the client, what the policy decided",
    cannot_show="path and method inside tunnels that were not decrypted; bytes sent by the client; user agent",
    reference="Cisco Secure Web Appliance User Guide, access log files",
)
