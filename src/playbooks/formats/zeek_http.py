"""Zeek http.log: one unencrypted request a record, as TSV or JSON.

The host is the Host header, which the client may set at will; the address is where it really went.
Reference: Zeek documentation, http.log.
"""

from playbooks.formats.format import Clock, Format, Zeek

FORMAT = Format(
    name="zeek_http",
    product="Zeek http.log",
    table="http_activity",
    cut=Zeek(
        path="http",
        fields=(
            *("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "method", "host", "uri"),
            *("referrer", "user_agent", "username", "proxied", "status_code", "request_body_len", "response_body_len"),
        ),
        keys=frozenset({"ts", "id_orig_h", "id_resp_h"}),
        # not trans_depth: smtp.log has it too
        any_of=frozenset({"request_body_len", "response_body_len"}),
    ),
    clock=Clock.ASK,
    columns="""
        stamp(r.ts)                 AS time,
        said(r.uid)                 AS metadata_uid,
        address(r.id_orig_h)        AS src_endpoint_ip,
        port(r.id_orig_p)           AS src_endpoint_port,
        address(r.id_resp_h)        AS dst_endpoint_ip,
        port(r.id_resp_p)           AS dst_endpoint_port,
        -- CONNECT carries host:port as URI; a request to a proxy may carry a whole URL and no Host header
        CASE WHEN r.method = 'CONNECT' THEN url_host(coalesce(said(r.uri), r.host))
             ELSE url_host(coalesce(said(r.host), CASE WHEN r.uri LIKE '%://%' THEN r.uri END)) END
                                    AS dst_endpoint_hostname,
        said(r.username)            AS actor_user_name,
        said(r.method)              AS http_request_http_method,
        -- the log holds no scheme; what Zeek parses as HTTP is unencrypted
        CASE WHEN r.method = 'CONNECT' THEN NULL
             WHEN r.uri LIKE '%://%' THEN r.uri
             WHEN said(r.host) IS NOT NULL THEN 'http://' || r.host || coalesce(said(r.uri), '')
             ELSE said(r.uri) END   AS http_request_url_string,
        said(r.user_agent)          AS http_request_user_agent,
        said(r.referrer)            AS http_request_referrer,
        -- headers of proxies as a set; a comma within one is escaped in a table
        said(replace(regexp_extract(r.proxied,
            'X-FORWARDED-FOR -> ([0-9A-Fa-f.:]+(?:(?:\\\\x2c|,) ?[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*)*)', 1),
            chr(92) || 'x2c', ','))  AS http_request_x_forwarded_for,
        small(r.status_code)  AS http_response_code,
        amount(r.request_body_len)   AS traffic_bytes_out,
        amount(r.response_body_len)  AS traffic_bytes_in
    """,
    shows="full URL, user agent, status and body sizes of unencrypted requests",
    cannot_show="anything inside TLS; headers other than host, referrer, user agent and those of proxies",
    reference="Zeek documentation, http.log",
)
