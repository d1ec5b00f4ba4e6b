"""Maltrail sensor log: one trail that was seen a line, with who asked for it and which list names it.

A trail is an address, a name, a URL, a user agent; of DNS and URL trails the brackets mark the part that a list names.
Several ports, where a host was scanned, stand between commas: none of them is *the* port. The stamp is the sensor's
local time and has no zone.
Reference: Maltrail README, "Sensor log"; core/log.py.
"""

from playbooks.formats.format import Clock, Format, TextLines

CELL = r'(?:"(?:[^"]|"")*"|[^" ]\S*)'
TRAIL = """replace(replace(trim(r.trail, '"'), '(', ''), ')', '')"""

FORMAT = Format(
    name="maltrail_sensor",
    product="Maltrail sensor log",
    table="system_activity",
    cut=TextLines(
        r'^"(?P<ts>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)" (?P<sensor>\S+) (?P<src>\S+) (?P<sport>\S+) (?P<dst>\S+) '
        r"(?P<dport>\S+) (?P<protocol>[A-Za-z0-9-]+) (?P<type>IP|IPORT|DNS|HTTP|URL|UA|PATH|JA3|CRYPTO|PORT) "
        rf"(?P<trail>{CELL}) (?P<info>{CELL}) (?P<list>{CELL})(?: .*)?$"
    ),
    clock=Clock.ASK,
    columns=f"""
        case_clock(r.ts)            AS time,
        2004                        AS class_uid,
        r.type                      AS activity_name,
        address(CASE WHEN is_address(r.src) THEN r.src END)  AS src_endpoint_ip,
        port(CASE WHEN NOT contains(r.sport, ',') THEN r.sport END)  AS src_endpoint_port,
        address(CASE WHEN is_address(r.dst) THEN r.dst END)  AS dst_endpoint_ip,
        port(CASE WHEN NOT contains(r.dport, ',') THEN r.dport END)  AS dst_endpoint_port,
        CASE WHEN r.type = 'DNS' THEN hostname({TRAIL})
             WHEN r.type IN ('URL', 'HTTP') THEN url_host({TRAIL}) END  AS dst_endpoint_hostname,
        lower(said(r.protocol))     AS connection_info_protocol_name,
        said(r.sensor)              AS device_hostname,
        CASE WHEN r.type IN ('URL', 'HTTP') THEN {TRAIL} END  AS http_request_url_string,
        trim(r.info, '"')           AS finding_title,
        concat('trail ', trim(r.trail, '"'), ', list ', trim(r.list, '"'))  AS message
    """,
    shows="which client asked for what a list of bad names, addresses or user agents holds, and which list",
    cannot_show="traffic that no list names; bytes; whether anything was blocked: Maltrail only watches",
    reference="Maltrail README, sensor log",
)
