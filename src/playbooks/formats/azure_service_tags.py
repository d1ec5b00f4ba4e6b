"""Azure service tags: each tag a record, each of its prefixes an item.

The name of a tag is a service, or a service and a region behind a dot. Tags overlap: `AzureCloud` holds what others
hold besides. Read as downloaded and as the API answers; the moment of publication stands in neither.
Reference: Microsoft, "Virtual network service tags", discover service tags by using downloadable JSON files.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="azure_service_tags",
    product="Azure service tags",
    table="address_ranges",
    cut=Json(
        keys=frozenset({"name", "properties"}),
        only=(("properties.changeNumber", r"\d+"),),
        shape="""{"name": "VARCHAR", "properties": {"region": "VARCHAR", "addressPrefixes": ["VARCHAR"]}}""",
        envelopes=("values",),
    ),
    clock=Clock.IN_THE_STAMP,
    undated="true",
    each="r.properties.addressPrefixes",
    columns="""
        address_range(item)         AS address_range,
        'Microsoft'                 AS provider,
        said(split_part(r.name, '.', 1))  AS service,
        said(r.properties.region)   AS region
    """,
    shows="which addresses Microsoft publishes for which service and region of Azure",
    cannot_show="which customer uses an address, and when; other versions of the file",
    reference="Microsoft, Virtual network service tags",
)
