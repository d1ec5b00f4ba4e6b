"""Cloudflare Workers trace events, as Logpush writes them: one run of a Worker an object.

A run is caused by a request (`fetch`), a timer, a queue, a mail or another Worker; the client's address is not
among the fields. What the code wrote to its console stands in `Logs`.
Reference: Cloudflare Logs, log fields of the dataset workers_trace_events.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="cloudflare_workers_trace",
    product="Cloudflare Workers trace events",
    table="api_activity",
    cut=Json(
        keys=frozenset({"EventTimestampMs", "EventType", "Outcome", "ScriptName"}),
        shape="""{"EventTimestampMs": "VARCHAR", "EventType": "VARCHAR", "Outcome": "VARCHAR",
                  "ScriptName": "VARCHAR", "DispatchNamespace": "VARCHAR", "Event": "JSON", "Logs": "JSON",
                  "Exceptions": [{"Name": "VARCHAR", "Message": "VARCHAR"}]}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        epoch_time(r.EventTimestampMs)  AS time,
        said(json_extract_string(r.Event, '$.RayID'))  AS metadata_uid,
        said(r.EventType)           AS api_operation,
        said(r.EventType)           AS api_operation_base,
        'workers'                   AS api_service_name,
        'Cloudflare'                AS cloud_provider,
        said(r.ScriptName)          AS resource_name,
        -- the address under which the Worker was reached, or the namespace it was dispatched from
        coalesce(url_host(json_extract_string(r.Event, '$.Request.URL')), said(r.DispatchNamespace))  AS resource_uid,
        CASE WHEN r.Outcome = 'ok' THEN 'success' WHEN said(r.Outcome) IS NOT NULL THEN 'failure' END  AS status,
        said(concat_ws(': ', CASE WHEN r.Outcome <> 'ok' THEN said(r.Outcome) END, said(r.Exceptions[1].Name),
             said(r.Exceptions[1].Message)))  AS status_detail,
        CASE WHEN json_type(r.Event) = 'OBJECT' THEN CAST(r.Event AS VARCHAR) END  AS request,
        CASE WHEN json_array_length(CASE WHEN json_type(r.Logs) = 'ARRAY' THEN r.Logs END) > 0
             THEN CAST(r.Logs AS VARCHAR) END  AS response
    """,
    shows="when a Worker ran, for which URL or timer, how it ended, what its code wrote to the console",
    cannot_show="the client's address; what the Worker fetched from elsewhere; runs while Logpush was off",
    reference="Cloudflare Logs, log fields of workers_trace_events",
)
