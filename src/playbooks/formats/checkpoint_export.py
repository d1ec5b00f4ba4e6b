"""Check Point log as SmartView Tracker and `fw log` exports print it: quoted cells between blanks, no header.

The order is number, date, time, interface, origin, type, action, service, source port, source, destination,
protocol, rule …; the service is the destination's port. Date and time (10Mar2026 09:00:00) have no zone. The origin
is the gateway that logged.
Reference: Check Point "Description of Fields in Check Point Logs"; SmartView Tracker, export to file.
"""

from playbooks.formats.format import Clock, Format, Part, TextLines

CELL = r'"[^"]*"'

SHARED = """
                case_clock(CAST(try_strptime(r.date || ' ' || r.time, '%d%b%Y %H:%M:%S') AS VARCHAR))  AS time,
                said(r.number)              AS metadata_uid,
                address(CASE WHEN is_address(r.source) THEN r.source END)  AS src_endpoint_ip,
                port(CASE WHEN regexp_matches(r.sport, '^[0-9]+$') THEN r.sport END)  AS src_endpoint_port,
                hostname(CASE WHEN NOT is_address(r.source) THEN r.source END)  AS src_endpoint_hostname,
                address(CASE WHEN is_address(r.destination) THEN r.destination END)  AS dst_endpoint_ip,
                port(CASE WHEN regexp_matches(r.service, '^[0-9]+$') THEN r.service END)  AS dst_endpoint_port,
                hostname(CASE WHEN NOT is_address(r.destination) THEN r.destination END)  AS dst_endpoint_hostname,
                lower(said(r.protocol))     AS connection_info_protocol_name,
                CASE WHEN lower(r.action) IN ('accept', 'allow', 'detect', 'bypass', 'encrypt', 'decrypt', 'inform')
                     THEN 'allowed'
                     WHEN lower(r.action) IN ('drop', 'reject', 'block', 'prevent', 'deny') THEN 'blocked'
                     ELSE lower(said(r.action)) END  AS disposition"""

FORMAT = Format(
    name="checkpoint_export",
    product="Check Point, exported text",
    cut=TextLines(
        r'^(?:[^"]* )?"(?P<number>\d+)" "(?P<date>\d{1,2}[A-Z][a-z]{2}\d{4})" "(?P<time>[ \d]?\d:\d\d:\d\d)" '
        rf'{CELL} "(?P<origin>[^"]*)" "(?P<kind>[^"]*)" "(?P<action>[^"]*)"(?: "(?P<service>[^"]*)" "(?P<sport>[^"]*)" '
        rf'"(?P<source>[^"]*)" "(?P<destination>[^"]*)" "(?P<protocol>[^"]*)"(?: {CELL} {CELL} {CELL} {CELL} '
        r'"(?P<information>[^"]*)")?.*)?$'
    ),
    clock=Clock.ASK,
    kind="concat(r.kind, ', cut short')",
    parts=(
        Part(
            table="network_activity",
            when="r.source <> '' AND r.destination <> ''",
            columns=SHARED,
        ),
        Part(
            table="system_activity",
            when="r.information <> ''",
            columns=f"""{SHARED},
                0                           AS class_uid,
                coalesce(said(r.action), said(r.kind))  AS activity_name,
                said(r.origin)              AS device_hostname,
                said(r.information)         AS message
            """,
        ),
    ),
    shows="connections with ports and verdict, and the gateway's other records",
    cannot_show="bytes; names in plain firewall records; the service of connections whose port has a name there",
    reference="Check Point, Description of Fields in Check Point Logs",
)
