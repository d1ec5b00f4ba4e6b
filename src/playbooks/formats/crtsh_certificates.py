"""Certificates of Certificate Transparency logs as crt.sh answers in JSON: each a record, each of its names an item.

Its stamps carry no zone; those of certificates and of their logs are UTC by their standards.
Reference: crt.sh, output=json; RFC 5280, section 4.1.2.5 (validity); RFC 6962, section 3.1 (entries).
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="crtsh_certificates",
    product="crt.sh, JSON",
    table="name_records",
    cut=Json(
        keys=frozenset({"issuer_name", "name_value", "not_before", "not_after"}),
        shape="""{"issuer_name": "VARCHAR", "common_name": "VARCHAR", "name_value": "VARCHAR",
                  "entry_timestamp": "VARCHAR", "not_before": "VARCHAR", "not_after": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    each="string_split(r.name_value, chr(10))",
    columns="""
        'certificate'               AS record_kind,
        coalesce(hostname(item), refused_text())  AS name,
        iso_time(said(r.entry_timestamp) || 'Z')  AS first_seen,
        iso_time(said(r.not_before) || 'Z')       AS valid_from,
        iso_time(said(r.not_after) || 'Z')        AS valid_until,
        said(r.issuer_name)         AS tls_certificate_issuer,
        string_split(lower(r.name_value), chr(10))  AS names
    """,
    shows="since when a certificate for a name was valid and logged, by whom it was issued, and its other names",
    cannot_show="whether a server ever used it; names below a wildcard; certificates that no log holds",
    reference="crt.sh, output=json",
)
