"""Azure Functions log (FunctionAppLogs): one message of the host or of the function's own code a record.

`properties` is an object, or its text, or text that looks like a Python dictionary in single quotes. Where that stands
without quotes around it, the record is no JSON: `azure_function_app_blob` reads it.
Reference: Azure Monitor Logs reference, "FunctionAppLogs".
"""

from playbooks.formats.format import Clock, Format, Json

# a value of `properties`: of an object, or in single quotes up to the next name or the end
VALUE = r"""coalesce(
    said(json_extract_string(CASE WHEN json_valid(r.properties) THEN r.properties END, '$.%(name)s')),
    said(replace(regexp_extract(r.properties, '(?s)''%(name)s'': ?[''"](.*?)[''"](?:, ?''\w+'':|\}$)', 1),
                 '\''', '''')))"""

FORMAT = Format(
    name="azure_function_app",
    product="Azure Functions log (FunctionAppLogs)",
    table="api_activity",
    cut=Json(
        keys=frozenset({"time", "resourceId", "category", "properties"}),
        only=(("category", "FunctionAppLogs"),),
        shape="""{"time": "VARCHAR", "resourceId": "VARCHAR", "category": "VARCHAR", "operationName": "VARCHAR",
                  "location": "VARCHAR", "properties": "VARCHAR"}""",
        envelopes=("records",),
    ),
    clock=Clock.IN_THE_STAMP,
    columns=f"""
        iso_time(r.time)            AS time,
        -- one run of a function; a run has several messages
        {VALUE % {"name": "functionInvocationId"}}  AS actor_session_uid,
        {VALUE % {"name": "functionInvocationId"}}  AS metadata_correlation_uid,
        said(r.operationName)       AS api_operation,
        said(r.operationName)       AS api_operation_base,
        'microsoft.web'             AS api_service_name,
        'Azure'                     AS cloud_provider,
        lower(said(regexp_extract(r.resourceId, '(?i)^/subscriptions/([^/]+)', 1)))  AS cloud_account_uid,
        said(r.location)            AS cloud_region,
        coalesce({VALUE % {"name": "functionName"}}, {VALUE % {"name": "appName"}},
                 lower(said(regexp_extract(r.resourceId, '([^/]+)/?$', 1))))  AS resource_name,
        lower(said(r.resourceId))   AS resource_uid,
        CASE WHEN {VALUE % {"name": "level"}} IN ('Error', 'Critical') THEN 'failure' ELSE 'success' END  AS status,
        coalesce({VALUE % {"name": "exceptionMessage"}}, {VALUE % {"name": "message"}})  AS status_detail,
        -- FunctionStarted and FunctionCompleted frame a run
        coalesce({VALUE % {"name": "eventName"}}, {VALUE % {"name": "category"}})  AS metadata_event_code,
        said(r.properties)          AS response
    """,
    shows="runs of functions, why each was started, and what their code wrote to the log",
    cannot_show="who called a function, from which address and with what; runs while the log was switched off",
    reference="Azure Monitor Logs reference, FunctionAppLogs",
)
