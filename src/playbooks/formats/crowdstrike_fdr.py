"""CrowdStrike Falcon Data Replicator: everything that the sensor reports, one JSON object an event.

All values are text. `timestamp` is when the cloud received the event (milliseconds), `ContextTimeStamp` when it
happened on the host (seconds); the latter is used, because sensors send in batches. A SIEM may keep the event as it
came in `event` and write its own stamps without a zone, in UTC, beside it (Panther). Many events name no host: then
`aid`, the sensor's id, stands for it. Connections and DNS requests have tables of their own; so have the names of
processes: a connection carries only the id of its process, `ProcessRollup2` the name. The rows of the asset lists
(`aidmaster`, `managedassets`, `notmanaged`) have no event name and are told by what they hold.
Reference: CrowdStrike Falcon Data Replicator, event data dictionary.
"""

import re

from playbooks.formats.format import Clock, Format, Json, Part

FIELDS = (
    *("event_simpleName", "id", "aid", "timestamp", "ContextTimeStamp", "ComputerName", "UserName"),
    *("ContextBaseFileName", "ContextImageFileName", "ConnectionDirection", "Protocol", "OriginatingURL"),
    *("LocalAddressIP4", "LocalAddressIP6", "LocalPort", "RemoteAddressIP4", "RemoteAddressIP6", "RemotePort"),
    *("DomainName", "RequestType", "QueryStatus", "RespondingDnsServer"),
    *("CNAMERecords", "IP4Records", "IP6Records"),
    # processes, files, registry, services, tasks, accounts, detections
    *("ImageFileName", "TargetImageFileName", "CommandLine", "ParentBaseFileName", "SHA256HashData", "MD5HashData"),
    *("TargetFileName", "RegObjectName", "RegValueName", "ServiceDisplayName", "TaskName", "UserSid", "LogonType"),
    *("ClientComputerName", "ErrorStatus", "Name", "DetectName", "DetectDescription", "SeverityName", "FileName"),
    *("FilePath", "SHA256String", "Hostname", "HostnameField", "UTCTimestamp", "StartTimestamp", "LocalIP"),
    *("ParentImageFileName", "ParentCommandLine", "PatternDispositionDescription", "Description"),
    *(
        "FirewallRule",
        "FirewallRuleId",
        "GroupRid",
        "UserRid",
        "ScriptContent",
        "CommandHistory",
        "_time",
        "Time",
        "MAC",
    ),
)
_NAMES = ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS)


def _of(sql: str) -> str:
    """`@Name` is the field `Name` of the event, wherever it stands."""
    return re.sub(r"@(\w+)", r"coalesce(r.event.\1, r.\1)", sql)


_NAME = _of("coalesce(@event_simpleName, r.fdr_event_type)")
_INBOUND = f"(@ConnectionDirection = '1' OR {_NAME} LIKE 'NetworkReceiveAccept%')"
_LOCAL = "nullif(address(coalesce(@LocalAddressIP6, @LocalAddressIP4)), '0.0.0.0')"
_REMOTE = "nullif(address(coalesce(@RemoteAddressIP6, @RemoteAddressIP4)), '0.0.0.0')"
_FROM = "coalesce(nullif(said(@RemoteAddressIP4), '0.0.0.0'), said(@RemoteAddressIP6), @LocalAddressIP4, @LocalIP)"
_HOST = "hostname(coalesce(said(@ComputerName), said(@Hostname), said(@HostnameField), said(@aid)))"
_STAMPS = ("ContextTimeStamp", "timestamp", "UTCTimestamp", "StartTimestamp", "_time", "Time")
_STAMP = f"coalesce({', '.join(f'said(@{name})' for name in _STAMPS)})"
_SHARED = """
        -- a number since the epoch; Panther's spelling has no zone and is UTC
        list_transform([§stamp],
            lambda s: coalesce(epoch_time(digits_of(s)), iso_time(s), iso_time(s || 'Z')))[1]  AS time,
        said(@id)                   AS metadata_uid,""".replace("§stamp", _STAMP)
_CONTEXT = """
        said(@UserName)             AS actor_user_name,
        coalesce(said(@ContextBaseFileName), file_name(@ContextImageFileName))
                                    AS actor_process_name,
        said(@ContextImageFileName)  AS actor_process_file_path,
        coalesce(said(@ParentBaseFileName), file_name(@ParentImageFileName))  AS actor_process_parent_process_name,
        said({name})                AS activity_name,""".replace("{name}", _NAME)

_CONNECTION = f"""{_SHARED}{_CONTEXT}
        CASE WHEN {_INBOUND} THEN {_REMOTE} ELSE {_LOCAL} END  AS src_endpoint_ip,
        port(CASE WHEN {_INBOUND} THEN @RemotePort ELSE nullif(@LocalPort, '0') END)  AS src_endpoint_port,
        CASE WHEN {_INBOUND} THEN NULL ELSE {_HOST} END  AS src_endpoint_hostname,
        CASE WHEN {_INBOUND} THEN {_LOCAL} ELSE {_REMOTE} END  AS dst_endpoint_ip,
        port(CASE WHEN {_INBOUND} THEN @LocalPort ELSE @RemotePort END)  AS dst_endpoint_port,
        -- mobile sensors know the name or URL that was asked for
        CASE WHEN {_INBOUND} THEN {_HOST} ELSE url_host(@OriginatingURL) END  AS dst_endpoint_hostname,
        protocol(@Protocol)         AS connection_info_protocol_name
"""

