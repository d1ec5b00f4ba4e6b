"""URLhaus database dump as CSV: URLs that spread malware, each since when it is listed.

The header stands in a comment; older dumps lack the column `last_online`. Nothing is written as `None`. Stamps are UTC
by the dump's own header and carry no zone. A URL that is offline stays listed: it is still an item.
Reference: URLhaus API documentation, database dump (CSV).
"""

from playbooks.formats.format import Clock, Columns, Format

COLUMNS = (*("id", "dateadded", "url", "url_status", "last_online", "threat", "tags", "urlhaus_link", "reporter"),)

FORMAT = Format(
    name="urlhaus_csv",
    product="URLhaus database dump, CSV",
    table="indicators",
    cut=Columns(
        delimiter=",",
        fields=COLUMNS,
        keys=frozenset({"dateadded", "url", "url_status", "urlhaus_link"}),
        default=COLUMNS,
        default_mark=r'^"\d+","\d{4}-\d\d-\d\d \d\d:\d\d:\d\d","[a-z]+://[^"]+","(?:online|offline|unknown)",',
        comment="#",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        utc_time(r.dateadded)       AS time,
        indicator_value(r.url, 'url')  AS indicator,
        'url'                       AS indicator_type,
        'URLhaus'                   AS source,
        said(concat_ws('; ', stated(r.threat), stated(r.tags), said(r.url_status),
                       'reported by ' || stated(r.reporter), stated(r.urlhaus_link)))  AS description
    """,
    shows="which URLs URLhaus lists, since when, for what, and who reported them",
    cannot_show="whether it is true; until when a URL served malware",
    reference="URLhaus API documentation, database dump",
)
