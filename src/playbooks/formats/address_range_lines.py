"""Address ranges, one prefix a line: Cloudflare's `ips-v4` and `ips-v6`, and lists of others.

The list names nobody: whose ranges they are the case says (`address_ranges:` in case.yaml); until then they name
nothing. Lines that begin with `#` are comments.
Reference: Cloudflare, "IP Ranges"; docs/how-to/intelligence.md.
"""

from playbooks.formats.format import Clock, Format, TextLines

FORMAT = Format(
    name="address_range_lines",
    product="Address ranges, one prefix a line",
    table="address_ranges",
    cut=TextLines(
        r"^\s*(?P<prefix>(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8})/\d{1,3})(?:\s+#.*)?\s*$",
        comment="#",
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    columns="""
        address_range(r.prefix)     AS address_range
    """,
    shows="ranges of addresses that belong together",
    cannot_show="whose they are, what for and since when",
    reference="Cloudflare, IP Ranges",
)
