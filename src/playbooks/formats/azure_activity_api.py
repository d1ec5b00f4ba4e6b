"""Azure Activity log as its API gives it: REST and `az monitor activity-log list` or the Python SDK.

Names of values stand in objects (`operationName.value`). REST writes camel case, the SDK snake case. A change is
several events of one correlationId, each with its own eventDataId; a Started or Accepted one states no outcome.
Reference: Azure Monitor REST API, "Activity Logs - List"; Azure Monitor documentation, "Activity log event schema".
"""

from playbooks.formats.format import Clock, Format, Json

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"

FORMAT = Format(
    name="azure_activity_api",
    product="Azure Activity log, REST API and SDK",
    table="api_activity",
    cut=Json(
        keys=frozenset({"authorization"}),
        any_of=frozenset({"eventDataId", "event_data_id"}),
        shape="""{"eventTimestamp": "VARCHAR", "event_timestamp": "VARCHAR",
                  "eventDataId": "VARCHAR", "event_data_id": "VARCHAR",
                  "correlationId": "VARCHAR", "correlation_id": "VARCHAR", "caller": "VARCHAR",
                  "authorization": {"action": "VARCHAR", "evidence": {"principalId": "VARCHAR",
                    "principalType": "VARCHAR"}}, "claims": "JSON",
                  "httpRequest": {"clientIpAddress": "VARCHAR"}, "http_request": {"client_ip_address": "VARCHAR"},
                  "operationName": {"value": "VARCHAR"}, "operation_name": {"value": "VARCHAR"},
                  "category": {"value": "VARCHAR"}, "status": {"value": "VARCHAR"},
                  "subStatus": {"value": "VARCHAR"}, "sub_status": {"value": "VARCHAR"},
                  "resourceProviderName": {"value": "VARCHAR"}, "resource_provider_name": {"value": "VARCHAR"},
                  "resourceId": "VARCHAR", "resource_id": "VARCHAR", "resourceLocation": "VARCHAR",
                  "subscriptionId": "VARCHAR", "subscription_id": "VARCHAR", "tenantId": "VARCHAR",
                  "properties": "JSON"}""",
        envelopes=("value",),
    ),
    clock=Clock.IN_THE_STAMP,
    # trimmed by hand
    undated="coalesce(r.eventTimestamp, r.event_timestamp) IS NULL "
    "AND coalesce(said(r.operationName.value), said(r.operation_name.value)) IS NOT NULL",
    columns=f"""
        -- documented as UTC; some exports drop the Z
        coalesce(iso_time(coalesce(r.eventTimestamp, r.event_timestamp)),
                 iso_time(coalesce(r.eventTimestamp, r.event_timestamp) || 'Z'))  AS time,
        coalesce(said(r.eventDataId), said(r.event_data_id))  AS metadata_uid,
        coalesce(said(r.correlationId), said(r.correlation_id))  AS metadata_correlation_uid,
        -- the address that asked; else the one from which the token was fetched
        address(coalesce(said(r.httpRequest.clientIpAddress), said(r.http_request.client_ip_address),
                         said(json_extract_string(r.claims, '$.ipaddr'))))  AS src_endpoint_ip,
        -- a managed identity is its resource, not the number by which the caller is logged
        coalesce(said(json_extract_string(r.claims, '$.xms_mirid')),
                 said(r.caller), said(json_extract_string(r.claims, '$."{CLAIMS}/upn"')),
                 said(json_extract_string(r.claims, '$."{CLAIMS}/name"')),
                 said(json_extract_string(r.claims, '$.appid')))  AS actor_user_name,
        coalesce(said(json_extract_string(r.claims, '$."{OBJECT_ID}"')),
                 said(r.authorization.evidence.principalId),
                 said(json_extract_string(r.claims, '$.appid')))  AS actor_user_uid,
        coalesce(CASE WHEN said(json_extract_string(r.claims, '$.xms_mirid')) IS NOT NULL
                      THEN 'ManagedIdentity' END,
                 said(r.authorization.evidence.principalType),
                 said(json_extract_string(r.claims, '$.idtyp')))  AS actor_user_type,
        -- the tenant, which issued the caller's token
        coalesce(said(json_extract_string(r.claims, '$.iss')), said(r.tenantId))  AS actor_session_issuer,
        -- the token's id, which the sign-in log holds too
        said(json_extract_string(r.claims, '$.uti'))  AS actor_session_uid,
        -- application the caller used
        said(json_extract_string(r.claims, '$.appid'))  AS actor_invoked_by,
        coalesce(said(r.operationName.value), said(r.operation_name.value))  AS api_operation,
        -- the same name in its own case, where the record holds that too
        CASE WHEN lower(r.authorization.action) = lower(coalesce(r.operationName.value, r.operation_name.value))
             THEN r.authorization.action
             ELSE coalesce(said(r.operationName.value), said(r.operation_name.value)) END  AS api_operation_base,
        lower(coalesce(said(r.resourceProviderName.value), said(r.resource_provider_name.value),
                       nullif(regexp_extract(coalesce(r.operationName.value, r.operation_name.value),
                                             '^([^/]+)/', 1), '')))  AS api_service_name,
        'Azure'                     AS cloud_provider,
        lower(coalesce(said(r.subscriptionId), said(r.subscription_id)))  AS cloud_account_uid,
        coalesce(said(r.resourceLocation), said(json_extract_string(r.properties, '$.resourceLocation')))
                                    AS cloud_region,
        -- ids of Azure know no case
        lower(said(regexp_extract(coalesce(r.resourceId, r.resource_id), '([^/]+)/?$', 1)))  AS resource_name,
        lower(coalesce(said(r.resourceId), said(r.resource_id)))  AS resource_uid,
        -- what only began has no outcome yet
        CASE WHEN regexp_matches(r.status.value, '(?i)fail|cancel') THEN 'failure'
             WHEN regexp_matches(r.status.value, '(?i)succ') THEN 'success' END  AS status,
        CASE WHEN regexp_matches(r.status.value, '(?i)fail|cancel')
             THEN said(concat_ws(': ', coalesce(said(json_extract_string(r.properties, '$.statusCode')),
                                                said(r.subStatus.value), said(r.sub_status.value)),
                                 said(json_extract_string(r.properties, '$.statusMessage')))) END  AS status_detail,
        said(r.category.value)      AS metadata_event_code,
        -- bodies are JSON, or JSON as text
        coalesce(said(json_extract_string(r.properties, '$.requestbody')),
                 said(json_extract_string(r.properties, '$.requestBody')))  AS request,
        coalesce(said(json_extract_string(r.properties, '$.responseBody')),
                 CASE WHEN json_type(r.properties) = 'OBJECT' THEN CAST(r.properties AS VARCHAR) END)
                                    AS response
    """,
    shows="who asked Azure Resource Manager for which change of what, from where, and what became of it",
    cannot_show="reads of the control plane; code and settings of a function; what is older than 90 days",
    reference="Azure Monitor REST API, Activity Logs - List; activity log event schema",
)
