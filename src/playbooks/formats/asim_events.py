"""Microsoft Sentinel's normalised tables (ASIM) as CSV, JSON or Parquet: `ASim…Logs` and what `_Im_…` functions give.

`EventSchema` tells the table of a row: DNS, web and network sessions, audit events; the others are what hosts and
accounts report. `SrcBytes` is what the source sent. Portals may write stamps without a zone: then it is asked for.
Reference: Microsoft Sentinel documentation, ASIM schemas: DNS, Network Session, Web Session, Audit Event and others.
"""

from playbooks.formats.format import Clock, Format, Json, Part

FIELDS = (
    *("TimeGenerated", "EventStartTime", "EventSchema", "EventVendor", "EventProduct", "EventType", "EventResult"),
    *(
        "EventResultDetails",
        "EventOriginalResultDetails",
        "EventOriginalUid",
        "EventUid",
        "EventMessage",
        "EventSeverity",
    ),
    *("SrcIpAddr", "SrcPortNumber", "SrcHostname", "SrcUsername", "SrcProcessName", "DstIpAddr", "DstPortNumber"),
    *("DstHostname", "DstDomain", "DstFQDN", "NetworkProtocol", "NetworkDuration", "DvcAction", "DvcHostname"),
    *("DnsQuery", "DnsQueryTypeName", "DnsQueryType", "DnsResponseCodeName", "DnsResponseCode", "DnsResponseName"),
    *("DnsNetworkDuration", "SrcBytes", "DstBytes", "SrcPackets", "DstPackets", "Url", "HttpRequestMethod"),
    *("HttpUserAgent", "HttpReferrer", "HttpStatusCode", "ActorUsername", "ActorUserId", "ActorUserType"),
    *("ActorSessionId", "ActingAppName", "Operation", "Object", "ObjectId", "ObjectType", "NewValue", "OldValue"),
    *("TargetUsername", "TargetHostname", "TargetProcessName", "TargetProcessCommandLine", "TargetProcessSHA256"),
    *("ActingProcessName", "ActingProcessCommandLine", "ActingProcessSHA256", "TargetFilePath", "RegistryKey"),
    *("RegistryValue", "RuleName", "ThreatName", "SrcProcessCommandLine", "Process", "CommandLine"),
)
SHARED = """
        stamp(portal_iso(coalesce(said(r.EventStartTime), r.TimeGenerated)))  AS time,
        coalesce(said(r.EventOriginalUid), said(r.EventUid))  AS metadata_uid,
        address(r.SrcIpAddr)        AS src_endpoint_ip,"""
ENDS = f"""{SHARED}
        port(r.SrcPortNumber)       AS src_endpoint_port,
        said(r.SrcHostname)         AS src_endpoint_hostname,
        coalesce(said(r.SrcUsername), said(r.ActorUsername))  AS actor_user_name,
        file_name(coalesce(said(r.SrcProcessName), said(r.ActingProcessName)))  AS actor_process_name,
        coalesce(said(r.SrcProcessName), said(r.ActingProcessName))  AS actor_process_file_path,
        address(r.DstIpAddr)        AS dst_endpoint_ip,
        port(r.DstPortNumber)       AS dst_endpoint_port,"""
PROTOCOL = """
        lower(said(r.NetworkProtocol))  AS connection_info_protocol_name,"""
VOLUME = """
        amount(r.SrcBytes)          AS traffic_bytes_out,
        amount(r.DstBytes)          AS traffic_bytes_in,
        amount(r.SrcPackets)        AS traffic_packets_out,
        amount(r.DstPackets)        AS traffic_packets_in,
        amount(r.NetworkDuration)   AS duration_ms,"""
VERDICT = """
        CASE WHEN regexp_matches(r.DvcAction, '(?i)^(allow|permit)') THEN 'allowed'
             WHEN regexp_matches(r.DvcAction, '(?i)^(deny|drop|reset|block)') THEN 'blocked'
             ELSE lower(said(r.DvcAction)) END  AS disposition"""
OUTCOME = """CASE r.EventResult WHEN 'Success' THEN 'success' WHEN 'Failure' THEN 'failure' END"""
HOST = "hostname(coalesce(said(r.DstFQDN), said(r.DstHostname), said(r.DstDomain)))"

