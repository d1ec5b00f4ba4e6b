"""Microsoft Defender XDR streaming API: one JSON object a row, the row in `properties`, its table in `category`.

What the Streaming API writes to an Event Hub or a storage account. All tables come in one stream: the Device… tables
are read as in `defender_hunting`, the links that users followed in mail, Teams and Office (`UrlClickEvents`: address
and account, no device) as web requests, `CloudAppEvents` and `CloudAuditEvents` as audit, alerts, sign-ins, mail and
all others with what they have in common. `time` is when the row was published; the event's own time is `Timestamp`.
Reference: Microsoft Defender XDR, Streaming API, and advanced hunting schema.
"""

from playbooks.formats.defender_hunting import (
    CONNECTION,
    CONNECTION_COLUMNS,
    DNS,
    DNS_COLUMNS,
    FIELDS,
    HTTP,
    HTTP_COLUMNS,
    LISTENING,
    OTHER_COLUMNS,
    of,
)
from playbooks.formats.format import Clock, Format, Json, Part

ROW = "r.properties"
MORE = (
    *("Url", "AccountUpn", "IPAddress", "AccountDisplayName", "AccountObjectId", "AccountId", "AccountType"),
    *("Account", "OperationName", "Application", "DataSource", "AuditSource", "ObjectName", "ObjectId", "UserAgent"),
    *("AzureResourceId", "AwsResourceName", "GcpFullResourceName", "AlertId", "Title", "Severity", "Subject"),
    *("SenderIPv4", "SenderFromAddress", "RecipientEmailAddress"),
)
CLICK = "r.category = 'AdvancedHunting-UrlClickEvents'"
CLICK_COLUMNS = """
        coalesce(iso_time(@Timestamp), iso_time(@Timestamp || 'Z'))  AS time,
        address(@IPAddress)         AS src_endpoint_ip,
        said(@AccountUpn)           AS actor_user_name,
        url_host(@Url)              AS dst_endpoint_hostname,
        url_port(@Url)              AS dst_endpoint_port,
        said(@Url)                  AS http_request_url_string,
        CASE @ActionType WHEN 'ClickAllowed' THEN 'allowed' WHEN 'ClickBlocked' THEN 'blocked'
             ELSE said(@ActionType) END  AS disposition,
        -- here an id of its own
        said(@ReportId)             AS metadata_uid
"""

AUDIT = "r.category IN ('AdvancedHunting-CloudAppEvents', 'AdvancedHunting-CloudAuditEvents')"
_STAMP = "coalesce(iso_time(@Timestamp), iso_time(@Timestamp || 'Z'), iso_time(r.time), iso_time(r.time || 'Z'))"
AUDIT_COLUMNS = f"""
        {_STAMP}                    AS time,
        -- behind a proxy the addresses are a list, the client first
        address(regexp_extract(@IPAddress, '^[^,\\s]+'))  AS src_endpoint_ip,
        coalesce(said(@RawEventData.UserId), said(@RawEventData."User".username), said(@AccountDisplayName),
                 said(@Account))    AS actor_user_name,
        coalesce(said(@AccountObjectId), said(@AccountId), said(@Account))  AS actor_user_uid,
        said(@AccountType)          AS actor_user_type,
        coalesce(said(@OperationName), said(@ActionType))  AS api_operation,
        coalesce(said(@OperationName), said(@ActionType))  AS api_operation_base,
        coalesce(said(@Application), said(@DataSource))  AS api_service_name,
        coalesce(said(@AuditSource), CASE WHEN @Application = 'Amazon Web Services' THEN 'AWS'
             WHEN @Application = 'Google Cloud Platform' THEN 'GCP'
             WHEN @Application LIKE 'Microsoft Azure%' THEN 'Azure' ELSE 'Microsoft 365' END)  AS cloud_provider,
        said(@ObjectName)           AS resource_name,
        coalesce(said(@ObjectId), said(@AzureResourceId), said(@AwsResourceName), said(@GcpFullResourceName))
                                    AS resource_uid,
        said(@UserAgent)            AS http_request_user_agent,
        said(@ReportId)             AS metadata_uid
"""
# what tables of mail, identities and alerts have in common stands beside what those of devices have
_MORE = {
    "time": f"{_STAMP}",
    "class_uid": "CASE WHEN r.category LIKE '%-Alert%' THEN 2004 WHEN regexp_matches(r.category, 'Logon|SignIn') "
    "THEN 3002 ELSE {} END",
    "activity_name": "concat_ws(': ', replace(r.category, 'AdvancedHunting-', ''), said(@ActionType))",
    "metadata_uid": "coalesce(said(@AlertId), {})",
    "src_endpoint_ip": "coalesce({}, address(regexp_extract(@IPAddress, '^[^,\\s]+')), address(@SenderIPv4))",
    "user_name": "coalesce({}, said(@AccountUpn), said(@RecipientEmailAddress))",
    "actor_user_name": "coalesce({}, said(@SenderFromAddress))",
    "http_request_url_string": "coalesce({}, said(@Url))",
    "message": "coalesce({}, said(@Subject))",
    "finding_title": "coalesce({}, said(@Title))",
}
_DEVICE = Part("system_activity", "true", OTHER_COLUMNS).select()
OTHER = {name: _MORE.get(name, "{}").replace("{}", sql) for name, sql in _DEVICE.items()}
OTHER["severity"] = "said(@Severity)"

FORMAT = Format(
    name="defender_streaming",
    product="Defender XDR Streaming API",
    cut=Json(
        keys=frozenset({"category", "properties"}),
        only=(("category", "AdvancedHunting-.+"),),
        shape=f'{{"category": "VARCHAR", "time": "VARCHAR", "properties": {{{FIELDS}, '
        + ", ".join(f'"{name}": "VARCHAR"' for name in MORE)
        + ', "RawEventData": {"UserId": "VARCHAR", "User": {"username": "VARCHAR"}}}}',
        envelopes=("records",),
    ),
    clock=Clock.IN_THE_STAMP,
    kind="concat_ws(' ', replace(r.category, 'AdvancedHunting-', ''), r.properties.ActionType)",
    parts=(
        Part(table="network_activity", when=of(ROW, CONNECTION), columns=of(ROW, CONNECTION_COLUMNS)),
        Part(table="dns_activity", when=of(ROW, DNS), columns=of(ROW, DNS_COLUMNS)),
        Part(table="http_activity", when=of(ROW, HTTP), columns=of(ROW, HTTP_COLUMNS)),
        Part(table="http_activity", when=CLICK, columns=of(ROW, CLICK_COLUMNS)),
        Part(table="api_activity", when=AUDIT, columns=of(ROW, AUDIT_COLUMNS)),
        Part(
            table="system_activity",
            when="r.category IS NOT NULL",
            columns=of(ROW, ", ".join(f"{sql} AS {name}" for name, sql in OTHER.items())),
        ),
    ),
    status=((of(ROW, LISTENING), "status line: a port began to listen; no connection"),),
    shows="which process of which device contacted what; links followed, audit of cloud apps, processes, files, alerts",
    cannot_show="bytes; paths of HTTPS; every connection (Defender samples and merges repeated ones)",
    reference="Microsoft Defender XDR, Streaming API; advanced hunting schema",
)
