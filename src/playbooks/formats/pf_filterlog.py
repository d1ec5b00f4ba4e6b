"""pfSense and OPNsense filter log (`filterlog`): one packet a line, comma separated by protocol.

The length is that of the one packet. The message has no date: it is syslog's, and only a header with year
and zone (RFC 5424) gives a time; where a collector cut the header off, there is none.
Reference: pfSense documentation, "Raw Filter Log Format"; OPNsense filterlog description.
"""

from playbooks.formats.format import Clock, Format, TextLines

FORMAT = Format(
    name="pf_filterlog",
    product="pfSense and OPNsense filterlog",
    table="network_activity",
    cut=TextLines(
        r"^(?P<prefix>.*?)(?:\d+),(?:[^, ]*),(?:[^,]*),(?P<tracker>[^,]*),(?P<interface>[^,]+),(?P<reason>[a-z-]+),"
        r"(?P<action>[a-z]+),(?P<direction>in|out),(?:4,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,(?P<n4>\d+),(?P<p4>[^,]*),"
        r"(?P<l4>\d*)|6,[^,]*,[^,]*,[^,]*,(?:[^,]*,[^,]*,[^,]*,)??(?P<p6>[A-Za-z][^,]*),(?P<n6>\d+),(?P<l6>\d*)),"
        r"(?P<src>[0-9A-Fa-f.:]+),(?P<dst>[0-9A-Fa-f.:]+)(?:,(?P<sport>[^,]*),(?P<dport>[^,]*))?(?:,.*)?$"
    ),
    clock=Clock.IN_THE_STAMP,
    undated=r"NOT regexp_matches(r.prefix, '\d:\d\d')",
    columns=r"""
        iso_time(regexp_extract(r.prefix, '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)'))  AS time,
        address(r.src)              AS src_endpoint_ip,
        port(CASE WHEN r.n4 || r.n6 IN ('6', '17', '132') THEN r.sport END)  AS src_endpoint_port,
        address(r.dst)              AS dst_endpoint_ip,
        port(CASE WHEN r.n4 || r.n6 IN ('6', '17', '132') THEN r.dport END)  AS dst_endpoint_port,
        lower(said(coalesce(nullif(r.p4, ''), r.p6)))  AS connection_info_protocol_name,
        amount(coalesce(nullif(r.l4, ''), r.l6))  AS traffic_bytes_out,
        CASE r.action WHEN 'pass' THEN 'allowed' WHEN 'block' THEN 'blocked' WHEN 'reject' THEN 'blocked'
             ELSE r.action END      AS disposition
    """,
    shows="packets that a rule logged: addresses, ports, length and verdict",
    cannot_show="whole connections and their bytes; packets of rules that do not log; names, processes",
    reference="pfSense documentation, Raw Filter Log Format",
)
