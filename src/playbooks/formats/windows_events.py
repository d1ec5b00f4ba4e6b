"""What Windows events say, wherever a collector puts their fields: SQL that the formats of Windows events share.

In the SQL `@Name` is the field `Name` of the event (blanks of a name are underscores), `§host` the computer that
logged it, `§provider`, `§id`, `§task`, `§message`, `§level` and `§outcome` what stands around its fields.
Reference: Microsoft Sysinternals, Sysmon; Microsoft, Windows security auditing; Microsoft Defender Antivirus events.
"""

from __future__ import annotations

import re

FIELDS: tuple[str, ...] = (
    # Sysmon
    *("UtcTime", "RuleName", "User", "Image", "CommandLine", "Hashes", "ParentImage", "ParentCommandLine"),
    *("ParentUser", "SourceImage", "SourceUser", "TargetImage", "TargetUser", "ImageLoaded", "TargetFilename"),
    *("TargetObject", "Details", "PipeName", "Device", "Destination", "Query", "Configuration", "Description"),
    *("Protocol", "Initiated", "SourceIp", "SourcePort", "SourceHostname", "DestinationIp", "DestinationPort"),
    *("DestinationHostname", "QueryName", "QueryType", "QueryStatus", "QueryResults"),
    # the security log
    *("SubjectUserName", "SubjectDomainName", "TargetUserName", "TargetDomainName", "MemberName", "Requester"),
    *("AccountName", "AccountDomain", "LogonType", "Status", "SubStatus", "FailureReason", "IpAddress", "IpPort"),
    *("WorkstationName", "Workstation", "ClientName", "ClientAddress", "CallingStationID", "AuthenticationServer"),
    *("TargetServerName", "ProcessName", "NewProcessName", "ParentProcessName", "CallerProcessName"),
    *("ObjectType", "ObjectName", "ObjectDN", "ShareName", "RelativeTargetName", "ServiceName", "TaskName"),
    *("Service File Name", "ServiceFileName", "PrivilegeList", "AttributeLDAPDisplayName", "AttributeValue"),
    *("Application", "Direction", "SourceAddress", "DestAddress", "DestPort"),
    # PowerShell, Defender, BITS, the service control manager, the task scheduler, Remote Desktop
    *("ScriptBlockText", "Path", "Payload", "HostApplication", "Threat Name", "Severity Name", "Process Name"),
    *("Action Name", "Error Description", "Detection User", "New Value", "url", "ImagePath", "Address"),
    *("param1", "param2", "param3"),
)


def plain(name: str) -> str:
    """The name of a field as the SQL of this module writes it."""
    return name.replace(" ", "_")


def of(places: dict[str, str], sql: str) -> str:
    """The SQL for events whose fields stand at `places`; a field that has no place is never there."""
    return re.sub(r"§\w+|@(\w+)", lambda name: places.get(name[1] or name[0], "NULL"), sql)


def xml_value(text: str, name: str) -> str:
    """SQL of the value of `<Data Name='name'>` in the XML of an event; quotes of either kind, entities written out."""
    value = f"regexp_extract({text}, 'Name=[\\x22\\x27]{name}[\\x22\\x27]>([^<]*)<', 1)"
    for entity, character in (("lt", "'<'"), ("gt", "'>'"), ("quot", "'\"'"), ("apos", "''''"), ("amp", "'&'")):
        value = f"replace({value}, '&{entity};', {character})"
    return f"nullif({value}, '')"


SYSMON = "§provider = 'Microsoft-Windows-Sysmon'"
AUDIT = "§provider = 'Microsoft-Windows-Security-Auditing'"
CONNECTION = f"{SYSMON} AND §id = '3'"
FILTERED = f"{AUDIT} AND §id IN ('5152', '5153', '5156', '5157')"
DNS = f"({SYSMON} AND §id = '22') OR (§provider = 'Microsoft-Windows-DNS-Client' AND §id = '3008')"

# the id is what all languages of Windows share; the task in words where it is logged
_ACTIVITY = """
        nullif(concat_ws(': ', nullif(concat_ws(' ', said(§provider), said(§id)), ''), said(§task)), '')
                                    AS activity_name,"""
_PROCESS = """
        said(@User)                 AS actor_user_name,
        file_name(@Image)            AS actor_process_name,
        said(@Image)                AS actor_process_file_path"""

# the source is who began it; with `Initiated: false` that is the other end, and the host that logged is the destination
CONNECTION_COLUMNS = f"""{_ACTIVITY}
        address(@SourceIp)          AS src_endpoint_ip,
        port(@SourcePort)           AS src_endpoint_port,
        hostname(CASE WHEN lower(@Initiated) = 'false' THEN @SourceHostname ELSE §host END)
                                    AS src_endpoint_hostname,
        address(@DestinationIp)     AS dst_endpoint_ip,
        port(@DestinationPort)      AS dst_endpoint_port,
        -- Sysmon's own reverse lookup, no name that the process asked for
        hostname(CASE WHEN lower(@Initiated) = 'false' THEN §host ELSE @DestinationHostname END)
                                    AS dst_endpoint_hostname,
        lower(said(@Protocol))      AS connection_info_protocol_name,{_PROCESS}"""

