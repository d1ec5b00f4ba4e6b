"""SSLBL list of certificates as CSV: the SHA-1 of server certificates of command servers.

The header stands in a comment. Stamps are UTC by the list's own header. No log that is read holds the hash of a
server's certificate: the items are kept and compared with nothing.
Reference: abuse.ch, SSL Blacklist, certificates (CSV).
"""

from playbooks.formats.format import Clock, Columns, Format

COLUMNS = ("listingdate", "sha1", "listingreason")

FORMAT = Format(
    name="sslbl_certificates",
    product="SSLBL list of certificates, CSV",
    table="indicators",
    cut=Columns(
        delimiter=",",
        fields=COLUMNS,
        keys=frozenset(COLUMNS),
        default=COLUMNS,
        default_mark=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,[0-9a-f]{40},[^,]+$",
        comment="#",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        utc_time(r.listingdate)     AS time,
        indicator_value(r.sha1, 'certificate')  AS indicator,
        'certificate'               AS indicator_type,
        'SSLBL'                     AS source,
        stated(r.listingreason)     AS description
    """,
    shows="which certificates SSLBL lists, since when, for which malware",
    cannot_show="whether it is true; whether a host was met that shows such a certificate",
    reference="abuse.ch, SSL Blacklist",
)
