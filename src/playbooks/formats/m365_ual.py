"""Microsoft 365 unified audit log: JSON as the Management API and `Search-UnifiedAuditLog` give it.

`Search-UnifiedAuditLog` wraps each record as JSON text in `AuditData`; that text is the record read. Stamps
carry no zone and are UTC. A failed sign-in says `ResultStatus: Success`: the call was answered, the user was not
let in. Power Automate and Power Platform records (`CreateFlow`, …) stand in the same log.
Reference: Microsoft, "Office 365 Management Activity API schema", common schema and the schemas by workload.
"""

from playbooks.formats.format import Clock, Format, Json

SHAPE = """{"CreationTime": "VARCHAR", "Id": "VARCHAR", "Operation": "VARCHAR", "OrganizationId": "VARCHAR",
          "RecordType": "VARCHAR", "ResultStatus": "VARCHAR", "UserKey": "VARCHAR", "UserType": "VARCHAR",
          "UserId": "VARCHAR", "Workload": "VARCHAR", "ClientIP": "VARCHAR", "ClientIPAddress": "VARCHAR",
          "ActorIpAddress": "VARCHAR", "SenderIp": "VARCHAR", "ObjectId": "VARCHAR", "UserAgent": "VARCHAR",
          "ClientInfoString": "VARCHAR", "SessionId": "VARCHAR", "AppId": "VARCHAR",
          "ClientAppId": "VARCHAR", "ApplicationId": "VARCHAR", "ApplicationDisplayName": "VARCHAR",
          "AppAccessContext": {"AADSessionId": "VARCHAR", "ClientAppId": "VARCHAR",
          "ClientAppName": "VARCHAR"},
          "LogonError": "VARCHAR", "ErrorNumber": "VARCHAR",
          "ExtendedProperties": [{"Name": "VARCHAR", "Value": "VARCHAR"}],
          "Target": [{"ID": "VARCHAR", "Type": "VARCHAR"}],
          "Parameters": "JSON", "OperationProperties": "JSON", "ModifiedProperties": "JSON",
          "SourceFileName": "VARCHAR", "AppName": "VARCHAR", "CorrelationId": "VARCHAR", "MailboxOwnerUPN": "VARCHAR",
          "FlowDetailsUrl": "VARCHAR", "FlowConnectorNames": "VARCHAR", "SharingPermission": "VARCHAR",
          "RecipientUPN": "VARCHAR", "ClientProcessName": "VARCHAR", "PropertyCollection": "JSON"}"""

