"""The fields of Elastic Common Schema that are read, and SQL of their values.

Reference: Elastic, ECS reference.
"""

import json

CLOUDTRAIL, IDENTITY = "aws.cloudtrail", "aws.cloudtrail.user_identity"
ONCE = (
    *("@timestamp", "message", "event.id", "event.action", "event.code", "event.outcome", "event.category"),
    *("event.type", "event.kind", "event.dataset", "event.module", "event.provider", "event.duration", "event.reason"),
    *("event.original", "event.severity", "log.level", "data_stream.dataset", "source.ip", "source.port"),
    *("source.address", "source.domain", "source.bytes", "source.packets", "client.ip", "client.port", "client.bytes"),
    *("client.address", "client.user.email", "source.user.name", "source.user.email", "destination.ip"),
    *("destination.port", "destination.domain", "destination.bytes", "destination.packets", "destination.address"),
    *("server.ip", "server.port", "server.domain", "server.bytes", "server.address", "host.name", "host.hostname"),
    *("observer.hostname", "observer.name", "user.name", "user.id", "user.email", "user.domain", "user.target.name"),
    *("user.full_name", "process.name", "process.executable", "process.command_line", "process.hash.sha256"),
    *("process.hash.md5", "process.parent.name", "process.parent.executable", "process.parent.command_line"),
    *("process.parent.hash.sha256", "file.path", "registry.path", "dll.path", "service.name", "network.transport"),
    *(
        "network.protocol",
        "network.bytes",
        "network.community_id",
        "network.forwarded_ip",
        "tls.client.server_name",
        "tls.client.ja3",
    ),
    *("tls.client.ja4", "tls.client.hash.sha256", "tls.server.ja3s", "tls.server.issuer", "tls.version"),
    *("tls.server.x509.issuer.common_name", "dns.question.name", "dns.question.type", "dns.response_code"),
    *("dns.resolved_ip", "dns.answers", "http.request.method", "http.request.referrer", "http.response.status_code"),
    *("http.request.bytes", "http.response.bytes", "http.response.body.bytes", "http.request.body.bytes"),
    *("url.full", "url.original", "url.domain", "url.path", "url.query", "url.scheme", "user_agent.original"),
    *("rule.name", "threat.indicator.name", "kibana.alert.rule.name", "signal.rule.name", "cloud.account.id"),
    *("cloud.project.id", "cloud.region", "cloud.provider", "organization.id", "related.user"),
    *(f"{CLOUDTRAIL}.{name}" for name in ("request_parameters", "response_elements", "error_code", "error_message")),
    *(f"{CLOUDTRAIL}.{name}" for name in ("event_category", "recipient_account_id", "resources")),
    *(f"{IDENTITY}.{name}" for name in ("type", "arn", "access_key_id", "invoked_by")),
    f"{IDENTITY}.session_context.session_issuer.arn",
    *("azure.resource.id", "azure.resource.name", "azure.resource.provider", "azure.subscription_id"),
    *("azure.tenant_id", "azure.activitylogs.operation_name", "azure.activitylogs.result_type"),
    *("azure.activitylogs.category", "azure.activitylogs.properties", "azure.auditlogs.operation_name"),
    *("azure.auditlogs.category", "azure.auditlogs.properties", "azure.auditlogs.result_signature"),
    *("azure.signinlogs.operation_name", "azure.signinlogs.category", "azure.signinlogs.properties"),
    *("azure.signinlogs.result_type", "azure.signinlogs.result_description"),
    *("gcp.audit.service_name", "gcp.audit.method_name", "gcp.audit.resource_name", "gcp.audit.request"),
    *("gcp.audit.response", "gcp.audit.status.message", "gcp.audit.authentication_info.principal_email"),
    *("o365.audit.ObjectId", "o365.audit.Parameters", "o365.audit.ModifiedProperties", "o365.audit.RecordType"),
    *("o365.audit.UserType", "o365.audit.ResultStatus", "google_workspace.event.type", "google_workspace.kind"),
    *("google_workspace.organization.id", "google_workspace.actor.type"),
)


def shape_of_documents() -> str:
    """The fields as they are nested."""
    shape: dict[str, object] = {}
    for path in ONCE:
        *outer, last = path.split(".")
        place = shape
        for name in outer:
            inner = place.setdefault(name, {})
            assert isinstance(inner, dict), path
            place = inner
        place[last] = "VARCHAR"
    return json.dumps(shape)


def of(*paths: str) -> str:
    """SQL: the first of these fields that says something."""
    places = ("r." + ".".join(f'"{name}"' for name in path.split(".")) for path in paths)
    said = [f"nullif({place}, '')" for place in places]
    return f"coalesce({', '.join(said)})" if len(said) > 1 else said[0]


def held(name: str, value: str, sql: str) -> str:
    """SQL with a value that is worked out once and stands there under a name."""
    return f"list_transform([{value}], lambda {name}: {sql})[1]"


def one(*paths: str) -> str:
    """SQL: as `of`, of a list its first value."""
    listed = "CASE WHEN v LIKE '[%' AND json_valid(v) THEN v END"
    return held("v", of(*paths), f"coalesce(json_extract_string({listed}, '$[0]'), v)")
