"""Microsoft IIS log as the table W3CIISLog of a Log Analytics workspace: CSV, JSON or Parquet.

The names are those of IIS without signs. Blanks in user agents are written as `+`; a `+` that was sent looks the same.
Reference: Azure Monitor Logs reference, table W3CIISLog.
"""

from playbooks.formats.format import Clock, Format, Json

FIELDS = (
    *("TimeGenerated", "csMethod", "csUriStem", "csUriQuery", "csUserName", "csUserAgent", "csReferer", "csHost"),
    *("csBytes", "cIP", "scStatus", "scBytes", "sIP", "sPort", "sComputerName", "TimeTaken", "Computer"),
)
COLUMNS = """
        stamp(portal_iso(r.TimeGenerated))  AS time,
        address(r.cIP)              AS src_endpoint_ip,
        said(r.csUserName)          AS actor_user_name,
        coalesce(url_host(said(r.csHost)), hostname(r.sComputerName))  AS dst_endpoint_hostname,
        port(r.sPort)               AS dst_endpoint_port,
        said(r.csMethod)            AS http_request_http_method,
        said(r.csUriStem) || coalesce('?' || said(r.csUriQuery), '')  AS http_request_url_string,
        replace(said(r.csUserAgent), '+', ' ')  AS http_request_user_agent,
        said(r.csReferer)           AS http_request_referrer,
        small(r.scStatus)           AS http_response_code,
        amount(r.csBytes)           AS traffic_bytes_out,
        amount(r.scBytes)           AS traffic_bytes_in,
        whole(r.TimeTaken)          AS duration_ms"""

FORMAT = Format(
    name="iis_table",
    product="Microsoft IIS log, table W3CIISLog of Log Analytics",
    table="http_activity",
    cut=Json(
        keys=frozenset({"TimeGenerated", "csUriStem", "cIP"}),
        any_of=frozenset({"sIP", "sSiteName", "sComputerName"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    columns=f"""{COLUMNS},
        address(r.sIP)              AS dst_endpoint_ip""",
    shows="who asked this web server for which path, as which user, with what outcome",
    cannot_show="the host asked for and bytes unless these fields are logged; requests that http.sys refused",
    reference="Azure Monitor Logs reference, W3CIISLog",
)
