"""Cloudflare address ranges as its API answers: one record, each prefix an item.

The same ranges as plain lists are `address_range_lines`.
Reference: Cloudflare API, "Cloudflare/JD Cloud IP Details".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="cloudflare_ip_ranges",
    product="Cloudflare address ranges, API",
    table="address_ranges",
    cut=Json(
        keys=frozenset({"ipv4_cidrs", "ipv6_cidrs"}),
        shape="""{"ipv4_cidrs": ["VARCHAR"], "ipv6_cidrs": ["VARCHAR"]}""",
        nested="result",
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    each="list_concat(r.ipv4_cidrs, r.ipv6_cidrs)",
    columns="""
        address_range(item)         AS address_range,
        'Cloudflare'                AS provider
    """,
    shows="which addresses Cloudflare publishes as its own",
    cannot_show="which service or customer stands behind an address; where; addresses of its partner in China",
    reference="Cloudflare API, Cloudflare/JD Cloud IP Details",
)
