"""AWS CloudTrail: delivered files (`Records`), bare arrays, JSON lines, and `lookup-events` output.

`lookup-events` wraps each record as JSON text in `CloudTrailEvent`; that text is the record read.
Function code and environment values never stand in CloudTrail.
Reference: AWS CloudTrail User Guide, "CloudTrail record contents".
"""

from playbooks.formats.format import Clock, Format, Json

FORMAT = Format(
    name="aws_cloudtrail",
    product="AWS CloudTrail",
    table="api_activity",
    cut=Json(
        keys=frozenset({"eventName", "eventSource"}),
        any_of=frozenset({"eventTime", "@timestamp", "awsRegion", "eventVersion"}),
        shape="""{"eventTime": "VARCHAR", "@timestamp": "VARCHAR", "eventName": "VARCHAR", "eventSource": "VARCHAR",
                  "awsRegion": "VARCHAR", "sourceIPAddress": "VARCHAR", "userAgent": "VARCHAR",
                  "errorCode": "VARCHAR", "errorMessage": "VARCHAR", "eventID": "VARCHAR",
                  "eventCategory": "VARCHAR", "managementEvent": "VARCHAR", "recipientAccountId": "VARCHAR",
                  "insightDetails": {"eventName": "VARCHAR", "eventSource": "VARCHAR", "insightType": "VARCHAR"},
                  "requestParameters": "JSON", "responseElements": "JSON", "resources": "JSON",
                  "userIdentity": {"type": "VARCHAR", "arn": "VARCHAR", "principalId": "VARCHAR",
                    "userName": "VARCHAR", "accountId": "VARCHAR", "accessKeyId": "VARCHAR",
                    "invokedBy": "VARCHAR",
                    "sessionContext": {"sessionIssuer": {"arn": "VARCHAR", "userName": "VARCHAR"}}}}""",
        envelopes=("Records", "Events"),
        nested="CloudTrailEvent",
    ),
    clock=Clock.IN_THE_STAMP,
    # trimmed by hand
    undated="""coalesce(r.eventTime, r."@timestamp") IS NULL AND said(r.eventName) IS NOT NULL""",
    columns="""
        -- AWS documents the stamp as UTC; some exports drop the Z; Logstash moves it to its own field
        coalesce(iso_time(coalesce(r.eventTime, r."@timestamp")),
                 iso_time(coalesce(r.eventTime, r."@timestamp") || 'Z'))  AS time,
        said(r.eventID)             AS metadata_uid,
        -- an address, or the name of the AWS service that called
        lower(said(r.sourceIPAddress))  AS src_endpoint_ip,
        coalesce(r.userIdentity.userName, r.userIdentity.sessionContext.sessionIssuer.userName)
                                    AS actor_user_name,
        coalesce(r.userIdentity.arn, r.userIdentity.principalId)  AS actor_user_uid,
        r.userIdentity.type         AS actor_user_type,
        r.userIdentity.sessionContext.sessionIssuer.arn  AS actor_session_issuer,
        r.userIdentity.accessKeyId  AS actor_session_uid,
        r.userIdentity.invokedBy    AS actor_invoked_by,
        -- an insight is no call: it says that an operation was called, or failed, more often than usual
        coalesce(r.eventName, r.insightDetails.insightType)  AS api_operation,
        -- some services append an API version to the name: the same operation goes by several names
        regexp_replace(coalesce(r.eventName, r.insightDetails.insightType),
                       '(20\\d{6}(v\\d+)?|20\\d\\d_\\d\\d_\\d\\d)$', '')  AS api_operation_base,
        lower(coalesce(r.eventSource, r.insightDetails.eventSource))  AS api_service_name,
        'AWS'                       AS cloud_provider,
        coalesce(r.recipientAccountId, r.userIdentity.accountId)  AS cloud_account_uid,
        said(r.awsRegion)           AS cloud_region,
        coalesce(json_extract_string(r.requestParameters, '$.functionName'),
                 json_extract_string(r.responseElements, '$.functionName'),
                 json_extract_string(r.requestParameters, '$.roleName'),
                 json_extract_string(r.requestParameters, '$.userName'),
                 json_extract_string(r.requestParameters, '$.name'), r.insightDetails.eventName)  AS resource_name,
        coalesce(json_extract_string(r.responseElements, '$.functionArn'),
                 json_extract_string(r.resources, '$[0].ARN'))  AS resource_uid,
        CASE WHEN r.insightDetails.insightType IS NULL
             THEN CASE WHEN said(r.errorCode) IS NULL THEN 'success' ELSE 'failure' END END  AS status,
        said(concat_ws(': ', said(r.errorCode), said(r.errorMessage)))  AS status_detail,
        said(r.userAgent)           AS http_request_user_agent,
        -- records before version 1.05 carry no category; they are management events
        coalesce(r.eventCategory, CASE WHEN r.managementEvent = 'false' THEN 'Data' ELSE 'Management' END)
                                    AS metadata_event_code,
        CASE WHEN json_type(r.requestParameters) <> 'NULL' THEN CAST(r.requestParameters AS VARCHAR) END
                                    AS request,
        CASE WHEN json_type(r.responseElements) <> 'NULL' THEN CAST(r.responseElements AS VARCHAR) END
                                    AS response
    """,
    shows="who called which AWS operation on what, from where, with what outcome",
    cannot_show="function code and environment values; runs of functions unless data events are logged",
    reference="AWS CloudTrail User Guide, record contents",
)
