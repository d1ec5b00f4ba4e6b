"""Answers that a collector of this kit acquired: one question and what became of it a line.

The line holds the answer as it was received; what is no JSON (XML, CBOR) stands beside it as JSON too.
Reference: docs/how-to/acquire-aws.md.
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="acquired_answers",
    product="Acquired answers of this kit",
    table="acquired_answers",
    cut=Json(
        keys=frozenset({"acquired", "asked", "operation", "outcome"}),
        shape="""{"acquired": "VARCHAR", "source": "VARCHAR", "service": "VARCHAR", "operation": "VARCHAR",
                  "request": "JSON", "region": "VARCHAR", "account": "VARCHAR", "resource": "VARCHAR",
                  "asked": "VARCHAR", "outcome": "VARCHAR", "error": "VARCHAR", "sha256": "VARCHAR",
                  "body": "VARCHAR", "body_encoding": "VARCHAR", "parsed": "JSON", "fingerprint": "VARCHAR",
                  "same_as": "VARCHAR"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        iso_time(r.asked)           AS time,
        said(r.source)              AS source,
        -- a store of logs belongs to no cloud
        CASE r.source WHEN 'aws' THEN 'AWS' WHEN 'azure' THEN 'Azure' WHEN 'gcp' THEN 'GCP' END
                                    AS cloud_provider,
        said(r.service)             AS api_service_name,
        said(r.account)             AS cloud_account_uid,
        said(r.region)              AS cloud_region,
        said(r.operation)           AS api_operation,
        said(r.resource)            AS resource_name,
        CASE WHEN r.outcome IN ('answered', 'absent', 'refused', 'failed', 'unchanged', 'gone')
             THEN r.outcome ELSE refused_text() END  AS status,
        said(r.error)               AS status_detail,
        CASE WHEN json_type(r.request) <> 'NULL' THEN CAST(r.request AS VARCHAR) END  AS request,
        coalesce(CASE WHEN json_type(r.parsed) <> 'NULL' THEN CAST(r.parsed AS VARCHAR) END,
                 -- bytes that are no text say nothing to a question
                 CASE WHEN r.body_encoding IS NULL THEN r.body END)  AS response,
        coalesce(said(r.fingerprint), said(r.sha256))  AS fingerprint,
        said(r.same_as)             AS same_as
    """,
    shows="what was asked of a cloud or a store of logs, when, and what it answered, refused or lacked",
    cannot_show="what nobody asked; what was there before or after",
    reference="docs/how-to/acquire-aws.md",
)
