"""Passive DNS in the Common Output Format: JSON lines, one set of records each (Farsight DNSDB, CIRCL, D4 and others).

Answers of an API that wrap each record (`{"obj": …}` of DNSDB's version 2) are not read: ask for plain lines.
Reference: IETF, draft-dulaunoy-dnsop-passive-dns-cof, Passive DNS - Common Output Format.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="passive_dns_cof",
    product="Passive DNS, Common Output Format",
    table="name_records",
    cut=Json(
        keys=frozenset({"rrname", "rrtype", "rdata"}),
        any_of=frozenset({"time_first", "zone_time_first", "time_last", "zone_time_last"}),
        shape="""{"rrname": "VARCHAR", "rrtype": "VARCHAR", "rdata": "VARCHAR", "time_first": "VARCHAR",
                  "time_last": "VARCHAR", "zone_time_first": "VARCHAR", "zone_time_last": "VARCHAR",
                  "count": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    columns=r"""
        'passive_dns'               AS record_kind,
        coalesce(hostname(r.rrname), refused_text())  AS name,
        dns_type(r.rrtype)          AS query_type,
        -- one text, or a list of them
        list_transform(coalesce(json_list(r.rdata), CASE WHEN said(r.rdata) IS NOT NULL THEN [r.rdata] END),
                       lambda a: regexp_replace(a, '\.$', ''))  AS answers,
        epoch_time(coalesce(said(r.time_first), r.zone_time_first))  AS first_seen,
        epoch_time(coalesce(said(r.time_last), r.zone_time_last))    AS last_seen,
        amount(r.count)             AS times
    """,
    shows="since when sensors elsewhere saw a name with an answer, and how often",
    cannot_show="who asked; names that no sensor of that source saw",
    reference="IETF draft, Passive DNS - Common Output Format",
)
