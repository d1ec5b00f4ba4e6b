"""Zscaler Internet Access web log (NSS) as CSV: the columns of the feed's default output, all quoted, no header.

The stamp has no zone: it is in the zone that the feed was set up with, and the case must state it. The URL has no
scheme. `None` and `NA` stand for nothing.
Reference: Zscaler Help, "NSS Feed Output Format: Web Logs", default output of the CSV feed.
"""

from playbooks.formats.format import Clock, Columns, Format

NOTHING = "('None', 'NA', 'N/A', 'Unknown')"

FORMAT = Format(
    name="zscaler_web_csv",
    product="Zscaler web log (NSS), CSV",
    table="http_activity",
    cut=Columns(
        delimiter=",",
        fields=(
            *("time", "login", "proto", "eurl", "action", "reqsize", "respsize", "cip", "sip", "reqmethod"),
            *("respcode", "ua", "ereferer", "devicehostname"),
        ),
        keys=frozenset({"time", "login", "eurl", "cip", "sip"}),
        default=(
            *("time", "login", "proto", "eurl", "action", "appname", "appclass", "reqsize", "respsize", "stime"),
            *("ctime", "urlclass", "urlsupercat", "urlcat", "malwarecat", "threatname", "riskscore", "dlpeng"),
            *("dlpdict", "location", "dept", "cip", "sip", "reqmethod", "respcode", "ua", "ereferer", "ruletype"),
            *("rulelabel", "contenttype", "unscannabletype", "deviceowner", "devicehostname", "keyprotectiontype"),
        ),
        default_mark=(
            r'^"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}","[^"]*","[A-Z0-9_]+","[^"]*","[^"]+",'
            r'"[^"]*","[^"]*","\d+",'
        ),
    ),
    clock=Clock.ASK,
    columns=f"""
        list_transform([ctime_iso(r.time)], lambda t: case_clock(t))[1]  AS time,
        address(CASE WHEN r.cip NOT IN {NOTHING} THEN r.cip END)  AS src_endpoint_ip,
        CASE WHEN r.devicehostname NOT IN {NOTHING} THEN said(r.devicehostname) END  AS src_endpoint_hostname,
        percent_decoded(CASE WHEN r.login NOT IN {NOTHING} THEN said(r.login) END)  AS actor_user_name,
        url_host(r.eurl)            AS dst_endpoint_hostname,
        address(CASE WHEN r.sip NOT IN {NOTHING} THEN r.sip END)  AS dst_endpoint_ip,
        coalesce(url_port(r.eurl), CASE upper(r.proto) WHEN 'HTTP' THEN 80 WHEN 'HTTPS' THEN 443
            WHEN 'SSL' THEN 443 END)  AS dst_endpoint_port,
        CASE WHEN r.reqmethod NOT IN {NOTHING} THEN said(r.reqmethod) END  AS http_request_http_method,
        said(r.eurl)                AS http_request_url_string,
        percent_decoded(CASE WHEN r.ua NOT IN {NOTHING} THEN said(r.ua) END)  AS http_request_user_agent,
        CASE WHEN r.ereferer NOT IN {NOTHING} THEN said(r.ereferer) END  AS http_request_referrer,
        small(CASE WHEN r.respcode NOT IN {NOTHING} THEN r.respcode END)  AS http_response_code,
        amount(r.reqsize)           AS traffic_bytes_out,
        amount(r.respsize)          AS traffic_bytes_in,
        CASE lower(r.action) WHEN 'allow' THEN 'allowed' WHEN 'block' THEN 'blocked' ELSE lower(said(r.action)) END
                                    AS disposition
    """,
    shows="user, device, URL, bytes both ways and verdict of web requests",
    cannot_show="path inside traffic that is not inspected; feeds whose columns were changed and have no header",
    reference="Zscaler Help, NSS Feed Output Format: Web Logs",
)
