"""Oracle Cloud address ranges: each region of `public_ip_ranges.json` a record, each of its prefixes an item.

A prefix has one or more tags: `OCI` is what customers use, `OSN` the services of Oracle.
Reference: Oracle Cloud Infrastructure documentation, "IP Address Ranges".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="oracle_ip_ranges",
    product="Oracle public_ip_ranges.json",
    table="address_ranges",
    cut=Json(
        keys=frozenset({"region", "cidrs"}),
        shape="""{"region": "VARCHAR", "cidrs": [{"cidr": "VARCHAR", "tags": ["VARCHAR"]}]}""",
        envelopes=("regions",),
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    each="r.cidrs",
    columns="""
        address_range(item.cidr)    AS address_range,
        'Oracle'                    AS provider,
        said(array_to_string(item.tags, ', '))  AS service,
        said(r.region)              AS region
    """,
    shows="which addresses Oracle publishes for its cloud, by region and tag",
    cannot_show="which customer uses an address, and when; other versions of the file",
    reference="Oracle Cloud Infrastructure, IP Address Ranges",
)