FORMAT = Format(
    name="m365_ual",
    product="Microsoft 365 unified audit log, JSON",
    table="api_activity",
    cut=Json(
        keys=frozenset({"CreationTime", "Operation", "RecordType", "Workload"}),
        shape=SHAPE,
        nested="AuditData",
    ),
    clock=Clock.IN_THE_STAMP,
    # trimmed by hand
    undated="r.CreationTime IS NULL AND said(r.Operation) IS NOT NULL",
    columns=r"""
        coalesce(iso_time(r.CreationTime), iso_time(said(r.CreationTime) || 'Z'))  AS time,
        said(r.Id)                  AS metadata_uid,
        -- one act of SharePoint that several records tell
        said(r.CorrelationId)       AS metadata_correlation_uid,
        said(r.RecordType)          AS metadata_event_code,
        -- some workloads add the port: "192.0.2.1:443", "[v6]:443"; reports on mail name its sender only
        nullif(address(regexp_replace(
            coalesce(said(r.ClientIP), said(r.ClientIPAddress), said(r.ActorIpAddress), said(r.SenderIp)),
            '^(?:\[([0-9A-Fa-f:.]+)\]|((?:\d+\.){3}\d+))(?:[:]\d+)?$', '\1\2')), '<null>')  AS src_endpoint_ip,
        -- guests of SharePoint are logged as "urn:spo:guest#name@domain"
        said(regexp_replace(r.UserId, '^urn:spo:[a-z_]+#', ''))  AS actor_user_name,
        CASE WHEN r.UserId LIKE 'urn:%' THEN r.UserId ELSE said(r.UserKey) END  AS actor_user_uid,
        CASE r.UserType WHEN '0' THEN 'Regular' WHEN '1' THEN 'Reserved' WHEN '2' THEN 'Admin'
             WHEN '3' THEN 'DcAdmin' WHEN '4' THEN 'System' WHEN '5' THEN 'Application'
             WHEN '6' THEN 'ServicePrincipal' WHEN '7' THEN 'CustomPolicy' WHEN '8' THEN 'SystemPolicy'
             ELSE said(r.UserType) END  AS actor_user_type,
        coalesce(said(r.SessionId), said(r.AppAccessContext.AADSessionId))  AS actor_session_uid,
        -- the application that acted for the user
        coalesce(said(r.ApplicationDisplayName), said(r.AppAccessContext.ClientAppName), said(r.AppId),
                 said(r.ClientAppId), said(r.AppAccessContext.ClientAppId), said(r.ApplicationId),
                 said(r.ClientProcessName))  AS actor_invoked_by,
        said(r.Operation)           AS api_operation,
        -- Power Automate has written both names for the same act
        CASE r.Operation WHEN 'AddFlow' THEN 'CreateFlow' WHEN 'UpdateFlow' THEN 'EditFlow'
             ELSE said(r.Operation) END  AS api_operation_base,
        said(r.Workload)            AS api_service_name,
        'Microsoft 365'             AS cloud_provider,
        said(r.OrganizationId)      AS cloud_account_uid,
        -- the flow's id; the app's; a file's name; what the directory calls the target; whose mailbox
        coalesce(nullif(regexp_extract(r.FlowDetailsUrl, '/flows/(?:shared/)?([^/?#]+)', 1), ''),
                 said(r.AppName), said(r.SourceFileName), said(list_filter(r.Target, lambda t: t.Type = '1')[1].ID),
                 said(r.ObjectId), said(r.MailboxOwnerUPN))  AS resource_name,
        coalesce(said(r.FlowDetailsUrl), said(r.ObjectId))  AS resource_uid,
        -- what states no result, or one of its own words, stays null
        CASE WHEN said(r.LogonError) IS NOT NULL OR r.Operation = 'UserLoginFailed' THEN 'failure'
             WHEN lower(r.ResultStatus) IN ('failed', 'failure', 'false', 'fail') THEN 'failure'
             WHEN lower(r.ResultStatus) IN ('succeeded', 'success', 'successful', 'true', 'partiallysucceeded')
             THEN 'success' END     AS status,
        said(concat_ws(': ', coalesce(said(r.LogonError), CASE WHEN lower(r.ResultStatus) NOT IN
             ('succeeded', 'success', 'successful', 'true') THEN said(r.ResultStatus) END),
             nullif(said(r.ErrorNumber), '0')))  AS status_detail,
        coalesce(said(r.UserAgent), said(list_filter(r.ExtendedProperties, lambda p: p.Name = 'UserAgent')[1].Value),
            json_extract_string(list_filter(r.ExtendedProperties,
                lambda p: p.Name = 'additionalDetails' AND json_valid(p.Value))[1].Value, '$."User-Agent"'),
            said(r.ClientInfoString))  AS http_request_user_agent,
        -- Exchange: the command's parameters; Power Automate: what the flow connects and who it is shared with
        CASE WHEN json_type(r.Parameters) = 'ARRAY' THEN CAST(r.Parameters AS VARCHAR)
             WHEN json_type(r.OperationProperties) = 'ARRAY' THEN CAST(r.OperationProperties AS VARCHAR)
             WHEN json_type(r.PropertyCollection) = 'ARRAY' THEN CAST(r.PropertyCollection AS VARCHAR)
             WHEN coalesce(r.FlowConnectorNames, r.SharingPermission, r.RecipientUPN) IS NOT NULL
             THEN CAST(json_object('FlowConnectorNames', r.FlowConnectorNames,
                  'SharingPermission', r.SharingPermission, 'RecipientUPN', r.RecipientUPN) AS VARCHAR)
             END                    AS request,
        CASE WHEN json_array_length(CASE WHEN json_type(r.ModifiedProperties) = 'ARRAY'
                  THEN r.ModifiedProperties END) > 0 THEN CAST(r.ModifiedProperties AS VARCHAR) END  AS response
    """,
    shows="who did what in Exchange, SharePoint, OneDrive, Entra ID, Teams and Power Automate, from where",
    cannot_show="what a flow does when it runs; mail and file content; records older than the tenant keeps",
    reference="Microsoft, Office 365 Management Activity API schema",
)
