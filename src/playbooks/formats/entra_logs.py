"""Microsoft Entra logs as diagnostic settings deliver them: audit, sign-ins, risk events and calls of Microsoft Graph.

`{"records": […]}` of Event Hubs or one record a line; the categories often share a stream. Sign-ins of users, of
service principals and managed identities differ in who they name. Calls of Microsoft Graph are web requests.
Reference: Microsoft Entra documentation, "Interpret the Microsoft Entra sign-in logs schema" and "audit log schema";
Azure Monitor Logs reference, MicrosoftGraphActivityLogs.
"""

from playbooks.formats.format import Clock, Format, Json, Part

# Documented as UTC; some exports drop the Z, and risk events are stamped 3/24/2022 2:42:35 PM.
AT = """coalesce(r.time, json_extract_string(r.properties, '$.activityDateTime'),
                      json_extract_string(r.properties, '$.createdDateTime'))"""
TIME = f"""
    coalesce(iso_time({AT}), read_time(CASE WHEN {AT} LIKE '%M' THEN {AT} END, '%m/%d/%Y %I:%M:%S %p'),
             iso_time(CASE WHEN {AT} NOT LIKE '%M' THEN {AT} || 'Z' END))  AS time"""
SERVICE = "lower(said(regexp_extract(r.resourceId, '(?i)/providers/([^/]+)', 1)))"

AUDIT = f"""{TIME},
    said(json_extract_string(r.properties, '$.id'))  AS metadata_uid,
    address(nullif(coalesce(said(r.callerIpAddress),
                            said(json_extract_string(r.properties, '$.initiatedBy.user.ipAddress'))), '<null>'))
                                AS src_endpoint_ip,
    coalesce(said(json_extract_string(r.properties, '$.initiatedBy.user.userPrincipalName')),
             said(json_extract_string(r.properties, '$.initiatedBy.user.displayName')),
             said(json_extract_string(r.properties, '$.initiatedBy.app.displayName')))  AS actor_user_name,
    coalesce(said(json_extract_string(r.properties, '$.initiatedBy.user.id')),
             said(json_extract_string(r.properties, '$.initiatedBy.app.servicePrincipalId')),
             said(json_extract_string(r.properties, '$.initiatedBy.app.appId')))  AS actor_user_uid,
    CASE WHEN json_type(r.properties, '$.initiatedBy.user') = 'OBJECT' THEN 'user'
         WHEN json_type(r.properties, '$.initiatedBy.app') = 'OBJECT' THEN 'app' END  AS actor_user_type,
    coalesce(said(r.operationName), said(json_extract_string(r.properties, '$.activityDisplayName')))
                                AS api_operation,
    coalesce(said(r.operationName), said(json_extract_string(r.properties, '$.activityDisplayName')))
                                AS api_operation_base,
    coalesce(said(json_extract_string(r.properties, '$.loggedByService')), {SERVICE})  AS api_service_name,
    'Azure'                     AS cloud_provider,
    said(r.tenantId)            AS cloud_account_uid,
    coalesce(said(json_extract_string(r.properties, '$.targetResources[0].displayName')),
             said(json_extract_string(r.properties, '$.targetResources[0].userPrincipalName')))  AS resource_name,
    coalesce(said(json_extract_string(r.properties, '$.targetResources[0].id')), said(r.resourceId))  AS resource_uid,
    CASE WHEN regexp_matches(json_extract_string(r.properties, '$.result'), '(?i)^(failure|timeout)') THEN 'failure'
         WHEN regexp_matches(json_extract_string(r.properties, '$.result'), '(?i)^success') THEN 'success' END
                                AS status,
    CASE WHEN regexp_matches(json_extract_string(r.properties, '$.result'), '(?i)^(failure|timeout)')
         THEN said(json_extract_string(r.properties, '$.resultReason')) END  AS status_detail,
    said(json_extract_string(r.properties, '$.userAgent'))  AS http_request_user_agent,
    said(r.category)            AS metadata_event_code,
    CASE WHEN json_type(r.properties, '$.targetResources') = 'ARRAY'
         THEN CAST(json_extract(r.properties, '$.targetResources') AS VARCHAR) END  AS request
"""

