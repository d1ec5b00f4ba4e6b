"""Azure Monitor's table DnsEvents as CSV, JSON or Parquet: queries that Windows DNS servers answered.

`Computer` is the server. Rows of other subtypes (registrations, changes of zones) are the server's own matters.
Reference: Azure Monitor Logs reference, table DnsEvents.
"""

from playbooks.formats.format import Clock, Format, Json, Part

FIELDS = (
    *("TimeGenerated", "Computer", "SubType", "ClientIP", "Name", "QueryType", "IPAddresses", "Result", "ResultCode"),
    *("EventId", "Message", "TaskCategory", "Severity", "RemoteIPReportConfidence"),
)

FORMAT = Format(
    name="azure_dns_events",
    product="Azure Monitor table DnsEvents",
    cut=Json(
        keys=frozenset({"TimeGenerated", "Computer", "SubType", "ClientIP", "Name"}),
        shape="{" + ", ".join(f'"{name}": "VARCHAR"' for name in FIELDS) + "}",
        csv=True,
    ),
    clock=Clock.ASK,
    kind="r.SubType",
    parts=(
        Part(
            table="dns_activity",
            when="said(r.ClientIP) IS NOT NULL AND said(r.Name) IS NOT NULL",
            columns="""
                stamp(portal_iso(r.TimeGenerated))  AS time,
                address(r.ClientIP)         AS src_endpoint_ip,
                hostname(r.Computer)        AS dst_endpoint_hostname,
                hostname(r."Name")          AS query_hostname,
                dns_type(r.QueryType)       AS query_type,
                -- the result in words, success among them
                CASE WHEN said(r.ResultCode) IS NOT NULL THEN dns_rcode(r.ResultCode)
                     WHEN lower(r."Result") = 'success' THEN 'NOERROR' ELSE upper(said(r."Result")) END  AS rcode,
                list_transform(listed(r.IPAddresses), lambda a: trim(a))  AS answers
            """,
        ),
        Part(
            table="system_activity",
            when="true",
            columns="""
                stamp(portal_iso(r.TimeGenerated))  AS time,
                0                           AS class_uid,
                concat_ws(' ', 'DNS server', said(r.SubType), said(r.EventId))  AS activity_name,
                said(r.Computer)            AS device_hostname,
                said(r.Severity)            AS severity,
                concat_ws(': ', said(r.TaskCategory), said(r.Message))  AS message
            """,
        ),
    ),
    shows="which client asked a Windows DNS server for which name, and the addresses it was told",
    cannot_show="CNAME targets; processes and users; queries of clients that ask other resolvers",
    reference="Azure Monitor Logs reference, DnsEvents",
)
