"""Squid native access.log: one request a line, epoch seconds with milliseconds.

Does not read custom `logformat` lines: their fields cannot be known. Two quoted fields at the end
(referrer and user agent) are read where they stand. Squid logs a request when it is done.
Reference: Squid documentation, "Log Files", access.log native format.
"""

from playbooks.formats.format import Clock, Format, TextLines

FORMAT = Format(
    name="squid_access",
    product="Squid access.log, native",
    table="http_activity",
    cut=TextLines(
        r"^(?P<ts>\d{9,10}\.\d{3}) +(?P<elapsed>-?\d+) (?P<client>\S+) (?P<result>[A-Z_]+)/(?P<status>\d{3}) "
        r"(?P<size>\d+) (?P<method>[A-Z_:-]+) (?P<url>\S+) (?P<user>\S+) "
        r"(?P<hierarchy>[A-Z_0-9]+)/(?P<peer>\S+)(?: (?P<type>[^\" ]\S*))?"
        r"(?: \"(?P<referrer>[^\"]*)\" \"(?P<agent>(?:[^\"\\]|\\.)*)\")?$"
    ),
    clock=Clock.IN_THE_STAMP,
    ends=True,
    columns="""
        epoch_time(r.ts)            AS time,
        address(r.client)           AS src_endpoint_ip,
        said(r.user)                AS actor_user_name,
        -- CONNECT gives host:port and no path; `error:…` stands for a request that was none
        CASE WHEN r.url NOT LIKE 'error:%' THEN url_host(r.url) END  AS dst_endpoint_hostname,
        coalesce(url_port(r.url), CASE WHEN r.method = 'CONNECT' THEN 443 END)  AS dst_endpoint_port,
        -- the peer is the server's address, or its name again when Squid logged no address;
        -- with a parent it is the next proxy, and the server's address is not logged
        CASE WHEN is_address(r.peer) AND r.hierarchy NOT LIKE '%PARENT%' THEN address(r.peer) END  AS dst_endpoint_ip,
        CASE WHEN is_address(r.peer) AND r.hierarchy LIKE '%PARENT%' THEN address(r.peer) END  AS proxy_endpoint_ip,
        -- TCP_… came to the port for HTTP, UDP_… to that for ICP
        nullif(lower(regexp_extract(r.result, '^(TCP|UDP)_', 1)), '')  AS connection_info_protocol_name,
        r.method                    AS http_request_http_method,
        CASE WHEN r.method <> 'CONNECT' THEN r.url END  AS http_request_url_string,
        said(r.agent)               AS http_request_user_agent,
        said(r.referrer)            AS http_request_referrer,
        small(r.status)  AS http_response_code,
        amount(r.size)              AS traffic_bytes_in,
        whole(r.elapsed)            AS duration_ms,
        CASE WHEN r.result LIKE '%DENIED%' THEN 'blocked' ELSE 'allowed' END  AS disposition
    """,
    shows="client, user, host, bytes to the client; URL path for requests that are not tunnelled",
    cannot_show="path, method and user agent inside CONNECT tunnels; bytes sent by the client",
    reference="Squid documentation, Log Files: access.log native format",
)