SIGN_IN = f"""{TIME},
    said(json_extract_string(r.properties, '$.id'))  AS metadata_uid,
    address(coalesce(said(json_extract_string(r.properties, '$.ipAddress')), said(r.callerIpAddress)))
                                AS src_endpoint_ip,
    coalesce(said(json_extract_string(r.properties, '$.userPrincipalName')),
             said(json_extract_string(r.properties, '$.servicePrincipalName')), said(r.identity))  AS actor_user_name,
    coalesce(said(json_extract_string(r.properties, '$.userId')),
             said(json_extract_string(r.properties, '$.servicePrincipalId')))  AS actor_user_uid,
    said(json_extract_string(r.properties, '$.userType'))  AS actor_user_type,
    -- the token's id, which the activity log holds too
    said(json_extract_string(r.properties, '$.uniqueTokenIdentifier'))  AS actor_session_uid,
    -- application the caller used
    coalesce(said(json_extract_string(r.properties, '$.appDisplayName')),
             said(json_extract_string(r.properties, '$.appId')))  AS actor_invoked_by,
    coalesce(said(r.operationName), 'Sign-in activity')  AS api_operation,
    coalesce(said(r.operationName), 'Sign-in activity')  AS api_operation_base,
    {SERVICE}                   AS api_service_name,
    'Azure'                     AS cloud_provider,
    said(r.tenantId)            AS cloud_account_uid,
    said(json_extract_string(r.properties, '$.resourceDisplayName'))  AS resource_name,
    coalesce(said(json_extract_string(r.properties, '$.resourceId')), said(r.resourceId))  AS resource_uid,
    -- 0 is success; a risk event states no outcome
    CASE WHEN coalesce(said(r.resultType), json_extract_string(r.properties, '$.status.errorCode')) IN ('0', 'Success')
         THEN 'success'
         WHEN coalesce(said(r.resultType), json_extract_string(r.properties, '$.status.errorCode')) IS NOT NULL
         THEN 'failure' END     AS status,
    CASE WHEN coalesce(said(r.resultType), json_extract_string(r.properties, '$.status.errorCode'))
              NOT IN ('0', 'Success')
         THEN said(concat_ws(': ', coalesce(said(r.resultType),
                                            json_extract_string(r.properties, '$.status.errorCode')),
                             coalesce(said(r.resultDescription),
                                      said(json_extract_string(r.properties, '$.status.failureReason'))))) END
                                AS status_detail,
    coalesce(said(json_extract_string(r.properties, '$.userAgent')),
             said(regexp_extract(json_extract_string(r.properties, '$.additionalInfo'),
                                 '"Key":"userAgent","Value":"([^"]*)"', 1)))  AS http_request_user_agent,
    said(r.category)            AS metadata_event_code,
    -- device, place, conditional access and risk
    CASE WHEN json_type(r.properties) = 'OBJECT' THEN CAST(r.properties AS VARCHAR) END  AS response
"""

GRAPH_CALL = f"""{TIME},
    said(json_extract_string(r.properties, '$.requestId'))  AS metadata_uid,
    address(coalesce(said(json_extract_string(r.properties, '$.ipAddress')), said(r.callerIpAddress)))
                                AS src_endpoint_ip,
    -- ids of the directory: the log holds no names
    coalesce(said(json_extract_string(r.properties, '$.userId')),
             said(json_extract_string(r.properties, '$.servicePrincipalId')),
             said(json_extract_string(r.properties, '$.appId')))  AS actor_user_name,
    url_host(json_extract_string(r.properties, '$.requestUri'))  AS dst_endpoint_hostname,
    url_port(json_extract_string(r.properties, '$.requestUri'))  AS dst_endpoint_port,
    said(r.operationName)       AS activity_name,
    said(json_extract_string(r.properties, '$.requestMethod'))  AS http_request_http_method,
    said(json_extract_string(r.properties, '$.requestUri'))  AS http_request_url_string,
    said(json_extract_string(r.properties, '$.userAgent'))  AS http_request_user_agent,
    small(json_extract_string(r.properties, '$.responseStatusCode'))  AS http_response_code,
    amount(json_extract_string(r.properties, '$.responseSizeBytes'))  AS traffic_bytes_in
"""

FORMAT = Format(
    name="entra_logs",
    product="Microsoft Entra logs, diagnostic settings",
    cut=Json(
        keys=frozenset({"time", "category", "properties"}),
        any_of=frozenset({"operationName"}),
        only=(
            (
                "category",
                "AuditLogs|(?:NonInteractiveUser|ServicePrincipal|ManagedIdentity|ADFS)?SignInLogs|ProvisioningLogs|"
                "(?:Risky)?(?:Users?|ServicePrincipals?)(?:RiskEvents)?|MicrosoftGraphActivityLogs",
            ),
        ),
        shape="""{"time": "VARCHAR", "resourceId": "VARCHAR", "operationName": "VARCHAR", "category": "VARCHAR",
                  "tenantId": "VARCHAR", "resultType": "VARCHAR", "resultDescription": "VARCHAR",
                  "callerIpAddress": "VARCHAR", "identity": "VARCHAR", "properties": "JSON"}""",
        envelopes=("records",),
    ),
    clock=Clock.IN_THE_STAMP,
    # trimmed by hand
    undated=f"{AT} IS NULL AND said(r.category) IS NOT NULL",
    kind="r.category",
    parts=(
        Part("api_activity", "r.category SIMILAR TO '.*(SignInLogs|Risk.*)'", SIGN_IN),
        Part("http_activity", "r.category = 'MicrosoftGraphActivityLogs'", GRAPH_CALL),
        Part(
            "api_activity",
            "r.category NOT SIMILAR TO '.*(SignInLogs|Risk.*|MicrosoftGraphActivityLogs)'",
            AUDIT,
        ),
    ),
    shows="who changed what in the directory; who signed in to what with which application, from where; calls of Graph",
    cannot_show="what was done with a token elsewhere; names of callers of Graph; what no diagnostic setting sends",
    reference="Microsoft Entra documentation, sign-in and audit log schema; Azure Monitor Logs reference",
)
