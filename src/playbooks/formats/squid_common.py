"""Squid access.log in the `common` and `combined` log formats of web servers.

The second client field is the identd user and nearly always `-`; the third is the proxy user.
Reference: Squid documentation, `logformat` directive, built-in formats common and combined.
"""

from playbooks.formats.format import Clock, Format, TextLines

FORMAT = Format(
    name="squid_common",
    product="Squid access.log, common or combined",
    table="http_activity",
    cut=TextLines(
        r"^(?P<client>\S+) \S+ (?P<user>\S+) "
        r"\[(?P<ts>\d{2}/[A-Z][a-z]{2}/\d{4}:\d{2}:\d{2}:\d{2}) (?P<zone>[+-]\d{4})\] "
        r"\"(?P<method>[A-Z_]+) (?P<url>\S+) [^\"]*\" (?P<status>\d{3}) (?P<size>\d+|-)"
        r"(?: \"(?P<referrer>[^\"]*)\" \"(?P<agent>(?:[^\"\\]|\\.)*)\")?"
        r" (?P<result>[A-Z_]+):(?P<hierarchy>[A-Z_0-9]+)$"
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        read_time(r.ts || ' ' || r.zone, '%d/%b/%Y:%H:%M:%S %z')  AS time,
        address(r.client)           AS src_endpoint_ip,
        said(r.user)                AS actor_user_name,
        -- `error:…` stands for a request that was none
        CASE WHEN r.url NOT LIKE 'error:%' THEN url_host(r.url) END  AS dst_endpoint_hostname,
        coalesce(url_port(r.url), CASE WHEN r.method = 'CONNECT' THEN 443 END)  AS dst_endpoint_port,
        nullif(lower(regexp_extract(r.result, '^(TCP|UDP)_', 1)), '')  AS connection_info_protocol_name,
        r.method                    AS http_request_http_method,
        CASE WHEN r.method <> 'CONNECT' THEN r.url END  AS http_request_url_string,
        said(r.agent)               AS http_request_user_agent,
        said(r.referrer)            AS http_request_referrer,
        small(r.status)  AS http_response_code,
        amount(r.size)              AS traffic_bytes_in,
        CASE WHEN r.result LIKE '%DENIED%' THEN 'blocked' ELSE 'allowed' END  AS disposition
    """,
    shows="client, user, host, bytes to the client; with `combined` also referrer and user agent",
    cannot_show="server address, duration; path, method and user agent inside CONNECT tunnels",
    reference="Squid documentation, logformat directive",
)
