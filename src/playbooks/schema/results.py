"""Tables of results over egress, intelligence and findings."""

from __future__ import annotations

from playbooks.schema.columns import Column, Table

EGRESS_PAIRS = Table(
    "egress_pairs",
    "One row per source and destination over all telemetry.",
    (
        Column("src", "VARCHAR", "client address (or name where the log has only that)"),
        Column("dst", "VARCHAR", "destination: name where one is known, address otherwise"),
        Column("kind", "VARCHAR", "fqdn, ip or fingerprint"),
        Column(
            "answered_names",
            "VARCHAR[]",
            "names that the client was answered with this address, where there are several (at most 20)",
        ),
        Column("provider", "VARCHAR", "provider by the catalogue, or by a published address range; null outside both"),
        Column("service", "VARCHAR", "service by the same"),
        Column("region", "VARCHAR", "region by the same, where host name or range tell it"),
        Column("catalogue_id", "VARCHAR", "entry of the catalogue; null outside it"),
        Column("tenant", "VARCHAR", "tenant label or path id that names the customer of the provider"),
        Column(
            "matched_by",
            "VARCHAR",
            "host, cname or path: what the catalogue matched; address: a published range holds it, low confidence",
        ),
        Column(
            "ownership",
            "VARCHAR",
            "owned-approved, owned-unapproved, owned-recently-modified, external, unknown",
        ),
        Column("ownership_reason", "VARCHAR", "why"),
        Column("ownership_refs", "VARCHAR[]", "audit records behind it"),
        Column("first_seen", "TIMESTAMPTZ", "first event, UTC"),
        Column("last_seen", "TIMESTAMPTZ", "last event, UTC"),
        Column("connections", "BIGINT", "events in the telemetry that saw most of them"),
        Column("bytes_out", "BIGINT", "bytes sent by the source"),
        Column("bytes_in", "BIGINT", "bytes received by the source"),
        Column("sources", "VARCHAR[]", "telemetry that saw the pair: dns, http, tls, flow"),
        Column("clients", "BIGINT", "clients of the estate that talk to the same tenant or destination"),
        Column("clients_share", "DOUBLE", "share of all clients seen, 0 to 1"),
        Column("user_agents", "VARCHAR[]", "user agents seen (at most five)"),
        Column("user_agent_refs", "VARCHAR[]", "the first record of each of them, in the same order"),
        Column("processes", "VARCHAR[]", "images of the processes that connected (at most five)"),
        Column("process_refs", "VARCHAR[]", "the first record of each of them, in the same order"),
        Column("users", "VARCHAR[]", "users behind it, as logged (at most five)"),
        Column("user_refs", "VARCHAR[]", "the first record of each of them, in the same order"),
        Column("fingerprints", "VARCHAR[]", "fingerprints of the TLS client, ja4:… or ja3:… (at most five)"),
        Column("fingerprint_refs", "VARCHAR[]", "the first record of each of them, in the same order"),
        Column("active_hours", "BIGINT", "hours of the day (UTC) with contacts, of 24"),
        Column(
            "off_hours_share",
            "DOUBLE",
            "share of the contacts in hours in which the estate is mostly silent; null where it has no such hours",
        ),
        Column("traits", "VARCHAR[]", "traits of documented tools that records of the pair show, by their ids"),
        Column("trait_fields", "VARCHAR[]", "the column that shows each of them, in the same order"),
        Column("trait_values", "VARCHAR[]", "the value that shows each of them, cut to 200 characters"),
        Column("trait_refs", "VARCHAR[]", "the first record of each of them"),
        Column("new_in_window", "BOOLEAN", "not seen by any client in the baseline window; null without baseline"),
        Column("new_for_client", "BOOLEAN", "not seen by this client in the baseline window; null without baseline"),
        Column(
            "new_programs",
            "VARCHAR[]",
            "user agents, processes and fingerprints of the row that no client had in the baseline; null without one",
        ),
        Column("beacon_score", "DOUBLE", "rhythm, 0 to 1; null with too few events"),
        Column("beacon_period_s", "DOUBLE", "typical interval, seconds"),
        Column("beacon_reason", "VARCHAR", "the figures behind the score, in a sentence"),
        Column("beacon_source", "VARCHAR", "telemetry the rhythm was measured in"),
        Column(
            "beacon_client",
            "VARCHAR",
            "process, user agent or fingerprint whose own contacts hold the rhythm; null where all of the pair do",
        ),
        Column("rita_score", "DOUBLE", "RITA's score, 0 to 1; null where RITA would not score"),
        Column("priority", "DOUBLE", "what to look at first, 0 to 1: rhythm with context"),
        Column("priority_reasons", "VARCHAR[]", "why"),
        Column("refs", "VARCHAR[]", "up to 20 records behind the row, E003:4118"),
    ),
    grows=True,
)

