"""Unbound: `log-queries`, `log-replies`, `log-local-actions` and response policy zones.

The stamp is epoch seconds in Unbound's own file, or that of syslog; `log-time-ascii` has no year and is no time. With
queries and replies logged, one question is two records; `log-tag-queryreply` writes these words in place of the level.
The destination is Unbound itself and is not logged. What Unbound says of itself is read as the device's own event. A
line whose header was cut off has no stamp at all: its event has no time.
Reference: NLnet Labs, unbound.conf(5): log-queries, log-replies, log-local-actions, rpz-log.
"""

from playbooks.formats.format import Clock, Format, Part, TextLines

STAMP = """
    coalesce(epoch_time(said(r.epoch)), iso_time(r.iso), case_clock(coalesce(said(r.iso), said(r.syslog))))
                                AS time"""

QUERY = f"""{STAMP},
    address(r.client)           AS src_endpoint_ip,
    port(r.port)                AS src_endpoint_port,
    hostname(r.name)            AS query_hostname,
    r.type                      AS query_type,
    said(r.rcode)               AS rcode,
    millis(r.seconds)           AS duration_ms,
    -- what a local zone or a policy zone did with the name
    CASE WHEN said(coalesce(said(r.rpz), said(r.local))) IN ('deny', 'refuse', 'inform_deny', 'always_deny',
            'always_refuse', 'always_nxdomain', 'always_nodata', 'always_null',
            'rpz-nxdomain', 'rpz-nodata', 'rpz-drop') THEN 'blocked'
         WHEN coalesce(said(r.rpz), said(r.local)) IN ('transparent', 'typetransparent', 'inform',
            'always_transparent', 'rpz-passthru') THEN 'allowed'
         WHEN coalesce(said(r.rpz), said(r.local)) IN ('redirect', 'inform_redirect', 'rpz-cname-override',
            'rpz-local-data') THEN 'redirected'
         ELSE coalesce(said(r.rpz), said(r.local)) END  AS disposition
"""

OTHER = rf"""{STAMP},
    small('0')                  AS class_uid,
    -- its first words, up to a figure, a name or a colon
    said(regexp_extract(r.other, '^([A-Za-z]+(?: [a-z]+){{0,3}})', 1))  AS activity_name,
    said(r.host)                AS device_hostname,
    said(r.level)               AS severity,
    r.other                     AS message
"""

FORMAT = Format(
    name="unbound_query",
    product="Unbound log of queries, replies and messages",
    cut=TextLines(
        r"^(?:<\d+>(?:1 )?)?(?:\[(?P<epoch>\d{9,10})\] |"
        r"(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?) |"
        r"(?P<syslog>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) )?"
        r"(?:(?:(?P<host>\S+) )?unbound\[\d+(?::[0-9a-f]+)?\]:? (?:\[\d+:[0-9a-f]+\] )?|\[\d+:[0-9a-f]+\] )"
        r"(?P<level>info|notice|warning|error|fatal error|debug|query|reply): (?:"
        r"(?:(?:query|reply): )?(?:rpz: applied (?:\[[^\]]*\] )?\S+ (?P<rpz>rpz-[a-z-]+) )?"
        r"(?:(?:\S+\. )?(?P<local>[a-z_]+) )?(?P<client>[0-9A-Fa-f.:]+)(?:@(?P<port>\d+))? "
        r"(?P<name>\S+) (?P<type>[A-Z0-9-]+) (?:IN|CH|HS|ANY|CLASS\d+)"
        r"(?: (?P<rcode>[A-Z0-9]+) (?P<seconds>\d+\.\d+) [01] \d+(?: .*)?)?"
        r"|(?P<other>[A-Za-z]{3,}[ (].*))$"
    ),
    clock=Clock.ASK,
    undated="concat(r.epoch, r.iso, r.syslog) = ''",
    kind="'other'",
    parts=(Part("dns_activity", "r.other = ''", QUERY), Part("system_activity", "true", OTHER)),
    shows="which client asked for which name; with `log-replies` also the code and the time it took",
    cannot_show="the answers; what Unbound asked other servers; the year with `log-time-ascii` and old syslog headers",
    reference="NLnet Labs, unbound.conf(5)",
)
