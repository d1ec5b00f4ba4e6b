"""ThreatFox as JSON, export or answer of its API: addresses, names, URLs and hashes, each with a confidence.

An export is one object of numbers, each with its items; an answer has them under `data`. An address stands with its
port: the address is the item, the port is kept in the description. Stamps are UTC.
Reference: ThreatFox API documentation, export (JSON) and query of recent items.
"""

from playbooks.formats.format import Clock, Format, Json

VALUE = "coalesce(r.ioc_value, r.ioc)"
KIND = f"""CASE r.ioc_type WHEN 'ip:port' THEN 'ip' ELSE coalesce(hash_type({VALUE}), said(r.ioc_type)) END"""

FORMAT = Format(
    name="threatfox_json",
    product="ThreatFox export or answer, JSON",
    table="indicators",
    cut=Json(
        keys=frozenset({"ioc_type", "threat_type", "confidence_level"}),
        any_of=frozenset({"ioc", "ioc_value"}),
        shape="""{"ioc": "VARCHAR", "ioc_value": "VARCHAR", "ioc_type": "VARCHAR", "threat_type": "VARCHAR",
                  "malware_printable": "VARCHAR", "confidence_level": "VARCHAR", "first_seen": "VARCHAR",
                  "first_seen_utc": "VARCHAR", "reference": "VARCHAR", "reporter": "VARCHAR", "tags": "VARCHAR"}""",
        envelopes=("data", "#"),
    ),
    clock=Clock.IN_THE_STAMP,
    columns=f"""
        utc_time(coalesce(r.first_seen_utc, r.first_seen))  AS time,
        indicator_value({VALUE}, {KIND})  AS indicator,
        {KIND}                      AS indicator_type,
        'ThreatFox'                 AS source,
        percent(stated(r.confidence_level))  AS confidence,
        said(concat_ws('; ', CASE WHEN r.ioc_type = 'ip:port' THEN {VALUE} END, said(r.threat_type),
                       stated(r.malware_printable), stated(r.tags), 'reported by ' || stated(r.reporter),
                       stated(r.reference)))  AS description,
        CASE WHEN r.ioc_type = 'ip:port' THEN unclear_port({VALUE}) END  AS not_compared
    """,
    shows="which addresses, names, URLs and hashes ThreatFox lists, since when, for which malware, how sure it is",
    cannot_show="whether it is true; until when an item holds",
    reference="ThreatFox API documentation",
)
