"""Skyhigh (McAfee) Secure Web Gateway access log as name=value, of the appliance (quoted) and of the cloud.

The cloud's values hold blanks without quotes: each runs to the next ` name=`. `source_ip` is there the address
that the cloud saw, `client_ip` the device's own. Bytes of the appliance are named from the client's side.
Reference: Skyhigh Security documentation, "Secure Web Gateway: reporting fields" and access log handler.
"""

from playbooks.formats.format import Clock, Format, TextLines


def cloud(name: str) -> str:
    """SQL: a word of the cloud's record."""
    return f"said(split_part(split_part(r.cloud, ' {name}=', 2), ' ', 1))"


def phrase(name: str) -> str:
    """SQL: a value of the cloud's record that may hold blanks."""
    return f"said(regexp_extract(split_part(r.cloud, ' {name}=', 2), '^(.*?)(?: [a-z_]+=|$)', 1))"


def box(name: str) -> str:
    """SQL: a word of the appliance's record."""
    return f"said(split_part(split_part(r.box, ' {name}=', 2), ' ', 1))"


def quoted(name: str) -> str:
    """SQL: a quoted value of the appliance's record."""
    return f"""said(split_part(split_part(r.box, ' {name}="', 2), '"', 1))"""


FIRST_LINE = quoted("http_request_first_line")

FORMAT = Format(
    name="skyhigh_swg",
    product="Skyhigh (McAfee) Secure Web Gateway, name=value",
    table="http_activity",
    cut=TextLines(
        r"^(?:[^=]*[ >])?(?:date=\"(?P<date>[^\"]*)\" hostname=\"[^\"]*\""
        r"(?P<box> username=\"[^\"]*\" source_ip=\S+ .* http_request_first_line=\"[^\"]*\" .*)|"
        r"user_id=\S*(?P<cloud> username=[^=]* source_ip=\S* http_action=.* destination_ip=\S* .*))$"
    ),
    clock=Clock.ASK,
    columns=f"""
        coalesce(epoch_time({cloud("request_timestamp_epoch")}), iso_time(r.date), case_clock(r.date))
                                    AS time,
        address(coalesce({box("source_ip")}, {cloud("client_ip")}, {cloud("source_ip")}))  AS src_endpoint_ip,
        {cloud("client_system_name")}  AS src_endpoint_hostname,
        coalesce({quoted("username")}, {phrase("username")})  AS actor_user_name,
        {phrase("process_name")}     AS actor_process_name,
        hostname(coalesce({quoted("destination_host")}, {cloud("requested_host")}))  AS dst_endpoint_hostname,
        address(coalesce({box("destination_ip")}, {cloud("destination_ip")}))  AS dst_endpoint_ip,
        coalesce(port({cloud("destination_port")}), url_port(regexp_extract({FIRST_LINE}, '^\\S+ (\\S+)', 1)))
                                    AS dst_endpoint_port,
        coalesce(regexp_extract({FIRST_LINE}, '^\\S+'), {cloud("http_action")})  AS http_request_http_method,
        coalesce(CASE WHEN {FIRST_LINE} NOT LIKE 'CONNECT %' THEN regexp_extract({FIRST_LINE}, '^\\S+ (\\S+)', 1) END,
                 CASE WHEN {cloud("http_action")} <> 'CONNECT' THEN {cloud("uri_scheme")} || '://'
                      || {cloud("requested_host")} || {phrase("requested_path")} END)
                                    AS http_request_url_string,
        coalesce({quoted("user_agent")}, {phrase("user_agent_comment")})  AS http_request_user_agent,
        coalesce({quoted("http_referer")}, {cloud("referer")})  AS http_request_referrer,
        small(nullif(coalesce({box("http_status_code")}, {cloud("http_status_code")}), '0'))  AS http_response_code,
        amount(coalesce({box("source_bytes")}, {cloud("client_to_server_bytes")}))  AS traffic_bytes_out,
        amount(coalesce({box("destination_bytes")}, {cloud("server_to_client_bytes")}))  AS traffic_bytes_in,
        CASE WHEN coalesce({quoted("block_reason")}, {phrase("block_reason")}) IS NOT NULL
               OR {cloud("result")} LIKE 'BLOCK%' OR {cloud("result")} LIKE 'DENIED%' THEN 'blocked'
             ELSE 'allowed' END     AS disposition
    """,
    shows="client, user, process (cloud), URL, bytes both ways, what the policy decided",
    cannot_show="path inside tunnels; a user agent that the cloud only names by product and version",
    reference="Skyhigh Security documentation, Secure Web Gateway reporting fields",
)
