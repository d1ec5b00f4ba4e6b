"""AWS CloudTrail as the table AWSCloudTrail of Microsoft Sentinel: CSV, JSON or Parquet.

The record is spread over columns; request, response and resources are JSON in text.
Reference: Azure Monitor Logs reference, table AWSCloudTrail.
"""

from playbooks.formats.format import Clock, Format, Json

FIELDS = (
    *("TimeGenerated", "AwsEventId", "AwsEventId_", "EventName", "EventSource", "AWSRegion", "SourceIpAddress"),
    *("UserAgent", "ErrorCode", "ErrorMessage", "RequestParameters", "ResponseElements", "Resources", "Category"),
    *("RecipientAccountId", "ManagementEvent", "UserIdentityType", "UserIdentityArn", "UserIdentityPrincipalid"),
    *("UserIdentityUserName", "UserIdentityAccountId", "UserIdentityAccessKeyId", "UserIdentityInvokedBy"),
    *("SessionIssuerArn", "SessionIssuerUserName"),
)
REQUEST = "CASE WHEN json_valid(r.RequestParameters) THEN r.RequestParameters END"
RESPONSE = "CASE WHEN json_valid(r.ResponseElements) THEN r.ResponseElements END"
NAMES = ", ".join(
    f"json_extract_string({text}, '$.{name}')"
    for text, name in (
        *((REQUEST, "functionName"), (RESPONSE, "functionName")),
        *((REQUEST, "roleName"), (REQUEST, "userName"), (REQUEST, "name")),
    )
)

FORMAT = Format(
    name="aws_cloudtrail_table",
    product="AWS CloudTrail, table AWSCloudTrail of Microsoft Sentinel",
    table="api_activity",
    cut=Json(
        keys=frozenset({"TimeGenerated", "EventName", "EventSource", "SourceIpAddress"}),
        any_of=frozenset({"UserIdentityType", "UserIdentityArn", "UserIdentityPrincipalid"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    columns=f"""
        stamp(portal_iso(r.TimeGenerated))  AS time,
        coalesce(said(r.AwsEventId), said(r.AwsEventId_))  AS metadata_uid,
        -- an address, or the name of the AWS service that called
        lower(said(r.SourceIpAddress))  AS src_endpoint_ip,
        coalesce(said(r.UserIdentityUserName), said(r.SessionIssuerUserName))  AS actor_user_name,
        coalesce(said(r.UserIdentityArn), said(r.UserIdentityPrincipalid))  AS actor_user_uid,
        said(r.UserIdentityType)    AS actor_user_type,
        said(r.SessionIssuerArn)    AS actor_session_issuer,
        said(r.UserIdentityAccessKeyId)  AS actor_session_uid,
        said(r.UserIdentityInvokedBy)  AS actor_invoked_by,
        said(r.EventName)           AS api_operation,
        -- some services append an API version to the name: the same operation goes by several names
        regexp_replace(said(r.EventName), '(20\\d{{6}}(v\\d+)?|20\\d\\d_\\d\\d_\\d\\d)$', '')  AS api_operation_base,
        lower(said(r.EventSource))  AS api_service_name,
        'AWS'                       AS cloud_provider,
        coalesce(said(r.RecipientAccountId), said(r.UserIdentityAccountId))  AS cloud_account_uid,
        said(r.AWSRegion)           AS cloud_region,
        coalesce({NAMES})           AS resource_name,
        coalesce(json_extract_string({RESPONSE}, '$.functionArn'),
                 json_extract_string(CASE WHEN json_valid(r.Resources) THEN r.Resources END, '$[0].ARN'))
                                    AS resource_uid,
        CASE WHEN said(r.ErrorCode) IS NULL THEN 'success' ELSE 'failure' END  AS status,
        said(concat_ws(': ', said(r.ErrorCode), said(r.ErrorMessage)))  AS status_detail,
        said(r.UserAgent)           AS http_request_user_agent,
        coalesce(said(r.Category), CASE WHEN lower(r.ManagementEvent) = 'false' THEN 'Data' ELSE 'Management' END)
                                    AS metadata_event_code,
        said(r.RequestParameters)   AS request,
        said(r.ResponseElements)    AS response
    """,
    shows="who called which AWS operation on what, from where, with what outcome",
    cannot_show="function code and environment values; runs of functions unless data events are logged",
    reference="Azure Monitor Logs reference, AWSCloudTrail",
)
