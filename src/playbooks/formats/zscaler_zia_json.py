"""Zscaler Internet Access (NSS) as JSON: an envelope of `sourcetype` and `event` for web, DNS, firewall, tunnel, audit.

The stamp has no zone: it is in the zone that the feed was set up with, and the case must state it, unless the feed
carries `epochtime` or `tz`. Values are URL-encoded in part; `None`, `NA` and `Unknown` stand for nothing. The URL has
no scheme. `ClientIP` is the client as Zscaler saw it, which may be an address behind the tunnel.
Reference: Zscaler Help, "NSS Feed Output Format" for web, DNS, firewall, tunnel and admin audit logs.
"""

from playbooks.formats.format import Clock, Format, Json, Part

NAMES = (
    *("datetime", "time", "epochtime", "tz", "user", "login", "ClientIP", "cip", "devicehostname", "hostname", "host"),
    *("serverip", "sip", "url", "eurl", "protocol", "proto", "requestmethod", "reqmethod", "useragent", "ua"),
    *("refererURL", "ereferer", "status", "respcode", "requestsize", "reqsize", "responsesize", "respsize", "action"),
    *("event_id", "recordid", "clt_sip", "srv_dip", "srv_dport", "dns_req", "dns_reqtype", "dns_resp", "reqaction"),
    *("resaction", "durationms", "csip", "csport", "cdip", "cdport", "inbytes", "outbytes", "sourceip", "sourceport"),
    *("destinationip", "destinationport", "txbytes", "rxbytes", "clientip", "adminid", "resource", "category"),
    *("result", "errorcode", "interface", "preaction", "postaction"),
)
TIME = """
        coalesce(epoch_time(digits_of(r.event.epochtime)),
                 -- read once, not once for each use of it
                 list_transform([ctime_iso(coalesce(r.event.datetime, r.event.time))], lambda t:
                     CASE WHEN r.event.tz IN ('GMT', 'UTC') THEN iso_time(t || 'Z') ELSE case_clock(t) END)[1])
                                    AS time,"""


def nothing(names: str) -> str:
    """SQL: the first of these fields that says something; Zscaler has words for nothing."""
    given = ", ".join(
        f"CASE WHEN r.event.{name} NOT IN ('None', 'NA', 'N/A', 'Unknown') THEN said(r.event.{name}) END"
        for name in names.split()
    )
    return f"coalesce({given})"


# by its place: SQL takes `clientip` and `ClientIP` of a web record for one name
ADMIN_ADDRESS = f"struct_extract_at(r.event, {NAMES.index('clientip') + 1})"
ACTION = """CASE lower({0}) WHEN 'allow' THEN 'allowed' WHEN 'block' THEN 'blocked' WHEN 'drop' THEN 'blocked'
             ELSE lower({0}) END"""

