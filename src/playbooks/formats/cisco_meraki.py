"""Cisco Meraki MX syslog: flows, firewall verdicts and URLs, dated in seconds since the epoch.

A flow is logged when it begins, without bytes. A URL inside TLS is only a host. Events of other kinds
(DHCP, VPN, wireless) are not read.
Reference: Cisco Meraki documentation, "Syslog Event Types and Log Samples".
"""

from playbooks.formats.format import Clock, Format, Part, TextLines

FORMAT = Format(
    name="cisco_meraki",
    product="Cisco Meraki MX",
    cut=TextLines(
        r"^(?:.* )?(?P<ts>\d{10}\.\d+) (?P<device>\S+) (?P<kind>flows|firewall|cellular_firewall|vpn_firewall"
        r"|ip_flow_start|ip_flow_end|urls|events|security_event|ids-alerts|airmarshal_events)(?P<message>.*)$"
    ),
    clock=Clock.IN_THE_STAMP,
    kind="CASE WHEN r.kind = 'events' THEN 'events ' || regexp_extract(r.message, '[A-Za-z_=]+') ELSE r.kind END",
    parts=(
        Part(
            table="network_activity",
            when="(r.kind LIKE '%flow%' OR r.kind LIKE '%firewall') AND r.message LIKE '% dst=% protocol=%'",
            columns=r"""
                epoch_time(r.ts)            AS time,
                address(nullif(regexp_extract(r.message, ' src=([^\s]+)', 1), ''))  AS src_endpoint_ip,
                port(regexp_extract(r.message, ' sport=(\S+)', 1))  AS src_endpoint_port,
                address(nullif(regexp_extract(r.message, ' dst=([^\s]+)', 1), ''))  AS dst_endpoint_ip,
                port(regexp_extract(r.message, ' dport=(\S+)', 1))  AS dst_endpoint_port,
                lower(said(regexp_extract(r.message, ' protocol=(\S+)', 1)))  AS connection_info_protocol_name,
                -- older versions write the rule's answer as `pattern: 0 …` (allow) or `pattern: 1 …` (deny)
                CASE WHEN regexp_matches(r.message, '^ (allow|src=.* pattern: 0 |.* pattern: allow)') THEN 'allowed'
                     WHEN regexp_matches(r.message, '^ (deny|src=.* pattern: 1 |.* pattern: deny)') THEN 'blocked' END
                                            AS disposition
            """,
        ),
        Part(
            table="http_activity",
            when="r.kind = 'urls' OR (r.kind = 'events' AND r.message LIKE ' content_filtering_block %')",
            columns=r"""
                epoch_time(r.ts)            AS time,
                address(nullif(regexp_extract(r.message, ' src=(\S+):\d+ ', 1), ''))  AS src_endpoint_ip,
                port(regexp_extract(r.message, ' src=\S+:(\d+) ', 1))  AS src_endpoint_port,
                address(nullif(regexp_extract(r.message, ' (?:dst=|server=.)([^ ]+?):\d+[\x27 ]', 1), ''))
                                            AS dst_endpoint_ip,
                port(regexp_extract(r.message, ' (?:dst=|server=.)[^ ]+?:(\d+)[\x27 ]', 1))  AS dst_endpoint_port,
                url_host(nullif(regexp_extract(r.message, '(?: url=.|request: \S+ )([^\x27 ]+)', 1), ''))
                                            AS dst_endpoint_hostname,
                nullif(regexp_extract(r.message, ' request: ([A-Z]+) ', 1), '')  AS http_request_http_method,
                nullif(regexp_extract(r.message, '(?: url=.|request: \S+ )([^\x27 ]+)', 1), '')
                                            AS http_request_url_string,
                nullif(regexp_extract(r.message, ' agent=\x27([^\x27]*)\x27', 1), '')  AS http_request_user_agent,
                CASE WHEN r.kind = 'events' THEN 'blocked' ELSE 'allowed' END  AS disposition
            """,
        ),
    ),
    shows="flows with the firewall's verdict; web requests with URL and user agent, hosts of TLS connections",
    cannot_show="bytes; users; the path of a URL inside TLS",
    reference="Cisco Meraki documentation, Syslog Event Types and Log Samples",
)
