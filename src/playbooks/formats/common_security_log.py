"""Microsoft Sentinel's table CommonSecurityLog as CSV, JSON or Parquet: CEF messages of firewalls and proxies.

A row with a URL is a web request, one with two ends a connection; the rest are alerts and system messages of devices.
Devices put bytes into the CEF fields `out` and `in` by their own view; here `SentBytes` is what the source sent.
Reference: Azure Monitor Logs reference, table CommonSecurityLog; Microsoft Sentinel, CEF and CommonSecurityLog mapping.
"""

from playbooks.formats.format import Clock, Format, Json, Part

FIELDS = (
    *("TimeGenerated", "StartTime", "EndTime", "ReceiptTime", "DeviceVendor", "DeviceProduct", "DeviceEventClassID"),
    *("Activity", "LogSeverity", "DeviceAction", "DeviceName", "Computer", "ExternalID", "Message", "Reason"),
    *("SourceIP", "SourcePort", "SourceHostName", "SourceUserName", "DestinationIP", "DestinationPort"),
    *("DestinationHostName", "DestinationUserName", "SourceTranslatedAddress", "RequestURL", "RequestMethod"),
    *("RequestClientApplication", "RequestContext", "SentBytes", "ReceivedBytes", "Protocol", "ApplicationProtocol"),
    *(
        "EventOutcome",
        "FileName",
        "FilePath",
        "SourceProcessName",
        "ProcessName",
        "ThreatDescription",
        "IndicatorThreatType",
    ),
)
ENDS = """
        stamp(portal_iso(r.TimeGenerated))  AS time,
        said(r.ExternalID)          AS metadata_uid,
        address(r.SourceIP)         AS src_endpoint_ip,
        port(r.SourcePort)          AS src_endpoint_port,
        said(r.SourceHostName)      AS src_endpoint_hostname,
        said(r.SourceUserName)      AS actor_user_name,
        address(r.DestinationIP)    AS dst_endpoint_ip,
        port(r.DestinationPort)     AS dst_endpoint_port,"""
VOLUME = """
        amount(r.SentBytes)         AS traffic_bytes_out,
        amount(r.ReceivedBytes)     AS traffic_bytes_in,"""
VERDICT = """
        CASE WHEN regexp_matches(r.DeviceAction, '(?i)^(allow|accept|permit|pass|forward)') THEN 'allowed'
             WHEN regexp_matches(r.DeviceAction, '(?i)(block|den|drop|reject|reset|prevent)') THEN 'blocked'
             ELSE lower(said(r.DeviceAction)) END  AS disposition"""
HOST = "hostname(r.DestinationHostName)"

FORMAT = Format(
    name="common_security_log",
    product="Microsoft Sentinel table CommonSecurityLog (CEF)",
    cut=Json(
        keys=frozenset({"TimeGenerated", "DeviceVendor", "DeviceProduct", "DeviceEventClassID"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    kind="concat_ws(' ', r.DeviceVendor, r.DeviceProduct, r.Activity)",
    parts=(
        Part(
            table="http_activity",
            when="said(r.RequestURL) IS NOT NULL",
            columns=f"""{ENDS}
                coalesce(url_host(r.RequestURL), {HOST})  AS dst_endpoint_hostname,
                said(r.RequestMethod)       AS http_request_http_method,
                said(r.RequestURL)          AS http_request_url_string,
                said(r.RequestClientApplication)  AS http_request_user_agent,
                said(r.RequestContext)      AS http_request_referrer,
                {VOLUME}{VERDICT}""",
        ),
        Part(
            table="network_activity",
            when="said(r.SourceIP) IS NOT NULL "
            "AND coalesce(said(r.DestinationIP), said(r.DestinationHostName)) IS NOT NULL",
            columns=f"""{ENDS}
                {HOST}                      AS dst_endpoint_hostname,
                lower(said(r.Protocol))     AS connection_info_protocol_name,
                {VOLUME}{VERDICT}""",
        ),
        Part(
            table="system_activity",
            when="true",
            columns=f"""{ENDS}
                {HOST}                      AS dst_endpoint_hostname,
                CASE WHEN coalesce(said(r.ThreatDescription), said(r.IndicatorThreatType)) IS NOT NULL THEN 2004
                     ELSE 0 END             AS class_uid,
                concat_ws(' ', said(r.DeviceVendor), said(r.DeviceProduct), said(r.DeviceEventClassID))
                                            AS activity_name,
                coalesce(said(r.DeviceName), said(r.Computer))  AS device_hostname,
                said(r.DestinationUserName)  AS user_name,
                coalesce(said(r.FilePath), said(r.FileName))  AS file_path,
                coalesce(said(r.ThreatDescription), said(r.Activity))  AS finding_title,
                said(r.LogSeverity)         AS severity,
                CASE WHEN regexp_matches(r.EventOutcome, '(?i)^succ') THEN 'success'
                     WHEN regexp_matches(r.EventOutcome, '(?i)^fail') THEN 'failure' END  AS status,
                said(r.Reason)              AS status_detail,
                said(r.Message)             AS message,
                {VERDICT}""",
        ),
    ),
    shows="requests, connections and alerts as firewalls and proxies sent them to the workspace",
    cannot_show="what the device sent in fields that the table keeps as text only (AdditionalExtensions)",
    reference="Azure Monitor Logs reference, CommonSecurityLog",
)
