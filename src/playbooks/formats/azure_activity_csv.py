"""Azure Activity log as the portal's "Download as CSV" gives it.

Operations stand there under the names that the portal shows ("Create or update web app"), not under those of the API,
and neither the caller's address nor the request is in it. Ask for the log by API where it can still be had.
Reference: Azure Monitor documentation, "View and retrieve the activity log", download as CSV; columns as downloaded.
"""

from playbooks.formats.format import Clock, Columns, Format

FIELDS = (
    *("correlation id", "operation name", "status", "event category", "level", "time", "subscription"),
    *("event initiated by", "resource type", "resource group", "resource"),
)

FORMAT = Format(
    name="azure_activity_csv",
    product="Azure Activity log, CSV of the portal",
    table="api_activity",
    cut=Columns(
        delimiter=",",
        fields=FIELDS,
        keys=frozenset({"correlation id", "operation name", "event initiated by", "event category", "time"}),
    ),
    clock=Clock.ASK,
    columns="""
        stamp(r."time")             AS time,
        said(r."correlation id")    AS metadata_uid,
        said(r."correlation id")    AS metadata_correlation_uid,
        said(r."event initiated by")  AS actor_user_name,
        said(r."operation name")    AS api_operation,
        said(r."operation name")    AS api_operation_base,
        lower(said(regexp_extract(r."resource type", '^[^/]+')))  AS api_service_name,
        'Azure'                     AS cloud_provider,
        lower(said(r."subscription"))  AS cloud_account_uid,
        -- ids of Azure know no case
        lower(said(regexp_extract(r."resource", '([^/]+)/?$', 1)))  AS resource_name,
        lower(said(r."resource"))   AS resource_uid,
        -- what only began has no outcome yet
        CASE WHEN regexp_matches(r."status", '(?i)fail|cancel') THEN 'failure'
             WHEN regexp_matches(r."status", '(?i)succ') THEN 'success' END  AS status,
        said(r."event category")    AS metadata_event_code
    """,
    shows="who changed which resource, and whether it succeeded",
    cannot_show="the caller's address; the request; operations by the names that the API and this kit's questions use",
    reference="Azure Monitor documentation, activity log: download as CSV",
)
