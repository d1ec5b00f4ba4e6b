"""Google Cloud audit logs: Admin Activity, Data Access, System Event and Policy Denied, one `LogEntry` each.

A long-running operation writes two records, `operation.first` and `operation.last`; both are events, and the
last one often names neither caller nor request. Exports may drop the Z of the stamp.
Reference: Google Cloud documentation, "AuditLog" and "LogEntry" types; "Understanding audit logs".
"""

from playbooks.formats.format import Clock, Format, Json, Part

# Names of `google.rpc.Code`, for a column that holds the number as text.
CODE_IN_WORDS = """CASE {0} WHEN '0' THEN NULL WHEN '3' THEN 'INVALID_ARGUMENT' WHEN '5' THEN 'NOT_FOUND'
         WHEN '6' THEN 'ALREADY_EXISTS' WHEN '7' THEN 'PERMISSION_DENIED' WHEN '9' THEN 'FAILED_PRECONDITION'
         WHEN '16' THEN 'UNAUTHENTICATED' ELSE said({0}) END"""
COLUMNS = (
    """
    -- documented as UTC; some exports drop the Z; where the stamp was cut out, when Google received it
    coalesce(iso_time(coalesce(r.timestamp, r.receiveTimestamp)),
             iso_time(coalesce(r.timestamp, r.receiveTimestamp) || 'Z'))  AS time,
    said(r.insertId)            AS metadata_uid,
    said(r.operation.id)        AS metadata_correlation_uid,
    -- an address, or a word such as `private` for callers inside Google
    address(coalesce(json_extract_string(r.protoPayload.requestMetadata, '$.callerIp'),
                     json_extract_string(r.protoPayload.requestMetadata, '$.callerIP')))
                                AS src_endpoint_ip,
    -- warnings about an account name it among their parameters only
    coalesce(said(r.protoPayload.authenticationInfo.principalEmail),
             said(r.protoPayload.authenticationInfo.principalSubject),
             CASE WHEN r.protoPayload.serviceName = 'login.googleapis.com'
                  AND json_extract_string(r.protoPayload.metadata, '$.event[0].parameter[0].name')
                      = 'affected_email_address'
             THEN json_extract_string(r.protoPayload.metadata, '$.event[0].parameter[0].value') END)
                                AS actor_user_name,
    coalesce(said(r.protoPayload.authenticationInfo.principalSubject),
             said(r.protoPayload.authenticationInfo.principalEmail))  AS actor_user_uid,
    said(regexp_extract(r.protoPayload.authenticationInfo.principalSubject,
                        '^(user|serviceAccount|principal|principalSet|group|domain):', 1))
                                AS actor_user_type,
    -- who acts through a service account: the first of the chain is the one behind it all; else the key it used
    coalesce(
        json_extract_string(r.protoPayload.authenticationInfo.serviceAccountDelegationInfo,
                            '$[0].firstPartyPrincipal.principalEmail'),
        json_extract_string(r.protoPayload.authenticationInfo.serviceAccountDelegationInfo,
                            '$[0].principalSubject'),
        said(r.protoPayload.authenticationInfo.serviceAccountKeyName))  AS actor_session_issuer,
    said(r.protoPayload.authenticationInfo.serviceAccountKeyName)  AS actor_session_uid,
    coalesce(
        json_extract_string(r.protoPayload.authenticationInfo.serviceAccountDelegationInfo,
                            '$[#-1].firstPartyPrincipal.principalEmail'),
        json_extract_string(r.protoPayload.authenticationInfo.serviceAccountDelegationInfo,
                            '$[#-1].principalSubject'))  AS actor_invoked_by,
    said(r.protoPayload.methodName)  AS api_operation,
    -- alpha and beta interfaces name the same operation
    regexp_replace(said(r.protoPayload.methodName), '\\.v([0-9]+)(?:alpha|beta)[0-9]*\\.', '.v\\1.')
                                AS api_operation_base,
    lower(said(r.protoPayload.serviceName))  AS api_service_name,
    'GCP'                       AS cloud_provider,
    coalesce(said(r.resource.labels.project_id),
             said(regexp_extract(r.logName, '^(?:projects|folders|organizations|billingAccounts)/([^/]+)/', 1)))
                                AS cloud_account_uid,
    coalesce(said(json_extract_string(r.protoPayload.resourceLocation, '$.currentLocations[0]')),
             said(r.resource.labels.location), said(r.resource.labels.region), said(r.resource.labels.zone))
                                AS cloud_region,
    said(regexp_extract(r.protoPayload.resourceName, '([^/]+)/?$', 1))  AS resource_name,
    said(r.protoPayload.resourceName)  AS resource_uid,
    -- the code is left out where it is 0; Workspace sign-ins state it in the name of the event
    CASE WHEN coalesce(said(r.protoPayload.status.code), '0') <> '0' THEN 'failure'
         WHEN json_extract_string(r.protoPayload.metadata, '$.event[0].status.success') = 'false' THEN 'failure'
         WHEN r.protoPayload.methodName = 'google.login.LoginService.loginFailure' THEN 'failure'
         ELSE 'success' END     AS status,
    said(concat_ws(': ', """
    + CODE_IN_WORDS.format("r.protoPayload.status.code")
    + """,
         said(r.protoPayload.status.message)))  AS status_detail,
    said(json_extract_string(r.protoPayload.requestMetadata, '$.callerSuppliedUserAgent'))
                                AS http_request_user_agent,
    CASE WHEN r.logName LIKE '%data_access' THEN 'Data' WHEN r.logName LIKE '%activity' THEN 'Management'
         ELSE said(regexp_extract(r.logName, '(system_event|policy)$', 1)) END  AS metadata_event_code,
    CASE WHEN json_type(r.protoPayload.request) = 'OBJECT' THEN CAST(r.protoPayload.request AS VARCHAR) END
                                AS request,
    -- what was granted stands in serviceData, what Workspace saw in metadata; the answer to a grant is the whole policy
    CASE WHEN json_exists(r.protoPayload.serviceData, '$.policyDelta') THEN CAST(r.protoPayload.serviceData AS VARCHAR)
         WHEN json_type(r.protoPayload.response) = 'OBJECT' THEN CAST(r.protoPayload.response AS VARCHAR)
         WHEN json_type(r.protoPayload.serviceData) = 'OBJECT' THEN CAST(r.protoPayload.serviceData AS VARCHAR)
         WHEN json_type(r.protoPayload.metadata) = 'OBJECT' THEN CAST(r.protoPayload.metadata AS VARCHAR) END
                                AS response
"""
)