EGRESS_CHANNELS = Table(
    "egress_channels",
    "One row per way out that the check-ins of one pair do not show; thresholds: docs/how-to/read-channels.md.",
    (
        Column(
            "kind",
            "VARCHAR",
            "long_connection, tunnel, dns_channel, rotating_destinations, shared_rhythm, polling_pairs, "
            "first_contact_burst, upload_asymmetry, fronting",
        ),
        Column("src", "VARCHAR", "client"),
        Column(
            "dst", "VARCHAR", "the chief destination; of a DNS channel the registered domain, of a rotation its mark"
        ),
        Column("dsts", "VARCHAR[]", "all destinations (at most 100); of fronting the host and the SNI"),
        Column("sentence", "VARCHAR", "what was seen, with its figures"),
        Column("strength", "DOUBLE", "0 to 1 within its kind"),
        Column("clients", "BIGINT", "clients that do the same with the same destination or mark"),
        Column("source", "VARCHAR", "telemetry it was seen in"),
        Column("first_seen", "TIMESTAMPTZ", "first event, UTC"),
        Column("last_seen", "TIMESTAMPTZ", "last event, or end of the last connection, UTC"),
        Column("connections", "BIGINT", "connections, queries or polls"),
        Column("bytes_out", "BIGINT", "bytes sent by the source; null where no record tells"),
        Column("bytes_in", "BIGINT", "bytes received by the source; null where no record tells"),
        Column("period_s", "DOUBLE", "typical interval, seconds; null without a rhythm"),
        Column("score", "DOUBLE", "score of the rhythm, 0 to 1; null where none was looked for"),
        Column("refs", "VARCHAR[]", "up to 20 records behind the row, E003:4118"),
    ),
)

ENRICHMENT = Table(
    "enrichment",
    "One row per observable and intelligence item that speak of the same thing.",
    (
        Column("observable", "VARCHAR", "host, address, URL, path, client, hash, tenant or rhythm seen in the case"),
        Column("observable_type", "VARCHAR", "its type, as that of an indicator"),
        Column("matched_on", "VARCHAR", "exact, parent domain, path above, or period (within a twentieth)"),
        Column("indicator", "VARCHAR", "the item's value"),
        Column("ref", "VARCHAR", "the item's record, E005:1"),
        Column("source", "VARCHAR", "who says so"),
        Column("confidence", "INTEGER", "0 to 100, as the source states it"),
        Column("valid_from", "TIMESTAMPTZ", "start of validity"),
        Column("valid_until", "TIMESTAMPTZ", "end of validity; null where the source states none"),
        Column("tlp", "VARCHAR", "traffic light protocol marking"),
        Column("description", "VARCHAR", "the source's own words"),
        Column("verdict", "VARCHAR", "benign or revoked, where the source says so"),
        Column("for_detection", "BOOLEAN", "false: the source gives it as context; null: it does not say"),
        Column("visible_in", "VARCHAR", "which logs can show such a value"),
        Column(
            "state",
            "VARCHAR",
            "valid, unvetted, context, trait, expired, not yet valid, too broad, revoked, benign, rejected",
        ),
        Column("lacks", "VARCHAR[]", "what it would need to be leaned on: source, reviewer, date, confidence"),
        Column("vetted_by", "VARCHAR", "who reviewed the source or the item; null where nobody did"),
        Column("contradicted_by", "VARCHAR[]", "items that say otherwise of the same observable, by their records"),
        Column("lookup", "VARCHAR", "what msticpy's TILookup made of the observable"),
    ),
)

