"""AWS address ranges: each prefix of `ip-ranges.json` a record, with service and region.

Most prefixes stand there twice: for `AMAZON`, which holds all of them, and for the service that uses them. The moment
of publication stands outside the records; a file is its hash.
Reference: AWS, "AWS IP address ranges", syntax of ip-ranges.json.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="aws_ip_ranges",
    product="AWS ip-ranges.json",
    table="address_ranges",
    cut=Json(
        keys=frozenset({"region", "service"}),
        any_of=frozenset({"ip_prefix", "ipv6_prefix"}),
        shape="""{"ip_prefix": "VARCHAR", "ipv6_prefix": "VARCHAR", "region": "VARCHAR", "service": "VARCHAR"}""",
        envelopes=("prefixes", "ipv6_prefixes"),
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    columns="""
        address_range(coalesce(r.ip_prefix, r.ipv6_prefix))  AS address_range,
        'AWS'                       AS provider,
        said(r.service)             AS service,
        said(r.region)              AS region
    """,
    shows="which addresses AWS publishes for which service and region",
    cannot_show="which customer uses an address, and when; addresses that customers brought with them; other versions",
    reference="AWS, AWS IP address ranges",
)
