"""Event tables, and what else is read from evidence: indicators, answers, ranges, names, unread records."""

from __future__ import annotations

from playbooks.schema.columns import Column, Table

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
            "domain, ip, url, uri, user_agent, ja3, ja4, sha256, sha1, md5, interval, tenant; others match nothing",
        ),
        Column("source", "VARCHAR", "who says so"),
        Column("confidence", "INTEGER", "0 to 100, as the source states it"),
        Column("valid_until", "TIMESTAMPTZ", "after this moment the item is expired"),
        Column("tlp", "VARCHAR", "traffic light protocol marking"),
        Column("description", "VARCHAR", "the source's own words; quoted, never concluded"),
        Column(
            "for_detection",
            "BOOLEAN",
            "false: the source gives it as context, or as a part of a condition; null: it does not say",
        ),
        Column("verdict", "VARCHAR", "benign or revoked, where the source says so; null: it lists it as malicious"),
        Column("reviewer", "VARCHAR", "who reviewed it, as the list states"),
        Column("not_compared", "VARCHAR", "why its reader compares it with no log; null where it can be compared"),
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

NAME_RECORDS = Table(
    "name_records",
    "What passive DNS and certificate logs hold of names, brought by the investigator as files; no events.",
    (
        *RECORD,  # `time` is empty: a record speaks of a span
        Column("record_kind", "VARCHAR", "passive_dns or certificate"),
        Column("name", "VARCHAR", "name it speaks of, lower case, no final dot; of a certificate each of its names"),
        Column("query_type", "VARCHAR", "type of the DNS record: A, CNAME, …", "query.type"),
        Column("answers", "VARCHAR[]", "data of the DNS record", "answers.rdata"),
        Column("first_seen", "TIMESTAMPTZ", "first sighting; of a certificate its entry in the log"),
        Column("last_seen", "TIMESTAMPTZ", "last sighting"),
        Column("times", "BIGINT", "sightings"),
        Column("valid_from", "TIMESTAMPTZ", "start of the certificate's validity"),
        Column("valid_until", "TIMESTAMPTZ", "its end"),
        Column("tls_certificate_issuer", "VARCHAR", "issuer of the certificate", "tls.certificate.issuer"),
        Column("names", "VARCHAR[]", "all names of the certificate"),
    ),
)

EVENT_TABLES: dict[str, Table] = {
    table.name: table for table in (DNS_ACTIVITY, HTTP_ACTIVITY, NETWORK_ACTIVITY, API_ACTIVITY, SYSTEM_ACTIVITY)
}
BESIDE_EVENTS: dict[str, Table] = {
    table.name: table for table in (INDICATORS, ACQUIRED_ANSWERS, ADDRESS_RANGES, NAME_RECORDS)
}
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
