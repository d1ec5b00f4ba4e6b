"""Google address ranges: each prefix of `cloud.json` or `goog.json` a record.

Only `cloud.json` names Google, with service and region. `goog.json`, and lists that others publish in its layout (of
crawlers), name nobody: whose they are the case says (`address_ranges:` in case.yaml).
Reference: Google, "Where can I find Compute Engine IP ranges?", and "Obtain Google IP address ranges".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="google_ip_ranges",
    product="Google cloud.json, goog.json",
    table="address_ranges",
    cut=Json(
        keys=frozenset(),
        any_of=frozenset({"ipv4Prefix", "ipv6Prefix"}),
        shape="""{"ipv4Prefix": "VARCHAR", "ipv6Prefix": "VARCHAR", "service": "VARCHAR", "scope": "VARCHAR"}""",
        envelopes=("prefixes",),
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    columns="""
        address_range(coalesce(r.ipv4Prefix, r.ipv6Prefix))  AS address_range,
        CASE WHEN r.service LIKE 'Google%' THEN 'Google' END  AS provider,
        said(r.service)             AS service,
        said(r.scope)               AS region
    """,
    shows="which addresses Google publishes, and in which region it gives them to customers",
    cannot_show="which customer uses an address, and when; which service runs there; other versions of the file",
    reference="Google, Obtain Google IP address ranges",
)
