"""Azure Activity log as the table AzureActivity of a Log Analytics workspace: CSV, JSON or Parquet.

Older rows have `OperationName`, `ActivityStatus` and `Properties` where newer ones have `OperationNameValue`,
`ActivityStatusValue` and `Properties_d`. One operation gives several rows: started, accepted, succeeded.
Reference: Azure Monitor Logs reference, table AzureActivity.
"""

from playbooks.formats.format import Clock, Format, Json

FIELDS = (
    *("TimeGenerated", "EventSubmissionTimestamp", "OperationNameValue", "OperationName", "ActivityStatusValue"),
    *("ActivityStatus", "ActivitySubstatusValue", "ActivitySubstatus", "Caller", "CallerIpAddress", "Authorization"),
    *("Authorization_d", "Claims", "Claims_d", "HTTPRequest", "Properties", "Properties_d", "ResourceId"),
    *("_ResourceId", "ResourceProviderValue", "ResourceProvider", "SubscriptionId", "EventDataId", "CorrelationId"),
    *("CategoryValue", "Category"),
)
PROPERTIES = "coalesce(said(r.Properties_d), said(r.Properties))"
OPERATION = "coalesce(said(r.OperationNameValue), said(r.OperationName))"
STATUS = "coalesce(said(r.ActivityStatusValue), said(r.ActivityStatus))"
RESOURCE = "lower(coalesce(said(r._ResourceId), said(r.ResourceId)))"
CLAIMS = "coalesce(said(r.Claims_d), said(r.Claims))"


def inside(text: str, path: str) -> str:
    """SQL: a value in JSON text."""
    return f"json_extract_string(CASE WHEN json_valid({text}) THEN {text} END, '$.{path}')"


FORMAT = Format(
    name="azure_activity_table",
    product="Azure Activity log, table AzureActivity of Log Analytics",
    table="api_activity",
    cut=Json(
        keys=frozenset({"TimeGenerated", "Caller", "CallerIpAddress", "EventDataId"}),
        any_of=frozenset({"OperationNameValue", "OperationName"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    columns=f"""
        stamp(portal_iso(r.TimeGenerated))  AS time,
        said(r.EventDataId)         AS metadata_uid,
        said(r.CorrelationId)       AS metadata_correlation_uid,
        address_before_port(said(r.CallerIpAddress))  AS src_endpoint_ip,
        -- a managed identity is its resource, not the number by which the caller is logged
        coalesce({inside(CLAIMS, "xms_mirid")}, said(r.Caller))  AS actor_user_name,
        {inside(CLAIMS, '"http://schemas.microsoft.com/identity/claims/objectidentifier"')}  AS actor_user_uid,
        coalesce(CASE WHEN {inside(CLAIMS, "xms_mirid")} IS NOT NULL THEN 'ManagedIdentity' END,
                 {inside(CLAIMS, "idtyp")})  AS actor_user_type,
        {inside(CLAIMS, "appid")}   AS actor_invoked_by,
        {OPERATION}                 AS api_operation,
        -- capitals in one table, none in another: the same operation
        lower({OPERATION})          AS api_operation_base,
        lower(coalesce(said(r.ResourceProviderValue), said(r.ResourceProvider),
                       nullif(regexp_extract({OPERATION}, '^([^/]+)/', 1), '')))  AS api_service_name,
        'Azure'                     AS cloud_provider,
        lower(coalesce(said(r.SubscriptionId), nullif(regexp_extract({RESOURCE}, '^/subscriptions/([^/]+)', 1), '')))
                                    AS cloud_account_uid,
        said(regexp_extract({RESOURCE}, '([^/]+)/?$', 1))  AS resource_name,
        {RESOURCE}                  AS resource_uid,
        -- what only began has no outcome yet
        CASE WHEN regexp_matches({STATUS}, '(?i)fail|cancel') THEN 'failure'
             WHEN regexp_matches({STATUS}, '(?i)succ') THEN 'success' END  AS status,
        CASE WHEN regexp_matches({STATUS}, '(?i)fail|cancel')
             THEN said(concat_ws(': ', coalesce(said(r.ActivitySubstatusValue), said(r.ActivitySubstatus)),
                                 {inside(PROPERTIES, "statusMessage")})) END  AS status_detail,
        coalesce(said(r.CategoryValue), said(r.Category))  AS metadata_event_code,
        coalesce({inside(PROPERTIES, "requestbody")}, said(r.HTTPRequest))  AS request,
        {PROPERTIES}                AS response
    """,
    shows="who asked Azure Resource Manager for which change of what, from where, and what became of it",
    cannot_show="reads of the control plane; code and settings of a function; runs of functions",
    reference="Azure Monitor Logs reference, AzureActivity",
)
