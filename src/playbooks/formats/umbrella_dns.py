"""Cisco Umbrella DNS log as its bucket export writes it: CSV, every cell quoted, no header.

Later schema versions only add cells at the end. The stamp is UTC by Cisco's documentation and carries no zone. The
first identity is the most granular one: a user, a computer, or only a network, as `actor_user_name` shows it.
Reference: Cisco Umbrella documentation, "DNS Log Formats".
"""

from playbooks.formats.format import Clock, Format, TextLines

FORMAT = Format(
    name="umbrella_dns",
    product="Cisco Umbrella DNS log, CSV",
    table="dns_activity",
    cut=TextLines(
        r'^\s*(?:(?P<header>"?Timestamp"?,"?(?:Most Granular Identity|Policy Identity).*)|'
        r'"(?P<ts>[^"]*)","(?P<identity>(?:[^"]|"")*)","(?P<identities>(?:[^"]|"")*)",'
        r'"(?P<internal>[0-9A-Fa-f:.]*)","(?P<external>[0-9A-Fa-f:.]*)","(?P<action>[A-Za-z ]*)",'
        r'"(?P<type>[^"]*)","(?P<rcode>[A-Z0-9_]*)","(?P<domain>[^"]+)","(?P<categories>(?:[^"]|"")*)"'
        r'(?:,"(?P<kind>(?:[^"]|"")*)"(?:,"(?:[^"]|"")*")*)?)$'
    ),
    clock=Clock.IN_THE_STAMP,
    status=(("r.header <> ''", "status line: the header, which newer exports can carry"),),
    columns=r"""
        coalesce(iso_time(r.ts), iso_time(r.ts || 'Z'))  AS time,
        -- the inside address is known to Umbrella only with an appliance or an agent
        coalesce(address(r.internal), address(r.external))  AS src_endpoint_ip,
        CASE WHEN lower(r.kind) LIKE '%roaming%' THEN said(r.identity) END  AS src_endpoint_hostname,
        replace(said(r.identity), '""', '"')  AS actor_user_name,
        hostname(r.domain)          AS query_hostname,
        -- "1 (A)"; "Other" for types that Umbrella does not name
        dns_type(nullif(regexp_replace(r.type, '^\d+ \((.+)\)$', '\1'), 'Other'))  AS query_type,
        said(r.rcode)               AS rcode,
        CASE WHEN lower(r.action) LIKE 'allow%' THEN 'allowed' WHEN lower(r.action) LIKE 'block%' THEN 'blocked'
             ELSE lower(said(r.action)) END  AS disposition
    """,
    shows="which identity (user, device or network) asked for which name, and whether Umbrella blocked it",
    cannot_show="the answers; the inside address without an appliance or an agent; whether a connection followed",
    reference="Cisco Umbrella documentation, DNS log formats",
)
