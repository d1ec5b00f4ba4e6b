"""Windows event XML: Sysmon, the security log and all other channels, however the events are broken into lines.

What `wevtutil qe /f:xml`, the export of the Event Viewer, `Get-WinEvent … ToXml()`, Splunk and event collectors write:
one event a line, an event over several lines, or all in one line within `<Events>`. `UtcTime` is the own time of an
event of Sysmon. `/f:RenderedXml` adds the words of the event.
Connections (Sysmon 3, filtering platform 5152 to 5157) and DNS (Sysmon 22, DNS client 3008) have tables of their own.
Reference: Microsoft Sysinternals, Sysmon; Microsoft, Windows security auditing; Microsoft, Windows Event Schema.
"""

from playbooks.formats.format import Clock, Format, Part, Xml
from playbooks.formats.windows_events import (
    CONNECTION,
    CONNECTION_COLUMNS,
    DNS,
    DNS_COLUMNS,
    FIELDS,
    FILTERED,
    FILTERED_COLUMNS,
    SYSTEM_COLUMNS,
    of,
    plain,
)

USER_DATA = ("SubjectUserName", "SubjectDomainName", "User", "Address", "param1", "param2", "param3")
AROUND = (
    *("Provider_Name", "EventID", "EventRecordID", "TimeCreated_SystemTime", "Channel", "Computer", "Keywords"),
    *("Level", "Security_UserID"),
)

PLACES = {plain(name): f'r.EventData."{name}"' for name in FIELDS}
PLACES |= {name: f"coalesce({PLACES[name]}, r.UserData.{name})" for name in USER_DATA}
PLACES |= {
    "§host": "r.System.Computer",
    "§provider": "r.System.Provider_Name",
    "§id": "r.System.EventID",
    "§task": "r.RenderingInfo.Task",
    "§message": "r.RenderingInfo.Message",
    "§level": "coalesce(said(r.RenderingInfo.Level), CASE r.System.Level WHEN '1' THEN 'critical' "
    "WHEN '2' THEN 'error' WHEN '3' THEN 'warning' WHEN '4' THEN 'information' WHEN '5' THEN 'verbose' END)",
    # the keywords of an audit, as bits
    "§outcome": "CASE WHEN regexp_matches(lower(r.System.Keywords), '^0x8?0[26a].{13}$') THEN 'success' "
    "WHEN regexp_matches(lower(r.System.Keywords), '^0x8?0[159].{13}$') THEN 'failure' END",
    "§account": "CASE WHEN r.System.Provider_Name <> 'Microsoft-Windows-Sysmon' "
    "THEN said(r.System.Security_UserID) END",
}
SHARED = """
        coalesce(iso_time(r.EventData.UtcTime || 'Z'), iso_time(r.System.TimeCreated_SystemTime))  AS time,
        -- a record id counts within one host and channel
        said(r.System.Computer) || '/' || r.System.Channel || '/' || said(r.System.EventRecordID)  AS metadata_uid,"""


def _names(names: tuple[str, ...]) -> str:
    return "{" + ", ".join(f'"{name}": "VARCHAR"' for name in names) + "}"


FORMAT = Format(
    name="windows_events_xml",
    product="Windows event XML (Sysmon, Security, …)",
    cut=Xml(
        element="Event",
        keys=frozenset({"System"}),
        only=(("System.Provider_Name", ".+"), ("System.EventID", r"\d+")),
        shape=f'{{"System": {_names(AROUND)}, "EventData": {_names(FIELDS)}, "UserData": {_names(USER_DATA)}, '
        f'"RenderingInfo": {_names(("Message", "Level", "Task"))}}}',
    ),
    clock=Clock.IN_THE_STAMP,
    kind="concat_ws(' ', r.System.Provider_Name, r.System.EventID)",
    parts=(
        Part("network_activity", of(PLACES, CONNECTION), SHARED + of(PLACES, CONNECTION_COLUMNS)),
        Part("dns_activity", of(PLACES, DNS), SHARED + of(PLACES, DNS_COLUMNS)),
        Part("network_activity", of(PLACES, FILTERED), SHARED + of(PLACES, FILTERED_COLUMNS)),
        Part("system_activity", "r.System.EventID IS NOT NULL", SHARED + of(PLACES, SYSTEM_COLUMNS)),
    ),
    shows="connections and names asked for with process and host; processes, logons, files, registry, services, alerts",
    cannot_show="bytes, paths; what the audit policy and Sysmon's configuration leave out",
    reference="Microsoft Sysinternals, Sysmon; Microsoft, Windows security auditing; Microsoft, Windows Event Schema",
)
