"""Microsoft Entra audit as a Log Analytics workspace (Sentinel) exports its table AuditLogs: CSV, JSON or Parquet.

Columns of objects (`InitiatedBy`, `TargetResources`) are objects or JSON as text, by the way of the export.
Reference: Azure Monitor Logs reference, "AuditLogs".
"""

from playbooks.formats.format import Clock, Format, Json

# objects, or their text; a byte that is no UTF-8 stands in the text as \xNN, which is no escape of JSON
MENDED = r"""CASE WHEN json_valid(%(name)s) THEN %(name)s
    WHEN json_valid(replace(%(name)s, '\x', '\\x')) THEN replace(%(name)s, '\x', '\\x') END"""
INITIATED_BY = MENDED % {"name": "r.InitiatedBy"}
TARGETS = MENDED % {"name": "r.TargetResources"}

FORMAT = Format(
    name="entra_audit_table",
    product="Microsoft Entra audit log, table AuditLogs of Log Analytics",
    table="api_activity",
    cut=Json(
        keys=frozenset({"TimeGenerated", "OperationName", "InitiatedBy", "LoggedByService"}),
        csv=True,
        shape="""{"TimeGenerated": "VARCHAR", "ActivityDateTime": "VARCHAR", "Id": "VARCHAR", "AADTenantId": "VARCHAR",
                  "OperationName": "VARCHAR", "Category": "VARCHAR", "LoggedByService": "VARCHAR", "Result": "VARCHAR",
                  "ResultReason": "VARCHAR", "InitiatedBy": "VARCHAR", "TargetResources": "VARCHAR",
                  "AdditionalDetails": "VARCHAR"}""",
    ),
    clock=Clock.ASK,
    # trimmed by hand
    undated="coalesce(r.ActivityDateTime, r.TimeGenerated) IS NULL AND said(r.OperationName) IS NOT NULL",
    columns=f"""
        -- documented as UTC; some exports drop the Z, and portals write stamps of their own in a zone that they show
        coalesce(iso_time(portal_iso(coalesce(said(r.ActivityDateTime), r.TimeGenerated))),
                 iso_time(nullif(regexp_extract(coalesce(said(r.ActivityDateTime), r.TimeGenerated),
                                                '^\\d{{4}}-\\d\\d-\\d\\d[T ].*'), '') || 'Z'),
                 case_clock(portal_iso(coalesce(said(r.ActivityDateTime), r.TimeGenerated))))  AS time,
        said(r.Id)                  AS metadata_uid,
        address(json_extract_string({INITIATED_BY}, '$.user.ipAddress'))
                                    AS src_endpoint_ip,
        coalesce(
            said(json_extract_string({INITIATED_BY},
                                     '$.user.userPrincipalName')),
            said(json_extract_string({INITIATED_BY},
                                     '$.app.displayName')))  AS actor_user_name,
        coalesce(
            said(json_extract_string({INITIATED_BY}, '$.user.id')),
            said(json_extract_string({INITIATED_BY},
                                     '$.app.servicePrincipalId')))  AS actor_user_uid,
        CASE WHEN r.InitiatedBy LIKE '%"user":{{%' THEN 'user' WHEN r.InitiatedBy LIKE '%"app":{{%' THEN 'app' END
                                    AS actor_user_type,
        said(r.OperationName)       AS api_operation,
        said(trim(r.OperationName))  AS api_operation_base,
        said(r.LoggedByService)     AS api_service_name,
        'Azure'                     AS cloud_provider,
        said(r.AADTenantId)         AS cloud_account_uid,
        coalesce(
            said(json_extract_string({TARGETS},
                                     '$[0].displayName')),
            said(json_extract_string({TARGETS},
                                     '$[0].userPrincipalName')))  AS resource_name,
        said(json_extract_string({TARGETS}, '$[0].id'))
                                    AS resource_uid,
        CASE WHEN regexp_matches(r.Result, '(?i)^(failure|timeout)') THEN 'failure'
             WHEN regexp_matches(r.Result, '(?i)^success') THEN 'success' END  AS status,
        CASE WHEN regexp_matches(r.Result, '(?i)^(failure|timeout)') THEN said(r.ResultReason) END  AS status_detail,
        said(regexp_extract(r.AdditionalDetails, '"key": ?"User-Agent", ?"value": ?"([^"]*)"', 1))
                                    AS http_request_user_agent,
        said(r.Category)            AS metadata_event_code,
        said(r.TargetResources)     AS request
    """,
    shows="who changed which user, group, role, application or policy of the directory, and whether it succeeded",
    cannot_show="sign-ins; the caller's address where an application acted",
    reference="Azure Monitor Logs reference, AuditLogs",
)
