"""AWS Lambda platform and function records as JSON: one a line, from CloudWatch Logs or the Telemetry API.

A run writes several records that share a request id: `platform.start` is the run, `platform.report` says how it
ended. The id is the one of the caller's answer. Records name the function only where the schema is recent.
Reference: AWS Lambda Developer Guide, "Telemetry API Event schema reference".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="aws_lambda_platform",
    product="AWS Lambda platform log, JSON",
    table="api_activity",
    cut=Json(
        keys=frozenset({"record", "time", "type"}),
        shape='{"time": "VARCHAR", "type": "VARCHAR", "record": "JSON"}',
        only=(("type", r"platform\.\w+|function|extension"),),
    ),
    clock=Clock.IN_THE_STAMP,
    columns=r"""
        iso_time(r."time")          AS time,
        said(json_extract_string(r.record, '$.requestId'))  AS metadata_uid,
        -- platform: Lambda itself; function and extension: lines of code that ran
        said(regexp_extract(r.type, '^\w+'))  AS metadata_event_code,
        said(r.type)                AS api_operation,
        -- a run is one call, however many records it writes
        CASE r.type WHEN 'platform.start' THEN 'Invoke' ELSE said(r.type) END  AS api_operation_base,
        'lambda.amazonaws.com'      AS api_service_name,
        'AWS'                       AS cloud_provider,
        nullif(regexp_extract(json_extract_string(r.record, '$.functionArn'), '^arn:[^:]*:lambda:[^:]*:(\d{12}):', 1),
               '')                  AS cloud_account_uid,
        nullif(regexp_extract(json_extract_string(r.record, '$.functionArn'), '^arn:[^:]*:lambda:([^:]+):', 1), '')
                                    AS cloud_region,
        coalesce(said(json_extract_string(r.record, '$.functionName')),
            nullif(regexp_extract(json_extract_string(r.record, '$.functionArn'), ':function:([^:]+)', 1), ''))
                                    AS resource_name,
        said(json_extract_string(r.record, '$.functionArn'))  AS resource_uid,
        CASE WHEN json_extract_string(r.record, '$.status') = 'success' THEN 'success'
             WHEN json_extract_string(r.record, '$.status') IN ('failure', 'error', 'timeout') THEN 'failure' END
                                    AS status,
        said(concat_ws(': ', CASE WHEN json_extract_string(r.record, '$.status') <> 'success'
             THEN json_extract_string(r.record, '$.status') END, json_extract_string(r.record, '$.errorType')))
                                    AS status_detail,
        CASE WHEN json_type(r.record) <> 'NULL' THEN CAST(r.record AS VARCHAR) END  AS response
    """,
    shows="when a function ran, for how long, how it ended, what its code wrote to its log",
    cannot_show="who called it, with what and from where; what it connected to",
    reference="AWS Lambda Developer Guide, Telemetry API event schema",
)
