"""Azure Functions log (FunctionAppLogs) as storage accounts hold it: `properties` in single quotes, hence no JSON.

One record a line, its members in the order in which Azure writes them.
Reference: Azure Monitor Logs reference, "FunctionAppLogs".
"""

from playbooks.formats.format import Clock, Format, TextLines

# a value of `properties` in single quotes, up to the next name or the end
VALUE = r"""
    said(replace(regexp_extract(r.properties, '(?s)''%s'': ?[''"](.*?)[''"](?:, ?''\w+'':|\}$)', 1), '\''', ''''))
"""

FORMAT = Format(
    name="azure_function_app_blob",
    product="Azure Functions log (FunctionAppLogs), storage account",
    table="api_activity",
    cut=TextLines(
        r'^\s*\{ ?"time": ?"(?P<time>[^"]*)", ?"resourceId": ?"(?P<resource>[^"]*)", ?"category": ?"FunctionAppLogs", ?'
        r'"operationName": ?"(?P<operation>[^"]*)", ?"level": ?"[^"]*", ?(?:"location": ?"(?P<location>[^"]*)", ?)?'
        r"\"properties\": ?(?P<properties>\{'.*\})\}\s*,?$"
    ),
    clock=Clock.IN_THE_STAMP,
    columns=f"""
        iso_time(r.time)            AS time,
        -- one run of a function; a run has several messages
        {VALUE % "functionInvocationId"}  AS actor_session_uid,
        {VALUE % "functionInvocationId"}  AS metadata_correlation_uid,
        said(r.operation)           AS api_operation,
        said(r.operation)           AS api_operation_base,
        'microsoft.web'             AS api_service_name,
        'Azure'                     AS cloud_provider,
        lower(said(regexp_extract(r.resource, '(?i)^/subscriptions/([^/]+)', 1)))  AS cloud_account_uid,
        said(r.location)            AS cloud_region,
        coalesce({VALUE % "functionName"}, {VALUE % "appName"},
                 lower(said(regexp_extract(r.resource, '([^/]+)/?$', 1))))  AS resource_name,
        lower(said(r.resource))     AS resource_uid,
        CASE WHEN {VALUE % "level"} IN ('Error', 'Critical') THEN 'failure' ELSE 'success' END  AS status,
        coalesce({VALUE % "exceptionMessage"}, {VALUE % "message"})  AS status_detail,
        -- FunctionStarted and FunctionCompleted frame a run
        coalesce({VALUE % "eventName"}, {VALUE % "category"})  AS metadata_event_code,
        r.properties                AS response
    """,
    shows="runs of functions, why each was started, and what their code wrote to the log",
    cannot_show="who called a function, from which address and with what; runs while the log was switched off",
    reference="Azure Monitor Logs reference, FunctionAppLogs",
)
