"""Windows events as tables of a Log Analytics workspace: Event, SecurityEvent, WindowsEvent; Sysmon in any of them.

CSV, JSON or Parquet. `EventData` is XML or JSON in text; SecurityEvent has columns for the fields of many events
besides. Sysmon's connections and queries, and connections of the filtering platform (5156, 5157), become what they are
elsewhere; the others are what a host reports. Sysmon's `UtcTime` is the event's own time.
Reference: Azure Monitor Logs reference, tables Event, SecurityEvent, WindowsEvent; Microsoft Sysinternals, Sysmon.
"""

from playbooks.formats.format import Clock, Format, Json, Part
from playbooks.formats.windows_events import (
    CONNECTION_COLUMNS,
    DNS_COLUMNS,
    FIELDS,
    FILTERED_COLUMNS,
    of,
    plain,
    xml_value,
)

COLUMNS = (
    *(
        "TimeGenerated",
        "Computer",
        "EventID",
        "Source",
        "Provider",
        "EventSourceName",
        "Channel",
        "EventLog",
        "EventData",
    ),
    *(
        "RenderedDescription",
        "Activity",
        "EventLevelName",
        "EventRecordId",
        "EventOriginId",
        "Account",
        "SubjectUserName",
    ),
    *("TargetUserName", "TargetAccount", "NewProcessName", "CommandLine", "ParentProcessName", "IpAddress", "IpPort"),
    *("WorkstationName", "ServiceName", "TaskName", "FilePath", "Status", "UserName"),
)


def field(name: str) -> str:
    """SQL: a field of the event, in JSON or in XML."""
    in_json = f"json_extract_string(CASE WHEN json_valid(r.EventData) THEN r.EventData END, '$.{name}')"
    return f"coalesce({in_json}, {xml_value('r.EventData', name)})"


SOURCE = "coalesce(said(r.Source), said(r.Provider), said(r.EventSourceName))"
PLACES = {plain(name): field(name) for name in FIELDS}
PLACES |= {"§host": "r.Computer", "§id": "r.EventID", "§provider": SOURCE}
SYSMON = f"coalesce({SOURCE} = 'Microsoft-Windows-Sysmon', false)"
RECORD_ID = """
        coalesce(said(r.EventOriginId), r.Computer || '/' || coalesce(r.Channel, r.EventLog) || '/' || r.EventRecordId)
                                    AS metadata_uid,"""
UTC_TIME = field("UtcTime")
SHARED = f"""
        coalesce(iso_time({UTC_TIME}), iso_time({UTC_TIME} || 'Z'))  AS time,{RECORD_ID}"""
LOGGED = f"""
        stamp(portal_iso(r.TimeGenerated))  AS time,{RECORD_ID}"""
DNS_CLIENT = f"coalesce({SOURCE} = 'Microsoft-Windows-DNS-Client' AND r.EventID = '3008', false)"
SHARED_OR_LOGGED = f"""
        coalesce(iso_time({UTC_TIME}), iso_time({UTC_TIME} || 'Z'),
                 stamp(portal_iso(r.TimeGenerated)))  AS time,{RECORD_ID}"""
# Sysmon's image began or ended in events 1 and 5, and is who acted in the others
BEGAN = f"({SYSMON} AND r.EventID IN ('1', '5'))"
IMAGE = f"coalesce(said(r.NewProcessName), {field('NewProcessName')}, CASE WHEN {BEGAN} THEN {field('Image')} END)"
PARENT = f"""coalesce(said(r.ParentProcessName), {field("ParentProcessName")}, {field("ParentImage")},
                      CASE WHEN {SYSMON} AND NOT {BEGAN} THEN {field("Image")} END)"""