FORMAT = Format(
    name="asim_events",
    product="Microsoft Sentinel normalised tables (ASIM)",
    cut=Json(
        keys=frozenset({"TimeGenerated", "EventSchema", "EventProduct"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    kind="r.EventSchema",
    parts=(
        Part(
            table="dns_activity",
            when="lower(r.EventSchema) = 'dns'",
            columns=f"""{ENDS}
                {HOST}                      AS dst_endpoint_hostname,
                {PROTOCOL}
                hostname(r.DnsQuery)        AS query_hostname,
                dns_type(coalesce(said(r.DnsQueryTypeName), r.DnsQueryType))  AS query_type,
                dns_rcode(coalesce(said(r.DnsResponseCodeName), said(r.EventResultDetails), r.DnsResponseCode))
                                            AS rcode,
                -- as the source wrote them: a list, or text with commas
                list_transform(listed(r.DnsResponseName), lambda a: rtrim(trim(a), '.'))  AS answers,
                amount(r.DnsNetworkDuration)  AS duration_ms,
                {VERDICT}""",
        ),
        Part(
            table="http_activity",
            when="lower(r.EventSchema) = 'websession'",
            columns=f"""{ENDS}
                coalesce(url_host(said(r.Url)), {HOST})  AS dst_endpoint_hostname,
                said(r.HttpRequestMethod)   AS http_request_http_method,
                said(r.Url)                 AS http_request_url_string,
                said(r.HttpUserAgent)       AS http_request_user_agent,
                said(r.HttpReferrer)        AS http_request_referrer,
                small(coalesce(said(r.HttpStatusCode),
                               nullif(regexp_extract(r.EventResultDetails, '^[0-9]{{3}}$'), '')))
                                            AS http_response_code,
                {VOLUME}{VERDICT}""",
        ),
        Part(
            table="network_activity",
            when="lower(r.EventSchema) = 'networksession'",
            columns=f"""{ENDS}
                {HOST}                      AS dst_endpoint_hostname,
                {PROTOCOL}{VOLUME}{VERDICT}""",
        ),
        Part(
            table="api_activity",
            when="lower(r.EventSchema) = 'auditevent'",
            columns=f"""{SHARED}
                said(r.ActorUsername)       AS actor_user_name,
                said(r.ActorUserId)         AS actor_user_uid,
                said(r.ActorUserType)       AS actor_user_type,
                said(r.ActorSessionId)      AS actor_session_uid,
                said(r.ActingAppName)       AS actor_invoked_by,
                said(r.Operation)           AS api_operation,
                said(r.Operation)           AS api_operation_base,
                lower(said(r.EventProduct))  AS api_service_name,
                said(r.EventVendor)         AS cloud_provider,
                said(r.Object)              AS resource_name,
                said(r.ObjectId)            AS resource_uid,
                {OUTCOME}                   AS status,
                coalesce(said(r.EventResultDetails), said(r.EventOriginalResultDetails))  AS status_detail,
                said(r.HttpUserAgent)       AS http_request_user_agent,
                said(r.EventType)           AS metadata_event_code,
                said(r.OldValue)            AS request,
                said(r.NewValue)            AS response""",
        ),
        Part(
            table="system_activity",
            when="true",
            columns=f"""{ENDS}
                said(r.ActingProcessCommandLine)  AS actor_process_cmd_line,
                said(r.ActingProcessSHA256)  AS actor_process_file_hash,
                hostname(coalesce(said(r.TargetHostname), said(r.DstHostname)))  AS dst_endpoint_hostname,
                CASE lower(r.EventSchema) WHEN 'processevent' THEN 1007 WHEN 'fileevent' THEN 1001
                     WHEN 'registryevent' THEN 201002 WHEN 'authentication' THEN 3002 WHEN 'usermanagement' THEN 3001
                     WHEN 'dhcp' THEN 4004 WHEN 'dhcpevent' THEN 4004 WHEN 'alertevent' THEN 2004 ELSE 0 END
                                            AS class_uid,
                concat_ws(': ', said(r.EventSchema), said(r.EventType))  AS activity_name,
                said(r.DvcHostname)         AS device_hostname,
                said(r.TargetUsername)      AS user_name,
                file_name(said(r.TargetProcessName))  AS process_name,
                said(r.TargetProcessName)   AS process_file_path,
                said(r.TargetProcessCommandLine)  AS process_cmd_line,
                said(r.TargetProcessSHA256)  AS process_file_hash,
                coalesce(said(r.TargetFilePath), said(concat_ws(chr(92), said(r.RegistryKey), said(r.RegistryValue))))
                                            AS file_path,
                coalesce(said(r.ThreatName), said(r.RuleName))  AS finding_title,
                said(r.EventSeverity)       AS severity,
                {OUTCOME}                   AS status,
                said(r.EventResultDetails)  AS status_detail,
                said(r.EventMessage)        AS message,
                {VERDICT}""",
        ),
    ),
    shows="what the source told the workspace: names and answers, requests, sessions, acts, processes, sign-ins",
    cannot_show="what a parser of the workspace left out; rows beyond the limit of the query or export",
    reference="Microsoft Sentinel documentation, ASIM schemas",
)
