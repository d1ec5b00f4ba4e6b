"""Azure Logic Apps runtime log (WorkflowRuntime): starts and ends of runs, triggers and actions of a workflow.

A start has the status Running and no outcome. What a step sent and received does not stand in it.
Reference: Azure Logic Apps documentation, "Collect diagnostic data for workflows"; Azure Monitor Logs reference,
LogicAppWorkflowRuntime.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="azure_logic_app_runtime",
    product="Azure Logic Apps runtime log",
    table="api_activity",
    cut=Json(
        keys=frozenset({"time", "operationName", "category", "properties"}),
        only=(("category", "WorkflowRuntime"),),
        shape="""{"time": "VARCHAR", "resourceId": "VARCHAR", "workflowId": "VARCHAR", "category": "VARCHAR",
                  "operationName": "VARCHAR", "location": "VARCHAR",
                  "properties": {"status": "VARCHAR", "code": "VARCHAR",
                    "error": {"code": "VARCHAR", "message": "VARCHAR"},
                    "correlation": {"actionTrackingId": "VARCHAR"},
                    "resource": "JSON", "trackedProperties": "JSON"}}""",
        envelopes=("records",),
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        iso_time(r.time)            AS time,
        said(r.properties.correlation.actionTrackingId)  AS metadata_uid,
        -- one run of the workflow
        said(json_extract_string(r.properties.resource, '$.runId'))  AS actor_session_uid,
        said(json_extract_string(r.properties.resource, '$.runId'))  AS metadata_correlation_uid,
        said(r.operationName)       AS api_operation,
        said(r.operationName)       AS api_operation_base,
        lower(said(regexp_extract(r.operationName, '^([^/]+)/', 1)))  AS api_service_name,
        'Azure'                     AS cloud_provider,
        lower(said(coalesce(json_extract_string(r.properties.resource, '$.subscriptionId'),
                            regexp_extract(r.resourceId, '(?i)^/subscriptions/([^/]+)', 1))))  AS cloud_account_uid,
        said(coalesce(json_extract_string(r.properties.resource, '$.location'), r.location))  AS cloud_region,
        coalesce(said(json_extract_string(r.properties.resource, '$.workflowName')),
                 lower(said(regexp_extract(coalesce(r.workflowId, r.resourceId), '(?i)/workflows/([^/]+)', 1))))
                                    AS resource_name,
        -- without the run, trigger or action behind it
        lower(said(regexp_replace(coalesce(r.workflowId, r.resourceId), '(?i)/runs/.*$', '')))  AS resource_uid,
        CASE WHEN r.properties.status IN ('Failed', 'TimedOut', 'Aborted', 'Cancelled', 'Faulted') THEN 'failure'
             WHEN r.properties.status = 'Succeeded' THEN 'success' END  AS status,
        CASE WHEN r.properties.status IN ('Failed', 'TimedOut', 'Aborted', 'Cancelled', 'Faulted')
             THEN said(concat_ws(': ', coalesce(said(r.properties.error.code), said(r.properties.code)),
                                 said(r.properties.error.message))) END  AS status_detail,
        -- trigger or action, by its name in the workflow
        coalesce(said(json_extract_string(r.properties.resource, '$.actionName')),
                 said(json_extract_string(r.properties.resource, '$.triggerName')))  AS metadata_event_code,
        CASE WHEN json_type(r.properties.trackedProperties) = 'OBJECT'
             THEN CAST(r.properties.trackedProperties AS VARCHAR) END  AS response
    """,
    shows="runs of workflows with their triggers and actions, when each began and how it ended",
    cannot_show="who or what called the trigger, from which address; what the steps sent and received",
    reference="Azure Logic Apps documentation, diagnostic data; Azure Monitor Logs reference, LogicAppWorkflowRuntime",
)
