"""Google Workspace audit as the table GoogleWorkspaceReports of Microsoft Sentinel: CSV, JSON or Parquet.

Parameters of an event stand in `EventParameters`; older rows have a column for each. `IdApplicationName` is the report.
Reference: Azure Monitor Logs reference, table GoogleWorkspaceReports.
"""

from playbooks.formats.format import Clock, Format, Json

FIELDS = (
    *("TimeGenerated", "IdTime", "IdUniqueQualifier", "IdApplicationName", "IdCustomerId", "ActorEmail"),
    *("ActorProfileId", "ActorCallerType", "ActorKey", "ActorApplicationInfoApplicationName", "IPAddress"),
    *("EventName", "EventType", "EventParameters", "DocTitle", "DocId", "AppName", "ClientId", "UserAgent", "DocType"),
)
PARAMETERS = "CASE WHEN json_valid(r.EventParameters) THEN r.EventParameters END"
# A column of its own, or among the parameters, as an object or as a list of names with values.
LISTED = r'"name"\s*:\s*"doc_type"\s*,\s*"value"\s*:\s*"([a-z_]+)"'
DOCUMENT = f"""coalesce(said(r.DocType), json_extract_string({PARAMETERS}, '$.doc_type'),
            nullif(regexp_extract({PARAMETERS}, '{LISTED}', 1), ''))"""

FORMAT = Format(
    name="google_workspace_table",
    product="Google Workspace audit, table GoogleWorkspaceReports of Microsoft Sentinel",
    table="api_activity",
    cut=Json(
        keys=frozenset({"TimeGenerated", "ActorEmail", "EventName", "EventType"}),
        any_of=frozenset({"IdApplicationName", "EventParameters", "ActorCallerType"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    columns=f"""
        stamp(portal_iso(coalesce(said(r.IdTime), r.TimeGenerated)))  AS time,
        said(r.IdUniqueQualifier)   AS metadata_uid,
        said(r.EventType)           AS metadata_event_code,
        address(r.IPAddress)        AS src_endpoint_ip,
        coalesce(said(r.ActorEmail), said(r.ActorKey))  AS actor_user_name,
        said(r.ActorProfileId)      AS actor_user_uid,
        said(r.ActorCallerType)     AS actor_user_type,
        said(r.ActorApplicationInfoApplicationName)  AS actor_invoked_by,
        said(r.EventName)           AS api_operation,
        -- Apps Script has no report of its own: its projects are files of Drive, told by their type
        said(concat_ws(' ', r.EventName, CASE WHEN r.IdApplicationName = 'drive' AND {DOCUMENT} = 'script'
             THEN 'script' END))    AS api_operation_base,
        said(r.IdApplicationName)   AS api_service_name,
        'Google Workspace'          AS cloud_provider,
        said(r.IdCustomerId)        AS cloud_account_uid,
        coalesce(said(r.DocTitle), said(r.AppName))  AS resource_name,
        coalesce(said(r.DocId), said(r.ClientId))  AS resource_uid,
        -- sign-ins say in their name how they ended; these reports hold what was done
        CASE WHEN regexp_matches(r.EventName, '(?i)_(failure|failed)') THEN 'failure'
             WHEN r.EventName = 'login_success' OR (r.IdApplicationName IN ('admin', 'drive', 'token')
                  AND NOT regexp_matches(r.EventName, '(?i)deny|denied|reject|request')) THEN 'success' END  AS status,
        said(r.UserAgent)           AS http_request_user_agent,
        coalesce('{{"parameters": ' || {PARAMETERS} || '}}', said(r.EventParameters))  AS request
    """,
    shows="who did what in Drive, Admin, Gmail settings, OAuth tokens, sign-ins and devices, from where",
    cannot_show="runs of Apps Script; what a script sent where; file content",
    reference="Azure Monitor Logs reference, GoogleWorkspaceReports",
)
