"""Microsoft Entra sign-ins as tables of a Log Analytics workspace: SigninLogs and those of other kinds of sign-in.

`AADNonInteractiveUserSignInLogs`, `AADServicePrincipalSignInLogs` and `AADManagedIdentitySignInLogs` have the same
columns, some of them fewer. `ResultType` 0 is a success. As CSV, JSON or Parquet.
Reference: Azure Monitor Logs reference, tables SigninLogs, AADNonInteractiveUserSignInLogs and their siblings.
"""

from playbooks.formats.format import Clock, Format, Json

FIELDS = (
    *("TimeGenerated", "CreatedDateTime", "Id", "IPAddress", "UserPrincipalName", "UserId", "UserType", "Category"),
    *("ServicePrincipalName", "ServicePrincipalId", "AppDisplayName", "AppId", "ClientAppUsed", "UserAgent"),
    *("ResourceDisplayName", "ResourceIdentity", "ResourceTenantId", "AADTenantId", "HomeTenantId"),
    *("UniqueTokenIdentifier", "ResultType", "ResultDescription", "DeviceDetail", "DeviceDetail_dynamic"),
    *("ConditionalAccessPolicies", "ConditionalAccessPolicies_dynamic"),
)

FORMAT = Format(
    name="entra_signin_table",
    product="Microsoft Entra sign-in logs, tables of Log Analytics",
    table="api_activity",
    cut=Json(
        keys=frozenset({"TimeGenerated", "IPAddress", "AppId", "ResultType"}),
        any_of=frozenset({"UserPrincipalName", "ServicePrincipalId"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    columns="""
        stamp(portal_iso(coalesce(said(r.CreatedDateTime), r.TimeGenerated)))  AS time,
        said(r.Id)                  AS metadata_uid,
        address(r.IPAddress)        AS src_endpoint_ip,
        coalesce(said(r.UserPrincipalName), said(r.ServicePrincipalName))  AS actor_user_name,
        coalesce(said(r.UserId), said(r.ServicePrincipalId))  AS actor_user_uid,
        coalesce(said(r.UserType), said(r.Category))  AS actor_user_type,
        said(r.HomeTenantId)        AS actor_session_issuer,
        -- the token's id, which the activity log holds too
        said(r.UniqueTokenIdentifier)  AS actor_session_uid,
        coalesce(said(r.AppDisplayName), said(r.AppId))  AS actor_invoked_by,
        'Sign-in activity'          AS api_operation,
        'Sign-in activity'          AS api_operation_base,
        'microsoft.aadiam'          AS api_service_name,
        'Azure'                     AS cloud_provider,
        coalesce(said(r.ResourceTenantId), said(r.AADTenantId))  AS cloud_account_uid,
        said(r.ResourceDisplayName)  AS resource_name,
        said(r.ResourceIdentity)    AS resource_uid,
        CASE WHEN r.ResultType = '0' THEN 'success' WHEN said(r.ResultType) IS NOT NULL THEN 'failure' END  AS status,
        CASE WHEN r.ResultType <> '0' THEN said(concat_ws(': ', said(r.ResultType), said(r.ResultDescription))) END
                                    AS status_detail,
        said(r.UserAgent)           AS http_request_user_agent,
        said(r.ClientAppUsed)       AS metadata_event_code,
        coalesce(said(r.DeviceDetail_dynamic), said(r.DeviceDetail))  AS request,
        coalesce(said(r.ConditionalAccessPolicies_dynamic), said(r.ConditionalAccessPolicies))  AS response
    """,
    shows="who signed in to what with which application, from where and on which device, with what outcome",
    cannot_show="what was done with the token; changes of the directory",
    reference="Azure Monitor Logs reference, SigninLogs",
)
