"""ThreatFox export as CSV: addresses, names, URLs and hashes of malware, each with a confidence.

The header stands in a comment, a blank behind each comma. An address stands with its port: the address is the item, the
port is kept in the description. Nothing is written as `None`. Stamps are UTC by the export's own header.
Reference: ThreatFox API documentation, export (CSV).
"""

from playbooks.formats.format import Clock, Columns, Format

COLUMNS = (
    *("first_seen_utc", "ioc_id", "ioc_value", "ioc_type", "threat_type", "fk_malware", "malware_alias"),
    *("malware_printable", "last_seen_utc", "confidence_level", "reference", "tags", "anonymous", "reporter"),
)

FORMAT = Format(
    name="threatfox_csv",
    product="ThreatFox export, CSV",
    table="indicators",
    cut=Columns(
        delimiter=",",
        fields=COLUMNS,
        keys=frozenset({"first_seen_utc", "ioc_value", "ioc_type", "confidence_level"}),
        default=COLUMNS,
        default_mark=r'^"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", ?"\d+", ?"[^"]+", ?"(?:url|domain|ip:port|[a-z0-9]+_hash)"',
        comment="#",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        utc_time(r.first_seen_utc)  AS time,
        indicator_value(r.ioc_value, CASE r.ioc_type WHEN 'ip:port' THEN 'ip'
            ELSE coalesce(hash_type(r.ioc_value), said(r.ioc_type)) END)  AS indicator,
        CASE r.ioc_type WHEN 'ip:port' THEN 'ip' ELSE coalesce(hash_type(r.ioc_value), said(r.ioc_type)) END
                                    AS indicator_type,
        'ThreatFox'                 AS source,
        percent(stated(r.confidence_level))  AS confidence,
        said(concat_ws('; ', CASE WHEN r.ioc_type = 'ip:port' THEN r.ioc_value END, said(r.threat_type),
                       stated(r.malware_printable), stated(r.tags), 'reported by ' || stated(r.reporter),
                       stated(r.reference)))  AS description,
        CASE WHEN r.ioc_type = 'ip:port' THEN unclear_port(r.ioc_value) END  AS not_compared
    """,
    shows="which addresses, names, URLs and hashes ThreatFox lists, since when, for which malware, how sure it is",
    cannot_show="whether it is true; until when an item holds",
    reference="ThreatFox API documentation, export",
)