TIMELINE = Table(
    "timeline",
    "What happened when, over all findings and leads.",
    (
        Column("time", "TIMESTAMPTZ", "when, UTC"),
        Column("finding", "VARCHAR", "id of the finding or lead"),
        Column("kind", "VARCHAR", "first seen, last seen, or the phase of a cloud event"),
        Column("what", "VARCHAR", "what happened, in words"),
        Column("ref", "VARCHAR", "the record; null for a span"),
    ),
)

LINKS = Table(
    "links",
    "Case links: what each record cited by a finding, lead or set-aside row shows (at most 20 records a signal).",
    (
        Column("finding", "VARCHAR", "id of the finding, lead or set-aside row"),
        Column("time", "TIMESTAMPTZ", "when, UTC"),
        Column("who", "VARCHAR", "host or principal that acted; for an indicator, who states it"),
        Column("user", "VARCHAR", "user or process that the record names; null where it names none"),
        Column("relation", "VARCHAR", "contacted, resolved, created, modified, permitted, …, matched indicator"),
        Column("entity", "VARCHAR", "to what: destination, resource or indicator, as the record shows it"),
        Column("entity_kind", "VARCHAR", "destination, indicator, or the type of the resource"),
        Column("signal", "VARCHAR", "kind of signal that cites the record"),
        Column("evidence_id", "VARCHAR", "evidence item"),
        Column("item_sha256", "VARCHAR", "SHA-256 of that item"),
        Column("record_no", "BIGINT", "record of that item"),
        Column("ref", "VARCHAR", "both: E003:4118"),
        Column("verdict", "VARCHAR", "what an analyst decided of the finding; null where nobody did"),
        Column("analyst", "VARCHAR", "who decided; null where nobody did"),
    ),
)

EGRESS_HOURS = Table(
    "egress_hours",
    "Contacts per hour with destinations of the catalogue.",
    (
        Column("hour", "TIMESTAMPTZ", "start of the hour, UTC"),
        Column("dst", "VARCHAR", "destination"),
        Column("service", "VARCHAR", "service by the catalogue"),
        Column("connections", "BIGINT", "contacts in that hour"),
    ),
)