# What an application or a machine of the project wrote to its own log.
OTHER = """
    coalesce(iso_time(coalesce(r.timestamp, r.receiveTimestamp)),
             iso_time(coalesce(r.timestamp, r.receiveTimestamp) || 'Z'))  AS time,
    said(r.insertId)            AS metadata_uid,
    small('0')                  AS class_uid,
    said(replace(regexp_extract(r.logName, '[^/]*$'), '%2F', '/'))  AS activity_name,
    -- function, service, container or machine that wrote it
    coalesce(said(r.resource.labels.function_name), said(r.resource.labels.service_name),
             said(r.resource.labels.pod_name), said(r.resource.labels.instance_id))  AS device_hostname,
    said(r.severity)            AS severity,
    coalesce(said(r.textPayload), said(json_extract_string(r.jsonPayload, '$.message')),
             CASE WHEN json_type(r.jsonPayload) = 'OBJECT' THEN CAST(r.jsonPayload AS VARCHAR) END)  AS message
"""

FORMAT = Format(
    name="gcp_audit",
    product="Google Cloud audit log",
    cut=Json(
        keys=frozenset({"protoPayload"}),
        any_of=frozenset({"insertId", "logName", "resource", "timestamp"}),
        shape="""{"protoPayload": {"methodName": "VARCHAR", "serviceName": "VARCHAR", "resourceName": "VARCHAR",
                    "authenticationInfo": {"principalEmail": "VARCHAR", "principalSubject": "VARCHAR",
                      "serviceAccountKeyName": "VARCHAR", "serviceAccountDelegationInfo": "JSON"},
                    "requestMetadata": "JSON", "resourceLocation": "JSON",
                    "status": {"code": "VARCHAR", "message": "VARCHAR"},
                    "request": "JSON", "response": "JSON", "serviceData": "JSON", "metadata": "JSON"},
                  "insertId": "VARCHAR", "logName": "VARCHAR", "timestamp": "VARCHAR",
                  "receiveTimestamp": "VARCHAR", "operation": {"id": "VARCHAR"},
                  "resource": {"labels": {"project_id": "VARCHAR", "location": "VARCHAR", "region": "VARCHAR",
                    "zone": "VARCHAR",
                    "function_name": "VARCHAR", "service_name": "VARCHAR", "pod_name": "VARCHAR",
                    "instance_id": "VARCHAR"}},
                  "severity": "VARCHAR", "textPayload": "VARCHAR", "jsonPayload": "JSON"}""",
        envelopes=("entries",),
    ),
    clock=Clock.IN_THE_STAMP,
    # trimmed by hand
    undated="coalesce(r.timestamp, r.receiveTimestamp) IS NULL",
    # other entries of the same project stand between them
    kind="regexp_extract(r.logName, '[^/]*$')",
    parts=(
        Part(
            table="api_activity",
            when="said(coalesce(r.protoPayload.methodName, r.protoPayload.serviceName, r.protoPayload.resourceName, "
            "r.protoPayload.authenticationInfo.principalEmail)) IS NOT NULL",
            columns=COLUMNS,
        ),
        # requests, DNS questions and flows have formats of their own
        Part(
            table="system_activity",
            when="coalesce(said(r.textPayload), json_type(r.jsonPayload)) IS NOT NULL "
            "AND NOT regexp_matches(coalesce(r.logName, ''), '(requests|dns_queries|vpc_flows|firewall)$')",
            columns=OTHER,
        ),
    ),
    shows="who called which Google Cloud method on what, from where, through which service account, with what outcome",
    cannot_show="reads and runs of functions unless Data Access logs are switched on; function code",
    reference="Google Cloud documentation, AuditLog and LogEntry types",
)
