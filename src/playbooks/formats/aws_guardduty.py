"""Amazon GuardDuty findings, as GuardDuty exports them to a bucket: one finding a JSON object.

A finding is GuardDuty's own conclusion about API calls, connections, DNS questions, logins or files; it stands here as
an alert that a device raised. The same finding is written again when it recurs. `local` is the account's resource,
`remote` who it spoke with; the direction tells which of them is the source.
Reference: Amazon GuardDuty User Guide, "GuardDuty finding format"; GuardDuty API Reference, "Finding".
"""

from playbooks.formats.format import Clock, Format, Json

ACTION = "json_extract_string(r.service, '$.action.%s')"
CONNECTION = ACTION % "networkConnectionAction.%s"
# who the account's resource spoke with, by the kind of action
REMOTE = ", ".join(
    "address(nullif(json_extract_string(r.service, '$.action." + path + ".remoteIpDetails.ipAddressV4'), ''))"
    for path in (
        *("networkConnectionAction", "awsApiCallAction", "kubernetesApiCallAction", "rdsLoginAttemptAction"),
        "portProbeAction.portProbeDetails[0]",
    )
)
# an instance is an end of what was spoken, not of calls that its key was used for
LOCAL = (
    f"coalesce(address({CONNECTION % 'localIpDetails.ipAddressV4'}), CASE WHEN {ACTION % 'actionType'} IN "
    "('NETWORK_CONNECTION', 'DNS_REQUEST', 'DNS_REQUEST_BLOCKED', 'PORT_PROBE') THEN address(json_extract_string("
    "r.resource, '$.instanceDetails.networkInterfaces[0].privateIpAddress')) END)"
)
# connections that a resource of the account began, and its DNS questions
OUTBOUND = (
    f"coalesce({CONNECTION % 'connectionDirection'} = 'OUTBOUND', false) OR "
    f"{ACTION % 'actionType'} IN ('DNS_REQUEST', 'DNS_REQUEST_BLOCKED')"
)
LOCAL_PORT = (
    f"coalesce(port({CONNECTION % 'localPortDetails.port'}), "
    f"port({ACTION % 'portProbeAction.portProbeDetails[0].localPortDetails.port'}))"
)

FORMAT = Format(
    name="aws_guardduty",
    product="Amazon GuardDuty findings",
    table="system_activity",
    cut=Json(
        keys=frozenset({"accountId", "resource", "service", "severity", "type"}),
        only=(("service.serviceName", "guardduty"),),
        shape="""{"id": "VARCHAR", "accountId": "VARCHAR", "region": "VARCHAR", "type": "VARCHAR", "title": "VARCHAR",
                  "description": "VARCHAR", "severity": "VARCHAR", "createdAt": "VARCHAR", "updatedAt": "VARCHAR",
                  "resource": "JSON", "service": "JSON"}""",
    ),
    clock=Clock.IN_THE_STAMP,
    columns=f"""
        iso_time(coalesce(r.updatedAt, r.createdAt))  AS time,
        said(r.id)                  AS metadata_uid,
        small('2004')               AS class_uid,
        -- the purpose of the threat: UnauthorizedAccess, Recon, …
        said(regexp_extract(r.type, '^[^:]+'))  AS activity_name,
        said(r.type)                AS finding_title,
        CASE WHEN {OUTBOUND} THEN {LOCAL} ELSE coalesce({REMOTE}) END  AS src_endpoint_ip,
        CASE WHEN {OUTBOUND} THEN {LOCAL_PORT} ELSE port({CONNECTION % "remotePortDetails.port"}) END
                                    AS src_endpoint_port,
        CASE WHEN {OUTBOUND} THEN coalesce({REMOTE}) ELSE {LOCAL} END  AS dst_endpoint_ip,
        CASE WHEN {OUTBOUND} THEN port({CONNECTION % "remotePortDetails.port"}) ELSE {LOCAL_PORT} END
                                    AS dst_endpoint_port,
        hostname({ACTION % "dnsRequestAction.domain"})  AS dst_endpoint_hostname,
        lower(coalesce(said({CONNECTION % "protocol"}), said({ACTION % "dnsRequestAction.protocol"})))
                                    AS connection_info_protocol_name,
        coalesce(said(json_extract_string(r.resource, '$.accessKeyDetails.userName')),
                 said(json_extract_string(r.resource, '$.kubernetesDetails.kubernetesUserDetails.username')),
                 said(json_extract_string(r.resource, '$.rdsDbUserDetails.user')))  AS actor_user_name,
        said(json_extract_string(r.service, '$.runtimeDetails.process.name'))  AS actor_process_name,
        said(json_extract_string(r.service, '$.runtimeDetails.process.executablePath'))  AS actor_process_file_path,
        said(json_extract_string(r.service, '$.runtimeDetails.process.executableSha256'))  AS actor_process_file_hash,
        -- what it is about: instance, function, cluster, container, bucket or database
        coalesce(said(json_extract_string(r.resource, '$.lambdaDetails.functionName')),
                 said(json_extract_string(r.resource, '$.eksClusterDetails.name')),
                 said(json_extract_string(r.resource, '$.ecsClusterDetails.name')),
                 said(json_extract_string(r.resource, '$.containerDetails.name')),
                 said(json_extract_string(r.resource, '$.s3BucketDetails[0].name')),
                 said(json_extract_string(r.resource, '$.rdsDbInstanceDetails.dbInstanceIdentifier')),
                 said(json_extract_string(r.resource, '$.instanceDetails.instanceId')))  AS device_hostname,
        said(json_extract_string(r.service, '$.ebsVolumeScanDetails.scanDetections.threatDetectedByName'
                                            '.threatNames[0].filePaths[0].filePath'))  AS file_path,
        said(r.severity)            AS severity,
        said({ACTION % "awsApiCallAction.errorCode"})  AS status_detail,
        said(concat_ws(' ', 'Account ' || said(r.accountId) || ', ' || said(r.region) || ':', said(r.title),
                       said(r.description)))  AS message,
        CASE WHEN {ACTION % "actionType"} = 'DNS_REQUEST_BLOCKED' THEN 'blocked' ELSE
             CASE coalesce({CONNECTION % "blocked"}, {ACTION % "dnsRequestAction.blocked"},
                           {ACTION % "portProbeAction.blocked"})
             WHEN 'true' THEN 'blocked' WHEN 'false' THEN 'allowed' END END  AS disposition
    """,
    shows="what GuardDuty holds to be a threat, to which resource, from where, and whether it was blocked",
    cannot_show="whether it is true; the calls and connections behind a finding; what GuardDuty does not watch",
    reference="Amazon GuardDuty User Guide, finding format; GuardDuty API Reference, Finding",
)
