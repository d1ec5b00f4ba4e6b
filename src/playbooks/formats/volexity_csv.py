"""Indicators in three columns, as Volexity publishes them: value, type, description.

The header is there or not. Neither the source nor a time stands in the file: the items have no time from which they
hold, and their source is empty until the case names it. A file is its hash.
Reference: Volexity, threat-intel repository, "indicators" files.
"""

from playbooks.formats.format import Clock, Columns, Format

COLUMNS = ("value", "entity_type", "description")
KIND = """CASE lower(trim(r.entity_type)) WHEN 'ipaddress' THEN 'ip' WHEN 'hostname' THEN 'domain'
            WHEN 'file' THEN coalesce(hash_type(r.value), 'file') ELSE lower(said(trim(r.entity_type))) END"""

FORMAT = Format(
    name="volexity_csv",
    product="Indicators of value, type and description, CSV",
    table="indicators",
    cut=Columns(
        delimiter=",",
        fields=COLUMNS,
        keys=frozenset(COLUMNS),
        default=COLUMNS,
        default_mark=r"^[^,]+,(?:ipaddress|hostname|url|file),(?:\"(?:[^\"]|\"\")*\"|[^,\"]*)$",
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    columns=f"""
        indicator_value(r.value, {KIND})  AS indicator,
        {KIND}                      AS indicator_type,
        said(r.description)         AS description
    """,
    shows="what somebody else holds to be malicious, and why",
    cannot_show="who says so; since when and until when; whether it is true",
    reference="Volexity, threat-intel repository",
)