_DNS = f"""{_SHARED}{_CONTEXT}
        {_HOST}                     AS src_endpoint_hostname,
        address(@RespondingDnsServer)  AS dst_endpoint_ip,
        hostname(@DomainName)       AS query_hostname,
        dns_type(@RequestType)      AS query_type,
        -- a Windows status
        CASE said(@QueryStatus) WHEN '0' THEN 'NOERROR' WHEN '9002' THEN 'SERVFAIL' WHEN '9003' THEN 'NXDOMAIN'
             WHEN '9005' THEN 'REFUSED' ELSE said(@QueryStatus) END  AS rcode,
        -- `name;name;`, one field a kind
        list_transform(list_filter(string_split(concat_ws(';', @CNAMERecords, @IP4Records, @IP6Records), ';'),
             lambda a: trim(a) <> ''), lambda a: address(rtrim(trim(a), '.')))  AS answers
"""

_ASSET = "coalesce(@_time, @Time) IS NOT NULL AND coalesce(@aid, @ComputerName, @MAC) IS NOT NULL"
_STARTED = f"{_NAME} LIKE '%ProcessRollup2%'"
_MODULE = f"regexp_matches({_NAME}, '(Module|Image|Driver)Load')"
_CLASS = f"""CASE
        WHEN regexp_matches({_NAME}, 'ProcessRollup2|^EndOfProcess|^ProcessBlocked|^CreateProcess|Injected') THEN 1007
        WHEN {_MODULE} THEN 1005
        WHEN regexp_matches({_NAME}, 'Detection|^Event_Epp') THEN 2004
        WHEN regexp_matches({_NAME}, 'Written|File(Deleted|Renamed?|Open|Create)|^(Directory|NewScript|NewExecutable)')
        THEN 1001
        WHEN regexp_matches({_NAME}, '^(Suspicious)?Reg|Asep') THEN 201002
        WHEN regexp_matches({_NAME}, 'Service') THEN 201004 WHEN regexp_matches({_NAME}, '^ScheduledTask') THEN 1006
        WHEN regexp_matches({_NAME}, '^UserLog|^SsoUserLog') THEN 3002
        WHEN regexp_matches({_NAME}, '^UserAccount(Added|Removed)') THEN 3006
        WHEN regexp_matches({_NAME}, '^UserAccount') THEN 3001 ELSE 0 END"""

_SYSTEM = f"""{_SHARED}
        {_CLASS}                    AS class_uid,
        coalesce(said({_NAME}), 'asset')  AS activity_name,
        {_HOST}                     AS device_hostname,
        -- of an asset the list may hold several addresses
        address(CASE WHEN is_address({_FROM}) THEN {_FROM} END)  AS src_endpoint_ip,
        hostname(@ClientComputerName)  AS src_endpoint_hostname,
        said(@UserName)             AS actor_user_name,
        said(@UserSid)              AS user_name,
        coalesce(said(@ParentBaseFileName), file_name(@ParentImageFileName), said(@ContextBaseFileName),
                 file_name(@ContextImageFileName))  AS actor_process_name,
        coalesce(said(@ParentImageFileName), said(@ContextImageFileName))  AS actor_process_file_path,
        said(@ParentCommandLine)    AS actor_process_cmd_line,
        -- of a loaded module the image is the module
        file_name(CASE WHEN {_MODULE} THEN @TargetImageFileName ELSE coalesce(@ImageFileName, @FileName) END)
                                    AS process_name,
        said(CASE WHEN {_MODULE} THEN @TargetImageFileName ELSE coalesce(@ImageFileName, @FilePath) END)
                                    AS process_file_path,
        said(@CommandLine)          AS process_cmd_line,
        CASE WHEN NOT {_MODULE} THEN coalesce(said(@SHA256HashData), said(@SHA256String), said(@MD5HashData)) END
                                    AS process_file_hash,
        coalesce(said(@TargetFileName), CASE WHEN {_MODULE} THEN said(@ImageFileName) END,
                 nullif(concat_ws(chr(92), said(@RegObjectName), said(@RegValueName)), ''), said(@TaskName),
                 said(@ServiceDisplayName), said(@FirewallRuleId))  AS file_path,
        coalesce(said(@DetectName), said(@Name))  AS finding_title,
        said(@SeverityName)         AS severity,
        said(@PatternDispositionDescription)  AS disposition,
        said(@ErrorStatus)          AS status_detail,
        nullif(concat_ws(', ', said(coalesce(@DetectDescription, @Description)), 'logon type: ' || said(@LogonType),
            'group: ' || said(@GroupRid), 'user: ' || said(@UserRid), said(@FirewallRule), said(@ScriptContent),
            said(@CommandHistory)), '')  AS message
"""

FORMAT = Format(
    name="crowdstrike_fdr",
    product="CrowdStrike Falcon Data Replicator",
    cut=Json(
        keys=frozenset({"event_platform"}),
        any_of=frozenset({"event_simpleName", "fdr_event_type"}),
        shape=f'{{{_NAMES}, "event_platform": "VARCHAR", "fdr_event_type": "VARCHAR", "event": {{{_NAMES}}}}}',
    ),
    clock=Clock.IN_THE_STAMP,
    kind=_NAME,
    parts=(
        Part(
            table="network_activity",
            when=f"regexp_matches({_NAME}, '^Network(Connect|ReceiveAccept)IP[46]$')",
            columns=_of(_CONNECTION),
        ),
        Part(
            table="dns_activity",
            when=f"{_NAME} IN ('DnsRequest', 'SuspiciousDnsRequest')",
            columns=_of(_DNS),
        ),
        Part(table="system_activity", when=f"{_NAME} IS NOT NULL OR {_of(_ASSET)}", columns=_of(_SYSTEM)),
    ),
    shows="which host connected where and asked for which name; processes with command line and hash, files, logons",
    cannot_show="bytes, paths; the process, unless the event carries its name (else only in ProcessRollup2)",
    reference="CrowdStrike Falcon Data Replicator, event data dictionary",
)