DNS_COLUMNS = f"""{_ACTIVITY}
        hostname(§host)             AS src_endpoint_hostname,
        hostname(@QueryName)        AS query_hostname,
        -- only the DNS client's own log states it
        dns_type(@QueryType)        AS query_type,
        -- a Windows status, or its name
        CASE WHEN @QueryStatus IN ('0', 'SUCCESS') THEN 'NOERROR'
             WHEN @QueryStatus IN ('9002', 'DNS_ERROR_RCODE_SERVER_FAILURE') THEN 'SERVFAIL'
             WHEN @QueryStatus IN ('9003', 'DNS_ERROR_RCODE_NAME_ERROR') THEN 'NXDOMAIN'
             WHEN @QueryStatus IN ('9005', 'DNS_ERROR_RCODE_REFUSED') THEN 'REFUSED'
             ELSE said(@QueryStatus) END  AS rcode,
        -- `type:  5 name;` for a CNAME, then addresses, IPv4 often in the IPv6 spelling
        list_transform(list_filter(string_split(rtrim(said(@QueryResults), ';'), ';'), lambda a: trim(a) <> ''),
             lambda a: address(rtrim(regexp_replace(trim(a), '^type: +\\d+ +', ''), '.')))  AS answers,{_PROCESS}"""

# the source is who began it, here too; the process is a path of the kernel's
FILTERED_COLUMNS = f"""{_ACTIVITY}
        CASE WHEN §id IN ('5153', '5156') THEN 'allowed' ELSE 'blocked' END  AS disposition,
        address(@SourceAddress)     AS src_endpoint_ip,
        port(@SourcePort)           AS src_endpoint_port,
        CASE WHEN @Direction NOT IN ('%%14592', 'Inbound') THEN hostname(§host) END  AS src_endpoint_hostname,
        address(@DestAddress)       AS dst_endpoint_ip,
        port(@DestPort)             AS dst_endpoint_port,
        CASE WHEN @Direction IN ('%%14592', 'Inbound') THEN hostname(§host) END  AS dst_endpoint_hostname,
        protocol(@Protocol)         AS connection_info_protocol_name,
        file_name(@Application)     AS actor_process_name,
        said(@Application)          AS actor_process_file_path"""

_CLASS = f"""CASE
    WHEN {SYSMON} THEN CASE
        WHEN §id IN ('1', '5', '8', '10', '25') THEN 1007 WHEN §id IN ('6', '7') THEN 1005
        WHEN §id IN ('2', '9', '11', '15', '23', '26', '27', '28', '29') THEN 1001
        WHEN §id IN ('12', '14') THEN 201001 WHEN §id = '13' THEN 201002 ELSE 0 END
    WHEN {AUDIT} THEN CASE
        WHEN §id IN ('4688', '4689') THEN 1007 WHEN §id IN ('4697') THEN 201004
        WHEN regexp_matches(§id, '^(462[45]|4634|464[78]|4672|4675|476[89]|477[0-9]|4800|4801|4803|4825|627[2-9])$')
            THEN 3002
        WHEN regexp_matches(§id, '^(472[0-6]|473[89]|474[0-3]|4765|4767|478[01]|479[48])$') THEN 3001
        WHEN regexp_matches(§id, '^(472[7-9]|473[0-7]|474[4-9]|475[0-9]|476[0-4]|4799)$') THEN 3006
        WHEN §id IN ('4698', '4699', '4700', '4701', '4702') THEN 1006
        WHEN §id = '4657' THEN 201002 WHEN regexp_matches(§id, '^46(56|58|60|63)$') THEN
            CASE @ObjectType WHEN 'Key' THEN 201001 WHEN 'Process' THEN 1007 WHEN 'File' THEN 1001 ELSE 0 END
        ELSE 0 END
    WHEN §provider = 'Service Control Manager' THEN 201004
    WHEN §provider = 'Microsoft-Windows-TaskScheduler' THEN 1006
    WHEN §provider = 'Microsoft-Windows-Windows Defender' AND @Threat_Name IS NOT NULL THEN 2004
    WHEN §provider = 'Microsoft-Windows-TerminalServices-LocalSessionManager' THEN 3002
    ELSE 0 END"""


def _account(name: str, domain: str) -> str:
    """SQL: DOMAIN, backslash, account; the account alone where no domain is logged."""
    return f"CASE WHEN said({name}) IS NOT NULL THEN concat_ws(chr(92), said({domain}), said({name})) END"


