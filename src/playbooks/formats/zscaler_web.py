"""Zscaler Internet Access web log (NSS) as name=value pairs between tabs, as the Splunk feed writes it.

Values hold blanks and are not quoted, and an administrator may add or move pairs. The stamp has no zone: it is in
the zone that the feed was set up with, and the case must state it, unless the feed carries `epochtime`.
Reference: Zscaler Help, "NSS Feed Output Format: Web Logs", name-value feeds.
"""

from playbooks.formats.format import Clock, Format, TextLines


def value(name: str) -> str:
    """SQL: the value of a pair; Zscaler has words for nothing."""
    found = rf"regexp_extract(r.pairs, '\t{name}=([^\t]*)', 1)"
    return f"said(nullif(nullif(nullif(nullif({found}, 'None'), 'NA'), 'N/A'), 'Unknown'))"


FORMAT = Format(
    name="zscaler_web",
    product="Zscaler web log (NSS), name=value",
    table="http_activity",
    cut=TextLines(
        r"^(?:[^\t]*?[\s>])?(?P<ts>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)"
        r"(?P<pairs>\t(?:[^\t]*\t)*?(?:ClientIP|requestsize|responsesize|transactionsize)=[^\t]*\t.*)$"
    ),
    clock=Clock.ASK,
    columns=f"""
        coalesce(epoch_time({value("epochtime")}), case_clock(r.ts))  AS time,
        coalesce({value("event_id")}, {value("recordid")})  AS metadata_uid,
        address({value("ClientIP")})  AS src_endpoint_ip,
        {value("devicehostname")}   AS src_endpoint_hostname,
        percent_decoded({value("user")})  AS actor_user_name,
        coalesce(url_host({value("url")}), hostname({value("hostname")}))  AS dst_endpoint_hostname,
        address({value("serverip")})  AS dst_endpoint_ip,
        coalesce(url_port({value("url")}), CASE upper({value("protocol")}) WHEN 'HTTP' THEN 80
            WHEN 'HTTPS' THEN 443 WHEN 'SSL' THEN 443 END)  AS dst_endpoint_port,
        {value("requestmethod")}    AS http_request_http_method,
        {value("url")}              AS http_request_url_string,
        percent_decoded({value("useragent")})  AS http_request_user_agent,
        {value("refererURL")}       AS http_request_referrer,
        small({value("status")})    AS http_response_code,
        amount({value("requestsize")})  AS traffic_bytes_out,
        amount({value("responsesize")})  AS traffic_bytes_in,
        CASE lower({value("action")}) WHEN 'allow' THEN 'allowed' WHEN 'block' THEN 'blocked'
             ELSE lower({value("action")}) END  AS disposition
    """,
    shows="user, device, URL, bytes both ways and verdict of web requests",
    cannot_show="path inside traffic that is not inspected; pairs of other names",
    reference="Zscaler Help, NSS Feed Output Format: Web Logs",
)
