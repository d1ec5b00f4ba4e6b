"""Zscaler Internet Access web log (NSS) as name=value pairs between tabs, as the Splunk feed writes it.

Values hold blanks and are not quoted, and an administrator may add or move pairs. The stamp has no zone: it is in
the zone that the feed was set up with, and the case must state it, unless the feed carries `epochtime`.
Reference: Zscaler Help, "NSS Feed Output Format: Web Logs", name-value feeds.
"""

from playbooks.formats.format import Clock, Format, TextLines

NOTHING = "('None', 'NA', 'N/A', 'Unknown', '')"

PORT = "CASE upper(v) WHEN 'HTTP' THEN 80 WHEN 'HTTPS' THEN 443 WHEN 'SSL' THEN 443 END"
VERDICT = "CASE lower(v) WHEN 'allow' THEN 'allowed' WHEN 'block' THEN 'blocked' ELSE lower(v) END"


def value(name: str, read: str = "said(v)") -> str:
    """SQL: the value `v` of a pair, cut out once; Zscaler has words for nothing."""
    found = f"split_part(split_part(r.pairs, '\t{name}=', 2), '\t', 1)"
    return f"list_transform([{found}], lambda v: CASE WHEN v NOT IN {NOTHING} THEN {read} END)[1]"


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
        coalesce({value("epochtime", "epoch_time(v)")}, case_clock(r.ts))  AS time,
        coalesce({value("event_id")}, {value("recordid")})  AS metadata_uid,
        {value("ClientIP", "address(v)")}  AS src_endpoint_ip,
        {value("devicehostname")}   AS src_endpoint_hostname,
        {value("user", "percent_decoded(v)")}  AS actor_user_name,
        coalesce({value("url", "url_host(v)")}, {value("hostname", "hostname(v)")})  AS dst_endpoint_hostname,
        {value("serverip", "address(v)")}  AS dst_endpoint_ip,
        coalesce({value("url", "url_port(v)")}, {value("protocol", PORT)})  AS dst_endpoint_port,
        {value("requestmethod")}    AS http_request_http_method,
        {value("url")}              AS http_request_url_string,
        {value("useragent", "percent_decoded(v)")}  AS http_request_user_agent,
        {value("refererURL")}       AS http_request_referrer,
        {value("status", "small(v)")}  AS http_response_code,
        {value("requestsize", "amount(v)")}  AS traffic_bytes_out,
        {value("responsesize", "amount(v)")}  AS traffic_bytes_in,
        {value("action", VERDICT)}  AS disposition
    """,
    shows="user, device, URL, bytes both ways and verdict of web requests",
    cannot_show="path inside traffic that is not inspected; pairs of other names",
    reference="Zscaler Help, NSS Feed Output Format: Web Logs",
)
