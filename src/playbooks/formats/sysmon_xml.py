"""Sysmon network connections (3) and DNS queries (22) as Windows event XML, one event a line.

What `wevtutil qe /f:xml`, Splunk and event collectors write. `UtcTime` is the event's own time. Other events of Sysmon
are unread, with their id. Does not read an event that is broken over several lines, nor several in one line: the
export of the Event Viewer is one long line.
Reference: Microsoft Sysinternals, Sysmon, events 3 and 22; Microsoft, Windows Event Schema.
"""

from playbooks.formats.format import Clock, Format, Part, TextLines
from playbooks.formats.sysmon_nxlog import CONNECTION_COLUMNS, DNS_COLUMNS, FIELDS, of


def _plain(text: str) -> str:
    """SQL that writes the five entities of XML out."""
    for entity, character in (("lt", "'<'"), ("gt", "'>'"), ("quot", "'\"'"), ("apos", "''''"), ("amp", "'&'")):
        text = f"replace({text}, '&{entity};', {character})"
    return text


def data(text: str, name: str) -> str:
    """SQL of the value of `<Data Name='name'>` in the XML of an event; quotes of either kind."""
    value = f"regexp_extract({text}, 'Name=[\\x22\\x27]{name}[\\x22\\x27]>([^<]*)<', 1)"
    return f"nullif({_plain(value)}, '')"


PLACES = {name: data("r.event", name) for name in FIELDS}
SEVERAL = "regexp_matches(r.event, '</Event>.*<Event[ >]')"
_UTC_TIME = data("r.event", "UtcTime")
SHARED = f"""
        iso_time({_UTC_TIME} || 'Z')  AS time,
        -- a record id counts within one host and channel
        said(r.computer) || '/' || said(r.record)  AS metadata_uid,"""

FORMAT = Format(
    name="sysmon_xml",
    product="Sysmon events 3 and 22, Windows event XML",
    cut=TextLines(
        r"(?P<event><Event[ >].*<Provider [^>]*Microsoft-Windows-Sysmon[^>]*>.*<EventID[^>]*>(?P<id>\d+)</EventID>"
        r".*<EventRecordID>(?P<record>\d+)</EventRecordID>.*<Computer>(?P<computer>[^<]*)</Computer>.*</Event>)"
    ),
    clock=Clock.IN_THE_STAMP,
    kind=f"CASE WHEN {SEVERAL} THEN 'several events in one line' ELSE 'Microsoft-Windows-Sysmon ' || r.id END",
    parts=(
        Part(
            table="network_activity",
            when=f"r.id = '3' AND NOT {SEVERAL}",
            columns=SHARED + of(PLACES, "r.computer", CONNECTION_COLUMNS),
        ),
        Part(
            table="dns_activity",
            when=f"r.id = '22' AND NOT {SEVERAL}",
            columns=SHARED + of(PLACES, "r.computer", DNS_COLUMNS),
        ),
    ),
    shows="which process of which host connected to which address, and which names it asked for with what answer",
    cannot_show="bytes, paths; the query type; connections and names that Sysmon's configuration leaves out",
    reference="Microsoft Sysinternals, Sysmon events 3 and 22; Microsoft, Windows Event Schema",
)
