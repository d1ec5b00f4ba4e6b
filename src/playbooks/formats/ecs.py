"""Elastic Common Schema: documents of Elasticsearch, whichever Beat, agent or pipeline wrote them.

Documents as they are, in search answers (`hits`), or under `_source` with their index, as elasticdump writes them;
names nested or with dots. What a document tells decides about its table: a name asked for, a request, a connection, an
act in a cloud or office (by `event.dataset`); the rest is what hosts and devices report. A copy of another log: where
`event.original` holds the original, read that. Does not read answers that hold `fields` only.
Reference: Elastic, ECS reference 1.x to 9.x; exported fields of Filebeat, Packetbeat, Winlogbeat and their modules.
"""

from playbooks.formats.ecs_fields import CLOUDTRAIL, IDENTITY, held, of, one, shape_of_documents
from playbooks.formats.format import Clock, Format, Json, Part

ACTS = (
    r"^(aws\.cloudtrail|azure\.(activitylogs|auditlogs|signinlogs|platformlogs|identity_protection|graphactivitylogs)"
    r"|gcp\.audit|o365\.audit|google_workspace\..+|okta\.system|github\.audit|cloudflare\.audit|auth0\.logs"
    r"|entityanalytics.*|m365_defender\.cloudapp.*|1password\..+|atlassian_.+\.audit|slack\.audit|zoom\.webhook)$"
)

CATEGORY, DATASET = of("event.category"), of("event.dataset", "data_stream.dataset")
SHARED = f"""
        stamp(r."@timestamp")       AS time,
        {of("event.id", "network.community_id")}  AS metadata_uid,
        address({one("source.ip", "client.ip")})  AS src_endpoint_ip,"""
ENDS = f"""{SHARED}
        port({of("source.port", "client.port")})  AS src_endpoint_port,
        -- the host that wrote the document is the client where its process is known; else it may be a sensor
        coalesce({of("source.domain")}, CASE WHEN {of("process.name", "process.executable")} IS NOT NULL
                                             THEN {of("host.hostname", "host.name")} END)  AS src_endpoint_hostname,
        {of("user.name", "source.user.name", "user.email")}  AS actor_user_name,
        {{process}}
        address({one("destination.ip", "server.ip")})  AS dst_endpoint_ip,
        port({of("destination.port", "server.port")})  AS dst_endpoint_port,
        hostname({{host}})          AS dst_endpoint_hostname,"""
PROCESS = f"""coalesce({of("process.name")}, file_name({of("process.executable")}))  AS actor_process_name,
        {of("process.executable")}  AS actor_process_file_path,
        {of("process.command_line")}  AS actor_process_cmd_line,
        {of("process.hash.sha256", "process.hash.md5")}  AS actor_process_file_hash,
        coalesce({of("process.parent.name")}, file_name({of("process.parent.executable")}))
                                    AS actor_process_parent_process_name,
        {of("event.action", "event.code")}  AS activity_name,"""
PARENT = f"""coalesce({of("process.parent.name")}, file_name({of("process.parent.executable")}))
                                    AS actor_process_name,
        {of("process.parent.executable")}  AS actor_process_file_path,
        {of("process.parent.command_line")}  AS actor_process_cmd_line,
        {of("process.parent.hash.sha256")}  AS actor_process_file_hash,"""
PROTOCOL = f"lower({of('network.transport')})  AS connection_info_protocol_name,"
TLS = f"""hostname({of("tls.client.server_name")})  AS tls_sni,
        {of("tls.version")}         AS tls_version,
        {of("tls.client.ja3")}      AS tls_ja3,
        {of("tls.server.ja3s")}     AS tls_ja3s,
        {of("tls.client.ja4")}      AS tls_ja4,
        {one("tls.server.issuer", "tls.server.x509.issuer.common_name")}  AS tls_certificate_issuer,"""
DURATION = f"""
        whole({held("n", of("event.duration"), "regexp_extract(n, '^([0-9]+)[0-9]{6}$', 1)")})  AS duration_ms,"""
