"""URLhaus as JSON, dump or answer of its API: URLs that spread malware, each since when it is listed.

A dump is one object of numbers, each with its URL; an answer has them under `urls`. A URL that is offline stays
listed: it is still an item. Stamps are UTC.
Reference: URLhaus API documentation, database dump (JSON) and query of recent URLs.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="urlhaus_json",
    product="URLhaus dump or answer, JSON",
    table="indicators",
    cut=Json(
        keys=frozenset({"url", "url_status", "threat"}),
        any_of=frozenset({"dateadded", "date_added"}),
        shape="""{"url": "VARCHAR", "url_status": "VARCHAR", "dateadded": "VARCHAR", "date_added": "VARCHAR",
                  "threat": "VARCHAR", "tags": "VARCHAR", "urlhaus_link": "VARCHAR", "urlhaus_reference": "VARCHAR",
                  "reporter": "VARCHAR"}""",
        envelopes=("urls", "#"),
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        utc_time(coalesce(r.dateadded, r.date_added))  AS time,
        indicator_value(r.url, 'url')  AS indicator,
        'url'                       AS indicator_type,
        'URLhaus'                   AS source,
        said(concat_ws('; ', stated(r.threat), stated(r.tags), said(r.url_status),
                       'reported by ' || stated(r.reporter), coalesce(r.urlhaus_link, r.urlhaus_reference)))
                                    AS description
    """,
    shows="which URLs URLhaus lists, since when, for what, and who reported them",
    cannot_show="whether it is true; until when a URL served malware",
    reference="URLhaus API documentation",
)
