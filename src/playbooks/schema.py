"""The field dictionary: every table and column of a case, with its type, meaning and OCSF name.

Event tables follow OCSF 1.8 (attribute paths with dots written as underscores); `class_uid` is the
OCSF class. Types are DuckDB's. Nothing else in the kit declares a column of these tables.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column: its name, DuckDB type, meaning, and OCSF attribute (empty where OCSF has none)."""

    name: str
    type: str
    meaning: str
    ocsf: str = ""


@dataclass(frozen=True)
class Table:
    """One table of a case; `columns` in the order in which they are stored."""

    name: str
    about: str
    columns: tuple[Column, ...]
    class_uid: int | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def type_of(self, name: str) -> str:
        return next(column.type for column in self.columns if column.name == name)


RECORD = (
    Column("evidence_id", "VARCHAR", "evidence item the record stands in, E001, E002, …"),
    Column("record_no", "BIGINT", "record of that item, counted from 1 over events and unread records"),
    Column("format", "VARCHAR", "name of the format that read it"),
    Column("time", "TIMESTAMPTZ", "when it happened, UTC, microseconds", "time"),
)

WHO = (
    Column("src_endpoint_ip", "VARCHAR", "address of the client that started it", "src_endpoint.ip"),
    Column("src_endpoint_port", "INTEGER", "port of the client", "src_endpoint.port"),
    Column("src_endpoint_hostname", "VARCHAR", "name of the client", "src_endpoint.hostname"),
    Column("actor_user_name", "VARCHAR", "user behind it, as logged", "actor.user.name"),
)

PROCESS = (
    Column("actor_process_name", "VARCHAR", "process that connected", "actor.process.name"),
    Column("actor_process_file_path", "VARCHAR", "path of its image", "actor.process.file.path"),
    Column("actor_process_cmd_line", "VARCHAR", "its command line", "actor.process.cmd_line"),
    Column("actor_process_file_hash", "VARCHAR", "hash of its image", "actor.process.file.hashes.value"),
    Column(
        "actor_process_parent_process_name",
        "VARCHAR",
        "process that started it",
        "actor.process.parent_process.name",
    ),
)

WHERE = (
    Column("dst_endpoint_ip", "VARCHAR", "address of the destination", "dst_endpoint.ip"),
    Column("dst_endpoint_port", "INTEGER", "port of the destination", "dst_endpoint.port"),
    Column("dst_endpoint_hostname", "VARCHAR", "name of the destination", "dst_endpoint.hostname"),
)

VOLUME = (
    Column("traffic_bytes_out", "BIGINT", "bytes sent by the source", "traffic.bytes_out"),
    Column("traffic_bytes_in", "BIGINT", "bytes received by the source", "traffic.bytes_in"),
    Column("traffic_packets_out", "BIGINT", "packets sent by the source", "traffic.packets_out"),
    Column("traffic_packets_in", "BIGINT", "packets received by the source", "traffic.packets_in"),
    Column("duration_ms", "BIGINT", "duration, milliseconds", "duration"),
)

DEVICE = (
    Column("activity_name", "VARCHAR", "what happened, as logged (event name or id)", "activity_name"),
    Column("disposition", "VARCHAR", "what the device did: allowed, blocked, …", "disposition"),
    Column("metadata_uid", "VARCHAR", "the log's own id of the event or connection", "metadata.uid"),
)

TLS = (
    Column("tls_sni", "VARCHAR", "server name asked for in the TLS handshake", "tls.sni"),
    Column("tls_version", "VARCHAR", "TLS version", "tls.version"),
    Column("tls_ja3", "VARCHAR", "JA3 of the client", "tls.ja3_hash.value"),
    Column("tls_ja3s", "VARCHAR", "JA3S of the server", "tls.ja3s_hash.value"),
    Column("tls_ja4", "VARCHAR", "JA4 of the client", "tls.ja4_fingerprint_list.value"),
    Column("tls_certificate_issuer", "VARCHAR", "issuer of the server certificate", "tls.certificate.issuer"),
)

