"""Microsoft Defender XDR, rows of the Device… tables from Advanced Hunting as JSON.

One JSON object a row: results of the hunting API (`results`), or a Log Analytics export. A row names the device
(`Local…`) and the other end (`Remote…`); which of them began it stands in `ActionType` and in `AdditionalFields`.
`AdditionalFields` is JSON text inside JSON; rows of network inspection carry names as Zeek gives them there.
Connections, DNS and plain HTTP have tables of their own. A row does not name its table; `ActionType` says what it is.
Reference: Microsoft Defender XDR, advanced hunting schema, Device… tables.
"""

from playbooks.formats.format import Clock, Format, Json, Part

FIELDS = """"Timestamp": "VARCHAR", "TimeGenerated": "VARCHAR", "DeviceId": "VARCHAR", "DeviceName": "VARCHAR",
    "ActionType": "VARCHAR", "LocalIP": "VARCHAR", "LocalPort": "VARCHAR", "RemoteIP": "VARCHAR",
    "RemotePort": "VARCHAR", "RemoteUrl": "VARCHAR", "Protocol": "VARCHAR", "ReportId": "VARCHAR",
    "AdditionalFields": "VARCHAR", "InitiatingProcessFileName": "VARCHAR",
    "InitiatingProcessFolderPath": "VARCHAR", "InitiatingProcessCommandLine": "VARCHAR",
    "InitiatingProcessAccountName": "VARCHAR", "InitiatingProcessSHA256": "VARCHAR",
    "InitiatingProcessSHA1": "VARCHAR", "InitiatingProcessMD5": "VARCHAR",
    "InitiatingProcessAccountDomain": "VARCHAR", "InitiatingProcessParentFileName": "VARCHAR",
    "FileName": "VARCHAR", "FolderPath": "VARCHAR", "PreviousFileName": "VARCHAR", "SHA256": "VARCHAR",
    "SHA1": "VARCHAR", "MD5": "VARCHAR", "ProcessCommandLine": "VARCHAR", "AccountName": "VARCHAR",
    "AccountDomain": "VARCHAR", "RegistryKey": "VARCHAR", "RegistryValueName": "VARCHAR",
    "RegistryValueData": "VARCHAR", "LogonType": "VARCHAR", "FailureReason": "VARCHAR",
    "RemoteDeviceName": "VARCHAR", "FileOriginUrl": "VARCHAR\""""

# In what follows `@Name` is the field `Name` of the row, `@@` its AdditionalFields where they are JSON.
CONNECTION = """regexp_matches(@ActionType, '^(Inbound)?Connection[A-Z]|^InboundInternetScan|^NetworkSignature')
    OR regexp_matches(@ActionType, '^(Ssl|Icmp|Ssh|Ftp|Smtp)ConnectionInspected$|^ExploitGuardNetworkProtection')"""
DNS = "@ActionType IN ('DnsConnectionInspected', 'DnsQueryResponse')"
HTTP = "@ActionType = 'HttpConnectionInspected'"
LISTENING = "@ActionType = 'ListeningConnectionCreated'"
OTHER = "@ActionType IS NOT NULL"

# Where the row does not say `direction`: an acknowledgement is the answer to somebody else's attempt.
_INBOUND = """coalesce(lower(json_extract_string(@@, '$.direction')) = 'in',
    @ActionType LIKE 'Inbound%' OR @ActionType = 'ConnectionAcknowledged')"""

_WHO = f"""
        -- Microsoft documents the stamp as UTC; some exports drop the Z
        coalesce(iso_time(coalesce(@Timestamp, @TimeGenerated)),
                 iso_time(coalesce(@Timestamp, @TimeGenerated) || 'Z'))  AS time,
        address(CASE WHEN {_INBOUND} THEN @RemoteIP ELSE @LocalIP END)  AS src_endpoint_ip,
        port(CASE WHEN {_INBOUND} THEN @RemotePort ELSE @LocalPort END)  AS src_endpoint_port,
        CASE WHEN {_INBOUND} THEN url_host(@RemoteUrl) ELSE hostname(@DeviceName) END  AS src_endpoint_hostname,
        address(CASE WHEN {_INBOUND} THEN @LocalIP ELSE @RemoteIP END)  AS dst_endpoint_ip,
        port(CASE WHEN {_INBOUND} THEN @LocalPort ELSE @RemotePort END)  AS dst_endpoint_port,
        said(@InitiatingProcessAccountName)  AS actor_user_name,
        said(@InitiatingProcessFileName)     AS actor_process_name,
        said(@InitiatingProcessFolderPath)   AS actor_process_file_path,
        said(@InitiatingProcessCommandLine)  AS actor_process_cmd_line,
        coalesce(said(@InitiatingProcessSHA256), said(@InitiatingProcessSHA1), said(@InitiatingProcessMD5))
                                             AS actor_process_file_hash,
        said(@InitiatingProcessParentFileName)  AS actor_process_parent_process_name,
        said(@ActionType)                    AS activity_name,
        -- a report id is a counter: unique only together with device and time
        said(@DeviceId) || '/' || said(@ReportId) || '/' || coalesce(@Timestamp, @TimeGenerated)  AS metadata_uid,"""