RESOLUTIONS = Table(
    "resolutions",
    "What serverless and indicated names were answered with, over the whole of the evidence, and what they are.",
    (
        Column("name", "VARCHAR", "name asked for"),
        Column("answer", "VARCHAR", "one answer: an address, or the name behind it (CNAME)"),
        Column("first_seen", "TIMESTAMPTZ", "first record with that answer"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("times", "BIGINT", "records with that answer"),
        Column("clients", "BIGINT", "clients that received it"),
        Column("catalogue_id", "VARCHAR", "entry of the catalogue; null outside it"),
        Column("provider", "VARCHAR", "provider by the catalogue"),
        Column("service", "VARCHAR", "service by the catalogue"),
        Column("tenant", "VARCHAR", "customer of the provider, where the name tells"),
        Column("matched_by", "VARCHAR", "host: the name itself; cname: a name behind it"),
        Column("catalogue_version", "VARCHAR", "version of the catalogue that says so"),
        Column("indicator_refs", "VARCHAR[]", "records of intelligence that name it or a domain above it"),
        Column("ref", "VARCHAR", "first record, E003:4118"),
    ),
)

RELATED_ACTIVITY = Table(
    "related_activity",
    "What happened on the hosts of findings and leads, and to their users, around first contact (at most 20 rows a "
    "stage).",
    (
        Column("time", "TIMESTAMPTZ", "when, UTC"),
        Column("finding", "VARCHAR", "id of the finding or lead"),
        Column("src", "VARCHAR", "its client"),
        Column("stage", "VARCHAR", "initial-access, execution, persistence, …: what the record is consistent with"),
        Column("attack", "VARCHAR[]", "ATT&CK technique ids, as context"),
        Column("host", "VARCHAR", "machine that the record names, else the client"),
        Column("user", "VARCHAR", "account that the record names; null where it names none"),
        Column("sentence", "VARCHAR", "what the record says, in words"),
        Column("matched_by", "VARCHAR", "host name, address, client of another machine, or user"),
        Column("relative_s", "BIGINT", "seconds from first contact; negative before it"),
        Column("rule", "VARCHAR", "rule of the lifecycle that read it"),
        Column("telling", "BOOLEAN", "hardly ordinary on a host, or a program that ran for the first time"),
        Column("rule_confidence", "VARCHAR", "of the rule: high, medium, low"),
        Column("innocent_if", "VARCHAR", "the innocent reading"),
        Column("ref", "VARCHAR", "the record, E003:4118"),
    ),
)

LIFECYCLE_STAGES = Table(
    "lifecycle_stages",
    "Per finding, client and stage of an intrusion: found, clear over what, or blind for want of what.",
    (
        Column("finding", "VARCHAR", "id of the finding or lead"),
        Column("src", "VARCHAR", "its client"),
        Column("stage", "VARCHAR", "initial-access, execution, persistence, …"),
        Column("state", "VARCHAR", "found, clear or blind"),
        Column("first_contact", "TIMESTAMPTZ", "first contact of the client in the records"),
        Column("since", "TIMESTAMPTZ", "start of the span that was looked at"),
        Column("until", "TIMESTAMPTZ", "its end"),
        Column("events", "BIGINT", "records of the stage in it"),
        Column("left_out", "BIGINT", "how many of them `related_activity` does not list"),
        Column("looked_at", "VARCHAR[]", "telemetry of the host that could show it"),
        Column("missing", "VARCHAR[]", "telemetry that could show it and is not in evidence for the host"),
        Column("to_open", "VARCHAR[]", "what to collect for each of these"),
        Column("reason", "VARCHAR", "the same in a sentence"),
        Column("refs", "VARCHAR[]", "up to 5 records"),
    ),
)

SCOPE = Table(
    "scope",
    "Per finding and source: who shares a trait with it, who is affected, since when, and what left.",
    (
        Column("finding", "VARCHAR", "id of the finding or lead"),
        Column("src", "VARCHAR", "client address or name"),
        Column("is_subject", "BOOLEAN", "the finding names it; else it only shares a trait"),
        Column("hostnames", "VARCHAR[]", "host names shown with the address (at most 5)"),
        Column("users", "VARCHAR[]", "accounts its contacts name (at most 5)"),
        Column("processes", "VARCHAR[]", "programs its contacts name (at most 5)"),
        Column("shares", "VARCHAR[]", "traits it shares, each with its value"),
        Column("destinations", "VARCHAR[]", "where it did so (at most 5)"),
        Column("first_seen", "TIMESTAMPTZ", "first such contact in all records, UTC"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("began", "VARCHAR", "in the window, before it, or where its records begin"),
        Column("connections", "BIGINT", "contacts in the telemetry that saw most of them"),
        Column("bytes_out", "BIGINT", "bytes that left in the telemetry that saw most; null where none counts"),
        Column("bytes_in", "BIGINT", "bytes that came in the same"),
        Column("counted_in", "VARCHAR", "format that counts either way, and of how many contacts; overhead is in them"),
        Column("refs", "VARCHAR[]", "up to 5 records, the first and the last among them"),
    ),
)

SIGMA_MATCHES = Table(
    "sigma_matches",
    "Records that a Sigma rule fits, and groups of records that a correlation rule fits.",
    (
        Column("rule_id", "VARCHAR", "id of the rule, as its author wrote it; may be empty"),
        Column("title", "VARCHAR", "its title"),
        Column("level", "VARCHAR", "informational, low, medium, high or critical; empty where it states none"),
        Column("tags", "VARCHAR[]", "its tags, e.g. attack.t1648"),
        Column("kind", "VARCHAR", "event, or the type of the correlation rule"),
        Column("time", "TIMESTAMPTZ", "when, UTC; of a group its first record. Null where the record has no time"),
        Column(
            "in_window", "BOOLEAN", "it lies in the case's window, of a group any record. Null without window or time"
        ),
        Column("principal", "VARCHAR", "who acted, as the record names it; null where it names nobody"),
        Column("resource", "VARCHAR", "on what, as the record names it; null where it names nothing"),
        Column("ref", "VARCHAR", "the record, E003:4118; of a group the first"),
        Column("refs", "VARCHAR[]", "further records of a group (at most 100)"),
        Column("path", "VARCHAR", "file of the rule as the case names it; kit/… are the kit's own"),
        Column("document", "BIGINT", "which document of that file"),
    ),
)
