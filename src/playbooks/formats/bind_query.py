r"""BIND named log, with the dialects of Infoblox (responses) and EfficientIP (answers, lists), and the lines of dhcpd.

One format, because appliances mix these lines in one file. A query and its response are two records. Besides queries,
it reads failed and refused queries, rewrites by response policy zones, what named asked other servers in vain, and the
other messages of named and dhcpd (transfers, notifies, updates, leases). The stamp of `named` has no zone unless
`print-time iso8601-utc` is set; a header of syslog in RFC 3339 is taken first, the old one has no year and is no time.
A line whose header was cut off has no stamp at all: its event has no time.
Reference: ISC, BIND 9 Administrator Reference Manual, query log; ISC dhcpd(8); Infoblox NIOS, DNS queries and responses
in syslog.
"""

from playbooks.formats.format import Clock, Format, Part, TextLines

ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
NAMED = r"\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d(?:\.\d+)?"
SYSLOG = r"[A-Z][a-z]{2} [ \d]\d(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?"
DAEMON = r"(?:named|dhcpd)(?:\[\d+\]:| \d+ - -|:) "
CATEGORY = r"[a-z][a-z-]+: (?P<level>info|notice|warning|error|debug \d+): "
# messages that are known by their words, also where the header was cut off
KNOWN = (
    r"[A-Za-z][A-Za-z() -]{1,80}resolving '[^ ']+'.*|DNS format error from .*|validating .*/.*|[A-Z]+ resolving '.*|"
    r"DHCP[A-Z0-9-]{3,} .*|Option 82: .*|r-l-e:.*|rpz: .*|zone \S+/(?:IN|CH|HS)\b.*|transfer of '.*|dns_diff_apply: .*|"
    r"ARMING trigger .*|client (?:@0x[0-9a-f]+ )?[0-9A-Fa-f.:]+(?:%\S+)?#\d+(?:/key \S+)?(?: \([^)]*\))?: "
    r"(?:view \S+: )?(?:signer |updating |update |zone |bad zone |transfer |received notify |rate limit |error |"
    r"request |no matching |message |invalid ).*"
)

# the message behind the header
SAID = "coalesce(nullif(r.other, ''), r.note)"
STAMP = r"""
    coalesce(iso_time(coalesce(nullif(r.iso, ''), r.note_iso)), case_clock(coalesce(
        strftime(try_strptime(coalesce(said(r.named), said(r.syslog), said(r.note_named), said(r.note_syslog)),
            ['%d-%b-%Y %H:%M:%S.%f', '%d-%b-%Y %H:%M:%S', '%b %d %Y %H:%M:%S']), '%Y-%m-%d %H:%M:%S.%f'),
        said(r.named), said(r.iso), said(r.syslog),
        said(r.note_named), said(r.note_iso), said(r.note_syslog))))  AS time"""

QUERY = rf"""{STAMP},
    address(r.client)           AS src_endpoint_ip,
    port(r.port)                AS src_endpoint_port,
    -- the server's own address, in brackets at the end of a query
    address(nullif(regexp_extract(r.rest, ' \(([0-9A-Fa-f.:]{{3,}})\)', 1), ''))  AS dst_endpoint_ip,
    -- flags begin with + or -; T is TCP
    coalesce(lower(said(r.proto)), CASE WHEN regexp_matches(r.rest, ' [+-][A-Z()\d]*T') THEN 'tcp'
        WHEN regexp_matches(r.rest, '^ [+-][A-Z()\d]*( |$)') THEN 'udp' END)  AS connection_info_protocol_name,
    hostname(coalesce(said(r.name), said(r.failed_name), said(r.denied_name), said(r.policy_name)))
                                AS query_hostname,
    coalesce(said(r.type), said(r.failed_type), said(r.denied_type), said(r.policy_type))  AS query_type,
    coalesce(said(regexp_extract(r.rest, '(?:^| response:| ->) ([A-Z][A-Z0-9]+)(?: |$)', 1)),
        nullif(regexp_extract(r.failed, '^[A-Z]+$'), ''), CASE WHEN r.denied_name <> '' THEN 'REFUSED' END)
                                AS rcode,
    -- Infoblox: "name ttl IN TYPE data; …"; EfficientIP: "ttl TYPE data …", read where data is a name, an address, or
    -- the parameters of a service
    CASE WHEN r.rest LIKE '% response: %' OR r.rest LIKE '% -> %' THEN nullif(list_transform(
        regexp_extract_all(r.rest, ' \d+ (?:IN )?(?:A|AAAA|CNAME|DNAME|NS|PTR|(?:HTTPS|SVCB) \d+ \S+)'
                                   ' ([^ ;]+(?: [a-z0-9-]+=[^ ;]+)*)', 1),
        lambda a: rtrim(a, '.')), []) END  AS answers,
    CASE WHEN r.rest LIKE '% response: %' OR r.rest LIKE '% -> %' THEN ttls(
        regexp_extract_all(r.rest, ' (\d+) (?:IN )?(?:A|AAAA|CNAME|DNAME|NS|PTR|(?:HTTPS|SVCB) \d+ \S+)'
                                   ' [^ ;]+(?: [a-z0-9-]+=[^ ;]+)*', 1)) END  AS answers_ttl,
    CASE WHEN r.denied_name <> '' THEN 'blocked' WHEN r.failed <> '' THEN 'failed'
        WHEN r.disabled <> '' THEN 'allowed' ELSE
        CASE lower(said(r.policy)) WHEN 'nxdomain' THEN 'blocked' WHEN 'nodata' THEN 'blocked'
        WHEN 'drop' THEN 'blocked' WHEN 'passthru' THEN 'allowed' WHEN 'cname' THEN 'redirected'
        WHEN 'local-data' THEN 'redirected' ELSE lower(said(r.policy)) END END  AS disposition
"""

