"""Any table of indicators with tabs: a column `indicator`, and others as far as they are there.

Read are `type`, `source`, `confidence`, `valid_from`, `valid_until`, `tlp` and `description` (or `comment`). Without
a type the look of the value tells it; without a time the item holds from no stated moment.
Reference: docs/how-to/intelligence.md.
"""

from playbooks.formats.format import Clock, Columns, Format

COLUMNS = (
    *("indicator", "type", "source", "confidence", "valid_from", "valid_until", "tlp", "description", "comment"),
)
KIND = "coalesce(lower(stated(trim(r.type))), indicator_type_of(trim(r.indicator)))"

FORMAT = Format(
    name="indicator_table_tsv",
    product="Table of indicators, TSV",
    table="indicators",
    cut=Columns(delimiter="\t", fields=COLUMNS, keys=frozenset({"indicator"})),
    clock=Clock.IN_THE_STAMP,
    general=True,
    undated="stated(r.valid_from) IS NULL",
    columns=f"""
        utc_time(stated(r.valid_from))  AS time,
        indicator_value(r.indicator, {KIND})  AS indicator,
        {KIND}                      AS indicator_type,
        stated(r.source)            AS source,
        percent(stated(r.confidence))  AS confidence,
        CASE WHEN stated(r.valid_until) IS NOT NULL
             THEN coalesce(utc_time(trim(r.valid_until)), refused_time()) END  AS valid_until,
        stated(r.tlp)               AS tlp,
        said(concat_ws('; ', stated(r.description), stated(r.comment)))  AS description
    """,
    shows="what somebody else holds to be malicious, as far as the table says",
    cannot_show="whether it is true; what its columns do not hold",
    reference="docs/how-to/intelligence.md",
)
