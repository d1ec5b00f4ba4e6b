"""SSLBL list of JA3 fingerprints as CSV: what the TLS clients of malware look like.

The header stands in a comment. Stamps are UTC by the list's own header. Many programs share one fingerprint.
Reference: abuse.ch, SSL Blacklist, JA3 fingerprints (CSV).
"""

from playbooks.formats.format import Clock, Columns, Format

COLUMNS = ("ja3_md5", "firstseen", "lastseen", "listingreason")

FORMAT = Format(
    name="sslbl_ja3",
    product="SSLBL list of JA3 fingerprints, CSV",
    table="indicators",
    cut=Columns(
        delimiter=",",
        fields=COLUMNS,
        keys=frozenset(COLUMNS),
        default=COLUMNS,
        default_mark=r"^[0-9a-f]{32},\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,[^,]+$",
        comment="#",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        utc_time(r.firstseen)       AS time,
        indicator_value(r.ja3_md5, 'ja3')  AS indicator,
        'ja3'                       AS indicator_type,
        'SSLBL'                     AS source,
        said(concat_ws('; ', stated(r.listingreason), 'last seen ' || stated(r.lastseen)))  AS description
    """,
    shows="which fingerprints of TLS clients SSLBL lists, since when, for which malware",
    cannot_show="whether it is true; which of the programs with that fingerprint it was",
    reference="abuse.ch, SSL Blacklist",
)
