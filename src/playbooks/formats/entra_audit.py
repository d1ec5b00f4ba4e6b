"""Microsoft Entra directory audit as Microsoft Graph and the portal give it: `directoryAudit` objects.

An answer of the API holds them in `value`. Who started a change is a user or an application, never both. The tenant
does not stand in the record.
Reference: Microsoft Graph REST API v1.0, "directoryAudit resource type".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="entra_audit",
    product="Microsoft Entra audit log, Microsoft Graph",
    table="api_activity",
    cut=Json(
        keys=frozenset({"activityDateTime", "activityDisplayName", "initiatedBy", "loggedByService"}),
        shape="""{"id": "VARCHAR", "activityDateTime": "VARCHAR", "activityDisplayName": "VARCHAR",
                  "category": "VARCHAR", "loggedByService": "VARCHAR", "result": "VARCHAR", "resultReason": "VARCHAR",
                  "initiatedBy": {"user": {"id": "VARCHAR", "displayName": "VARCHAR", "userPrincipalName": "VARCHAR",
                      "ipAddress": "VARCHAR"},
                    "app": {"appId": "VARCHAR", "displayName": "VARCHAR", "servicePrincipalId": "VARCHAR"}},
                  "userAgent": "VARCHAR", "additionalDetails": "JSON", "targetResources": "JSON"}""",
        envelopes=("value",),
    ),
    clock=Clock.IN_THE_STAMP,
    # trimmed by hand
    undated="r.activityDateTime IS NULL AND said(r.activityDisplayName) IS NOT NULL",
    columns="""
        -- documented as UTC; some exports drop the Z
        coalesce(iso_time(r.activityDateTime), iso_time(r.activityDateTime || 'Z'))  AS time,
        said(r.id)                  AS metadata_uid,
        address(r.initiatedBy.user.ipAddress)  AS src_endpoint_ip,
        coalesce(said(r.initiatedBy.user.userPrincipalName), said(r.initiatedBy.user.displayName),
                 said(r.initiatedBy.app.displayName))  AS actor_user_name,
        coalesce(said(r.initiatedBy.user.id), said(r.initiatedBy.app.servicePrincipalId),
                 said(r.initiatedBy.app.appId))  AS actor_user_uid,
        CASE WHEN r.initiatedBy.user.id IS NOT NULL THEN 'user'
             WHEN coalesce(r.initiatedBy.app.servicePrincipalId, r.initiatedBy.app.displayName) IS NOT NULL
             THEN 'app' END         AS actor_user_type,
        said(r.activityDisplayName)  AS api_operation,
        said(r.activityDisplayName)  AS api_operation_base,
        said(r.loggedByService)     AS api_service_name,
        'Azure'                     AS cloud_provider,
        coalesce(said(json_extract_string(r.targetResources, '$[0].displayName')),
                 said(json_extract_string(r.targetResources, '$[0].userPrincipalName')))  AS resource_name,
        said(json_extract_string(r.targetResources, '$[0].id'))  AS resource_uid,
        CASE WHEN regexp_matches(r.result, '(?i)^(failure|timeout)') THEN 'failure'
             WHEN regexp_matches(r.result, '(?i)^success') THEN 'success' END  AS status,
        CASE WHEN regexp_matches(r.result, '(?i)^(failure|timeout)') THEN said(r.resultReason) END  AS status_detail,
        coalesce(said(r.userAgent), said(regexp_extract(CAST(r.additionalDetails AS VARCHAR),
                                                        '"key":"User-Agent","value":"([^"]*)"', 1)))
                                    AS http_request_user_agent,
        said(r.category)            AS metadata_event_code,
        CASE WHEN json_type(r.targetResources) = 'ARRAY' THEN CAST(r.targetResources AS VARCHAR) END  AS request
    """,
    shows="who changed which user, group, role, application or policy of the directory, and whether it succeeded",
    cannot_show="sign-ins; the tenant; the caller's address where an application acted",
    reference="Microsoft Graph REST API v1.0, directoryAudit",
)