DISPOSITION = held(
    "v",
    f"concat_ws(' ', {of('event.type')}, {of('event.action')})",
    r"CASE WHEN regexp_matches(v, '(?i)\b(denied|deny|drop|dropped|block|blocked|reject|rejected)\b') THEN 'blocked' "
    r"WHEN regexp_matches(v, '(?i)\b(allowed|allow|accept|accepted|permitted)\b') THEN 'allowed' END",
)
VERDICT = f"""
        {DISPOSITION}               AS disposition"""
OUTCOME = held("o", f"lower({of('event.outcome')})", "CASE WHEN o IN ('success', 'failure') THEN o END")
PATH = held(
    "p",
    of("url.path", "url.original"),
    f"""CASE WHEN p LIKE '/%' AND {of("url.domain")} IS NOT NULL
            THEN concat({of("url.scheme")} || '://', {of("url.domain")}, p, '?' || {of("url.query")}) END""",
)
URL = f"""coalesce({of("url.full")}, {held("u", of("url.original"), "CASE WHEN u LIKE '%://%' THEN u END")}, {PATH},
            {of("url.original", "url.path")})"""
ORIGINAL = held("o", of("event.original"), "CASE WHEN json_valid(o) THEN o END")
REQUEST = f"""coalesce(json_extract_string({ORIGINAL}, '$.requestParameters'),
            {
    of(
        f"{CLOUDTRAIL}.request_parameters",
        "azure.activitylogs.properties",
        "azure.auditlogs.properties",
        "azure.signinlogs.properties",
        "gcp.audit.request",
        "o365.audit.Parameters",
    )
})"""
RESPONSE = f"""coalesce(json_extract_string({ORIGINAL}, '$.responseElements'),
            {of(f"{CLOUDTRAIL}.response_elements", "gcp.audit.response", "o365.audit.ModifiedProperties")})"""
# a request is JSON, or as Java prints maps: {functionName=relay, publish=true}
NAMED = held(
    "q",
    REQUEST,
    "coalesce("
    + ", ".join(
        f"""json_extract_string(CASE WHEN json_valid(q) THEN q END, '$.{name}'),
            nullif(regexp_extract(q, '[{{ ]{name}=([^,}}]+)', 1), '')"""
        for name in ("functionName", "roleName", "userName", "name")
    )
    + ")",
)
OPERATION = of("azure.activitylogs.operation_name", "azure.auditlogs.operation_name", "azure.signinlogs.operation_name",
               "gcp.audit.method_name", "event.action", "event.code")  # fmt: skip
BASE = (
    r"regexp_replace(regexp_replace(o, '(20\d{6}(v\d+)?|20\d\d_\d\d_\d\d)$', ''), "
    r"'\.v([0-9]+)(?:alpha|beta)[0-9]*\.', '.v\1.')"
)
SERVICE = of("azure.resource.provider", "gcp.audit.service_name", "event.provider", "event.module")
UID = f"coalesce(lower({of('azure.resource.id')}), " + of("gcp.audit.resource_name", "o365.audit.ObjectId") + ")"
CLASS = held(
    "c",
    CATEGORY,
    f"""CASE WHEN {of("event.kind")} IN ('alert', 'signal') THEN 2004
             WHEN c LIKE '%process%' THEN 1007 WHEN c LIKE '%library%' THEN 1005 WHEN c LIKE '%file%' THEN 1001
             WHEN c LIKE '%registry%' THEN 201001
             WHEN c LIKE '%authentication%' OR c LIKE '%session%' THEN 3002
             WHEN c LIKE '%iam%' AND {of("event.type")} LIKE '%group%' THEN 3006 WHEN c LIKE '%iam%' THEN 3001
             WHEN c LIKE '%malware%' OR c LIKE '%intrusion_detection%' THEN 2004 ELSE 0 END""",
)
ALERT = f"coalesce({of('event.kind')} IN ('alert', 'signal'), false)"
PROVIDERS = {"aws": "AWS", "azure": "Azure", "gcp": "GCP", "o365": "Microsoft 365", "okta": "Okta", "github": "GitHub",
             "google_workspace": "Google Workspace", "cloudflare": "Cloudflare"}  # fmt: skip
PROVIDER = f"""CASE regexp_extract({DATASET}, '^[^.]+')
             {" ".join(f"WHEN '{module}' THEN '{name}'" for module, name in PROVIDERS.items())}
             ELSE {of("cloud.provider")} END"""