FORWARDED_FOR = Column(
    "http_request_x_forwarded_for",
    "VARCHAR",
    "X-Forwarded-For as logged, the client first; anybody can write it: it counts behind `trusted_proxies` only",
    "http_request.x_forwarded_for",
)
USER_AGENT = Column(
    "http_request_user_agent", "VARCHAR", "user agent, as sent by the client", "http_request.user_agent"
)
METHOD = Column("http_request_http_method", "VARCHAR", "method; CONNECT rows carry no path", "http_request.http_method")
RESPONSE_CODE = Column("http_response_code", "INTEGER", "status code", "http_response.code")
PROTOCOL = Column(
    "connection_info_protocol_name",
    "VARCHAR",
    "transport protocol: tcp, udp, …",
    "connection_info.protocol_name",
)

DNS_ACTIVITY = Table(
    "dns_activity",
    "DNS queries and their answers.",
    (
        *RECORD,
        *WHO,
        *PROCESS,
        *WHERE,
        PROTOCOL,
        Column("query_hostname", "VARCHAR", "name asked for, lower case, no final dot", "query.hostname"),
        Column("query_type", "VARCHAR", "type asked for: A, AAAA, TXT, …", "query.type"),
        Column("rcode", "VARCHAR", "response code: NOERROR, NXDOMAIN, …", "rcode"),
        Column("answers", "VARCHAR[]", "answer data in order: CNAME targets and addresses", "answers.rdata"),
        Column("answers_ttl", "BIGINT[]", "time to live of each of them, seconds, in the same order", "answers.ttl"),
        Column("duration_ms", "BIGINT", "time to answer, milliseconds", "duration"),
        *DEVICE,
    ),
    4003,
)

HTTP_ACTIVITY = Table(
    "http_activity",
    "Web requests seen by a proxy, gateway or sensor.",
    (
        *RECORD,
        *WHO,
        *PROCESS,
        *WHERE,
        PROTOCOL,
        Column("proxy_endpoint_ip", "VARCHAR", "address of the proxy in between", "proxy_endpoint.ip"),
        METHOD,
        Column(
            "http_request_url_string",
            "VARCHAR",
            "URL as far as the log shows it",
            "http_request.url.url_string",
        ),
        USER_AGENT,
        Column("http_request_referrer", "VARCHAR", "referrer", "http_request.referrer"),
        FORWARDED_FOR,
        RESPONSE_CODE,
        *TLS,
        *VOLUME,
        *DEVICE,
    ),
    4002,
)

NETWORK_ACTIVITY = Table(
    "network_activity",
    "Connections and flows, with TLS and process where known.",
    (
        *RECORD,
        *WHO,
        *PROCESS,
        *WHERE,
        PROTOCOL,
        *TLS,
        *VOLUME,
        Column("traffic_ip_bytes_out", "BIGINT", "bytes sent by the source with their IP headers, where the log tells"),
        *DEVICE,
    ),
    4001,
)

API_ACTIVITY = Table(
    "api_activity",
    "Cloud, SaaS and office audit records.",
    (
        *RECORD,
        Column("src_endpoint_ip", "VARCHAR", "caller's address, or the service that called", "src_endpoint.ip"),
        Column("actor_user_name", "VARCHAR", "principal's name", "actor.user.name"),
        Column("actor_user_uid", "VARCHAR", "principal's unique id (ARN, object id, e-mail)", "actor.user.uid"),
        Column("actor_user_type", "VARCHAR", "kind of principal as logged", "actor.user.type"),
        Column(
            "actor_session_issuer",
            "VARCHAR",
            "role or identity that issued the session",
            "actor.session.issuer",
        ),
        Column(
            "actor_session_uid",
            "VARCHAR",
            "access key or session the call was signed with",
            "actor.session.uid",
        ),
        Column("actor_invoked_by", "VARCHAR", "service that called on the principal's behalf", "actor.invoked_by"),
        Column("api_operation", "VARCHAR", "operation as logged", "api.operation"),
        Column("api_operation_base", "VARCHAR", "operation without version suffix, canonical case"),
        Column("api_service_name", "VARCHAR", "service, e.g. lambda.amazonaws.com", "api.service.name"),
        Column("cloud_provider", "VARCHAR", "AWS, Azure, GCP, …", "cloud.provider"),
        Column("cloud_account_uid", "VARCHAR", "account that owns the resource", "cloud.account.uid"),
        Column("cloud_region", "VARCHAR", "region", "cloud.region"),
        Column("resource_name", "VARCHAR", "short name of the resource acted on", "resources.name"),
        Column("resource_uid", "VARCHAR", "full id of the resource (ARN, path)", "resources.uid"),
        Column("status", "VARCHAR", "success or failure", "status"),
        Column("status_detail", "VARCHAR", "error code and message", "status_detail"),
        USER_AGENT,
        Column("metadata_uid", "VARCHAR", "the log's own event id", "metadata.uid"),
        Column(
            "metadata_correlation_uid",
            "VARCHAR",
            "what the records of one operation share, its start and its end",
            "metadata.correlation_uid",
        ),
        Column(
            "metadata_event_code",
            "VARCHAR",
            "class of the record: management, data, …",
            "metadata.event_code",
        ),
        Column("request", "VARCHAR", "request parameters, JSON text", "api.request.data"),
        Column("response", "VARCHAR", "response elements, JSON text", "api.response.data"),
    ),
    6003,
)

