"""Microsoft 365 audit records as the table OfficeActivity of a Log Analytics workspace: CSV, JSON or Parquet.

Exchange, SharePoint, OneDrive and Teams only; the unified audit log itself holds more. Addresses may carry a port.
Reference: Azure Monitor Logs reference, table OfficeActivity.
"""

from playbooks.formats.format import Clock, Format, Json

FIELDS = (
    *("TimeGenerated", "OfficeId", "RecordType", "Operation", "OfficeWorkload", "UserId", "UserKey", "UserType"),
    *("ClientIP", "Client_IPAddress", "OrganizationId", "ResultStatus", "OfficeObjectId", "SourceFileName", "Site_Url"),
    *("MailboxOwnerUPN", "UserAgent", "ClientInfoString", "AppId", "ClientAppId", "Parameters", "OperationProperties"),
    *("ModifiedProperties", "ItemName", "TeamName", "CommunicationType", "SessionId", "AppAccessContext"),
)

FORMAT = Format(
    name="office_activity_table",
    product="Microsoft 365 audit, table OfficeActivity of Log Analytics",
    table="api_activity",
    cut=Json(
        keys=frozenset({"TimeGenerated", "OfficeWorkload", "Operation", "RecordType"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    columns="""
        stamp(portal_iso(r.TimeGenerated))  AS time,
        said(r.OfficeId)            AS metadata_uid,
        said(r.RecordType)          AS metadata_event_code,
        address_before_port(coalesce(said(r.ClientIP), said(r.Client_IPAddress)))  AS src_endpoint_ip,
        said(r.UserId)              AS actor_user_name,
        said(r.UserKey)             AS actor_user_uid,
        said(r.UserType)            AS actor_user_type,
        said(r.SessionId)           AS actor_session_uid,
        coalesce(said(r.AppId), said(r.ClientAppId))  AS actor_invoked_by,
        said(r.Operation)           AS api_operation,
        said(r.Operation)           AS api_operation_base,
        said(r.OfficeWorkload)      AS api_service_name,
        'Microsoft 365'             AS cloud_provider,
        said(r.OrganizationId)      AS cloud_account_uid,
        coalesce(said(r.SourceFileName), said(r.TeamName), said(r.ItemName), said(r.OfficeObjectId),
                 said(r.MailboxOwnerUPN))  AS resource_name,
        coalesce(said(r.OfficeObjectId), said(r.Site_Url), said(r.MailboxOwnerUPN))  AS resource_uid,
        CASE WHEN lower(r.ResultStatus) IN ('failed', 'failure', 'false', 'fail') THEN 'failure'
             WHEN lower(r.ResultStatus) IN ('succeeded', 'success', 'successful', 'true', 'partiallysucceeded')
             THEN 'success' END     AS status,
        CASE WHEN lower(r.ResultStatus) NOT IN ('succeeded', 'success', 'successful', 'true')
             THEN said(r.ResultStatus) END  AS status_detail,
        coalesce(said(r.UserAgent), said(r.ClientInfoString))  AS http_request_user_agent,
        coalesce(said(r.Parameters), said(r.OperationProperties))  AS request,
        said(r.ModifiedProperties)  AS response
    """,
    shows="who did what in Exchange, SharePoint, OneDrive and Teams, from where",
    cannot_show="Power Automate, Entra ID and other workloads; mail and file content",
    reference="Azure Monitor Logs reference, OfficeActivity",
)
