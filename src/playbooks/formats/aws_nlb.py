"""AWS Network Load Balancer access log: TLS connections only, one a line, written when the connection ends.

Listeners that are not TLS log nothing at all.
Reference: Elastic Load Balancing User Guide for Network Load Balancers, "Access logs", log entries.
"""

from playbooks.formats.format import Clock, Format, TextLines

FORMAT = Format(
    name="aws_nlb",
    product="AWS Network Load Balancer access log",
    table="network_activity",
    cut=TextLines(
        r"^tls \d\.\d (?P<ts>\d{4}-\d\d-\d\dT\S+) (?P<elb>net/\S+) (?P<listener>\S+) "
        r"(?:\[?(?P<client>[0-9A-Fa-f:.]+)\]?:(?P<client_port>\d+)|-) "
        r"(?:\[?(?P<target>[0-9A-Fa-f:.]+)\]?:(?P<target_port>\d+)|-) (?P<elapsed>\d+|-) (?P<handshake>\d+|-) "
        r"(?P<received>\d+|-) (?P<sent>\d+|-) (?P<alert>\S+) (?P<cert>\S+) (?P<serial>\S+) (?P<cipher>\S+) "
        r"(?P<tls>\S+) (?P<group>\S+) (?P<domain>\S+) \S+ \S+ (?:\"[^\"]*\"|\S+)(?: \S+)*$"
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- the stamp is UTC and has no Z
        coalesce(iso_time(r.ts), iso_time(r.ts || 'Z'))  AS time,
        address(r.client)           AS src_endpoint_ip,
        port(r.client_port)         AS src_endpoint_port,
        address(r.target)           AS dst_endpoint_ip,
        port(r.target_port)         AS dst_endpoint_port,
        hostname(r.domain)          AS dst_endpoint_hostname,
        'tcp'                       AS connection_info_protocol_name,
        hostname(r.domain)          AS tls_sni,
        said(r.tls)                 AS tls_version,
        amount(r.received)          AS traffic_bytes_out,
        amount(r.sent)              AS traffic_bytes_in,
        amount(r.elapsed)           AS duration_ms
    """,
    shows="who connected by TLS to which name of a load balancer, for how long, with how many bytes",
    cannot_show="connections of listeners that are not TLS; what passed in the connection",
    reference="Elastic Load Balancing User Guide, Network Load Balancer access log entries",
)
