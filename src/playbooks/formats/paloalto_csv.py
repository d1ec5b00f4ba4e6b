"""Palo Alto Networks PAN-OS logs as comma separated values without a header: traffic, threats, logons, system.

Versions add columns at the end, so that the place of a column counts and their number does not. A URL is
logged without its scheme. The stamp at the front has no zone; versions from 10 on write one with a zone near
the end, and the logging service writes UTC. A traffic record of the subtype `end` is dated by the end of its
session. Users and addresses of SYSTEM records stand in their text. A spreadsheet may have rewritten the stamps
(9/16/26 10:00): they are read where only one order of day and month is possible.
Reference: PAN-OS Administrator's Guide, "Syslog Field Descriptions".
"""

from playbooks.formats.format import Clock, Format, Part, TextLines

CELL = r'(?:"(?:[^"]|"")*"|[^,"][^,]*|)'
# named as in traffic records; other types have other things in the same places
FIRST = ("src", "dst", "nat_src", "nat_dst", "rule", "user", "dst_user", "app", "vsys")
SECOND = ("from_zone", "to_zone", "in_if", "out_if", "log_action", "f22", "session")
THIRD = ("repeat", "sport", "dport", "nat_sport", "nat_dport", "flags", "proto", "action")
FOURTH = ("f32", "f33", "f34", "f35", "f36", "f37")
LATER = ("f38", "f39", "f40", "f41", "f42", "f43", "f44", "f45", "f46", "f47", "f48", "f49", "f50")
LAST = ("f51", "f52", "f53", "f54", "f55", "f56", "f57", "f58", "f59", "f60", "f61", "f62", "f63", "f64")
READ = {
    *FIRST,
    *("from_zone", "in_if", "log_action", "session", "sport", "dport", "flags", "proto", "action", "f32", "f33", "f34"),
    *("f37", "f40", "f45", "f46", "f47", "f50", "f62", "f64"),
}


def cells(names: tuple[str, ...]) -> str:
    """A comma and a cell for each name; those that are read have a name in the pattern."""
    return "".join(f",(?P<{name}>{CELL})" if name in READ else f",{CELL}" for name in names)


def address_of(name: str) -> str:
    """A cell that holds an address; other text gives none."""
    return f'address(CASE WHEN is_address(r."{name}") THEN r."{name}" END)'


def text(name: str) -> str:
    """A cell without its quotes."""
    return f"""said(replace(trim(r."{name}", '"'), '""', '"'))"""


WHEN = r"""
                coalesce(iso_time(nullif(r.zoned, '')),
                    -- shorter records have it further in front
                    CASE WHEN r.type LIKE 'AUTH%' THEN iso_time(r.f34) WHEN r.type = 'GLOBALPROTECT'
                         THEN iso_time(r.f37)
                    END,
                    stamp(coalesce(
                    CASE WHEN regexp_matches(r.generated, '^\d\d?/(1[3-9]|2\d|3[01])/\d\d ')
                         THEN CAST(try_strptime(r.generated, '%m/%d/%y %H:%M') AS VARCHAR)
                         WHEN regexp_matches(r.generated, '^(1[3-9]|2\d|3[01])/\d\d?/\d\d ')
                         THEN CAST(try_strptime(r.generated, '%d/%m/%y %H:%M') AS VARCHAR) END,
                    replace(r.generated, '/', '-'))))  AS time,"""

SESSION = rf"""{WHEN}
                said(r.session)             AS metadata_uid,
                address(r.src)              AS src_endpoint_ip,
                port(r.sport)               AS src_endpoint_port,
                {text("user")}              AS actor_user_name,
                address(r.dst)              AS dst_endpoint_ip,
                port(r.dport)               AS dst_endpoint_port,
                lower(said(r.proto))        AS connection_info_protocol_name,
                CASE WHEN r.action IN ('allow', 'alert', 'continue', 'override') THEN 'allowed'
                     WHEN regexp_matches(r.action, '^(deny|drop|reset|block|sinkhole)') THEN 'blocked'
                     ELSE lower(said(r.action)) END  AS disposition,"""

