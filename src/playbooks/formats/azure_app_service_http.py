"""HTTP log of Azure App Service, table AppServiceHTTPLogs: calls of web apps and of functions over HTTP.

CSV, JSON or Parquet of a Log Analytics workspace. The host is the app's own name or a domain bound to it.
Reference: Azure Monitor Logs reference, table AppServiceHTTPLogs.
"""

from playbooks.formats.format import Clock, Format, Json
from playbooks.formats.iis_table import COLUMNS

FIELDS = (
    *(
        "TimeGenerated",
        "CsMethod",
        "CsUriStem",
        "CsUriQuery",
        "CsUsername",
        "UserAgent",
        "Referer",
        "CsHost",
        "CsBytes",
    ),
    *("CIp", "ScStatus", "ScBytes", "SPort", "ComputerName", "TimeTaken", "Result"),
)
RENAMED = {"r.csUserAgent": "r.UserAgent", "r.csReferer": "r.Referer", "r.sComputerName": "r.ComputerName"}


def _renamed(columns: str) -> str:
    """The columns of IIS with this table's names; SQL knows no case in names."""
    for name, here in RENAMED.items():
        columns = columns.replace(name, here)
    return columns


FORMAT = Format(
    name="azure_app_service_http",
    product="Azure App Service HTTP log, table AppServiceHTTPLogs",
    table="http_activity",
    cut=Json(
        keys=frozenset({"TimeGenerated", "CsUriStem", "CIp"}),
        any_of=frozenset({"Result", "ComputerName", "ScSubStatus"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    columns=_renamed(COLUMNS),
    shows="who asked a web app or function app for which path, with what outcome",
    cannot_show="requests that the front end refused; what a function did with the request",
    reference="Azure Monitor Logs reference, AppServiceHTTPLogs",
)
