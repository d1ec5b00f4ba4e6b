"""Azure Functions log as the table FunctionAppLogs of a Log Analytics workspace: CSV, JSON or Parquet.

One message of the host or of the function's own code a row.
Reference: Azure Monitor Logs reference, table FunctionAppLogs.
"""

from playbooks.formats.format import Clock, Format, Json

FIELDS = (
    *("TimeGenerated", "FunctionName", "FunctionInvocationId", "AppName", "HostInstanceId", "Category", "Level"),
    *("Message", "ExceptionMessage", "ExceptionDetails", "EventName", "EventId", "Location", "_ResourceId"),
    *("OperationName", "ActivityId"),
)

FORMAT = Format(
    name="azure_function_app_table",
    product="Azure Functions log, table FunctionAppLogs of Log Analytics",
    table="api_activity",
    cut=Json(
        keys=frozenset({"TimeGenerated", "FunctionName", "FunctionInvocationId", "Message"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    columns="""
        stamp(portal_iso(r.TimeGenerated))  AS time,
        -- one run of a function; a run has several messages
        said(r.FunctionInvocationId)  AS actor_session_uid,
        said(r.FunctionInvocationId)  AS metadata_correlation_uid,
        coalesce(said(r.OperationName), 'Microsoft.Web/sites/functions/log')  AS api_operation,
        coalesce(said(r.OperationName), 'Microsoft.Web/sites/functions/log')  AS api_operation_base,
        'microsoft.web'             AS api_service_name,
        'Azure'                     AS cloud_provider,
        lower(said(regexp_extract(r._ResourceId, '(?i)^/subscriptions/([^/]+)', 1)))  AS cloud_account_uid,
        said(r.Location)            AS cloud_region,
        coalesce(said(r.FunctionName), said(r.AppName), lower(said(regexp_extract(r._ResourceId, '([^/]+)/?$', 1))))
                                    AS resource_name,
        lower(said(r._ResourceId))  AS resource_uid,
        CASE WHEN r."Level" IN ('Error', 'Critical') THEN 'failure' ELSE 'success' END  AS status,
        coalesce(said(r.ExceptionMessage), said(r.Message))  AS status_detail,
        -- FunctionStarted and FunctionCompleted frame a run
        coalesce(said(r.EventName), said(r.Category))  AS metadata_event_code,
        said(r.ExceptionDetails)    AS response
    """,
    shows="runs of functions, why each was started, and what their code wrote to the log",
    cannot_show="who called a function, from which address and with what; runs while the log was switched off",
    reference="Azure Monitor Logs reference, FunctionAppLogs",
)