OUTCOME = r"""CASE WHEN regexp_matches({0},
                         '(?i)\b(fail(ed|ure)?|denied|rejected|invalid|time(d )?-?out|unauthorized)\b')
                     THEN 'failure'
                     WHEN regexp_matches({0}, '(?i)succe|\bauthenticated\b|\blog(in|out)\b|logged (in|out)')
                     THEN 'success' END"""

# of a SYSTEM record: `failed authentication for user 'x'. … server address '192.0.2.5', …, From: 192.0.2.9.`
TOLD = text("app")
SYSTEM_USER = rf"""coalesce(
                    nullif(regexp_extract({TOLD}, '(?i)\buser \x27([^\x27]+)\x27', 1), ''),
                    nullif(regexp_extract({TOLD}, '(?i)authenticating user (\S+) from', 1), ''),
                    nullif(regexp_extract({TOLD}, '^User (\S+) logged (?:in|out)', 1), ''))"""
SYSTEM_FROM = (
    rf"nullif(regexp_extract({TOLD}, '(?i)\bfrom:? \x27?([0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f])', 1), '')"
)
SYSTEM_SERVER = rf"nullif(regexp_extract({TOLD}, '(?i)server address:? \x27?([0-9A-Fa-f.:]+[0-9A-Fa-f])', 1), '')"

