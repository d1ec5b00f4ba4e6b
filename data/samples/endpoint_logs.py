"""Windows events of two machines of the HQ zone, as a collector exports them: Sysmon of one workstation, and logons
at the file server. Ordinary days in both samples; in `incident` what surrounds the first contact of A1.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import escape

import estate
from estate import HOUR, stream
from lines import LogFile

NAME = "zone_hq_windows_events.xml"
WORKSTATION, SERVER = "WS-0317.corp.example", "FS-0104.corp.example"
VICTIM = estate.HQ[6]
ACCOUNT = f"CORP\\{VICTIM.user}"
FACT = "A1 around"  # listed under A1; its first and last time stay those of the contacts
HOME = f"C:\\Users\\{VICTIM.user}"
AGENT = f"{HOME}\\AppData\\Local\\SyncAgent\\syncagent.exe"
SYSMON, SECURITY = "Microsoft-Windows-Sysmon", "Microsoft-Windows-Security-Auditing"
PROGRAMS = (
    "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe",
    "C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE",
    "C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE",
    "C:\\Windows\\System32\\notepad.exe",
)
EXPLORER, SCRIPT_HOST, SHELL = (
    "C:\\Windows\\explorer.exe",
    "C:\\Windows\\System32\\wscript.exe",
    "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
)
Event = tuple[float, str, str, int, dict[str, str], str]  # time, provider, computer, id, fields, fact


def _start(time: float, image: str, command: str, parent: str, fact: str = "") -> Event:
    fields = {"Image": image, "CommandLine": command, "User": ACCOUNT, "ParentImage": parent}
    return time, SYSMON, WORKSTATION, 1, fields, fact


def _logon(time: float, client: estate.Client, fact: str = "") -> Event:
    name = f"WS-{client.address.split('.')[2]:0>2}{client.address.split('.')[3]}"
    fields = {
        "TargetUserName": client.user,
        "TargetDomainName": "CORP",
        "LogonType": "3",
        "IpAddress": client.address,
        "IpPort": str(stream("port", time).randrange(49152, 65535)),
        "WorkstationName": name,
    }
    return time, SECURITY, SERVER, 4624, fields, fact


def _ordinary() -> Iterator[Event]:
    """Programs of one person, and the morning's logons at the file server."""
    for day in (one for one in estate.NETWORK_DAYS if estate.is_workday(one)):
        pick = stream("endpoint", day)
        begins = day + HOUR * VICTIM.starts
        yield _start(begins, EXPLORER, "explorer.exe", "C:\\Windows\\System32\\userinit.exe")
        for n in range(12):
            image = pick.choice(PROGRAMS)
            yield _start(begins + 120 + n * 2400 + pick.uniform(0, 900), image, f'"{image}"', EXPLORER)
        for client in estate.HQ[4:8]:
            yield _logon(day + HOUR * client.starts + pick.uniform(60, 900), client)


def _around_first_contact() -> Iterator[Event]:
    """A1: a download, a script from it, a run key, the program that calls; then a look around and another machine."""
    first = estate.at("2026-03-10T09:41:12")
    archive = f"{HOME}\\Downloads\\statement-0310.zip"
    script = f"{HOME}\\AppData\\Local\\Temp\\Temp1_statement-0310.zip\\statement.js"
    yield first - 430, SYSMON, WORKSTATION, 11, {"Image": PROGRAMS[0], "TargetFilename": archive, "User": ACCOUNT}, FACT
    yield _start(first - 152, SCRIPT_HOST, f'wscript.exe "{script}"', EXPLORER, FACT)
    hidden = f"powershell.exe -WindowStyle Hidden -File {HOME}\\AppData\\Local\\SyncAgent\\start.ps1"
    yield _start(first - 127, SHELL, hidden, SCRIPT_HOST, FACT)
    key = "HKU\\S-1-5-21-1004\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\SyncAgent"
    run = {"Image": SHELL, "TargetObject": key, "Details": AGENT, "User": ACCOUNT}
    yield first - 52, SYSMON, WORKSTATION, 13, run, FACT
    yield _start(first - 7, AGENT, f'"{AGENT}"', SHELL, FACT)
    yield _start(first + 1868, "C:\\Windows\\System32\\whoami.exe", "whoami /all", AGENT, FACT)
    yield _start(first + 1904, "C:\\Windows\\System32\\nltest.exe", "nltest /domain_trusts", AGENT, FACT)
    yield _logon(first + 5921, VICTIM, FACT)


def _xml(number: int, time: float, provider: str, computer: str, id: int, fields: dict[str, str]) -> str:
    stamp = f"{estate.iso(time).removesuffix('Z')}.{int(time * 1000) % 1000:03d}"
    own = {"UtcTime": stamp.replace("T", " ")} if provider == SYSMON else {}
    data = "".join(f"<Data Name='{name}'>{escape(value)}</Data>" for name, value in (own | fields).items())
    channel = "Security" if provider == SECURITY else f"{provider}/Operational"
    return (
        "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>"
        f"<Provider Name='{provider}'/><EventID>{id}</EventID><Level>4</Level>"
        f"<TimeCreated SystemTime='{stamp}000000Z'/><EventRecordID>{number}</EventRecordID>"
        f"<Channel>{channel}</Channel><Computer>{computer}</Computer></System><EventData>{data}</EventData></Event>"
    )


def write_endpoint(quiet: bool) -> LogFile:
    """The events of both machines, in order of time."""
    log = LogFile(NAME, "Windows events (Sysmon, Security), XML, one a line")
    events = [*_ordinary(), *(() if quiet else _around_first_contact())]
    for number, (time, provider, computer, id, fields, fact) in enumerate(
        sorted(events, key=lambda one: one[0]), 4_001
    ):
        log.add(time, _xml(number, time, provider, computer, id, fields), fact)
    return log
