"""Cisco Meraki MX syslog: flows, firewall verdicts, URLs and events, dated in seconds since the epoch.

A flow is logged when it begins, without bytes. A URL inside TLS is only a host. Of events of other kinds (DHCP, VPN,
wireless, intrusion) user and addresses stand in their text.
Reference: Cisco Meraki documentation, "Syslog Event Types and Log Samples".
"""

from playbooks.formats.format import Clock, Format, Part, TextLines

V = r"[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f]"
BEHIND_SOURCE = rf"(?: src=\x27?|Peer IP=|\bfrom |\blease of ip |\bclient_ip=\x27|\bremote_ip=\x27?|\bip=\x27)({V})"

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
        Part(
            table="system_activity",
            when="""r.kind IN ('events', 'security_event', 'ids-alerts', 'airmarshal_events') AND r.message LIKE ' %'
                    AND r.message NOT LIKE ' content_filtering_block %'""",
            columns=rf"""
                epoch_time(r.ts)            AS time,
                CASE WHEN r.kind IN ('security_event', 'ids-alerts') THEN 2004 WHEN r.message LIKE ' dhcp %' THEN 4004
                     WHEN regexp_matches(r.message, '(?i)auth|vpn_connect|8021x') THEN 3002 ELSE 0 END  AS class_uid,
                regexp_extract(r.message, '^ (?:type=)?([A-Za-z0-9_-]+)', 1)  AS activity_name,
                address(regexp_replace(nullif(regexp_extract(r.message, '{BEHIND_SOURCE}', 1), ''),
                                       '^(\d+\.\d+\.\d+\.\d+):\d+$', '\1'))  AS src_endpoint_ip,
                port(nullif(coalesce(nullif(regexp_extract(r.message, 'Peer port=(\d+)', 1), ''),
                                     regexp_extract(r.message, ' src=\d+\.\d+\.\d+\.\d+:(\d+)', 1)), ''))
                                            AS src_endpoint_port,
                address(regexp_replace(nullif(regexp_extract(r.message, '(?: dst=|Server IP=)({V})', 1), ''),
                                       '^(\d+\.\d+\.\d+\.\d+):\d+$', '\1'))  AS dst_endpoint_ip,
                port(nullif(coalesce(nullif(regexp_extract(r.message, 'Server port=(\d+)', 1), ''),
                                     regexp_extract(r.message, ' dst=\d+\.\d+\.\d+\.\d+:(\d+)', 1)), ''))
                                            AS dst_endpoint_port,
                lower(nullif(regexp_extract(r.message, '(?: protocol=|Prot\[)([A-Za-z]+)', 1), ''))
                                            AS connection_info_protocol_name,
                nullif(regexp_extract(r.message, '(?:user id |identity=|User ?name=)\x27([^\x27]+)\x27', 1), '')
                                            AS actor_user_name,
                said(r.device)              AS device_hostname,
                nullif(regexp_extract(r.message, ' url=\x27?([^\x27 ]+)', 1), '')  AS http_request_url_string,
                nullif(regexp_extract(r.message, ' sha256=([0-9a-fA-F]+)', 1), '')  AS process_file_hash,
                CASE WHEN r.kind IN ('security_event', 'ids-alerts')
                     THEN nullif(regexp_extract(r.message, '(?: message: | name=\x27)([^\x27]+)', 1), '') END
                                            AS finding_title,
                nullif(regexp_extract(r.message, ' priority=(\d+)', 1), '')  AS severity,
                CASE WHEN regexp_matches(r.message, '(?i)rejected|fail(ed|ure)?|deny') THEN 'failure'
                     WHEN regexp_matches(r.message, '(?i)succe') THEN 'success' END  AS status,
                trim(r.message)             AS message,
                CASE WHEN regexp_matches(r.message, '(?i) (action|decision)=(block|blocked)\b') THEN 'blocked'
                     WHEN regexp_matches(r.message, '(?i) (action|decision)=(allow|allowed)\b') THEN 'allowed' END
                                            AS disposition
            """,
        ),
    ),
    shows="flows with the firewall's verdict; web requests with URL and user agent, hosts of TLS connections; "
    "DHCP, VPN and intrusion events",
    cannot_show="bytes; users of flows; the path of a URL inside TLS",
    reference="Cisco Meraki documentation, Syslog Event Types and Log Samples",
)
