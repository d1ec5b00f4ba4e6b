"""dnsmasq and Pi-hole (`pihole.log`): `log-queries`, as written through syslog or the journal.

A question is several records: the query names the client, each reply one answer. Only `log-queries=extra` names the
client in replies too. dnsmasq's own file has no year and is no time; the journal (`short-iso`) and RFC 3339 have.
Reference: dnsmasq(8), log-queries; Pi-hole documentation, log of the resolver.
"""

from playbooks.formats.format import Clock, Format, TextLines

FORMAT = Format(
    name="dnsmasq_query",
    product="dnsmasq or Pi-hole query log",
    table="dns_activity",
    cut=TextLines(
        r"^(?:<\d+>(?:1 )?)?(?:(?P<iso>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?) |"
        r"(?P<syslog>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) )?(?:\S+ )?(?:dnsmasq(?:-[a-z]+)?|pihole-FTL)(?:\[\d+\])?: "
        r"(?:\d+ (?P<client>[0-9A-Fa-f.:]+)/(?P<port>\d+) )?(?:"
        r"(?:query|auth)\[(?P<type>[^\]]+)\] (?P<name>\S+) from (?P<asker>[0-9A-Fa-f.:]+)|"
        r"(?P<how>reply|cached(?:-stale)?|config|DHCP|hostname|domain|special domain|/\S+|[A-Za-z -]*?"
        r"(?:blocked|denied|blacklisted)(?: \([A-Z]+\))?|Pi-hole hostname) (?P<about>\S+) is (?P<value>.+)|"
        r"(?P<other>forwarded .+|dnssec-(?:query|retry)\[.+|(?:started|read|reading|using|compile|cleared|exiting|"
        r"ignoring|DNS|DHCP[A-Z]*|TFTP|cache|time|queries|pool|server|child|no|not|possible|failed|bad|warning|nameserver|validation|"
        r"inotify|Insecure|BOGUS|Maximum|Rate-limiting|limiting)\b.*))$"
    ),
    clock=Clock.ASK,
    status=(
        ("r.other LIKE 'forwarded %' OR r.other LIKE 'dnssec-%'", "status line: what dnsmasq asked another server"),
        ("r.other <> ''", "status line: dnsmasq speaks of itself, not of a query"),
    ),
    columns=r"""
        coalesce(iso_time(r.iso), case_clock(coalesce(said(r.iso), said(r.syslog))))  AS time,
        address(coalesce(said(r.asker), said(r.client)))  AS src_endpoint_ip,
        port(r.port)                AS src_endpoint_port,
        hostname(coalesce(said(r.name), said(r.about)))  AS query_hostname,
        -- "type=65" where dnsmasq knows no name
        dns_type(regexp_replace(r.type, '^type=', ''))  AS query_type,
        -- NODATA: the name exists, records of that type do not
        CASE WHEN r.value LIKE 'NODATA%' THEN 'NOERROR' WHEN is_address(r.value) OR r.value LIKE '<%' THEN 'NOERROR'
             WHEN regexp_matches(r.value, '^[A-Z]+$') THEN r.value END  AS rcode,
        -- a `<CNAME>` stands for an alias whose target is the name of the next reply
        CASE WHEN is_address(r.value) THEN [address(r.value)]
             WHEN r.value <> '' AND NOT regexp_matches(r.value, '^(<.*>|[A-Z]+|NODATA-IPv[46]|truncated|duplicate)$')
             THEN [hostname(r.value)] END  AS answers,
        CASE WHEN regexp_matches(r.how, 'blocked|denied|blacklisted') THEN 'blocked' END  AS disposition
    """,
    shows="which client asked for which name, which names were answered how, and what Pi-hole blocked",
    cannot_show="the client of an answer, without `log-queries=extra`; the year in dnsmasq's own file",
    reference="dnsmasq(8), log-queries; Pi-hole documentation",
)
