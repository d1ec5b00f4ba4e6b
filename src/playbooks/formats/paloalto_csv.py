"""Palo Alto Networks PAN-OS traffic and threat logs as comma separated values without a header.

Versions add columns at the end, so that the place of a column counts and their number does not. A URL is
logged without its scheme. The stamp at the front has no zone; versions from 10 on write one with a zone near
the end. A traffic record of the subtype `end` is dated by the end of its session.
Reference: PAN-OS Administrator's Guide, "Traffic Log Fields", "Threat Log Fields", "URL Filtering Log Fields".
"""

from playbooks.formats.format import Clock, Format, Part, TextLines

CELL = r'(?:"(?:[^"]|"")*"|[^,"][^,]*|)'
SHARED = (
    *("src", "dst", "nat_src", "nat_dst", "rule", "user", "dst_user", "app", "vsys", "from_zone", "to_zone", "in_if"),
    *("out_if", "log_action", "f22", "session", "repeat", "sport", "dport", "nat_sport", "nat_dport", "flags", "proto"),
    *("action", "f32", "f33", "f34", "f35", "f36", "f37"),
)
LATER = ("f38", "f39", "f40", "f41", "f42", "f43", "f44", "f45", "f46", "f47", "f48", "f49", "f50")
LAST = ("f51", "f52", "f53", "f54", "f55", "f56", "f57", "f58", "f59", "f60", "f61", "f62", "f63", "f64")
READ = {
    *("src", "dst", "user", "app", "session", "sport", "dport", "proto", "action", "f32", "f33", "f34", "f37"),
    *("f45", "f46", "f47", "f50", "f64"),
}


def cells(names: tuple[str, ...]) -> str:
    """A comma and a cell for each name; those that are read have a name in the pattern."""
    return "".join(f",(?P<{name}>{CELL})" if name in READ else f",{CELL}" for name in names)


WHEN = r"""
                coalesce(iso_time(nullif(r.zoned, '')), case_clock(replace(r.generated, '/', '-')))  AS time,
                said(r.session)             AS metadata_uid,
                address(r.src)              AS src_endpoint_ip,
                port(r.sport)               AS src_endpoint_port,
                said(trim(r."user", '"'))   AS actor_user_name,
                address(r.dst)              AS dst_endpoint_ip,
                port(r.dport)               AS dst_endpoint_port,"""

VERDICT = """
                CASE WHEN r.action IN ('allow', 'alert', 'continue', 'override') THEN 'allowed'
                     WHEN regexp_matches(r.action, '^(deny|drop|reset|block|sinkhole)') THEN 'blocked'
                     ELSE lower(said(r.action)) END  AS disposition"""

FORMAT = Format(
    name="paloalto_csv",
    product="Palo Alto PAN-OS, CSV",
    cut=TextLines(
        r"^(?:.*?[ >])?\d*,(?P<received>\d{1,4}/\d\d?/\d\d(?:\d\d)? [\d:]{4,8}),[^,]*,(?P<type>[A-Z][A-Z0-9-]{2,}),"
        rf"(?P<subtype>[^,]*),[^,]*,(?P<generated>[^,]*)(?:{cells(SHARED)}(?:{cells(LATER)}(?:{cells(LAST)})?)?)?"
        r"(?:.*,(?P<zoned>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d))?"
    ),
    clock=Clock.ASK,
    kind="""concat(r.type, ':', r.subtype,
                   CASE WHEN r.type IN ('TRAFFIC', 'THREAT') AND r.proto = '' THEN ', cut short' ELSE '' END)""",
    parts=(
        Part(
            table="network_activity",
            when="r.type = 'TRAFFIC' AND r.proto <> ''",
            columns=f"""{WHEN}
                lower(said(r.proto))        AS connection_info_protocol_name,
                amount(r.f33)               AS traffic_bytes_out,
                amount(r.f34)               AS traffic_bytes_in,
                amount(r.f45)               AS traffic_packets_out,
                amount(r.f46)               AS traffic_packets_in,
                millis(r.f37)               AS duration_ms,{VERDICT}
            """,
        ),
        Part(
            table="http_activity",
            when="r.type = 'THREAT' AND r.subtype = 'url' AND r.proto <> ''",
            columns=f"""{WHEN}
                url_host(trim(r.f32, '"'))  AS dst_endpoint_hostname,
                CASE WHEN lower(r.f64) <> 'unknown' THEN upper(said(r.f64)) END  AS http_request_http_method,
                said(trim(r.f32, '"'))      AS http_request_url_string,
                said(replace(trim(r.f47, '"'), '""', '"'))  AS http_request_user_agent,
                said(trim(r.f50, '"'))      AS http_request_referrer,{VERDICT}
            """,
        ),
        Part(
            table="network_activity",
            when="r.type = 'THREAT' AND r.subtype <> 'url' AND r.proto <> ''",
            columns=f"""{WHEN}
                lower(said(r.proto))        AS connection_info_protocol_name,{VERDICT}
            """,
        ),
    ),
    shows="sessions with user, bytes each way and verdict; web requests that URL filtering logged; threats by session",
    cannot_show="web requests that URL filtering did not log; names in plain traffic records; processes",
    reference="PAN-OS Administrator's Guide, Syslog Field Descriptions",
)
