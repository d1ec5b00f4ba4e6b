"""Indicator list as CSV: one intelligence item a row, with source, confidence and validity.

Columns: indicator, type, source, confidence, valid_from, valid_until, tlp, description. Values may be
defanged (`hxxps://evil[.]example`). An item without type, source or valid_from is unread, not guessed.
Reference: docs/how-to/intelligence.md.
"""

from playbooks.formats.format import Clock, Columns, Format

FORMAT = Format(
    name="indicator_csv",
    product="Indicator list, CSV",
    table="indicators",
    cut=Columns(
        delimiter=",",
        fields=(
            "indicator",
            "type",
            "source",
            "confidence",
            "valid_from",
            "valid_until",
            "tlp",
            "description",
        ),
        keys=frozenset({"indicator", "type", "source", "confidence", "valid_from"}),
    ),
    clock=Clock.IN_THE_STAMP,
    columns=r"""
        iso_time(r.valid_from)      AS time,
        -- defanged forms become the value that stands in logs
        CASE WHEN lower(r.type) IN ('url', 'user_agent')
             THEN regexp_replace(replace(replace(r.indicator, '[.]', '.'), '[:]', ':'), '^hxxp', 'http')
             ELSE rtrim(lower(replace(replace(r.indicator, '[.]', '.'), '[:]', ':')), '.') END  AS indicator,
        CASE WHEN lower(r.type) IN ('domain', 'ip', 'url', 'user_agent', 'ja3', 'ja4', 'sha256')
             THEN lower(r.type) ELSE refused(r.type) END  AS indicator_type,
        coalesce(said(r.source), refused(r.source))  AS source,
        CAST(CAST(said(r.confidence) AS UTINYINT) AS INTEGER)  AS confidence,
        CASE WHEN said(r.valid_until) IS NOT NULL
             THEN coalesce(iso_time(r.valid_until), CAST(refused(r.valid_until) AS TIMESTAMPTZ)) END  AS valid_until,
        said(r.tlp)                 AS tlp,
        said(r.description)         AS description
    """,
    shows="what somebody else holds to be malicious, who says so, since when and until when",
    cannot_show="whether it is true; a value that nobody reported",
    reference="docs/how-to/intelligence.md",
)
