"""Indicator list, one value a line: Maltrail trails, and lists that a report or a feed ends with.

Lines that begin with `#` are comments. The type is told by the look of the value: an address (with or without its
port), a hash, what holds a slash (URLs, and paths that any host may serve), else a name. A range of addresses is none.
Neither source nor time stands in the file. A value may be defanged.
Reference: Maltrail, static trails; docs/how-to/intelligence.md.
"""

from playbooks.formats.format import Clock, Format, TextLines

DOT = r"(?:\.|\[\.\]|\(\.\)|\[dot\])"
SCHEME = r"(?:https?|hxxps?|ftp|tcp)(?:\[:\]|:)//"
LABELS = rf"(?:[A-Za-z0-9_-]+{DOT})+"
PATH = r"(?:/[^\s,]*)?"

FORMAT = Format(
    name="indicator_lines",
    product="Indicator list, one value a line",
    table="indicators",
    cut=TextLines(
        rf"^\s*(?P<value>{SCHEME}{LABELS}[A-Za-z0-9-]{{1,63}}(?::\d{{1,5}})?{PATH}"
        rf"|{LABELS}[A-Za-z0-9-]*[A-Za-z-][A-Za-z0-9-]*(?::\d{{1,5}})?{PATH}"
        # digits behind a bare address are the length of a prefix: `address_range_lines`
        rf"|{LABELS}\d{{1,63}}(?::\d{{1,5}}{PATH}|/(?:\d{{0,3}}[^\s,\d][^\s,]*|\d{{4}}[^\s,]*)?)?"
        r"|/[A-Za-z0-9_.~-]+(?:/[^\s,]*)?|[0-9A-Fa-f]{32}|[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}"
        r"|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4})(?:\s+#.*)?\s*$",
        comment="#",
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    columns="""
        indicator_value(regexp_replace(r.value, '^([^/:]+):\\d+$', '\\1'), indicator_type_of(r.value))  AS indicator,
        indicator_type_of(r.value)  AS indicator_type,
        -- the port, where one stands there
        CASE WHEN regexp_matches(r.value, '^[^/:]+:\\d+$') THEN r.value END  AS description
    """,
    shows="values that somebody else holds to be malicious",
    cannot_show="who says so and why; since when and until when; whether it is true",
    reference="Maltrail, static trails",
)
