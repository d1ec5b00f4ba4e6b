"""Cisco ASA and Firepower Threat Defense syslog: connections built or denied, URLs, FTD events, and all else.

Of an ASA connection the beginning (Built) is the event; its end (Teardown) says neither direction nor bytes each
way and goes to the table of what devices report besides, the side named first as its source. There go also logons,
VPN sessions and changes, with the user and the addresses that their text names, and FTD's file and malware events.
VPN messages are read where a collector cut off the tag (%ASA-…). `Built outbound` names the outside first: source
and destination stand here as the client saw them. The stamp of the device has no zone, and without a year (plain
syslog) none can be had. FTD events carry the first packet's time in UTC; where a policy logs the beginning and the
end, a connection stands twice.
Reference: Cisco Secure Firewall ASA Series Syslog Messages; Cisco Secure Firewall Threat Defense Syslog Messages.
"""

from playbooks.formats.format import Clock, Format, Part, TextLines

# an interface name before an address has a letter that no hexadecimal number has
ADDRESS = r"(?:[\w.-]*[G-Zg-z_-][\w.-]*[:/])?(?P<{0}>[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]+)(?:[/(](?P<{0}_port>\d+))?"

STAMP = r"""coalesce(
                    iso_time(regexp_extract(r.prefix, '\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)')),
                    case_clock(CAST(try_strptime(
                        regexp_extract(r.prefix, '[A-Z][a-z]{2} [ \d]\d \d{4} \d\d:\d\d:\d\d'), '%b %d %Y %H:%M:%S')
                        AS VARCHAR)))"""


def told(name: str) -> str:
    """The value of `name: value` in an FTD event; the next name ends it, for values may hold commas."""
    return f"said(regexp_extract(r.message, '(?:^|, ){name}: (.*?)(?:, [A-Z][A-Za-z0-9_ ]*: |$)', 1))"


EVENT = rf"""
                coalesce(iso_time({told("FirstPacketSecond")}), {STAMP})  AS time,
                {told("ConnectionID")}      AS metadata_uid,
                r.id                        AS activity_name,
                address({told("SrcIP")})    AS src_endpoint_ip,
                port({told("SrcPort")})     AS src_endpoint_port,
                CASE WHEN {told("User")} NOT IN ('Not Found', 'Unknown', 'No Authentication Required')
                     THEN {told("User")} END  AS actor_user_name,
                address({told("DstIP")})    AS dst_endpoint_ip,
                port({told("DstPort")})     AS dst_endpoint_port,
                CASE WHEN lower({told("AccessControlRuleAction")}) LIKE 'block%' THEN 'blocked'
                     WHEN lower({told("AccessControlRuleAction")}) IN ('allow', 'trust', 'monitor', 'fastpath')
                     THEN 'allowed' ELSE lower({told("AccessControlRuleAction")}) END  AS disposition"""

VOLUME = rf"""
                amount({told("InitiatorBytes")})  AS traffic_bytes_out,
                amount({told("ResponderBytes")})  AS traffic_bytes_in,
                amount({told("InitiatorPackets")})  AS traffic_packets_out,
                amount({told("ResponderPackets")})  AS traffic_packets_in,
                millis({told("ConnectionDuration")})  AS duration_ms"""

# of what is no connection: the client, the user and the server in the words of many messages
TEXT = "concat(r.lone, r.message)"
V = r"[0-9A-Fa-f.:]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f]"
NAMED = (
    rf"(?:\bIP <|\bIP = |\bIP address: |\bIP |\bPeer IP: |\bconfiguration: |\bpool address |\bon address |\bfrom IP "
    rf"|\bLocal:|\bclient [\w.-]+:|\bhost )({V})"
)
LONE = rf"\bfrom ({V})"
SOURCE = (
    rf"coalesce(nullif(regexp_extract(regexp_replace({TEXT}, ':(500|4500) Remote:', ' Remote:'), '{NAMED}', 1), ''),"
    rf" CASE WHEN r.two = '' THEN nullif(regexp_extract({TEXT}, '{LONE}', 1), '') END)"
)
SOURCE_PORT = rf"""nullif(coalesce(
                          nullif(regexp_extract({TEXT}, '\bclient [\w.-]+:[0-9A-Fa-f.:]+/(\d+)', 1), ''),
                          regexp_extract({TEXT}, '\bLocal:{V}:(\d+) Remote:', 1)), '')"""
DESTINATION = rf"""coalesce(nullif(regexp_extract({TEXT}, '\bserver *= *({V})', 1), ''),
                                 nullif(regexp_extract({TEXT}, ' Remote:({V}):\d+ ', 1), ''))"""
DESTINATION_PORT = rf"nullif(regexp_extract({TEXT}, ' Remote:[0-9A-Fa-f.:]+:(\d+) ', 1), '')"
USER = rf"""nullif(trim(regexp_extract({TEXT}, '(?i)\b(?:(?:User(?:name)?|Uname)(?: <| = |: ?| \x27| "|:)|client user )'
                          || '(?:[^>,\x27\\\s]*\\)?([^>,"\x27\s]+)', 1)), '')"""

