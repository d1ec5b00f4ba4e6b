"""SSLBL list of addresses as CSV: where servers with a listed certificate stood.

The header stands in a comment. The port is kept in the description. Stamps are UTC by the list's own header.
Reference: abuse.ch, SSL Blacklist, botnet command servers (CSV).
"""

from playbooks.formats.format import Clock, Columns, Format

COLUMNS = ("firstseen", "dstip", "dstport")

FORMAT = Format(
    name="sslbl_addresses",
    product="SSLBL list of addresses, CSV",
    table="indicators",
    cut=Columns(
        delimiter=",",
        fields=COLUMNS,
        keys=frozenset(COLUMNS),
        default=COLUMNS,
        default_mark=r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,[0-9a-fA-F.:]+,\d{1,5}$",
        comment="#",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        utc_time(r.firstseen)       AS time,
        indicator_value(r.dstip, 'ip')  AS indicator,
        'ip'                        AS indicator_type,
        'SSLBL'                     AS source,
        'port ' || stated(r.dstport)  AS description
    """,
    shows="at which addresses SSLBL saw servers with a listed certificate, since when",
    cannot_show="whether it is true; who uses the address today",
    reference="abuse.ch, SSL Blacklist",
)
