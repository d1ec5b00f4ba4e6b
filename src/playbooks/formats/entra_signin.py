"""Microsoft Entra sign-ins as Microsoft Graph and the portal give them: `signIn` objects.

An answer of the API holds them in `value`. The tenant does not stand in the record of a member of it; a sign-in of
a service principal names no user.
Reference: Microsoft Graph REST API, "signIn resource type" (v1.0 and beta).
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="entra_signin",
    product="Microsoft Entra sign-in log, Microsoft Graph",
    table="api_activity",
    cut=Json(
        keys=frozenset({"createdDateTime", "ipAddress", "appId", "status"}),
        any_of=frozenset({"userPrincipalName", "servicePrincipalName", "conditionalAccessStatus"}),
        shape="""{"id": "VARCHAR", "createdDateTime": "VARCHAR", "userPrincipalName": "VARCHAR", "userId": "VARCHAR",
                  "userType": "VARCHAR", "servicePrincipalName": "VARCHAR", "servicePrincipalId": "VARCHAR",
                  "appDisplayName": "VARCHAR", "appId": "VARCHAR", "ipAddress": "VARCHAR",
                  "clientAppUsed": "VARCHAR", "userAgent": "VARCHAR", "resourceDisplayName": "VARCHAR",
                  "resourceId": "VARCHAR", "resourceTenantId": "VARCHAR", "homeTenantId": "VARCHAR",
                  "uniqueTokenIdentifier": "VARCHAR", "signInEventTypes": "JSON", "deviceDetail": "JSON",
                  "location": "JSON", "appliedConditionalAccessPolicies": "JSON",
                  "status": {"errorCode": "VARCHAR", "failureReason": "VARCHAR", "additionalDetails": "VARCHAR"}}""",
        envelopes=("value",),
    ),
    clock=Clock.IN_THE_STAMP,
    columns="""
        -- documented as UTC; some exports drop the Z
        coalesce(iso_time(r.createdDateTime), iso_time(r.createdDateTime || 'Z'))  AS time,
        said(r.id)                  AS metadata_uid,
        address(r.ipAddress)        AS src_endpoint_ip,
        coalesce(said(r.userPrincipalName), said(r.servicePrincipalName))  AS actor_user_name,
        coalesce(said(r.userId), said(r.servicePrincipalId))  AS actor_user_uid,
        coalesce(said(r.userType), said(json_extract_string(r.signInEventTypes, '$[0]')))  AS actor_user_type,
        said(r.homeTenantId)        AS actor_session_issuer,
        -- the token's id, which the activity log holds too
        said(r.uniqueTokenIdentifier)  AS actor_session_uid,
        -- application the caller used
        coalesce(said(r.appDisplayName), said(r.appId))  AS actor_invoked_by,
        'Sign-in activity'          AS api_operation,
        'Sign-in activity'          AS api_operation_base,
        'microsoft.aadiam'          AS api_service_name,
        'Azure'                     AS cloud_provider,
        said(r.resourceTenantId)    AS cloud_account_uid,
        said(r.resourceDisplayName)  AS resource_name,
        said(r.resourceId)          AS resource_uid,
        CASE WHEN r.status.errorCode = '0' THEN 'success' WHEN said(r.status.errorCode) IS NOT NULL THEN 'failure' END
                                    AS status,
        CASE WHEN r.status.errorCode <> '0'
             THEN said(concat_ws(': ', said(r.status.errorCode), said(r.status.failureReason))) END  AS status_detail,
        said(r.userAgent)           AS http_request_user_agent,
        said(r.clientAppUsed)       AS metadata_event_code,
        CASE WHEN json_type(r.deviceDetail) = 'OBJECT' THEN CAST(r.deviceDetail AS VARCHAR) END  AS request,
        CASE WHEN json_type(r.appliedConditionalAccessPolicies) = 'ARRAY'
             THEN CAST(r.appliedConditionalAccessPolicies AS VARCHAR) END  AS response
    """,
    shows="who signed in to what with which application, from where and on which device, with what outcome",
    cannot_show="what was done with the token; changes of the directory",
    reference="Microsoft Graph REST API, signIn",
)
