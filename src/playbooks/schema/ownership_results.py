"""Tables of results about whose things are, and about the lists that say so."""

from __future__ import annotations

from playbooks.schema.columns import Column, Table

DRAFT_INVENTORY = Table(
    "draft_inventory",
    "What audit records and egress showed of serverless things, one row per host or resource: a draft to be owned.",
    (
        Column("owner", "VARCHAR", "who answers for it by the inventory; empty where nobody does"),
        Column("resource", "VARCHAR", "name of the function or the like, as audit records write it; null without any"),
        Column("host", "VARCHAR", "host name; null where no record shows one"),
        Column("tenant", "VARCHAR", "customer of the service that the host names"),
        Column("service", "VARCHAR", "id of the service in the catalogue"),
        Column("account", "VARCHAR", "account by the audit records"),
        Column("region", "VARCHAR", "region by audit records or host name"),
        Column("owner_missing", "BOOLEAN", "no inventory entry with an owner names it"),
        Column("ownership", "VARCHAR", "owned-approved, owned-unapproved, owned-recently-modified, external, unknown"),
        Column("ownership_reason", "VARCHAR", "why"),
        Column("seen_by", "VARCHAR[]", "audit: our control plane made or changed it; egress: our clients contacted it"),
        Column("first_seen", "TIMESTAMPTZ", "first record, UTC"),
        Column("last_seen", "TIMESTAMPTZ", "last record, UTC"),
        Column("exposure", "VARCHAR", "the last opening to strangers in the window; null where no record shows one"),
        Column("last_principal", "VARCHAR", "who changed it last in the window; null where no record shows it"),
        Column("clients", "BIGINT", "clients of the estate that contacted it"),
        Column("refs", "VARCHAR[]", "up to 20 records behind it"),
    ),
)

ALLOW_LIST_REVIEW = Table(
    "allow_list_review",
    "Every entry of allow-list and inventory, with what speaks for going over it again.",
    (
        Column("list", "VARCHAR", "allow_list or inventory"),
        Column("entry", "BIGINT", "its place in that list, from 1; entries of files come after those of case.yaml"),
        Column("written_in", "VARCHAR", "case.yaml, or file and place in it"),
        Column(
            "kind", "VARCHAR", "destination, tenant, process or principal; of the inventory host, resource or tenant"
        ),
        Column("value", "VARCHAR", "what it names"),
        Column("owner", "VARCHAR", "who answers for it"),
        Column("expires", "VARCHAR", "last day, 2026-12-31; null where it has none"),
        Column(
            "faults",
            "VARCHAR[]",
            "unknown_owner, expired, too_broad, unused, covers_modified, overlapping; empty where nothing was noticed",
        ),
        Column("reason", "VARCHAR", "the same in sentences"),
        Column("covered", "BIGINT", "pairs, or changes of a principal, that it speaks of in this case"),
        Column("refs", "VARCHAR[]", "up to 20 records of these; of a changed destination the changes"),
    ),
)

ADDRESS_FACTS = Table(
    "address_facts",
    "What databases of addresses in evidence say of addresses that were contacted or answered: context, no reason.",
    (
        Column("address", "VARCHAR", "the address, as events hold it"),
        Column("network", "VARCHAR", "network of the database's record, in CIDR notation from that address"),
        Column("asn", "BIGINT", "number of the autonomous system; null where the database tells none"),
        Column("as_organisation", "VARCHAR", "its organisation"),
        Column("country", "VARCHAR", "country, as the database writes it (ISO 3166-1)"),
        Column("database", "VARCHAR", "what the database calls itself"),
        Column("built", "TIMESTAMPTZ", "when it was built, by its own metadata"),
        Column("ref", "VARCHAR", "its evidence item, E007:1"),
    ),
)

NAME_FACTS = Table(
    "name_facts",
    "What names of destinations say, and what passive DNS and certificate logs in evidence hold of them: context only.",
    (
        Column("name", "VARCHAR", "destination"),
        Column(
            "fact",
            "VARCHAR",
            "punycode, homoglyph, one_edit, brand_in_name, brand_as_tenant; passive_dns, certificate",
        ),
        Column("reason", "VARCHAR", "what was noticed, in a sentence, with the innocent reading of a look-alike"),
        Column("brand", "VARCHAR", "name of the house that it resembles; null for records of others"),
        Column("first_seen", "TIMESTAMPTZ", "our first contact, UTC"),
        Column("last_seen", "TIMESTAMPTZ", "our last contact, UTC"),
        Column("known_since", "TIMESTAMPTZ", "first sighting in passive DNS, or start of the certificate"),
        Column("siblings", "VARCHAR[]", "other names of the certificate, or with the same answer (at most 20)"),
        Column("refs", "VARCHAR[]", "up to 20 records: of our contacts, or of the files that speak of it"),
    ),
)
