"""Zeek intelligence file: one item a line under a `#fields` header, as Zeek's Intel framework loads it.

Not Zeek's log of matches (`intel.log`). An item has a type of Zeek and the meta data of its source; no time stands
there.
Reference: Zeek documentation, "Intelligence Framework".
"""

from playbooks.formats.format import Clock, Format, Zeek

NAME = r"regexp_extract(r.indicator_type, '\w+$')"
KIND = f"""CASE {NAME} WHEN 'DOMAIN' THEN 'domain' WHEN 'ADDR' THEN 'ip' WHEN 'URL' THEN 'url'
            WHEN 'SOFTWARE' THEN 'user_agent' WHEN 'FILE_HASH' THEN coalesce(hash_type(r.indicator), 'file')
            WHEN 'CERT_HASH' THEN 'certificate' ELSE lower(said({NAME})) END"""

FORMAT = Format(
    name="zeek_intel",
    product="Zeek intelligence file",
    table="indicators",
    cut=Zeek(
        path="intel-items",
        fields=("indicator", "indicator_type", "meta.source", "meta.desc", "meta.url"),
        keys=frozenset({"indicator", "indicator_type"}),
        any_of=frozenset({"meta_source", "meta_desc", "meta_url", "meta_do_notice"}),
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    columns=f"""
        indicator_value(r.indicator, {KIND})  AS indicator,
        {KIND}                      AS indicator_type,
        said(r.meta_source)         AS source,
        said(concat_ws('; ', said(r.meta_desc), said(r.meta_url)))  AS description
    """,
    shows="what a source of a Zeek sensor holds to be malicious",
    cannot_show="since when and until when; whether it is true; whether the sensor saw it",
    reference="Zeek documentation, Intelligence Framework",
)
