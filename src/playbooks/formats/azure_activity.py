"""Azure Activity log and audit categories of Azure resources, as diagnostic settings deliver them.

`{"records": […]}` of Event Hubs or one record a line of a storage account. One change is a Start and a Success or
Failure record of one correlationId; a Start states no outcome. Names come in upper case as often as not.
Reference: Azure Monitor documentation, "Azure activity log event schema" and "Common resource log schema".
"""

from playbooks.formats.format import Clock, Format, Json

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"

# the name, or an object of it and its words for people
OPERATION = """coalesce(json_extract_string(CASE WHEN r.operationName LIKE '{%' AND json_valid(r.operationName)
                 THEN r.operationName END, '$.value'), said(r.operationName))"""

FORMAT = Format(
    name="azure_activity",
    product="Azure Activity log and resource audit, diagnostic settings",
    table="api_activity",
    cut=Json(
        keys=frozenset({"time", "operationName", "resourceId"}),
        any_of=frozenset({"callerIpAddress", "identity", "resultType"}),
        only=(("resourceId", r"(?i)/(?:subscriptions|providers)/.*"),),
        shape="""{"time": "VARCHAR", "resourceId": "VARCHAR", "operationName": "VARCHAR", "category": "VARCHAR",
                  "resultType": "VARCHAR", "resultSignature": "VARCHAR", "resultDescription": "VARCHAR",
                  "callerIpAddress": "VARCHAR", "correlationId": "VARCHAR", "location": "VARCHAR",
                  "tenantId": "VARCHAR", "eventDataId": "VARCHAR", "statusCode": "VARCHAR",
                  "identity": {"claims": "JSON", "authorization": {"action": "VARCHAR",
                    "evidence": {"principalId": "VARCHAR", "principalType": "VARCHAR"}}},
                  "properties": "JSON"}""",
        envelopes=("records",),
    ),
    clock=Clock.IN_THE_STAMP,
    # trimmed by hand
    undated="r.time IS NULL AND said(r.operationName) IS NOT NULL",
    columns=f"""
        -- documented as UTC; some exports drop the Z
        coalesce(iso_time(r.time), iso_time(r.time || 'Z'))  AS time,
        -- the streamed record has no id of its own: its operation's id, which Start and Success share
        coalesce(said(r.eventDataId), said(json_extract_string(r.properties, '$.eventDataId')),
                 said(r.correlationId))  AS metadata_uid,
        said(r.correlationId)       AS metadata_correlation_uid,
        -- storage logs write the port behind the address
        address_before_port(coalesce(said(r.callerIpAddress), json_extract_string(r.identity.claims, '$.ipaddr')))
                                    AS src_endpoint_ip,
        -- a managed identity is its resource; a person has a name; an application has a number
        coalesce(said(json_extract_string(r.identity.claims, '$.xms_mirid')),
                 said(json_extract_string(r.identity.claims, '$."{CLAIMS}/upn"')),
                 said(json_extract_string(r.identity.claims, '$."{CLAIMS}/name"')),
                 said(json_extract_string(r.identity.claims, '$."{CLAIMS}/emailaddress"')),
                 said(json_extract_string(r.identity.claims, '$.name')),
                 said(json_extract_string(r.identity.claims, '$.appid')))  AS actor_user_name,
        coalesce(said(json_extract_string(r.identity.claims, '$."{OBJECT_ID}"')),
                 said(r.identity.authorization.evidence.principalId),
                 said(json_extract_string(r.identity.claims, '$.appid')))  AS actor_user_uid,
        coalesce(CASE WHEN said(json_extract_string(r.identity.claims, '$.xms_mirid')) IS NOT NULL
                      THEN 'ManagedIdentity' END,
                 said(r.identity.authorization.evidence.principalType),
                 said(json_extract_string(r.identity.claims, '$.idtyp')))  AS actor_user_type,
        -- the tenant, which issued the caller's token
        coalesce(said(json_extract_string(r.identity.claims, '$.iss')), said(r.tenantId))  AS actor_session_issuer,
        -- the token's id, which the sign-in log holds too
        said(json_extract_string(r.identity.claims, '$.uti'))  AS actor_session_uid,
        -- application the caller used
        said(json_extract_string(r.identity.claims, '$.appid'))  AS actor_invoked_by,
        {OPERATION}                 AS api_operation,
        -- the same name in its own case, where the record holds that too
        coalesce(CASE WHEN lower(r.identity.authorization.action) = lower({OPERATION})
                      THEN r.identity.authorization.action END,
                 CASE WHEN lower(json_extract_string(r.properties, '$.message')) = lower({OPERATION})
                      THEN json_extract_string(r.properties, '$.message') END,
                 {OPERATION})  AS api_operation_base,
        lower(said(coalesce(nullif(regexp_extract({OPERATION}, '^([^/]+)/', 1), ''),
                            regexp_extract(r.resourceId, '(?i)/providers/([^/]+)', 1))))  AS api_service_name,
        'Azure'                     AS cloud_provider,
        -- ids of Azure know no case
        lower(coalesce(nullif(regexp_extract(r.resourceId, '(?i)^/subscriptions/([^/]+)', 1), ''), said(r.tenantId)))
                                    AS cloud_account_uid,
        said(r.location)            AS cloud_region,
        coalesce(said(json_extract_string(r.properties, '$.objectKey')),
                 lower(said(regexp_extract(r.resourceId, '([^/]+)/?$', 1))))  AS resource_name,
        lower(said(r.resourceId))   AS resource_uid,
        -- what only began has no outcome yet
        CASE WHEN regexp_matches(r.resultType, '(?i)fail|error|denied|cancel|timeout') THEN 'failure'
             WHEN regexp_matches(r.resultType, '(?i)succ') THEN 'success'
             WHEN regexp_matches(coalesce(r.statusCode, r.resultType), '^[45]\\d\\d$') THEN 'failure'
             WHEN regexp_matches(coalesce(r.statusCode, r.resultType), '^[23]\\d\\d$|^0$') THEN 'success' END
                                    AS status,
        CASE WHEN regexp_matches(r.resultType, '(?i)fail|error|denied|cancel|timeout')
               OR regexp_matches(coalesce(r.statusCode, r.resultType), '^[45]\\d\\d$')
             THEN said(concat_ws(': ', coalesce(said(json_extract_string(r.properties, '$.statusCode')),
                                                said(r.resultSignature), said(r.statusCode)),
                                 coalesce(said(json_extract_string(r.properties, '$.statusMessage')),
                                          said(r.resultDescription)))) END  AS status_detail,
        coalesce(said(json_extract_string(r.properties, '$.userAgentHeader')),
                 said(json_extract_string(r.properties, '$.clientInfo')))  AS http_request_user_agent,
        said(r.category)            AS metadata_event_code,
        -- bodies are JSON, or JSON as text
        said(coalesce(json_extract_string(r.properties, '$.requestbody'),
                      json_extract_string(r.properties, '$.requestBody')))  AS request,
        coalesce(said(json_extract_string(r.properties, '$.responseBody')),
                 CASE WHEN json_type(r.properties) = 'OBJECT' THEN CAST(r.properties AS VARCHAR) END)
                                    AS response
    """,
    shows="who asked Azure Resource Manager for which change of what, from where, and what became of it",
    cannot_show="reads of the control plane; code and settings of a function; runs of functions",
    reference="Azure Monitor documentation, activity log event schema and common resource log schema",
)