FORMAT = Format(
    name="paloalto_csv",
    product="Palo Alto PAN-OS, CSV",
    cut=TextLines(
        r"^(?:.*?[ >])?\d*,(?P<received>\d{1,4}/\d\d?/\d\d(?:\d\d)? [\d:]{4,8}|\d{4}-\d\d-\d\dT[\d:.]+Z),[^,]*,"
        r"(?P<type>[A-Z][A-Z0-9-]{2,}),(?P<subtype>[^,]*),[^,]*,(?P<generated>[^,]*)"
        rf"(?:{cells(FIRST)}(?:{cells(SECOND)}(?:{cells(THIRD)}(?:{cells(FOURTH)}"
        rf"(?:{cells(LATER)}(?:{cells(LAST)})?)?)?)?)?)?"
        r"(?:.*,(?P<zoned>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d))?"
    ),
    clock=Clock.ASK,
    kind="concat(r.type, ':', r.subtype, ', cut short')",
    parts=(
        Part(
            table="network_activity",
            when="r.type = 'TRAFFIC' AND r.proto <> '' AND r.f33 <> ''",
            columns=f"""{SESSION}
                amount(r.f33)               AS traffic_bytes_out,
                amount(r.f34)               AS traffic_bytes_in,
                amount(r.f45)               AS traffic_packets_out,
                amount(r.f46)               AS traffic_packets_in,
                millis(r.f37)               AS duration_ms
            """,
        ),
        Part(
            table="http_activity",
            when="r.type = 'THREAT' AND r.subtype = 'url' AND r.proto <> ''",
            columns=f"""{SESSION}
                url_host({text("f32")})     AS dst_endpoint_hostname,
                CASE WHEN lower(r.f64) <> 'unknown' THEN upper(said(r.f64)) END  AS http_request_http_method,
                {text("f32")}               AS http_request_url_string,
                {text("f47")}               AS http_request_user_agent,
                {text("f50")}               AS http_request_referrer
            """,
        ),
        Part(
            table="network_activity",
            when="r.type = 'DECRYPTION' AND r.proto <> ''",
            columns=f"""{SESSION}
                hostname({text("f64")})     AS dst_endpoint_hostname,
                hostname({text("f64")})     AS tls_sni,
                {text("f40")}               AS tls_version,
                {text("f62")}               AS tls_certificate_issuer
            """,
        ),
        Part(
            table="network_activity",
            when="r.type IN ('THREAT', 'GTP', 'SCTP', 'TUNNEL') AND r.subtype <> 'url' AND r.proto <> ''",
            columns=SESSION,
        ),
        Part(
            table="system_activity",
            when="r.type = 'SYSTEM' AND r.vsys <> ''",
            columns=rf"""{WHEN}
                CASE WHEN r.subtype IN ('auth', 'globalprotect') THEN 3002 WHEN r.subtype = 'dhcp' THEN 4004
                     ELSE 0 END             AS class_uid,
                {text("dst")}               AS activity_name,
                address({SYSTEM_FROM})      AS src_endpoint_ip,
                {SYSTEM_USER}               AS actor_user_name,
                {SYSTEM_USER}               AS user_name,
                address({SYSTEM_SERVER})    AS dst_endpoint_ip,
                {text("session")}           AS device_hostname,
                lower({text("dst_user")})   AS severity,
                {OUTCOME.format(f"concat({TOLD}, ' ', r.dst)")}  AS status,
                nullif(regexp_extract({TOLD}, 'Reason: ([^.]+)', 1), '')  AS status_detail,
                {TOLD}                      AS message,
                said(r.vsys)                AS metadata_uid
            """,
        ),
        Part(
            table="system_activity",
            when="r.type = 'CONFIG' AND r.vsys <> ''",
            columns=f"""{WHEN}
                0                           AS class_uid,
                {text("nat_src")}           AS activity_name,
                {address_of("src")}         AS src_endpoint_ip,
                {text("nat_dst")}           AS actor_user_name,
                trim({text("dst_user")})    AS file_path,
                {OUTCOME.format(text("user"))}  AS status,
                {text("user")}              AS status_detail
            """,
        ),
        Part(
            table="system_activity",
            when="r.type IN ('USERID', 'AUTH', 'AUTHENTICATION') AND r.vsys || r.from_zone <> ''",
            columns=f"""{WHEN}
                3002                        AS class_uid,
                concat_ws(':', r.type, said(r.subtype))  AS activity_name,
                {address_of("dst")}         AS src_endpoint_ip,
                {text("nat_src")}           AS actor_user_name,
                {text("nat_src")}           AS user_name,
                CASE WHEN r.type = 'USERID' THEN {OUTCOME.format("r.subtype")}
                     ELSE {OUTCOME.format(f"concat({text('in_if')}, ' ', {text('log_action')})")} END  AS status,
                CASE WHEN r.type <> 'USERID' THEN {text("log_action")} END  AS status_detail,
                CASE WHEN r.type <> 'USERID' THEN {text("in_if")} END  AS message
            """,
        ),
        Part(
            table="system_activity",
            when="r.type = 'GLOBALPROTECT' AND r.flags <> ''",
            columns=f"""{WHEN}
                3002                        AS class_uid,
                {text("dst")}               AS activity_name,
                {address_of("vsys")}        AS src_endpoint_ip,
                {text("app")}               AS src_endpoint_hostname,
                {text("user")}              AS actor_user_name,
                {text("user")}              AS user_name,
                {OUTCOME.format("r.flags")}  AS status
            """,
        ),
        Part(
            table="system_activity",
            when="r.type LIKE 'HIP%' AND r.vsys <> ''",
            columns=f"""{WHEN}
                0                           AS class_uid,
                concat_ws(':', r.type, {text("user")})  AS activity_name,
                {text("src")}               AS actor_user_name,
                {text("nat_src")}           AS src_endpoint_hostname,
                {address_of("rule")}        AS src_endpoint_ip
            """,
        ),
        Part(
            table="system_activity",
            when="r.type NOT IN ('TRAFFIC', 'THREAT', 'SYSTEM', 'CONFIG', 'DECRYPTION') AND r.vsys <> ''",
            columns=f"""{WHEN}
                0                           AS class_uid,
                concat_ws(':', r.type, said(r.subtype))  AS activity_name,
                concat_ws(', ', {text("src")}, {text("dst")}, {text("nat_src")}, {text("nat_dst")}, {text("rule")},
                          {text("user")}, {text("dst_user")}, {text("app")}, {text("vsys")})  AS message
            """,
        ),
    ),
    shows="sessions with user, bytes each way and verdict; web requests that URL filtering logged; threats by session; "
    "names of decrypted TLS; logons, VPN and changes of the configuration",
    cannot_show="web requests that URL filtering did not log; names in plain traffic records; processes",
    reference="PAN-OS Administrator's Guide, Syslog Field Descriptions",
)