# what named asked for a client that is not named here: the other server is the destination
ASKED = rf"""{STAMP},
    address(nullif(regexp_extract({SAID}, '(?:[:] |error from )([0-9A-Fa-f.:]+)#\d+', 1), ''))  AS dst_endpoint_ip,
    port(nullif(regexp_extract({SAID}, '(?:[:] |error from )[0-9A-Fa-f.:]+#(\d+)', 1), ''))  AS dst_endpoint_port,
    hostname(nullif(regexp_extract({SAID}, '(?:resolving ''?|^validating )([^ ''/]+)/', 1), ''))  AS query_hostname,
    said(regexp_extract({SAID}, '(?:resolving ''?|^validating )[^ ''/]+/([A-Z][A-Z0-9-]*)', 1))  AS query_type,
    coalesce(said(regexp_extract({SAID}, '^([A-Z][A-Z0-9]+)(?: unexpected RCODE)? resolving', 1)),
             said(regexp_extract({SAID}, '^unexpected RCODE \(([A-Z]+)\)', 1)))  AS rcode,
    CASE WHEN {SAID} NOT LIKE 'success %' THEN 'failed' END  AS disposition
"""

OTHER = rf"""{STAMP},
    -- DHCP, what a list of clients was armed for, or none of these
    CASE WHEN regexp_matches({SAID}, '^(?:DHCP|Option 82|r-l-e:)') THEN small('4004')
         WHEN {SAID} LIKE 'ARMING %' THEN small('2004') ELSE small('0') END  AS class_uid,
    coalesce(said(regexp_extract({SAID}, '^DHCP[A-Z0-9-]+')),
             said(regexp_extract({SAID}, '^r-l-e:[^,]*,([^,]*)', 1)),
             said(regexp_extract({SAID}, 'received an? (\S+ DHCP) packet', 1)),
             said(regexp_extract({SAID}, 'updating zone ''[^'']*'': (\w+)', 1)),
             said(regexp_extract({SAID}, '((?:refused )?notify) from ', 1)),
             said(regexp_extract({SAID}, '^(?:client .*?#\d+[^:]*: |zone \S+: )?([A-Za-z_-]+(?: [a-z]+){{0,2}})', 1)))
                                AS activity_name,
    -- the address that is leased, or who sent the message
    coalesce(
        address(nullif(regexp_extract({SAID}, '(?:^client (?:@0x[0-9a-f]+ )?|from )([0-9A-Fa-f.:]+)#\d+', 1), '')),
        address(nullif(regexp_extract({SAID},
            '(?:^DHCP\S+ (?:on|for|of|to|from) |^Option 82:.* for |^r-l-e:|^ARMING trigger on )'
            '(\d{{1,3}}(?:\.\d{{1,3}}){{3}})', 1), '')))  AS src_endpoint_ip,
    port(nullif(regexp_extract({SAID}, '(?:^client (?:@0x[0-9a-f]+ )?|from )[0-9A-Fa-f.:]+#(\d+)', 1), ''))
                                AS src_endpoint_port,
    coalesce(said(regexp_extract({SAID}, '^DHCP.* (?:from|to) [0-9A-Fa-f:]{{17}} \(([^)]+)\)', 1)),
             said(regexp_extract({SAID}, '^r-l-e:[^,]*,[^,]*,([^,]*)', 1)))  AS src_endpoint_hostname,
    -- DHCP is spoken over UDP only
    CASE WHEN regexp_matches({SAID}, '^(?:DHCP|Option 82)') THEN 'udp' END  AS connection_info_protocol_name,
    coalesce(said(r.host), said(r.note_host))  AS device_hostname,
    said(regexp_extract({SAID}, '^ARMING .*\(([^():]+)\)$', 1))  AS finding_title,
    lower(said(regexp_extract({SAID}, '\(action:(\w+)\)', 1)))  AS disposition,
    coalesce(said(r.level), said(r.note_level))  AS severity,
    CASE WHEN regexp_matches({SAID}, '(?i)\b(?:denied|refused|failed|failure|not exact|unknown network|ignored)\b')
         THEN 'failure' END     AS status,
    {SAID}                      AS message
"""

