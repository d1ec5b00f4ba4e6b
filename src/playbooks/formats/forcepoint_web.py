"""Forcepoint (Websense) Web Security as CEF: one transaction a line.

The user may be a directory path whose last part is the name. `rt` is milliseconds since the epoch, or ISO.
Reference: Forcepoint Web Security documentation, "SIEM integration: CEF format" for web transactions.
"""

from playbooks.formats.format import Clock, Format, Pairs

FORMAT = Format(
    name="forcepoint_web",
    product="Forcepoint Web Security, CEF",
    table="http_activity",
    cut=Pairs(
        style="cef",
        fields=(
            *("cef_vendor", "cef_product", "act", "dvc", "dst", "dhost", "dpt", "src", "spt", "shost", "suser"),
            *("loginID", "rt", "in", "out", "requestMethod", "requestClientApplication", "request", "refererUrl"),
        ),
        keys=frozenset({"src", "request", "act"}),
        only=(("cef_vendor", "(?i)forcepoint|websense"), ("cef_product", "(?i)security|web security")),
    ),
    clock=Clock.ASK,
    columns="""
        stamp(r.rt)                 AS time,
        address(r.src)              AS src_endpoint_ip,
        port(nullif(r.spt, '0'))    AS src_endpoint_port,
        said(r.shost)               AS src_endpoint_hostname,
        -- LDAP://…/OU=…,DC=…/name
        coalesce(said(regexp_extract(r.suser, '[^/]*$')), said(r.loginID))  AS actor_user_name,
        coalesce(hostname(r.dhost), url_host(r.request))  AS dst_endpoint_hostname,
        address(r.dst)              AS dst_endpoint_ip,
        port(nullif(r.dpt, '0'))    AS dst_endpoint_port,
        address(r.dvc)              AS proxy_endpoint_ip,
        said(r.requestMethod)       AS http_request_http_method,
        said(r.request)             AS http_request_url_string,
        said(r.requestClientApplication)  AS http_request_user_agent,
        said(r.refererUrl)          AS http_request_referrer,
        amount(r."out")             AS traffic_bytes_out,
        amount(r."in")              AS traffic_bytes_in,
        CASE lower(r.act) WHEN 'permitted' THEN 'allowed' ELSE lower(said(r.act)) END  AS disposition
    """,
    shows="client, user, URL, bytes both ways, what the policy decided",
    cannot_show="status code of the server; path inside traffic that is not decrypted",
    reference="Forcepoint Web Security documentation, SIEM integration",
)