SYSTEM_ACTIVITY = Table(
    "system_activity",
    "What hosts, accounts and devices report besides: processes, files, registry, logons, services, alerts.",
    (
        *RECORD,
        Column(
            "class_uid",
            "INTEGER",
            "OCSF class of the row: 1001 file, 1005 module, 1006 scheduled job, 1007 process, 201001 and 201002 "
            "registry, 201004 service, 2004 detection, 3001 account change, 3002 authentication, 3006 group "
            "change, 4004 DHCP, 0 other",
            "class_uid",
        ),
        *WHO,
        *PROCESS,
        *WHERE,
        PROTOCOL,
        Column("device_hostname", "VARCHAR", "host or device that logged it", "device.hostname"),
        Column("user_name", "VARCHAR", "account it was done to or with: logged on, changed", "user.name"),
        Column("process_name", "VARCHAR", "process that was started or touched", "process.name"),
        Column("process_file_path", "VARCHAR", "path of its image", "process.file.path"),
        Column("process_cmd_line", "VARCHAR", "its command line", "process.cmd_line"),
        Column("process_file_hash", "VARCHAR", "hash of its image", "process.file.hashes.value"),
        Column("file_path", "VARCHAR", "file, module, registry key, task or service touched", "file.path"),
        METHOD,
        Column("http_request_url_string", "VARCHAR", "URL that an alert names", "http_request.url.url_string"),
        USER_AGENT,
        RESPONSE_CODE,
        Column("finding_title", "VARCHAR", "alert, rule or threat that a device names; never a verdict of ours"),
        Column("severity", "VARCHAR", "severity as the device states it", "severity"),
        Column("status", "VARCHAR", "success or failure", "status"),
        Column("status_detail", "VARCHAR", "reason or error, as logged", "status_detail"),
        Column("message", "VARCHAR", "the log's own words", "message"),
        *VOLUME,
        *DEVICE,
    ),
)

INDICATORS = Table(
    "indicators",
    "Intelligence items brought by the investigator; evidence like any log.",
    (
        *RECORD,  # `time` is the moment from which the item is valid
        Column("indicator", "VARCHAR", "the value, refanged and in lower case where case has no meaning"),
        Column(
            "indicator_type",
            "VARCHAR",
            "domain, ip, url, uri, user_agent, ja3, ja4, sha256, interval, tenant; others match nothing",
        ),
        Column("source", "VARCHAR", "who says so"),
        Column("confidence", "INTEGER", "0 to 100, as the source states it"),
        Column("valid_until", "TIMESTAMPTZ", "after this moment the item is expired"),
        Column("tlp", "VARCHAR", "traffic light protocol marking"),
        Column("description", "VARCHAR", "the source's own words; quoted, never concluded"),
    ),
)

ACQUIRED_ANSWERS = Table(
    "acquired_answers",
    "Questions that a collector of ours asked a cloud or a store of logs, and what became of each; no events.",
    (
        *RECORD,  # `time` is the moment at which it was asked
        Column("source", "VARCHAR", "who was asked: aws, siem, lake, …"),
        Column("cloud_provider", "VARCHAR", "AWS, Azure, GCP, …; null where it is no cloud", "cloud.provider"),
        Column("api_service_name", "VARCHAR", "service or workspace that was asked", "api.service.name"),
        Column("cloud_account_uid", "VARCHAR", "account that was asked about", "cloud.account.uid"),
        Column("cloud_region", "VARCHAR", "region; global for what belongs to the whole account", "cloud.region"),
        Column("api_operation", "VARCHAR", "operation", "api.operation"),
        Column("resource_name", "VARCHAR", "what it is about", "resources.name"),
        Column("status", "VARCHAR", "answered, absent, refused, failed, unchanged or gone", "status"),
        Column("status_detail", "VARCHAR", "error code and message", "status_detail"),
        Column("request", "VARCHAR", "parameters, JSON text", "api.request.data"),
        Column(
            "response", "VARCHAR", "the answer, JSON text or text; null where it is kept apart", "api.response.data"
        ),
        Column("fingerprint", "VARCHAR", "digest of what lasts in the answer: equal where nothing changed"),
        Column("same_as", "VARCHAR", "record that holds the same answer, E010:17, or package, sha256:…"),
    ),
)

