"""ATT&CK ids this kit names, with their official names, checked against one release.

They are context for a reader, never detection logic: the objects carry none. A finding that names a
technique says "consistent with"; it does not say that ATT&CK detected anything.

On record: the text quoted for AN1961 with DET0864 stands, in the release named below, as AN1961 under
DET0829 (T1583.007) and, word for word, as AN1996 under DET0864 (T1584.007). From inside the estate the two
techniques can hardly be told apart, so both are named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RELEASE = "ATT&CK v18.1 (mitre/cti@421deacb)"
NOT_CHECKED = "ATT&CK 19.1"


@dataclass(frozen=True)
class Technique:
    """A technique or sub-technique: id, official name, tactics."""

    id: str
    name: str
    tactics: tuple[str, ...]

    @property
    def url(self) -> str:
        """Official page; printed in reports as text, never fetched."""
        return "https://attack.mitre.org/techniques/" + self.id.replace(".", "/")


@dataclass(frozen=True)
class Strategy:
    """A detection strategy with the analytics and the technique it belongs to."""

    id: str
    name: str
    technique: str
    analytics: tuple[str, ...]


_TECHNIQUES = (
    Technique("T1001", "Data Obfuscation", ("command-and-control",)),
    Technique("T1003", "OS Credential Dumping", ("credential-access",)),
    Technique("T1003.001", "OS Credential Dumping: LSASS Memory", ("credential-access",)),
    Technique("T1003.002", "OS Credential Dumping: Security Account Manager", ("credential-access",)),
    Technique("T1008", "Fallback Channels", ("command-and-control",)),
    Technique("T1016", "System Network Configuration Discovery", ("discovery",)),
    Technique("T1018", "Remote System Discovery", ("discovery",)),
    Technique("T1021", "Remote Services", ("lateral-movement",)),
    Technique("T1021.002", "Remote Services: SMB/Windows Admin Shares", ("lateral-movement",)),
    Technique("T1027", "Obfuscated Files or Information", ("defense-evasion",)),
    Technique("T1029", "Scheduled Transfer", ("exfiltration",)),
    Technique("T1033", "System Owner/User Discovery", ("discovery",)),
    Technique("T1041", "Exfiltration Over C2 Channel", ("exfiltration",)),
    Technique("T1046", "Network Service Discovery", ("discovery",)),
    Technique("T1047", "Windows Management Instrumentation", ("execution",)),
    Technique("T1048", "Exfiltration Over Alternative Protocol", ("exfiltration",)),
    Technique("T1053", "Scheduled Task/Job", ("execution", "persistence", "privilege-escalation")),
    Technique("T1053.003", "Scheduled Task/Job: Cron", ("execution", "persistence", "privilege-escalation")),
    Technique("T1053.005", "Scheduled Task/Job: Scheduled Task", ("execution", "persistence", "privilege-escalation")),
    Technique("T1055", "Process Injection", ("defense-evasion", "privilege-escalation")),
    Technique("T1059", "Command and Scripting Interpreter", ("execution",)),
    Technique("T1059.001", "Command and Scripting Interpreter: PowerShell", ("execution",)),
    Technique("T1059.009", "Command and Scripting Interpreter: Cloud API", ("execution",)),
    Technique("T1070", "Indicator Removal", ("defense-evasion",)),
    Technique("T1070.001", "Indicator Removal: Clear Windows Event Logs", ("defense-evasion",)),
    Technique("T1071", "Application Layer Protocol", ("command-and-control",)),
    Technique("T1071.001", "Application Layer Protocol: Web Protocols", ("command-and-control",)),
    Technique("T1071.004", "Application Layer Protocol: DNS", ("command-and-control",)),
    Technique(
        "T1078",
        "Valid Accounts",
        ("defense-evasion", "persistence", "privilege-escalation", "initial-access"),
    ),
    Technique(
        "T1078.004",
        "Valid Accounts: Cloud Accounts",
        ("defense-evasion", "persistence", "privilege-escalation", "initial-access"),
    ),
    Technique("T1082", "System Information Discovery", ("discovery",)),
    Technique("T1087.004", "Account Discovery: Cloud Account", ("discovery",)),
    Technique("T1090", "Proxy", ("command-and-control",)),
    Technique("T1090.002", "Proxy: External Proxy", ("command-and-control",)),
    Technique("T1090.004", "Proxy: Domain Fronting", ("command-and-control",)),
    Technique("T1098", "Account Manipulation", ("persistence", "privilege-escalation")),
    Technique(
        "T1098.001",
        "Account Manipulation: Additional Cloud Credentials",
        ("persistence", "privilege-escalation"),
    ),
    Technique("T1098.003", "Account Manipulation: Additional Cloud Roles", ("persistence", "privilege-escalation")),
    Technique("T1102", "Web Service", ("command-and-control",)),
    Technique("T1102.001", "Web Service: Dead Drop Resolver", ("command-and-control",)),
    Technique("T1102.002", "Web Service: Bidirectional Communication", ("command-and-control",)),
    Technique("T1102.003", "Web Service: One-Way Communication", ("command-and-control",)),
    Technique("T1105", "Ingress Tool Transfer", ("command-and-control",)),
    Technique("T1110", "Brute Force", ("credential-access",)),
    Technique("T1114.002", "Email Collection: Remote Email Collection", ("collection",)),
    Technique("T1114.003", "Email Collection: Email Forwarding Rule", ("collection",)),
    Technique("T1119", "Automated Collection", ("collection",)),
    Technique("T1133", "External Remote Services", ("persistence", "initial-access")),
    Technique("T1135", "Network Share Discovery", ("discovery",)),
    Technique("T1136", "Create Account", ("persistence",)),
    Technique("T1136.003", "Create Account: Cloud Account", ("persistence",)),
    Technique("T1189", "Drive-by Compromise", ("initial-access",)),
    Technique("T1204.002", "User Execution: Malicious File", ("execution",)),
    Technique("T1213.002", "Data from Information Repositories: Sharepoint", ("collection",)),
    Technique("T1218", "System Binary Proxy Execution", ("defense-evasion",)),
    Technique("T1482", "Domain Trust Discovery", ("discovery",)),
    Technique("T1485", "Data Destruction", ("impact",)),
    Technique("T1489", "Service Stop", ("impact",)),
    Technique("T1496", "Resource Hijacking", ("impact",)),
    Technique("T1526", "Cloud Service Discovery", ("discovery",)),
    Technique("T1528", "Steal Application Access Token", ("credential-access",)),
    Technique("T1530", "Data from Cloud Storage", ("collection",)),
    Technique("T1543.002", "Create or Modify System Process: Systemd Service", ("persistence", "privilege-escalation")),
    Technique("T1543.003", "Create or Modify System Process: Windows Service", ("persistence", "privilege-escalation")),
    Technique("T1546", "Event Triggered Execution", ("privilege-escalation", "persistence")),
    Technique(
        "T1547.001",
        "Boot or Logon Autostart Execution: Registry Run Keys / Startup Folder",
        ("persistence", "privilege-escalation"),
    ),
    Technique(
        "T1550.001",
        "Use Alternate Authentication Material: Application Access Token",
        ("defense-evasion", "lateral-movement"),
    ),
    Technique("T1552", "Unsecured Credentials", ("credential-access",)),
    Technique(
        "T1556.006",
        "Modify Authentication Process: Multi-Factor Authentication",
        ("credential-access", "defense-evasion", "persistence"),
    ),
    Technique("T1558.003", "Steal or Forge Kerberos Tickets: Kerberoasting", ("credential-access",)),
    Technique("T1560.001", "Archive Collected Data: Archive via Utility", ("collection",)),
    Technique("T1562", "Impair Defenses", ("defense-evasion",)),
    Technique("T1562.001", "Impair Defenses: Disable or Modify Tools", ("defense-evasion",)),
    Technique("T1562.008", "Impair Defenses: Disable or Modify Cloud Logs", ("defense-evasion",)),
    Technique("T1564.008", "Hide Artifacts: Email Hiding Rules", ("defense-evasion",)),
    Technique("T1566", "Phishing", ("initial-access",)),
    Technique("T1566.001", "Phishing: Spearphishing Attachment", ("initial-access",)),
    Technique("T1566.002", "Phishing: Spearphishing Link", ("initial-access",)),
    Technique("T1567", "Exfiltration Over Web Service", ("exfiltration",)),
    Technique("T1567.002", "Exfiltration Over Web Service: Exfiltration to Cloud Storage", ("exfiltration",)),
    Technique("T1567.004", "Exfiltration Over Web Service: Exfiltration Over Webhook", ("exfiltration",)),
    Technique("T1568", "Dynamic Resolution", ("command-and-control",)),
    Technique("T1568.002", "Dynamic Resolution: Domain Generation Algorithms", ("command-and-control",)),
    Technique("T1572", "Protocol Tunneling", ("command-and-control",)),
    Technique("T1573", "Encrypted Channel", ("command-and-control",)),
    Technique("T1574", "Hijack Execution Flow", ("persistence", "privilege-escalation", "defense-evasion")),
    Technique("T1578", "Modify Cloud Compute Infrastructure", ("defense-evasion",)),
    Technique(
        "T1578.005",
        "Modify Cloud Compute Infrastructure: Modify Cloud Compute Configurations",
        ("defense-evasion",),
    ),
    Technique("T1583", "Acquire Infrastructure", ("resource-development",)),
    Technique("T1583.006", "Acquire Infrastructure: Web Services", ("resource-development",)),
    Technique("T1583.007", "Acquire Infrastructure: Serverless", ("resource-development",)),
    Technique("T1584", "Compromise Infrastructure", ("resource-development",)),
    Technique("T1584.007", "Compromise Infrastructure: Serverless", ("resource-development",)),
    Technique("T1648", "Serverless Execution", ("execution",)),
    Technique("T1651", "Cloud Administration Command", ("execution",)),
    Technique("T1665", "Hide Infrastructure", ("command-and-control",)),
    Technique("T1671", "Cloud Application Integration", ("persistence",)),
)
TECHNIQUES: Mapping[str, Technique] = {one.id: one for one in _TECHNIQUES}

_STRATEGIES = (
    Strategy("DET0829", "Detection of Serverless", "T1583.007", ("AN1961",)),
    Strategy("DET0864", "Detection of Serverless", "T1584.007", ("AN1996",)),
    Strategy(
        "DET0374",
        "Detection Strategy for Serverless Execution (T1648)",
        "T1648",
        ("AN1053", "AN1054", "AN1055"),
    ),
)
STRATEGIES: Mapping[str, Strategy] = {one.id: one for one in _STRATEGIES}

# What each analytic looks at: platform, and the knobs that ATT&CK itself leaves to the local team.
ANALYTICS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "AN1961": ("PRE", ()),
    "AN1996": ("PRE", ()),
    "AN1053": ("IaaS", ("RoleScope", "AllowedFunctions", "TimeWindow")),
    "AN1054": ("Office Suite", ("UserContext", "FlowActions")),
    "AN1055": ("SaaS", ("ScriptScope", "TriggerTypes")),
}


def technique(id: str) -> Technique:
    """The technique with this id.

    Raises
    ------
    KeyError
        The kit does not name this id; the message says which release its ids were checked against.
    """
    try:
        return TECHNIQUES[id]
    except KeyError:
        raise KeyError(f"{id!r} is none of the {len(TECHNIQUES)} technique ids checked against {RELEASE}") from None


def strategy_of(id: str) -> Strategy:
    """The detection strategy an id belongs to: its own id, one of its analytics, or its technique.

    Raises
    ------
    KeyError
        No strategy the kit names has this id.
    """
    for one in _STRATEGIES:
        if id in (one.id, one.technique, *one.analytics):
            return one
    raise KeyError(f"{id!r} is no strategy, analytic or technique of {', '.join(STRATEGIES)} in {RELEASE}")