CONNECTIONS = (
    "'302013', '302015', '302020', '106001', '106006', '106007', '106010', '106014', '106015', '106021', '106023', "
    "'106100', '710002', '710003'"
)

FORMAT = Format(
    name="cisco_asa",
    product="Cisco ASA and FTD",
    cut=TextLines(
        r"^(?:(?P<prefix>.*?)%(?:ASA|FTD|NGIPS|PIX)-(?:[a-z]+-)?\d-(?P<id>\d{6}): |(?P<lone> *Group <[^>]*> User <))"
        r"(?P<message>(?:.*?\b"
        rf"(?:for|from|src|faddr|tcp|udp|icmp|sctp|flow) {ADDRESS.format('one')}.*? (?:to|dst|->|laddr) "
        rf"{ADDRESS.format('two')})?.*)$"
    ),
    clock=Clock.ASK,
    kind="r.id || ', cut short'",
    undated=rf"""NOT regexp_matches(r.prefix, '\d:\d\d') AND {told("FirstPacketSecond")} IS NULL""",
    parts=(
        Part(
            table="network_activity",
            when=f"r.two <> '' AND r.id IN ({CONNECTIONS})",
            columns=rf"""
                {STAMP}                     AS time,
                nullif(regexp_extract(r.message, '^Built \S+ \S+ connection (\d+)', 1), '')  AS metadata_uid,
                address(CASE WHEN r.message LIKE 'Built outbound%' THEN r.two ELSE r.one END)  AS src_endpoint_ip,
                -- of ICMP they are types and codes
                port(CASE WHEN regexp_matches(r.message, '(?i)\bicmp\b') THEN NULL
                          WHEN r.message LIKE 'Built outbound%' THEN r.two_port ELSE r.one_port END)
                                            AS src_endpoint_port,
                nullif(regexp_extract(r.message, 'faddr \S+?\((?:[^)\\]*\\)?([^)\\]+)\)', 1), '')  AS actor_user_name,
                address(CASE WHEN r.message LIKE 'Built outbound%' THEN r.one ELSE r.two END)  AS dst_endpoint_ip,
                port(CASE WHEN regexp_matches(r.message, '(?i)\bicmp\b') THEN NULL
                          WHEN r.message LIKE 'Built outbound%' THEN r.one_port ELSE r.two_port END)
                                            AS dst_endpoint_port,
                nullif(lower(regexp_extract(r.message, '(?i)\b(tcp|udp|icmp|sctp|gre|esp)\b')), '')
                                            AS connection_info_protocol_name,
                r.id                        AS activity_name,
                CASE WHEN regexp_matches(r.message, '(?i)\b(deny|denied|discarded)\b') THEN 'blocked' ELSE 'allowed' END
                                            AS disposition
            """,
        ),
        Part(
            table="http_activity",
            when="r.id IN ('304001', '304002')",
            columns=rf"""
                {STAMP}                     AS time,
                -- `user@source Accessed URL destination:url`, `Access denied URL url SRC source DEST destination`
                address(coalesce(
                    nullif(regexp_extract(r.message, '^(?:.*@)?([^\s(]+)(?:\([^)]*\))? Accessed ', 1), ''),
                    nullif(regexp_extract(r.message, ' SRC (\S+) ', 1), '')))  AS src_endpoint_ip,
                nullif(regexp_extract(r.message, '^(.*)@\S+ Accessed ', 1), '')  AS actor_user_name,
                address(coalesce(
                    nullif(regexp_extract(r.message, ' URL ([0-9A-Fa-f.:]+): ?(?:\w+://|/)', 1), ''),
                    nullif(regexp_extract(r.message, ' DEST ([0-9A-Fa-f.:]+)', 1), '')))  AS dst_endpoint_ip,
                url_host(nullif(regexp_extract(r.message, '\w+://\S+'), ''))  AS dst_endpoint_hostname,
                nullif(regexp_extract(r.message, ' URL (?:[0-9A-Fa-f.:]+: ?)?(\w+://\S+|/\S*)', 1), '')
                                            AS http_request_url_string,
                r.id                        AS activity_name,
                CASE WHEN r.id = '304002' THEN 'blocked' ELSE 'allowed' END  AS disposition
            """,
        ),
        Part(
            table="dns_activity",
            when="r.id IN ('430002', '430003') AND r.message LIKE '%, DstIP: %, DNSQuery: %'",
            columns=rf"""{EVENT},
                lower({told("Protocol")})   AS connection_info_protocol_name,
                hostname({told("DNSQuery")})  AS query_hostname,
                -- FTD writes types and codes in words
                CASE {told("DNSRecordType")} WHEN 'a host address' THEN 'A' WHEN 'IP6 Address' THEN 'AAAA'
                     WHEN 'text strings' THEN 'TXT' ELSE {told("DNSRecordType")} END  AS query_type,
                CASE {told("DNSResponseType")} WHEN 'No Error' THEN 'NOERROR' WHEN 'Non-Existent Domain' THEN 'NXDOMAIN'
                     ELSE {told("DNSResponseType")} END  AS rcode
            """,
        ),
        Part(
            table="http_activity",
            when="""r.id IN ('430002', '430003') AND r.message LIKE '%, DstIP: %, URL: %'
                    AND r.message NOT LIKE '%, DNSQuery: %'""",
            columns=rf"""{EVENT},
                coalesce(hostname({told("ReferencedHost")}), url_host({told("URL")}))  AS dst_endpoint_hostname,
                -- of TLS that is not inspected the URL is made of the certificate's name
                {told("URL")}               AS http_request_url_string,
                {told("UserAgent")}         AS http_request_user_agent,
                {told("HTTPReferer")}       AS http_request_referrer,
                small({told("HTTPResponse")})  AS http_response_code,{VOLUME}
            """,
        ),
        Part(
            table="network_activity",
            when="""r.id IN ('430002', '430003') AND r.message LIKE '%, DstIP: %' AND r.message NOT LIKE '%, URL: %'
                    AND r.message NOT LIKE '%, DNSQuery: %'""",
            columns=rf"""{EVENT},
                lower({told("Protocol")})   AS connection_info_protocol_name,{VOLUME}
            """,
        ),
        Part(
            table="system_activity",
            when="r.id IN ('430001', '430004', '430005') AND r.message LIKE '%SrcIP: %, DstIP: %'",
            columns=rf"""{EVENT},
                CASE WHEN r.id IN ('430001', '430005') THEN 2004 WHEN r.id = '430004' THEN 1001 ELSE 0 END
                     AS class_uid,
                lower({told("Protocol")})   AS connection_info_protocol_name,
                url_host({told("URI")})     AS dst_endpoint_hostname,
                {told("URI")}               AS http_request_url_string,
                {told("FileName")}          AS file_path,
                {told("FileSHA256")}        AS process_file_hash,
                coalesce({told("ThreatName")}, {told("Message")})  AS finding_title,
                coalesce({told("FileAction")}, {told("InlineResult")}, {told("SHA_Disposition")})  AS status_detail,
                {told("UserAgent")}         AS http_request_user_agent,
                small({told("HTTPResponse")})  AS http_response_code,
                r.message                   AS message,{VOLUME}
            """,
        ),
        Part(
            table="system_activity",
            when=f"r.message <> '' AND r.id NOT IN ({CONNECTIONS}) AND r.id NOT BETWEEN '430001' AND '430005'",
            columns=rf"""
                {STAMP}                     AS time,
                CASE WHEN regexp_matches({TEXT},
                     '(?i)authenticat|log(ged)?[ -]?(in|out|on|off)|session (dis)?connected')
                     THEN 3002 ELSE 0 END   AS class_uid,
                coalesce(nullif(r.id, ''), 'Group')  AS activity_name,
                address(coalesce({SOURCE}, CASE WHEN r.two <> '' THEN r.one END))  AS src_endpoint_ip,
                port(CASE WHEN regexp_matches({TEXT}, '(?i)\bicmp\b') THEN NULL
                          ELSE coalesce({SOURCE_PORT}, CASE WHEN {SOURCE} IS NULL AND r.two <> '' THEN r.one_port END)
                               END)
                                            AS src_endpoint_port,
                {USER}                      AS actor_user_name,
                {USER}                      AS user_name,
                address(coalesce({DESTINATION}, nullif(r.two, '')))  AS dst_endpoint_ip,
                port(CASE WHEN regexp_matches({TEXT}, '(?i)\bicmp\b') THEN NULL
                          ELSE coalesce({DESTINATION_PORT}, r.two_port) END)  AS dst_endpoint_port,
                nullif(lower(regexp_extract({TEXT}, '(?i)\b(tcp|udp|icmp|sctp|gre|esp)\b')), '')
                                            AS connection_info_protocol_name,
                CASE WHEN regexp_matches({TEXT}, '(?i)\b(fail(ed|ure)?|rejected|denied|aborted|invalid)\b')
                     THEN 'failure'
                     WHEN regexp_matches({TEXT}, '(?i)\b(succe\w+|permitted)\b') THEN 'success' END  AS status,
                nullif(regexp_extract({TEXT}, '(?i)reason[:=] *([^,]+)', 1), '')  AS status_detail,
                {TEXT}                   AS message,
                CASE WHEN regexp_matches({TEXT}, '(?i)^(deny|denied|discarded|dropped)\b') THEN 'blocked' END
                                            AS disposition
            """,
        ),
    ),
    shows="connections built or refused, with user where known; FTD: bytes each way, URLs, DNS names, user agents",
    cannot_show="bytes of ASA connections; names behind addresses; stamps without a year",
    reference="Cisco Secure Firewall ASA Series Syslog Messages; Threat Defense Syslog Messages",
)