_PROTOCOL = """
        -- TcpV4, TcpV6, Tcp, Udp, …
        nullif(regexp_replace(lower(said(@Protocol)), 'v[46]$', ''), 'unknown')  AS connection_info_protocol_name"""

CONNECTION_COLUMNS = f"""{_WHO}
        coalesce(hostname(json_extract_string(@@, '$.server_name')),
            CASE WHEN {_INBOUND} THEN hostname(@DeviceName) ELSE url_host(@RemoteUrl) END)
                                             AS dst_endpoint_hostname,
        hostname(json_extract_string(@@, '$.server_name'))  AS tls_sni,
        CASE WHEN @ActionType = 'SslConnectionInspected' THEN said(json_extract_string(@@, '$.version')) END
                                             AS tls_version,
        CASE WHEN @ActionType IN ('ConnectionSuccess', 'InboundConnectionAccepted') THEN 'allowed'
             WHEN @ActionType = 'ConnectionFailed' THEN 'failed'
             WHEN @ActionType LIKE '%Attempt' THEN 'attempted'
             WHEN @ActionType = 'ExploitGuardNetworkProtectionBlocked' THEN 'blocked'
             WHEN @ActionType LIKE '%Audited' THEN 'audited' END  AS disposition,{_PROTOCOL}
"""

DNS_COLUMNS = f"""{_WHO}
        hostname(coalesce(json_extract_string(@@, '$.query'), json_extract_string(@@, '$.DnsQueryString')))
                                             AS query_hostname,
        -- DnsQueryResponse states types of answers, not of the question
        said(json_extract_string(@@, '$.qtype_name'))  AS query_type,
        said(json_extract_string(@@, '$.rcode_name'))  AS rcode,
        -- a list of texts; for DnsQueryResponse a list of objects, in some exports as JSON text again
        list_transform(CASE WHEN @ActionType = 'DnsConnectionInspected'
             THEN json_extract_string(@@, '$.answers[*]')
             ELSE json_extract_string(CASE WHEN json_valid(json_extract_string(@@, '$.DnsQueryResult'))
                  THEN json_extract_string(@@, '$.DnsQueryResult') END, '$[*].Result') END,
             lambda a: address(rtrim(a, '.')))  AS answers,{_PROTOCOL}
"""

HTTP_COLUMNS = f"""{_WHO}
        url_host(json_extract_string(@@, '$.host'))  AS dst_endpoint_hostname,
        said(json_extract_string(@@, '$.method'))  AS http_request_http_method,
        -- inspection sees plain HTTP only
        CASE WHEN json_extract_string(@@, '$.uri') LIKE '/%'
             THEN 'http://' || said(json_extract_string(@@, '$.host')) || json_extract_string(@@, '$.uri')
             ELSE said(json_extract_string(@@, '$.uri')) END  AS http_request_url_string,
        said(json_extract_string(@@, '$.user_agent'))  AS http_request_user_agent,
        said(json_extract_string(@@, '$.referrer'))  AS http_request_referrer,
        small(json_extract_string(@@, '$.status_code'))  AS http_response_code,
        amount(json_extract_string(@@, '$.request_body_len'))  AS traffic_bytes_out,
        amount(json_extract_string(@@, '$.response_body_len'))  AS traffic_bytes_in
"""


_STARTED = "@ActionType IN ('ProcessCreated', 'OpenProcess', 'ProcessCreatedUsingWmiQuery', 'OpenProcessApiCall')"
_DOMAIN = "concat_ws(chr(92), said(@{0}Domain), said(@{0}Name))"

CLASS = """CASE WHEN regexp_matches(@ActionType, '^(Process|OpenProcess|CreateRemoteThread|NtAllocate|QueueUserApc)')
                  THEN 1007
             WHEN regexp_matches(@ActionType, '^(File|Sensitive|ShellLink)') THEN 1001
             WHEN regexp_matches(@ActionType, '^(ImageLoaded|DriverLoad)') THEN 1005
             WHEN regexp_matches(@ActionType, '^RegistryValue') THEN 201002
             WHEN regexp_matches(@ActionType, '^RegistryKey') THEN 201001
             WHEN regexp_matches(@ActionType, '^Logon') THEN 3002 WHEN @ActionType LIKE 'UserAccount%' THEN 3001
             WHEN regexp_matches(@ActionType, '^SecurityGroup|^UserAccount(Added|Removed)') THEN 3006
             WHEN regexp_matches(@ActionType, '^ScheduledTask') THEN 1006 WHEN @ActionType LIKE 'Service%' THEN 201004
             WHEN regexp_matches(@ActionType, '^(Antivirus|Asr|Exploit|SmartScreen|AppControl)') THEN 2004 ELSE 0 END"""