def _first(*names: str) -> str:
    return "coalesce(" + ", ".join(f"said({name})" for name in names) + ")"


_STARTED = f"({SYSMON} AND §id IN ('1', '5'))"
_ACTOR = (
    f"CASE WHEN {_STARTED} THEN said(@ParentImage) ELSE "
    + _first("@SourceImage", "@ParentProcessName", "@Image", "@ProcessName", "@CallerProcessName", "@Process_Name")[:-1]
    + ", said(@Application))"
    + " END"
)
_TARGET = f"CASE WHEN {_STARTED} THEN said(@Image) ELSE {_first('@TargetImage', '@NewProcessName')} END"
_ADDRESSES = "[@IpAddress, @ClientAddress, @CallingStationID, @SourceAddress, @Address]"
_TOLD = ("RuleName", "LogonType", "Hashes", "Details", "Query", "Description", "Configuration", "PrivilegeList")
_TOLD_MORE = ("AttributeLDAPDisplayName", "AttributeValue", "ScriptBlockText", "Payload", "New_Value", "Action_Name")

SYSTEM_COLUMNS = f"""
        {_CLASS}                    AS class_uid,{_ACTIVITY}
        hostname(§host)             AS device_hostname,
        -- a word such as LOCAL stands for the host itself
        address(list_filter({_ADDRESSES}, lambda a: is_address(a))[1])  AS src_endpoint_ip,
        port(nullif(coalesce(@IpPort, @SourcePort), '0'))  AS src_endpoint_port,
        hostname({_first("@WorkstationName", "@Workstation", "@ClientName")})  AS src_endpoint_hostname,
        address(CASE WHEN is_address(@AuthenticationServer) THEN @AuthenticationServer END)  AS dst_endpoint_ip,
        coalesce(url_host(@url), hostname(@TargetServerName))  AS dst_endpoint_hostname,
        said(@url)                  AS http_request_url_string,
        coalesce(CASE WHEN {_STARTED} THEN coalesce(said(@ParentUser), said(@User)) END,
                 {_account("@SubjectUserName", "@SubjectDomainName")}, said(@SourceUser), said(@User),
                 said(@Detection_User), §account)  AS actor_user_name,
        file_name({_ACTOR})         AS actor_process_name,
        {_ACTOR}                    AS actor_process_file_path,
        {_first("@ParentCommandLine", "@HostApplication")}  AS actor_process_cmd_line,
        coalesce(CASE WHEN {_STARTED} THEN said(@User) END,
                 -- the member of a group; the group then stands in the message
                 said(@MemberName), {_account("@TargetUserName", "@TargetDomainName")}, said(@TargetUser),
                 said(@Requester), {_account("@AccountName", "@AccountDomain")})  AS user_name,
        file_name({_TARGET})        AS process_name,
        {_TARGET}                   AS process_file_path,
        said(@CommandLine)          AS process_cmd_line,
        CASE WHEN {_STARTED} THEN coalesce(nullif(regexp_extract(@Hashes, 'SHA256=([0-9A-Fa-f]+)', 1), ''),
             nullif(regexp_extract(@Hashes, '(?:SHA1|MD5)=([0-9A-Fa-f]+)', 1), '')) END  AS process_file_hash,
        coalesce(said(@TargetFilename), said(@ImageLoaded), said(@TargetObject), said(@PipeName), said(@Device),
                 said(@Destination), nullif(concat_ws(chr(92), said(@ShareName), said(@RelativeTargetName)), ''),
                 said(@ObjectName), said(@ObjectDN), said(@TaskName), said(@Path), said(@ServiceFileName),
                 said(@Service_File_Name), said(@ImagePath), said(@ServiceName))  AS file_path,
        said(@Threat_Name)          AS finding_title,
        coalesce(said(@Severity_Name), lower(said(§level)))  AS severity,
        CASE WHEN §outcome IN ('success', 'failure') THEN §outcome
             -- a logon and its failure have ids of their own
             WHEN {AUDIT} AND §id = '4625' THEN 'failure' WHEN {AUDIT} AND §id = '4624' THEN 'success' END  AS status,
        nullif(concat_ws(' ', said(@Status), said(@SubStatus), said(@FailureReason), said(@Error_Description)), '')
                                    AS status_detail,
        -- the words of the event; where they were not sent, the fields that no other column holds
        coalesce(said(§message), nullif(concat_ws(', ',
            CASE WHEN said(@MemberName) IS NOT NULL THEN 'group: ' || said(@TargetUserName) END,
            {", ".join(f"'{name}: ' || said(@{name})" for name in (*_TOLD, *_TOLD_MORE, "param1", "param2", "param3"))}
            ), ''))                 AS message"""