ADDRESS_RANGES = Table(
    "address_ranges",
    "Address ranges as their providers publish them, brought by the investigator; no events, and without a time.",
    (
        *RECORD,  # `time` is empty: a range holds from no stated moment
        Column("address_range", "VARCHAR", "the range in CIDR notation, lower case, as published"),
        Column("provider", "VARCHAR", "who publishes it; null where the list names nobody"),
        Column("service", "VARCHAR", "service or tag that it is published for"),
        Column("region", "VARCHAR", "region that it is published for"),
    ),
)

EVENT_TABLES: dict[str, Table] = {
    table.name: table for table in (DNS_ACTIVITY, HTTP_ACTIVITY, NETWORK_ACTIVITY, API_ACTIVITY, SYSTEM_ACTIVITY)
}
BESIDE_EVENTS: dict[str, Table] = {table.name: table for table in (INDICATORS, ACQUIRED_ANSWERS, ADDRESS_RANGES)}
"""Evidence that is no telemetry: its rows have no hours, and their silence means nothing."""

TABLES: dict[str, Table] = {**EVENT_TABLES, **BESIDE_EVENTS}

UNREAD = Table(
    "unread",
    "Records that did not become events, each with its reason; nothing is lost.",
    (
        Column("evidence_id", "VARCHAR", "evidence item the record stands in"),
        Column("record_no", "BIGINT", "record of that item, counted like events"),
        Column(
            "kind",
            "VARCHAR",
            "broken: could not be read; status: says that it holds no event; unknown: no format",
        ),
        Column("reason", "VARCHAR", "why it is no event, and what was expected"),
        Column("raw", "VARCHAR", "the record as it stands in the evidence (bytes that are no UTF-8 as \\xNN)"),
    ),
)

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

