"""AWS Lambda log as CloudWatch Logs answers it: `filter-log-events`, `get-log-events`, subscription records.

`message` is a line of Lambda or of code, as text or as JSON, whichever the function was set up with. The log group,
and with it the function's name, does not stand in the records: note it when you fetch them.
Reference: Amazon CloudWatch Logs API, FilterLogEvents; AWS Lambda Developer Guide, log formats.
"""

from playbooks.formats.format import Clock, Format, Json

RUN = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
INNER = "CASE WHEN r.message LIKE '{%' AND json_valid(r.message) THEN r.message END"

FORMAT = Format(
    name="aws_lambda_cloudwatch",
    product="AWS Lambda log from CloudWatch Logs, JSON",
    table="api_activity",
    cut=Json(
        keys=frozenset({"message", "timestamp"}),
        any_of=frozenset({"eventId", "id", "ingestionTime", "logStreamName"}),
        shape='{"message": "VARCHAR", "timestamp": "VARCHAR", "logStreamName": "VARCHAR"}',
        envelopes=("events", "logEvents"),
        only=(
            ("message", r"(?s)(START|END|REPORT) RequestId: .*|(INIT|RESTORE)_.*|\{.*\"type\"\s*:\s*\"platform\..*"),
            ("timestamp", r"\d{13}"),
        ),
    ),
    clock=Clock.IN_THE_STAMP,
    columns=rf"""
        epoch_time(r."timestamp")   AS time,
        coalesce(said(json_extract_string({INNER}, '$.record.requestId')),
            said(json_extract_string({INNER}, '$.requestId')),
            nullif(regexp_extract(r.message, 'RequestId: ({RUN})', 1), ''),
            nullif(regexp_extract(r.message, '^\S+\s(?:\S+\s)?({RUN})\s', 1), ''))  AS metadata_uid,
        CASE WHEN json_extract_string({INNER}, '$.type') LIKE 'platform.%'
               OR regexp_matches(r.message, '^(START|END|REPORT) RequestId: |^(INIT|RESTORE)_\w+ ')
             THEN 'platform' ELSE 'function' END  AS metadata_event_code,
        coalesce(said(json_extract_string({INNER}, '$.type')),
            nullif(regexp_extract(r.message, '^(START|END|REPORT) RequestId: ', 1), ''),
            nullif(regexp_extract(r.message, '^((?:INIT|RESTORE)_\w+) ', 1), ''), 'function')
                                    AS api_operation,
        -- a run is one call, however many lines it writes
        CASE WHEN json_extract_string({INNER}, '$.type') = 'platform.start' OR r.message LIKE 'START RequestId: %'
             THEN 'Invoke' ELSE coalesce(said(json_extract_string({INNER}, '$.type')),
             nullif(regexp_extract(r.message, '^(END|REPORT) RequestId: ', 1), ''),
             nullif(regexp_extract(r.message, '^((?:INIT|RESTORE)_\w+) ', 1), ''), 'function') END
                                    AS api_operation_base,
        'lambda.amazonaws.com'      AS api_service_name,
        'AWS'                       AS cloud_provider,
        -- streams of a log group that several functions share begin with the function's name
        coalesce(said(json_extract_string({INNER}, '$.record.functionName')),
            nullif(regexp_extract(json_extract_string({INNER}, '$.record.functionArn'), ':function:([^:]+)', 1), ''),
            nullif(regexp_extract(r.logStreamName, '^\d{{4}}/\d\d/\d\d/([^\[]+)\[', 1), ''))  AS resource_name,
        said(json_extract_string({INNER}, '$.record.functionArn'))  AS resource_uid,
        CASE WHEN json_extract_string({INNER}, '$.record.status') = 'success' THEN 'success'
             WHEN json_extract_string({INNER}, '$.record.status') IN ('failure', 'error', 'timeout')
               OR regexp_matches(r.message, '^REPORT RequestId: .*Status: (error|timeout)|{RUN} Task timed out after')
             THEN 'failure' END     AS status,
        said(coalesce(CASE WHEN json_extract_string({INNER}, '$.record.status') <> 'success'
                           THEN json_extract_string({INNER}, '$.record.status') END,
             nullif(regexp_extract(r.message, '^REPORT RequestId: .*Status: (\w+)', 1), ''),
             nullif(regexp_extract(r.message, '{RUN} (Task timed out after .*)', 1), '')))  AS status_detail,
        coalesce({INNER}, CAST(to_json(rtrim(r.message)) AS VARCHAR))  AS response
    """,
    shows="when a function ran, for how long, how it ended, what its code wrote to its log",
    cannot_show="who called it, with what and from where; what it connected to; which function it was, in most files",
    reference="Amazon CloudWatch Logs API, FilterLogEvents; AWS Lambda Developer Guide, log formats",
)
