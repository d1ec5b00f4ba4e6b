r"""AWS Lambda log as text: START, END and REPORT of each run, and the lines of its code that name the run.

Exports of CloudWatch Logs put their stamp before each line, `aws logs tail` the log stream as well. A line
without any stamp (copied from the console) has no time and is unread; so is a line of code that names no run.
Reference: AWS Lambda Developer Guide, "Sending Lambda function logs to CloudWatch Logs", text format.
"""

from playbooks.formats.format import Clock, Format, TextLines

STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)"
RUN = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"

FORMAT = Format(
    name="aws_lambda_text",
    product="AWS Lambda log, text",
    table="api_activity",
    cut=TextLines(
        rf"^(?:(?P<ts>{STAMP})\s)?(?:(?P<stream>\d{{4}}/\d\d/\d\d/[^\s\[]*\[[^\]\s]+\][0-9a-f]+)\s)?(?:"
        rf"(?P<phase>START|END|REPORT) RequestId: (?P<run>{RUN})(?P<rest>.*)"
        r"|(?P<init>INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT)\s(?P<detail>.*)"
        rf"|(?:\[(?P<level>[A-Z]+)\]\s)?(?P<own>{STAMP})\s(?P<code_run>{RUN})\s(?P<message>.*))$"
    ),
    clock=Clock.IN_THE_STAMP,
    columns=r"""
        coalesce(iso_time(r.own), iso_time(r.ts))  AS time,
        coalesce(said(r.run), said(r.code_run))  AS metadata_uid,
        CASE WHEN said(r.own) IS NULL THEN 'platform' ELSE 'function' END  AS metadata_event_code,
        coalesce(said(r.phase), said(r.init), 'function')  AS api_operation,
        -- a run is one call, however many lines it writes
        CASE r.phase WHEN 'START' THEN 'Invoke' ELSE coalesce(said(r.phase), said(r.init), 'function') END
                                    AS api_operation_base,
        'lambda.amazonaws.com'      AS api_service_name,
        'AWS'                       AS cloud_provider,
        -- streams of a log group that several functions share begin with the function's name
        nullif(regexp_extract(r.stream, '^\d{4}/\d\d/\d\d/([^\[]+)\[', 1), '')  AS resource_name,
        -- a run that ended well says nothing of it
        CASE WHEN regexp_matches(r.rest, 'Status: (error|timeout)') OR starts_with(r.message, 'Task timed out')
             THEN 'failure' END     AS status,
        said(coalesce(nullif(regexp_extract(r.rest, 'Status: (.*)$', 1), ''),
             CASE WHEN starts_with(r.message, 'Task timed out') OR r.level = 'ERROR' OR starts_with(r.message, 'ERROR')
                  THEN r.message END))  AS status_detail,
        CAST(to_json(trim(coalesce(said(r.rest), said(r.detail), said(r.message)))) AS VARCHAR)  AS response
    """,
    shows="when a function ran, for how long, how it ended, what its code wrote about the run",
    cannot_show="who called it, with what and from where; what it connected to; which function it was, in most files",
    reference="AWS Lambda Developer Guide, text log format",
)