DNS = Part(
    table="dns_activity",
    when=f"NOT {ALERT} AND {of('dns.question.name')} IS NOT NULL",
    columns=f"""{ENDS.format(process=PROCESS, host=of("destination.domain", "server.domain"))}
        {PROTOCOL}
        hostname({one("dns.question.name")})  AS query_hostname,
        dns_type({one("dns.question.type")})  AS query_type,
        dns_rcode({of("dns.response_code")})  AS rcode,
        -- data of each answer; where they are not kept, the addresses
        list_transform(coalesce(
            nullif({
        held("d", of("dns.answers"), "json_extract_string(CASE WHEN json_valid(d) THEN d END, '$[*].data')")
    }, []),
            {held("i", of("dns.resolved_ip"), "coalesce(json_list(i), CASE WHEN i IS NOT NULL THEN [i] END)")}),
            lambda a: rtrim(a, '.'))  AS answers,
        {held("d", of("dns.answers"), "answer_ttls(CASE WHEN json_valid(d) THEN d END, 'data')")}  AS answers_ttl,
        {DURATION}{VERDICT}""",
)
API = Part(
    table="api_activity",
    when=f"regexp_matches({DATASET}, {{acts}})".format(acts="'" + ACTS + "'"),
    columns=f"""{
        SHARED.replace(
            f"address({one('source.ip', 'client.ip')})",
            f"coalesce(address({one('source.ip', 'client.ip')}), lower({one('source.address', 'client.address')}))",
        )
    }
        {
        of(
            "user.name",
            "client.user.email",
            "gcp.audit.authentication_info.principal_email",
            "source.user.email",
            "user.email",
            "user.full_name",
            "user.id",
        )
    }  AS actor_user_name,
        {of(f"{IDENTITY}.arn", "user.id", "user.email")}  AS actor_user_uid,
        {of(f"{IDENTITY}.type", "o365.audit.UserType", "google_workspace.actor.type")}  AS actor_user_type,
        {of(f"{IDENTITY}.session_context.session_issuer.arn")}  AS actor_session_issuer,
        {of(f"{IDENTITY}.access_key_id")}  AS actor_session_uid,
        {of(f"{IDENTITY}.invoked_by")}  AS actor_invoked_by,
        {OPERATION}                 AS api_operation,
        -- AWS appends an API version to some names, Google a stage; Azure writes names in capitals
        {held("o", OPERATION, f"CASE WHEN {DATASET} LIKE 'azure.activity%' THEN lower(o) ELSE " + BASE + " END")}
                                    AS api_operation_base,
        lower({SERVICE})            AS api_service_name,
        {PROVIDER}                  AS cloud_provider,
        {
        of(
            f"{CLOUDTRAIL}.recipient_account_id",
            "azure.subscription_id",
            "cloud.account.id",
            "cloud.project.id",
            "azure.tenant_id",
            "organization.id",
            "google_workspace.organization.id",
        )
    }  AS cloud_account_uid,
        {of("cloud.region")}        AS cloud_region,
        -- ids of Azure know no case
        coalesce({NAMED}, lower({of("azure.resource.name")}), said(regexp_extract({UID}, '([^/]+)/?$', 1)))
                                    AS resource_name,
        coalesce({UID}, nullif(regexp_extract({of(f"{CLOUDTRAIL}.resources")}, '"arn": ?"([^"]+)"', 1), ''))
                                    AS resource_uid,
        {OUTCOME}                   AS status,
        said(concat_ws(': ', {of(f"{CLOUDTRAIL}.error_code")},
             {
        of(
            f"{CLOUDTRAIL}.error_message",
            "gcp.audit.status.message",
            "azure.signinlogs.result_description",
            "event.reason",
        )
    }))  AS status_detail,
        {of("user_agent.original")}  AS http_request_user_agent,
        {
        of(
            f"{CLOUDTRAIL}.event_category",
            "azure.activitylogs.category",
            "azure.auditlogs.category",
            "azure.signinlogs.category",
            "o365.audit.RecordType",
            "google_workspace.event.type",
        )
    }
                                    AS metadata_event_code,
        {REQUEST}                   AS request,
        {RESPONSE}                  AS response""",
)
HTTP = Part(
    table="http_activity",
    when=f"NOT {ALERT} AND ({of('http.request.method', 'http.response.status_code')} IS NOT NULL "
    f"OR ({CATEGORY} LIKE '%web%' AND {of('url.full', 'url.original', 'url.domain')} IS NOT NULL))",
    columns=f"""{ENDS.format(process=PROCESS, host=of("url.domain", "destination.domain", "server.domain"))}
        {of("http.request.method")}  AS http_request_http_method,
        {URL}                       AS http_request_url_string,
        {of("user_agent.original")}  AS http_request_user_agent,
        {of("http.request.referrer")}  AS http_request_referrer,
        {of("network.forwarded_ip")}  AS http_request_x_forwarded_for,
        {TLS}
        small({of("http.response.status_code")})  AS http_response_code,
        amount({of("http.request.bytes", "source.bytes", "client.bytes", "http.request.body.bytes")})
                                    AS traffic_bytes_out,
        amount({of("http.response.bytes", "destination.bytes", "server.bytes", "http.response.body.bytes")})
                                    AS traffic_bytes_in,
        {DURATION}{VERDICT}""",
)
NETWORK = Part(
    table="network_activity",
    when=f"NOT {ALERT} AND NOT regexp_matches(coalesce({CATEGORY}, ''), 'authentication|iam|file|registry') AND "
    f"{of('destination.ip', 'destination.domain', 'tls.client.server_name', 'server.ip')} IS NOT NULL",
    columns=f"""{ENDS.format(process=PROCESS, host=of("tls.client.server_name", "destination.domain", "server.domain"))}
        {PROTOCOL}
        {TLS}
        amount({of("source.bytes", "client.bytes")})  AS traffic_bytes_out,
        amount({of("destination.bytes", "server.bytes")})  AS traffic_bytes_in,
        amount({of("source.packets")})  AS traffic_packets_out,
        amount({of("destination.packets")})  AS traffic_packets_in,
        {DURATION}{VERDICT}""",
)
SYSTEM = Part(
    table="system_activity",
    when="true",
    columns=f"""{ENDS.format(process=PARENT, host=of("destination.domain", "server.domain"))}
        {PROTOCOL}
        {CLASS}                     AS class_uid,
        {of("event.action", "event.code", "event.dataset", "data_stream.dataset")}  AS activity_name,
        {of("host.name", "host.hostname", "observer.hostname", "observer.name")}  AS device_hostname,
        {of("user.target.name")}    AS user_name,
        coalesce({of("process.name")}, file_name({of("process.executable")}))  AS process_name,
        {of("process.executable")}  AS process_file_path,
        {of("process.command_line")}  AS process_cmd_line,
        {of("process.hash.sha256", "process.hash.md5")}  AS process_file_hash,
        {of("file.path", "registry.path", "dll.path", "service.name")}  AS file_path,
        {of("http.request.method")}  AS http_request_http_method,
        {URL}                       AS http_request_url_string,
        {of("user_agent.original")}  AS http_request_user_agent,
        small({of("http.response.status_code")})  AS http_response_code,
        amount({of("source.bytes", "client.bytes")})  AS traffic_bytes_out,
        amount({of("destination.bytes", "server.bytes")})  AS traffic_bytes_in,
        {of("kibana.alert.rule.name", "signal.rule.name", "rule.name", "threat.indicator.name")}  AS finding_title,
        {of("event.severity", "log.level")}  AS severity,
        {OUTCOME}                   AS status,
        {of("event.reason")}        AS status_detail,
        {of("message")}             AS message,
        {VERDICT}""",
)

FORMAT = Format(
    name="ecs",
    product="Elastic Common Schema documents",
    cut=Json(
        keys=frozenset({"@timestamp"}),
        any_of=frozenset({"ecs", "ecs.version", "event", "event.dataset", "event.category", "event.kind"}),
        shape=shape_of_documents(),
        envelopes=("hits",),
        nested="_source",
        dotted=True,
    ),
    clock=Clock.ASK,
    general=True,
    kind=DATASET,
    parts=(API, DNS, HTTP, NETWORK, SYSTEM),
    shows="what the original log showed, as far as it was put into fields of the schema",
    cannot_show="fields of a module that have no place in the schema; what a pipeline dropped",
    reference="Elastic, ECS reference; exported fields of Beats and Elastic integrations",
)