FORMAT = Format(
    name="zscaler_zia_json",
    product="Zscaler Internet Access (NSS), JSON",
    cut=Json(
        keys=frozenset({"sourcetype", "event"}),
        shape='{"sourcetype": "VARCHAR", "event": {' + ", ".join(f'"{name}": "VARCHAR"' for name in NAMES) + "}}",
        only=(("sourcetype", "zscalernss-.*"),),
    ),
    clock=Clock.ASK,
    kind="r.sourcetype",
    parts=(
        Part(
            table="http_activity",
            when="r.sourcetype = 'zscalernss-web'",
            columns=f"""{TIME}
        {nothing("event_id recordid")}  AS metadata_uid,
        address({nothing("ClientIP cip")})  AS src_endpoint_ip,
        {nothing("devicehostname")}  AS src_endpoint_hostname,
        percent_decoded({nothing("user login")})  AS actor_user_name,
        coalesce(url_host({nothing("url eurl")}), hostname({nothing("hostname host")}))  AS dst_endpoint_hostname,
        address({nothing("serverip sip")})  AS dst_endpoint_ip,
        coalesce(url_port({nothing("url eurl")}), CASE upper({nothing("protocol proto")}) WHEN 'HTTP' THEN 80
            WHEN 'HTTPS' THEN 443 WHEN 'SSL' THEN 443 END)  AS dst_endpoint_port,
        {nothing("requestmethod reqmethod")}  AS http_request_http_method,
        {nothing("url eurl")}       AS http_request_url_string,
        percent_decoded({nothing("useragent ua")})  AS http_request_user_agent,
        {nothing("refererURL ereferer")}  AS http_request_referrer,
        small({nothing("status respcode")})  AS http_response_code,
        -- requestsize is what the client sent, responsesize what it got
        amount({nothing("requestsize reqsize")})  AS traffic_bytes_out,
        amount({nothing("responsesize respsize")})  AS traffic_bytes_in,
        {ACTION.format(nothing("action"))}  AS disposition
    """,
        ),
        Part(
            table="dns_activity",
            when="r.sourcetype = 'zscalernss-dns'",
            columns=f"""{TIME}
        {nothing("recordid event_id")}  AS metadata_uid,
        address({nothing("clt_sip")})  AS src_endpoint_ip,
        {nothing("devicehostname")}  AS src_endpoint_hostname,
        percent_decoded({nothing("user login")})  AS actor_user_name,
        address({nothing("srv_dip")})  AS dst_endpoint_ip,
        port({nothing("srv_dport")})  AS dst_endpoint_port,
        hostname({nothing("dns_req")})  AS query_hostname,
        {nothing("dns_reqtype")}    AS query_type,
        -- the answer is one address, or a word for the response code
        CASE WHEN NOT is_address(r.event.dns_resp) THEN {nothing("dns_resp")} END  AS rcode,
        CASE WHEN is_address(r.event.dns_resp) THEN [lower(r.event.dns_resp)] END  AS answers,
        whole({nothing("durationms")})  AS duration_ms,
        -- the request may be let through and the response not
        CASE WHEN lower(r.event.reqaction || ' ' || r.event.resaction) LIKE '%block%'
               OR lower(r.event.reqaction || ' ' || r.event.resaction) LIKE '%drop%' THEN 'blocked'
             WHEN {nothing("reqaction")} IS NOT NULL THEN 'allowed' END  AS disposition
    """,
        ),
        Part(
            table="network_activity",
            when="r.sourcetype = 'zscalernss-fw'",
            columns=f"""{TIME}
        {nothing("recordid event_id")}  AS metadata_uid,
        address({nothing("csip")})  AS src_endpoint_ip,
        port({nothing("csport")})   AS src_endpoint_port,
        {nothing("devicehostname")}  AS src_endpoint_hostname,
        percent_decoded({nothing("user login")})  AS actor_user_name,
        address({nothing("cdip")})  AS dst_endpoint_ip,
        port({nothing("cdport")})   AS dst_endpoint_port,
        lower({nothing("proto")})   AS connection_info_protocol_name,
        -- inbytes came from the server, outbytes went to it
        amount({nothing("outbytes")})  AS traffic_bytes_out,
        amount({nothing("inbytes")})  AS traffic_bytes_in,
        whole({nothing("durationms")})  AS duration_ms,
        {ACTION.format(nothing("action"))}  AS disposition
    """,
        ),
        Part(
            table="network_activity",
            when="r.sourcetype = 'zscalernss-tunnel'",
            columns=f"""{TIME}
        {nothing("recordid")}       AS metadata_uid,
        address({nothing("sourceip")})  AS src_endpoint_ip,
        port(nullif({nothing("sourceport")}, '0'))  AS src_endpoint_port,
        percent_decoded({nothing("user")})  AS actor_user_name,
        address({nothing("destinationip")})  AS dst_endpoint_ip,
        port(nullif({nothing("destinationport")}, '0'))  AS dst_endpoint_port,
        amount({nothing("txbytes")})  AS traffic_bytes_out,
        amount({nothing("rxbytes")})  AS traffic_bytes_in
    """,
        ),
        Part(
            table="api_activity",
            when="r.sourcetype = 'zscalernss-audit'",
            columns=f"""{TIME}
        nullif({nothing("recordid")}, '0')  AS metadata_uid,
        address({ADMIN_ADDRESS})    AS src_endpoint_ip,
        {nothing("adminid")}        AS actor_user_name,
        r.event.action              AS api_operation,
        upper(r.event.action)       AS api_operation_base,
        'zia'                       AS api_service_name,
        'Zscaler'                   AS cloud_provider,
        {nothing("resource")}       AS resource_name,
        CASE upper(r.event.result) WHEN 'SUCCESS' THEN 'success' WHEN 'FAILURE' THEN 'failure' END  AS status,
        {nothing("errorcode")}      AS status_detail,
        {nothing("category")}       AS metadata_event_code,
        {nothing("preaction")}      AS request,
        {nothing("postaction")}     AS response
    """,
        ),
    ),
    shows="user, device, URL or name, bytes both ways and verdict of web, DNS and firewall; tunnels; what admins did",
    cannot_show="path inside traffic that is not inspected; traffic that does not pass Zscaler; the scheme of a URL",
    reference="Zscaler Help, NSS Feed Output Format",
)