_NOT_WHO = """
        -- Microsoft documents the stamp as UTC; some exports drop the Z
        coalesce(iso_time(coalesce(@Timestamp, @TimeGenerated)),
                 iso_time(coalesce(@Timestamp, @TimeGenerated) || 'Z'))  AS time,
        hostname(@DeviceName)       AS device_hostname,
        said(@DeviceId) || '/' || said(@ReportId) || '/' || coalesce(@Timestamp, @TimeGenerated)  AS metadata_uid,"""

OTHER_COLUMNS = f"""{_NOT_WHO}
        {CLASS}                     AS class_uid,
        said(@ActionType)           AS activity_name,
        -- of a logon the remote end is where it came from
        address(CASE WHEN @ActionType LIKE 'Logon%' THEN @RemoteIP ELSE @LocalIP END)  AS src_endpoint_ip,
        port(CASE WHEN @ActionType LIKE 'Logon%' THEN @RemotePort ELSE @LocalPort END)  AS src_endpoint_port,
        address(CASE WHEN @ActionType NOT LIKE 'Logon%' THEN @RemoteIP END)  AS dst_endpoint_ip,
        port(CASE WHEN @ActionType NOT LIKE 'Logon%' THEN @RemotePort END)  AS dst_endpoint_port,
        url_host(@RemoteUrl)        AS dst_endpoint_hostname,
        hostname(@RemoteDeviceName)  AS src_endpoint_hostname,
        nullif({_DOMAIN.format("InitiatingProcessAccount")}, '')  AS actor_user_name,
        said(@InitiatingProcessFileName)     AS actor_process_name,
        said(@InitiatingProcessFolderPath)   AS actor_process_file_path,
        said(@InitiatingProcessCommandLine)  AS actor_process_cmd_line,
        coalesce(said(@InitiatingProcessSHA256), said(@InitiatingProcessSHA1), said(@InitiatingProcessMD5))
                                    AS actor_process_file_hash,
        said(@InitiatingProcessParentFileName)  AS actor_process_parent_process_name,
        nullif({_DOMAIN.format("Account")}, '')  AS user_name,
        CASE WHEN {_STARTED} THEN said(@FileName) END  AS process_name,
        CASE WHEN {_STARTED} THEN said(@FolderPath) END  AS process_file_path,
        said(@ProcessCommandLine)   AS process_cmd_line,
        CASE WHEN {_STARTED} THEN coalesce(said(@SHA256), said(@SHA1), said(@MD5)) END  AS process_file_hash,
        CASE WHEN NOT coalesce({_STARTED}, false) THEN coalesce(
             nullif(concat_ws(chr(92), said(@RegistryKey), said(@RegistryValueName)), ''),
             -- some tables have the name at the end of the folder's path, some do not
             CASE WHEN ends_with(lower(@FolderPath), lower(@FileName)) THEN said(@FolderPath)
                  ELSE nullif(concat_ws(chr(92), rtrim(said(@FolderPath), chr(92)), said(@FileName)), '') END) END
                                    AS file_path,
        coalesce(said(@RemoteUrl), said(@FileOriginUrl))  AS http_request_url_string,
        said(json_extract_string(@@, '$.ThreatName'))  AS finding_title,
        CASE @ActionType WHEN 'LogonSuccess' THEN 'success' WHEN 'LogonFailed' THEN 'failure' END  AS status,
        said(@FailureReason)        AS status_detail,
        nullif(concat_ws(', ', 'logon: ' || said(@LogonType), 'value: ' || said(@RegistryValueData),
            'old name: ' || said(@PreviousFileName),
            CASE WHEN NOT coalesce({_STARTED}, false)
                 THEN 'file hash: ' || coalesce(said(@SHA256), said(@SHA1), said(@MD5)) END,
            nullif(said(@AdditionalFields), '{{}}')), '')  AS message
"""


def of(row: str, sql: str) -> str:
    """The SQL for rows that stand in `row`."""
    more = f"CASE WHEN json_valid({row}.AdditionalFields) THEN {row}.AdditionalFields END"
    return sql.replace("@@", more).replace("@", f"{row}.")


FORMAT = Format(
    name="defender_hunting",
    product="Defender XDR Advanced Hunting, Device… tables, JSON",
    cut=Json(
        keys=frozenset({"ActionType", "DeviceName"}),
        any_of=frozenset({"Timestamp", "TimeGenerated"}),
        shape=f"{{{FIELDS}}}",
        envelopes=("results", "Results"),
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.ActionType",
    parts=(
        Part(table="network_activity", when=of("r", CONNECTION), columns=of("r", CONNECTION_COLUMNS)),
        Part(table="dns_activity", when=of("r", DNS), columns=of("r", DNS_COLUMNS)),
        Part(table="http_activity", when=of("r", HTTP), columns=of("r", HTTP_COLUMNS)),
        Part(table="system_activity", when=of("r", OTHER), columns=of("r", OTHER_COLUMNS)),
    ),
    status=((of("r", LISTENING), "status line: a port began to listen; no connection"),),
    shows="which process of which device contacted what; DNS and HTTP where inspected; processes, files, logons",
    cannot_show="bytes; paths of HTTPS; every connection (Defender samples and merges repeated ones)",
    reference="Microsoft Defender XDR, advanced hunting schema: Device… tables",
)
