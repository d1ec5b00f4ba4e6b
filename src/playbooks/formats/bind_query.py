"""BIND named query log, with the dialects of Infoblox (responses) and EfficientIP (answers, lists).

One format, because appliances mix these lines in one file. A query and its response are two records. Besides queries,
it reads failed and refused queries and rewrites by response policy zones. The stamp of `named` has no zone unless
`print-time iso8601-utc` is set; a header of syslog in RFC 3339 is taken first, the old one has no year and is no time.
Reference: ISC, BIND 9 Administrator Reference Manual, query log; Infoblox NIOS, DNS queries and responses in syslog.
"""

from playbooks.formats.format import Clock, Format, TextLines

ISO = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
NAMED = r"\d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d:\d\d(?:\.\d+)?"
SYSLOG = r"[A-Z][a-z]{2} [ \d]\d(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?"
CATEGORY = r"[a-z][a-z-]+: (?:info|notice|warning|error|debug \d+): "

FORMAT = Format(
    name="bind_query",
    product="BIND named query log, also of Infoblox and EfficientIP",
    table="dns_activity",
    cut=TextLines(
        rf"^(?:<\d+>(?:1 )?)?(?:(?P<iso>{ISO}) |(?P<syslog>{SYSLOG}) )?(?:\S+ named(?:\[\d+\]:| \d+ - -) )?(?:\d+:)?"
        rf"(?:(?P<named>{NAMED}) )?(?:{CATEGORY})?"
        r"(?:client (?:@0x[0-9a-f]+ )?|List Matched )(?P<client>[0-9A-Fa-f.:]+)(?:%\S+)?#(?P<port>\d+)"
        r"(?:/key \S+)?(?: \([^)]*\))?: (?:view \S+: )?(?:(?P<proto>UDP|TCP): )?(?:view \S+: )?(?:"
        r"(?:query|answer|response): (?P<name>\S+) (?:IN|CH|HS|ANY|CLASS\d+) (?P<type>[A-Z0-9-]+)(?P<rest>(?: .*)?)|"
        r"query failed \((?P<failed>[^)]*)\) for (?P<failed_name>[^/ ]+)/[A-Z0-9]+/(?P<failed_type>[A-Z0-9-]+)\b.*|"
        r"query(?: \(cache\))? '(?P<denied_name>[^/']+)/(?P<denied_type>[A-Z0-9-]+)/[A-Z0-9]+' denied\b.*|"
        r"(?P<disabled>disabled )?rpz [A-Z-]+ (?P<policy>[A-Za-z-]+) rewrite (?P<policy_name>[^/ ]+)"
        r"(?:/(?P<policy_type>[A-Z0-9-]+)/[A-Z0-9]+)? (?:\[[A-Z0-9-]+\] )?via \S+.*)$"
        # other messages of named; a client's line that was cut off is none of them
        rf"|^(?:<\d+>(?:1 )?)?(?:(?:{ISO}|{SYSLOG}) )?(?:\S+ named(?:\[\d+\]:| \d+ - -) (?:{NAMED} )?(?:{CATEGORY})?"
        rf"|{NAMED} {CATEGORY})(?P<other>(?:[^cL ]|c[^l]|L[^i]|client .*\b(?:zone|transfer)\b).*)$"
    ),
    clock=Clock.ASK,
    status=(("r.other <> ''", "status line: named speaks of itself, of a zone or of another server, not of a query"),),
    columns=r"""
        coalesce(iso_time(r.iso), case_clock(coalesce(
            strftime(try_strptime(coalesce(said(r.named), said(r.syslog)),
                ['%d-%b-%Y %H:%M:%S.%f', '%d-%b-%Y %H:%M:%S', '%b %d %Y %H:%M:%S']), '%Y-%m-%d %H:%M:%S.%f'),
            said(r.named), said(r.iso), said(r.syslog))))  AS time,
        address(r.client)           AS src_endpoint_ip,
        port(r.port)                AS src_endpoint_port,
        -- the server's own address, in brackets at the end of a query
        address(nullif(regexp_extract(r.rest, ' \(([0-9A-Fa-f.:]{3,})\)', 1), ''))  AS dst_endpoint_ip,
        -- flags begin with + or -; T is TCP
        coalesce(lower(said(r.proto)), CASE WHEN regexp_matches(r.rest, ' [+-][A-Z()\d]*T') THEN 'tcp'
            WHEN regexp_matches(r.rest, '^ [+-][A-Z()\d]*( |$)') THEN 'udp' END)  AS connection_info_protocol_name,
        hostname(coalesce(said(r.name), said(r.failed_name), said(r.denied_name), said(r.policy_name)))
                                    AS query_hostname,
        coalesce(said(r.type), said(r.failed_type), said(r.denied_type), said(r.policy_type))  AS query_type,
        coalesce(said(regexp_extract(r.rest, '(?:^| response:| ->) ([A-Z][A-Z0-9]+)(?: |$)', 1)),
            nullif(regexp_extract(r.failed, '^[A-Z]+$'), ''), CASE WHEN r.denied_name <> '' THEN 'REFUSED' END)
                                    AS rcode,
        -- Infoblox: "name ttl IN TYPE data; …"; EfficientIP: "ttl TYPE data …", read where data is a name or an address
        CASE WHEN r.rest LIKE '% response: %' OR r.rest LIKE '% -> %' THEN nullif(list_transform(
            regexp_extract_all(r.rest, ' \d+ (?:IN )?(?:A|AAAA|CNAME|DNAME|NS|PTR) ([^ ;]+)', 1),
            lambda a: rtrim(a, '.')), []) END  AS answers,
        CASE WHEN r.denied_name <> '' THEN 'blocked' WHEN r.disabled <> '' THEN 'allowed' ELSE
            CASE lower(said(r.policy)) WHEN 'nxdomain' THEN 'blocked' WHEN 'nodata' THEN 'blocked'
            WHEN 'drop' THEN 'blocked' WHEN 'passthru' THEN 'allowed' WHEN 'cname' THEN 'redirected'
            WHEN 'local-data' THEN 'redirected' ELSE lower(said(r.policy)) END END  AS disposition
    """,
    shows="which client asked for which name; with responses logged, also the code and the answers",
    cannot_show="answers, where only queries are logged; what named asked others; the year in old syslog headers",
    reference="ISC, BIND 9 Administrator Reference Manual; Infoblox NIOS documentation, DNS logging",
)
