"""Fastly address ranges as its API answers: one record, each prefix an item.

Reference: Fastly API, "Public IP list".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="fastly_ip_ranges",
    product="Fastly public IP list",
    table="address_ranges",
    cut=Json(
        keys=frozenset({"addresses", "ipv6_addresses"}),
        shape="""{"addresses": ["VARCHAR"], "ipv6_addresses": ["VARCHAR"]}""",
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    each="list_concat(r.addresses, r.ipv6_addresses)",
    columns="""
        address_range(item)         AS address_range,
        'Fastly'                    AS provider
    """,
    shows="which addresses Fastly publishes as its own",
    cannot_show="which service or customer stands behind an address; where",
    reference="Fastly API, Public IP list",
)
