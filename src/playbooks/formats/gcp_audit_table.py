"""Google Cloud audit log as the table GCPAuditLogs of Microsoft Sentinel: CSV, JSON or Parquet.

Columns of objects are objects, or their JSON in text, by the way of the export.
Reference: Azure Monitor Logs reference, table GCPAuditLogs.
"""

from playbooks.formats.format import Clock, Format, Json
from playbooks.formats.gcp_audit import CODE_IN_WORDS

FIELDS = (
    *("TimeGenerated", "Timestamp", "InsertId", "LogName", "ProjectId", "ServiceName", "MethodName", "PrincipalEmail"),
    *("GCPResourceName", "GCPResourceType", "AuthenticationInfo", "RequestMetadata", "ResourceLocation", "Request"),
    *("Response", "ServiceData", "Metadata", "Status", "StatusMessage"),
)


def inside(name: str, path: str) -> str:
    """SQL: a value in a column of JSON text."""
    return f"json_extract_string(CASE WHEN json_valid(r.{name}) THEN r.{name} END, '$.{path}')"


CODE = f"coalesce({inside('Status', 'code')}, said(regexp_extract(r.Status, '^[0-9]+$')))"

FORMAT = Format(
    name="gcp_audit_table",
    product="Google Cloud audit log, table GCPAuditLogs of Microsoft Sentinel",
    table="api_activity",
    cut=Json(
        keys=frozenset({"TimeGenerated", "MethodName", "ServiceName", "GCPResourceName"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    columns=f"""
        stamp(portal_iso(coalesce(said(r."Timestamp"), r.TimeGenerated)))  AS time,
        said(r.InsertId)            AS metadata_uid,
        address({inside("RequestMetadata", "callerIp")})  AS src_endpoint_ip,
        coalesce(said(r.PrincipalEmail), {inside("AuthenticationInfo", "principalEmail")})  AS actor_user_name,
        {inside("AuthenticationInfo", "principalSubject")}  AS actor_user_uid,
        coalesce({inside("AuthenticationInfo", "serviceAccountDelegationInfo[0].firstPartyPrincipal.principalEmail")},
                 {inside("AuthenticationInfo", "serviceAccountDelegationInfo[0].principalSubject")},
                 {inside("AuthenticationInfo", "serviceAccountKeyName")})  AS actor_session_issuer,
        {inside("AuthenticationInfo", "serviceAccountKeyName")}  AS actor_session_uid,
        {inside("AuthenticationInfo", "serviceAccountDelegationInfo[#-1].firstPartyPrincipal.principalEmail")}
                                    AS actor_invoked_by,
        said(r.MethodName)          AS api_operation,
        -- alpha and beta interfaces name the same operation
        regexp_replace(said(r.MethodName), '\\.v([0-9]+)(?:alpha|beta)[0-9]*\\.', '.v\\1.')  AS api_operation_base,
        lower(said(r.ServiceName))  AS api_service_name,
        'GCP'                       AS cloud_provider,
        coalesce(said(r.ProjectId),
                 said(regexp_extract(r.LogName, '^(?:projects|folders|organizations)/([^/]+)/', 1)))
                                    AS cloud_account_uid,
        {inside("ResourceLocation", "currentLocations[0]")}  AS cloud_region,
        said(regexp_extract(r.GCPResourceName, '([^/]+)/?$', 1))  AS resource_name,
        said(r.GCPResourceName)     AS resource_uid,
        CASE WHEN coalesce({CODE}, '0') <> '0' THEN 'failure' ELSE 'success' END  AS status,
        CASE WHEN coalesce({CODE}, '0') <> '0'
             THEN said(concat_ws(': ', {CODE_IN_WORDS.format(CODE)},
                                 coalesce(said(r.StatusMessage), {inside("Status", "message")}))) END
                                    AS status_detail,
        {inside("RequestMetadata", "callerSuppliedUserAgent")}  AS http_request_user_agent,
        CASE WHEN regexp_matches(r.LogName, 'data_access$') THEN 'Data' WHEN regexp_matches(r.LogName, 'activity$')
             THEN 'Management' ELSE said(regexp_extract(r.LogName, '(system_event|policy)$', 1)) END
                                    AS metadata_event_code,
        said(r.Request)             AS request,
        coalesce(said(r.Response), said(r.ServiceData), said(r.Metadata))  AS response
    """,
    shows="who called which Google Cloud method on what, from where, with what outcome",
    cannot_show="reads and runs of functions unless Data Access logs are switched on; function code",
    reference="Azure Monitor Logs reference, GCPAuditLogs",
)
