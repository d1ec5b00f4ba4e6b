"""Indicator list as CSV: one intelligence item a row, with source, confidence and validity.

Columns: indicator, type, source, confidence, valid_from, valid_until, tlp, description, and where a list has them
to_ids (false: context), verdict (benign or revoked), reviewer. Values may be defanged (`hxxps://evil[.]example`). An
item without type, source or valid_from is unread, not guessed.
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
            "to_ids",
            "verdict",
            "reviewer",
        ),
        keys=frozenset({"indicator", "type", "source", "confidence", "valid_from"}),
    ),
    clock=Clock.IN_THE_STAMP,
    columns=r"""
        iso_time(trim(r.valid_from))  AS time,
        -- defanged forms become the value that stands in logs
        indicator_value(r.indicator, lower(trim(r.type)))  AS indicator,
        CASE WHEN lower(trim(r.type)) IN ('domain', 'ip', 'url', 'user_agent', 'ja3', 'ja4', 'sha256',
                                            'sha1', 'md5', 'uri', 'http_header', 'interval', 'tenant')
             THEN lower(trim(r.type)) ELSE refused_text() END  AS indicator_type,
        coalesce(said(r.source), refused_text())  AS source,
        percent(r.confidence)       AS confidence,
        CASE WHEN said(r.valid_until) IS NOT NULL
             THEN coalesce(iso_time(trim(r.valid_until)), refused_time()) END  AS valid_until,
        said(r.tlp)                 AS tlp,
        said(r.description)         AS description,
        yes(r.to_ids)               AS for_detection,
        CASE WHEN lower(trim(r.verdict)) IN ('benign', 'revoked') THEN lower(trim(r.verdict))
             WHEN stated(r.verdict) IS NOT NULL AND lower(trim(r.verdict)) <> 'malicious' THEN refused_text() END
                                    AS verdict,
        stated(r.reviewer)          AS reviewer
    """,
    shows="what somebody else holds to be malicious, who says so, since when and until when",
    cannot_show="whether it is true; a value that nobody reported",
    reference="docs/how-to/intelligence.md",
)