FORMAT = Format(
    name="bind_query",
    product="BIND named log, also of Infoblox and EfficientIP, with DHCP",
    cut=TextLines(
        rf"^(?:<\d+>(?:1 )?)?(?:(?P<iso>{ISO}) |(?P<syslog>{SYSLOG}) )?(?:(?P<host>\S+) {DAEMON})?(?:\d+:)?"
        rf"(?:(?P<named>{NAMED}) )?(?:{CATEGORY})?(?:"
        r"(?:client (?:@0x[0-9a-f]+ )?|List Matched )(?P<client>[0-9A-Fa-f.:]+)(?:%\S+)?#(?P<port>\d+)"
        r"(?:/key \S+)?(?: \([^)]*\))?: (?:view \S+: )?(?:(?P<proto>UDP|TCP): )?(?:view \S+: )?(?:"
        r"(?:query|answer|response): (?P<name>\S+) (?:IN|CH|HS|ANY|CLASS\d+) (?P<type>[A-Z0-9-]+)(?P<rest>(?: .*)?)|"
        r"query failed \((?P<failed>[^)]*)\) for (?P<failed_name>[^/ ]+)/[A-Z0-9]+/(?P<failed_type>[A-Z0-9-]+)\b.*|"
        r"query(?: \(cache\))? '(?P<denied_name>[^/']+)/(?P<denied_type>[A-Z0-9-]+)/[A-Z0-9]+' denied\b.*|"
        r"(?P<disabled>disabled )?rpz [A-Z-]+ (?P<policy>[A-Za-z-]+) rewrite (?P<policy_name>[^/ ]+)"
        r"(?:/(?P<policy_type>[A-Z0-9-]+)/[A-Z0-9]+)? (?:\[[A-Z0-9-]+\] )?via \S+.*)"
        rf"|(?P<other>{KNOWN}))$"
        # any other message behind a header of named or dhcpd; a client's line that was cut off is none of them
        rf"|^(?:<\d+>(?:1 )?)?(?:(?P<note_iso>{ISO}) |(?P<note_syslog>{SYSLOG}) )?"
        rf"(?:(?P<note_host>\S+) {DAEMON}(?:{NAMED} )?(?:{CATEGORY.replace('<level>', '<note_level>')})?"
        rf"|(?P<note_named>{NAMED}) {CATEGORY.replace('?P<level>', '?:')})"
        r"(?P<note>(?:[^cL ]|c[^l]|L[^i]|client .*\b(?:zone|transfer)\b).*)$"
    ),
    clock=Clock.ASK,
    undated="concat(r.iso, r.syslog, r.named, r.note_iso, r.note_syslog, r.note_named) = ''",
    kind="'other'",
    parts=(
        Part("dns_activity", "r.client <> ''", QUERY),
        Part(
            "dns_activity", rf"regexp_matches({SAID}, 'resolving ''?[^ ''/]+/[A-Z]|^validating [^ /:]+/[A-Z]')", ASKED
        ),
        Part("system_activity", "true", OTHER),
    ),
    shows="which client asked for which name; with responses logged, also the code and the answers; leases of DHCP",
    cannot_show="answers, where only queries are logged; which client a failed question to a server was asked for; the "
    "year in old syslog headers",
    reference="ISC, BIND 9 Administrator Reference Manual and dhcpd(8); Infoblox NIOS documentation, DNS logging",
)