TARGET = f"coalesce(said(r.TargetUserName), {field('TargetUserName')}, said(r.TargetAccount))"
CLASS = f"""CASE WHEN {SYSMON} THEN CASE WHEN r.EventID IN ('1', '5') THEN 1007
                 WHEN r.EventID IN ('11', '15', '23', '26') THEN 1001 WHEN r.EventID IN ('6', '7') THEN 1005
                 WHEN r.EventID IN ('12', '13', '14') THEN 201002 ELSE 0 END
             WHEN r.EventID IN ('4688', '4689') THEN 1007
             WHEN r.EventID IN ('4624', '4625', '4634', '4647', '4648', '4672', '4768', '4769', '4771', '4776')
             THEN 3002
             WHEN r.EventID IN ('4720', '4722', '4723', '4724', '4725', '4726', '4738') THEN 3001
             WHEN r.EventID IN ('4728', '4729', '4732', '4733', '4756', '4757') THEN 3006
             WHEN r.EventID IN ('4698', '4699', '4702') THEN 1006 WHEN r.EventID IN ('7045', '4697') THEN 201004
             WHEN r.EventID = '4657' THEN 201002 WHEN r.EventID = '4663' THEN 1001 ELSE 0 END"""

FORMAT = Format(
    name="windows_event_table",
    product="Windows events, tables Event, SecurityEvent and WindowsEvent of Log Analytics",
    cut=Json(
        keys=frozenset({"TimeGenerated", "Computer", "EventID"}),
        any_of=frozenset({"EventData", "RenderedDescription", "Activity"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in COLUMNS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    kind=f"concat_ws(' ', {SOURCE}, r.EventID)",
    parts=(
        Part(
            table="network_activity",
            when=f"{SYSMON} AND r.EventID = '3'",
            columns=SHARED + of(PLACES, CONNECTION_COLUMNS),
        ),
        Part(
            table="dns_activity",
            when=f"({SYSMON} AND r.EventID = '22') OR {DNS_CLIENT}",
            columns=SHARED_OR_LOGGED + of(PLACES, DNS_COLUMNS),
        ),
        Part(
            table="network_activity",
            when="r.EventID IN ('5156', '5157')",
            columns=LOGGED + of(PLACES, FILTERED_COLUMNS),
        ),
        Part(
            table="system_activity",
            when="true",
            columns=f"""{LOGGED}
                {CLASS}                     AS class_uid,
                coalesce(said(r.Activity), concat_ws(' ', {SOURCE}, r.EventID))  AS activity_name,
                address(coalesce(said(r.IpAddress), {field("IpAddress")}))  AS src_endpoint_ip,
                port(coalesce(said(r.IpPort), {field("IpPort")}))  AS src_endpoint_port,
                coalesce(said(r.WorkstationName), {field("WorkstationName")})  AS src_endpoint_hostname,
                coalesce(said(r.SubjectUserName), {field("SubjectUserName")}, {field("User")}, said(r.Account),
                         said(r.UserName))  AS actor_user_name,
                file_name({PARENT})         AS actor_process_name,
                {PARENT}                    AS actor_process_file_path,
                said(r.Computer)            AS device_hostname,
                {TARGET}                    AS user_name,
                file_name({IMAGE})          AS process_name,
                {IMAGE}                     AS process_file_path,
                coalesce(said(r.CommandLine), {field("CommandLine")})  AS process_cmd_line,
                nullif(regexp_extract({field("Hashes")}, 'SHA256=([0-9A-Fa-f]+)', 1), '')  AS process_file_hash,
                coalesce(said(r.FilePath), {field("TargetFilename")}, {field("TargetObject")}, {field("ImageLoaded")},
                         said(r.ServiceName), {field("ServiceName")}, said(r.TaskName), {field("TaskName")})
                                            AS file_path,
                said(r.EventLevelName)      AS severity,
                CASE WHEN r.EventID IN ('4625', '4771') THEN 'failure' WHEN r.EventID = '4624' THEN 'success' END
                                            AS status,
                coalesce(said(r.Status), {field("Status")})  AS status_detail,
                coalesce(said(r.RenderedDescription), said(r.EventData))  AS message""",
        ),
    ),
    shows="which process of which host connected where and asked for which names; processes, sign-ins, services, tasks",
    cannot_show="what Sysmon's configuration and the audit policy of the host leave out",
    reference="Azure Monitor Logs reference, Event and SecurityEvent; Microsoft Sysinternals, Sysmon",
)