CLOUD_ACTIVITY = Table(
    "cloud_activity",
    "One row per control-plane event that matters.",
    (
        Column("ref", "VARCHAR", "the record, E001:17"),
        Column("further_refs", "VARCHAR[]", "later records of the same operation (accepted, ended); null without any"),
        Column("time", "TIMESTAMPTZ", "when, UTC"),
        Column("provider", "VARCHAR", "AWS, …"),
        Column("service", "VARCHAR", "service"),
        Column("operation", "VARCHAR", "as logged"),
        Column("operation_base", "VARCHAR", "without version suffix"),
        Column("phase", "VARCHAR", "create, modify-code, modify-config, permission, trigger, invoke, identity, …"),
        Column("principal", "VARCHAR", "person, role or pipeline behind it"),
        Column("principal_type", "VARCHAR", "kind of principal"),
        Column("via", "VARCHAR", "service or session in between"),
        Column("by_user", "BOOLEAN", "a user's credentials; false: of a role, app or service; null: not told"),
        Column("resource", "VARCHAR", "resource acted on, by its short name"),
        Column("resource_type", "VARCHAR", "function, role, trail, …"),
        Column("resource_uid", "VARCHAR", "full id where the record has one"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("outcome", "VARCHAR", "success or failure"),
        Column("outcome_detail", "VARCHAR", "error code"),
        Column("source_ip", "VARCHAR", "caller's address"),
        Column("user_agent", "VARCHAR", "caller's user agent"),
        Column("attack", "VARCHAR[]", "ATT&CK technique ids, as context"),
        Column("exposure", "VARCHAR", "what it opens, to whom, or would have opened had it not failed; else null"),
        Column("endpoint", "VARCHAR", "host that the event created (function URL, API), null otherwise"),
        Column("allowed_by", "VARCHAR", "allow-list entry and owner that cover it; null otherwise"),
        Column("change_ref", "VARCHAR", "entries of the case's change list that cover it; null where none does"),
        Column("novelty", "DOUBLE", "0 to 1 against the baseline window; null without baseline"),
        Column("reasons", "VARCHAR[]", "what is new"),
        Column("set_apart", "VARCHAR", "whose own collection this read is; such rows count nowhere; else null"),
        Column("collector", "VARCHAR", "why a record with a mark of our own collection is not set apart; else null"),
    ),
)

IDENTITIES = Table(
    "identities",
    "One row per principal of the window: what it called, from where, with what; all audit records count.",
    (
        Column("principal", "VARCHAR", "person, role or pipeline behind the calls; null where the records name nobody"),
        Column("principal_type", "VARCHAR", "kind of principal"),
        Column("provider", "VARCHAR", "AWS, …"),
        Column("calls", "BIGINT", "calls in the window"),
        Column("failed", "BIGINT", "of these, failed"),
        Column("refused", "BIGINT", "of these, refused for want of rights"),
        Column("attack_calls", "BIGINT", "calls that attackers use: catalogued, neither reads nor runs"),
        Column("attack_failed", "BIGINT", "of these, failed"),
        Column("attack_operations", "VARCHAR[]", "which, with counts (at most 20)"),
        Column("attack", "VARCHAR[]", "ATT&CK technique ids of these, as context"),
        Column("runs", "BIGINT", "runs of functions and their like"),
        Column("discovery_calls", "BIGINT", "reads: Get…, List…, Describe… and the catalogue's discovery"),
        Column("console_sign_ins", "BIGINT", "sign-ins at a console; whether with a second factor, no column tells"),
        Column("operation_count", "BIGINT", "different operations"),
        Column("accounts", "VARCHAR[]", "accounts, the most used first (at most 20)"),
        Column("regions", "VARCHAR[]", "regions (at most 20)"),
        Column("address_count", "BIGINT", "different addresses, or services that called"),
        Column("address_list", "VARCHAR[]", "these, the most used first (at most 20)"),
        Column("user_agents", "VARCHAR[]", "user agents (at most 20)"),
        Column("access_keys", "VARCHAR[]", "long-term access keys (at most 20)"),
        Column("first_seen", "TIMESTAMPTZ", "first call in the window"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("new_in_window", "BOOLEAN", "no call in the baseline; null without baseline"),
        Column("refs", "VARCHAR[]", "first call, the first of each call that attackers use, last call"),
    ),
)

IDENTITY_DETAILS = Table(
    "identity_details",
    "One row per principal and operation, region, account, address, user agent or long-term key of the window.",
    (
        Column("principal", "VARCHAR", "as in identities"),
        Column("principal_type", "VARCHAR", "kind of principal"),
        Column("provider", "VARCHAR", "AWS, …"),
        Column("kind", "VARCHAR", "operation, region, account, address, user agent, access key"),
        Column("value", "VARCHAR", "which"),
        Column("service", "VARCHAR", "service of an operation; null for other kinds"),
        Column("phase", "VARCHAR", "phase of a catalogued operation; null for others"),
        Column("calls", "BIGINT", "calls in the window"),
        Column("failed", "BIGINT", "of these, failed"),
        Column("refused", "BIGINT", "of these, refused for want of rights"),
        Column("new", "BOOLEAN", "not so in the baseline; null without baseline"),
        Column("first_seen", "TIMESTAMPTZ", "first call in the window"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("first_ref", "VARCHAR", "record of the first"),
        Column("last_ref", "VARCHAR", "record of the last"),
    ),
)

ROLE_ACTIVITY = Table(
    "role_activity",
    "What the roles of functions called in the window, per function, service and operation.",
    (
        Column(
            "function", "VARCHAR", "function behind the session; null where several share the role and none is named"
        ),
        Column("functions", "VARCHAR[]", "then these"),
        Column("role", "VARCHAR", "role, service account or managed identity"),
        Column("account", "VARCHAR", "account"),
        Column("service", "VARCHAR", "service that was called"),
        Column("operation", "VARCHAR", "operation, without version suffix"),
        Column("calls", "BIGINT", "calls in the window"),
        Column("failed", "BIGINT", "of these, failed"),
        Column("refused", "BIGINT", "of these, refused for want of rights"),
        Column("addresses", "VARCHAR[]", "addresses they came from (at most 10)"),
        Column("new", "BOOLEAN", "the role did not call it in the baseline; null without baseline"),
        Column("reason", "VARCHAR", "what is new; null where nothing is"),
        Column("first_seen", "TIMESTAMPTZ", "first call in the window"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("refs", "VARCHAR[]", "up to 5 records"),
    ),
)

CREDENTIALS_OUTSIDE = Table(
    "credentials_outside",
    "Sessions of functions' roles whose name, user agent or address is none of the function's.",
    (
        Column("role", "VARCHAR", "role, service account or managed identity"),
        Column("functions", "VARCHAR[]", "functions that have it"),
        Column("session", "VARCHAR", "name of the session; null where a cloud has none"),
        Column("account", "VARCHAR", "account"),
        Column("address", "VARCHAR", "address of the caller"),
        Column("user_agent", "VARCHAR", "its user agent"),
        Column("verdict", "VARCHAR", "outside, or unclear: an address that only the role's own habit speaks against"),
        Column("reasons", "VARCHAR[]", "why"),
        Column("compared_with", "VARCHAR", "what the address was compared with"),
        Column("calls", "BIGINT", "calls in the window"),
        Column("operations", "VARCHAR[]", "what was called (at most 10)"),
        Column("first_seen", "TIMESTAMPTZ", "first call in the window"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("refs", "VARCHAR[]", "up to 5 records"),
    ),
)

FUNCTION_EGRESS = Table(
    "function_egress",
    "Per function: whether it stands in a network of ours, and what flow logs show of it.",
    (
        Column("function", "VARCHAR", "function"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("in_network", "BOOLEAN", "whether its settings name subnets; null where no record holds its settings"),
        Column("subnets", "VARCHAR[]", "these"),
        Column("addresses", "VARCHAR[]", "private addresses of its network interfaces"),
        Column("flows", "BIGINT", "flow records from these; null where there is nothing to join"),
        Column("destinations", "VARCHAR[]", "where to, most flows first (at most 10)"),
        Column("first_seen", "TIMESTAMPTZ", "first flow"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("reason", "VARCHAR", "why nothing can be said of its traffic; null where flows are there"),
        Column("refs", "VARCHAR[]", "the record of its settings, and up to 5 flows"),
    ),
)

CHAINS = Table(
    "chains",
    "Steps that lead to each other within a window, across principals; weights: docs/reference/findings.md.",
    (
        Column("chain", "VARCHAR", "id, stable for the same evidence"),
        Column("score", "DOUBLE", "0 to 1; what a deployment has stays low"),
        Column("reasons", "VARCHAR[]", "what the score adds up from"),
        Column("stages", "VARCHAR[]", "preparation, change, permission or trigger, run, downstream, evasion"),
        Column("principals", "VARCHAR[]", "who took part, in order of their first step"),
        Column("resources", "VARCHAR[]", "what was changed, run or given rights"),
        Column("start", "TIMESTAMPTZ", "first step"),
        Column("end", "TIMESTAMPTZ", "last one"),
        Column("steps", "BIGINT", "different steps"),
        Column("allowed_by", "VARCHAR", "allow-list entries, where they cover every step; null otherwise"),
        Column("refs", "VARCHAR[]", "up to 20 records, the first of each stage among them"),
    ),
)

CHAIN_STEPS = Table(
    "chain_steps",
    "The steps of chains in order of time, the first of equal ones (at most 40 a chain).",
    (
        Column("chain", "VARCHAR", "as in chains"),
        Column("step", "BIGINT", "from 1"),
        Column("time", "TIMESTAMPTZ", "when, UTC"),
        Column("stage", "VARCHAR", "its stage"),
        Column("principal", "VARCHAR", "who"),
        Column("operation", "VARCHAR", "what, without version suffix"),
        Column("resource", "VARCHAR", "to what; of a downstream call the service"),
        Column("source_ip", "VARCHAR", "from where"),
        Column("linked_by", "VARCHAR", "how it belongs to what was before; null for the first"),
        Column("ref", "VARCHAR", "the record"),
    ),
)

RESOURCES = Table(
    "resources",
    "One row per function: its history and the four questions.",
    (
        Column("resource", "VARCHAR", "short name"),
        Column("resource_type", "VARCHAR", "function, api, …"),
        Column("resource_uid", "VARCHAR", "full id where known"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("first_seen", "TIMESTAMPTZ", "first event"),
        Column("last_seen", "TIMESTAMPTZ", "last event"),
        Column("created_by", "VARCHAR", "principal and refs, or 'not answerable because …'"),
        Column("modified_by", "VARCHAR", "same, code and configuration"),
        Column("permitted_by", "VARCHAR", "same, permissions"),
        Column("triggered_by", "VARCHAR", "same, triggers"),
        Column("invoked_by", "VARCHAR", "same, runs"),
        Column("endpoints", "VARCHAR[]", "hosts that its control plane produced"),
        Column("events", "BIGINT", "events in its history"),
        Column("refs", "VARCHAR[]", "up to 20 records, in order of time"),
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
        Column("state", "VARCHAR", "valid, expired, not yet valid, unvetted, too broad, trait"),
        Column("vetted_by", "VARCHAR", "who reviewed the source; null where nobody did"),
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

ROLE_LINKS = Table(
    "role_links",
    "Which role a function, rule or schedule was given, by whom, and what of its policies is in evidence.",
    (
        Column("principal", "VARCHAR", "who passed it; null where only the function's settings show it"),
        Column("relation", "VARCHAR", "passed by that call, tried (it failed), held (an answer shows it), used by it"),
        Column("role", "VARCHAR", "role, by its short name"),
        Column("role_uid", "VARCHAR", "its ARN where the record has one"),
        Column("resource", "VARCHAR", "function or other resource that was given it"),
        Column("resource_type", "VARCHAR", "function, rule, schedule, …"),
        Column("account", "VARCHAR", "account of the resource"),
        Column("region", "VARCHAR", "region of the resource"),
        Column("first_seen", "TIMESTAMPTZ", "first record that shows it"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("refs", "VARCHAR[]", "up to 20 records that show it"),
        Column("policy_refs", "VARCHAR[]", "acquired answers about the role and its policies (at most 20)"),
        Column("lacking", "VARCHAR[]", "what about the role is not in evidence"),
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
        Column("principal", "VARCHAR", "who acted, as the record names it; null where it names nobody"),
        Column("resource", "VARCHAR", "on what, as the record names it; null where it names nothing"),
        Column("ref", "VARCHAR", "the record, E003:4118; of a group the first"),
        Column("refs", "VARCHAR[]", "further records of a group (at most 100)"),
        Column("path", "VARCHAR", "file of the rule as the case names it; kit/… are the kit's own"),
        Column("document", "BIGINT", "which document of that file"),
    ),
)

RIGHTS = Table(
    "rights",
    "What policies leave wide open, which serverless rights were used, and which were granted and not used.",
    (
        Column(
            "kind",
            "VARCHAR",
            "all_actions, anyone, service_wildcard, pass_role_wide, not_action, not_resource, cross_account, "
            "condition_gap, action_wildcard, wildcard_resource, pass_role, limited_anyone, unreadable; ungranted, "
            "unused, not_answerable, used",
        ),
        Column("identity", "VARCHAR", "role, user or resource whose policy it is; of a used right, who used it"),
        Column("identity_type", "VARCHAR", "role, user, group, policy, function, bucket, …"),
        Column("identity_uid", "VARCHAR", "full id where the evidence has one"),
        Column("account", "VARCHAR", "account"),
        Column("policy", "VARCHAR", "policy by its name; trust for who may take a role"),
        Column("action", "VARCHAR", "action or pattern, as IAM writes it; elsewhere the operation"),
        Column("sentence", "VARCHAR", "what it leaves open, or why it cannot be told"),
        Column("denied", "VARCHAR", "what a Deny of the same identity takes from it; null where none speaks of it"),
        Column("ended", "VARCHAR", "record that replaced, detached or removed the policy; null while it stands"),
        Column("first_seen", "TIMESTAMPTZ", "first call, UTC; null where none is meant"),
        Column("last_seen", "TIMESTAMPTZ", "last call"),
        Column("calls", "BIGINT", "calls"),
        Column("refs", "VARCHAR[]", "up to 20 records of calls"),
        Column("policy_refs", "VARCHAR[]", "records and acquired answers that hold the policy (at most 20)"),
    ),
)

LOGGING_CHANGES = Table(
    "logging_changes",
    "Every change of what is logged or watched: less, more or the same as before, and until when.",
    (
        Column("ref", "VARCHAR", "the record, E001:17"),
        Column("time", "TIMESTAMPTZ", "when, UTC"),
        Column("provider", "VARCHAR", "AWS, Azure, GCP, …"),
        Column("operation", "VARCHAR", "operation, without version suffix"),
        Column("principal", "VARCHAR", "person, role or pipeline behind it"),
        Column("resource", "VARCHAR", "trail, log group, setting, …"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("outcome", "VARCHAR", "success or failure; attempts that failed changed nothing"),
        Column("effect", "VARCHAR", "less, more, same, unknown: what is recorded after it, compared with before"),
        Column(
            "change",
            "VARCHAR",
            "stopped, deleted, excluded, redirected, shortened, narrowed, widened, lengthened, set up, restored, "
            "unchanged, attempted, not comparable",
        ),
        Column("sentence", "VARCHAR", "what changed, in words"),
        Column("before", "VARCHAR", "the state before it, as far as the evidence tells; null where it does not"),
        Column("before_ref", "VARCHAR", "record or acquired answer that tells the state before"),
        Column("after", "VARCHAR", "the state after it"),
        Column("until", "TIMESTAMPTZ", "when as much was recorded again; null where no record says so"),
        Column("until_ref", "VARCHAR", "the record that restored it"),
    ),
)

OWN_ENDPOINTS = Table(
    "own_endpoints",
    "Hosts that our own control plane made, as the network and access logs saw them.",
    (
        Column("host", "VARCHAR", "host name, lower case"),
        Column("resource", "VARCHAR", "function, API or service behind it"),
        Column("resource_type", "VARCHAR", "function, api, …"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("made_by", "VARCHAR[]", "records and acquired answers that show that it is ours (at most 20)"),
        Column("open_to", "VARCHAR", "what these say of who may call it; null where they say nothing"),
        Column("client_names", "VARCHAR[]", "our clients that contacted it (at most 20)"),
        Column("client_count", "BIGINT", "all of them"),
        Column("connections", "BIGINT", "their contacts"),
        Column("bytes_out", "BIGINT", "bytes they sent; null where no record tells"),
        Column("bytes_in", "BIGINT", "bytes they received; null where no record tells"),
        Column("sources", "VARCHAR[]", "telemetry that saw them: dns, http, tls, flow"),
        Column("first_seen", "TIMESTAMPTZ", "first contact or call, UTC"),
        Column("last_seen", "TIMESTAMPTZ", "last one"),
        Column("called_from_outside", "BOOLEAN", "an address that is not ours called it; null where not answerable"),
        Column("callers", "VARCHAR[]", "such addresses (at most 20)"),
        Column("calls", "BIGINT", "their calls"),
        Column("answer", "VARCHAR", "both questions in a sentence, or 'not answerable because …'"),
        Column("refs", "VARCHAR[]", "up to 20 records behind it"),
    ),
)

CODE_CHANGES = Table(
    "code_changes",
    "Per function the history of its code hash, version, layers, runtime, role and log group, as answers show them.",
    (
        Column("function", "VARCHAR", "function, by its short name"),
        Column("account", "VARCHAR", "account"),
        Column("region", "VARCHAR", "region"),
        Column("aspect", "VARCHAR", "code_sha256, version, layers, runtime, role, log_group, …"),
        Column("time", "TIMESTAMPTZ", "when the value was seen first, UTC"),
        Column(
            "change", "VARCHAR", "first seen, changed, returned (to an earlier value), unexplained (no record sets it)"
        ),
        Column("before", "VARCHAR", "value before; null where none was seen"),
        Column("after", "VARCHAR", "value from then on"),
        Column("principal", "VARCHAR", "who made the call that shows it; null for an acquired answer"),
        Column("operation", "VARCHAR", "the call, or the question that was asked"),
        Column("sentence", "VARCHAR", "what changed, in words"),
        Column("before_ref", "VARCHAR", "record or answer that shows the value before"),
        Column("ref", "VARCHAR", "record or answer that shows the value after"),
    ),
)

RESULT_TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        *(EGRESS_PAIRS, EGRESS_CHANNELS, EGRESS_HOURS, CLOUD_ACTIVITY, RESOURCES, ENRICHMENT),
        *(TIMELINE, LINKS, ROLE_LINKS, RESOLUTIONS, RELATED_ACTIVITY, LIFECYCLE_STAGES, SCOPE),
        SIGMA_MATCHES,
        *(RIGHTS, LOGGING_CHANGES, OWN_ENDPOINTS, CODE_CHANGES),
        *(IDENTITIES, IDENTITY_DETAILS, ROLE_ACTIVITY, CREDENTIALS_OUTSIDE, FUNCTION_EGRESS, CHAINS, CHAIN_STEPS),
    )
}
