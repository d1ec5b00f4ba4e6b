"""Microsoft Defender XDR streaming API: one JSON object a row, the row in `properties`, its table in `category`.

What the Streaming API writes to an Event Hub or a storage account. All tables come in one stream; the rows about
connections, DNS and plain HTTP are read (as in `defender_network`) and the links that users followed in mail, Teams
and Office (`UrlClickEvents`: address and account, no device); the others are unread with their table named.
`time` is when the row was published; the event's own time is `Timestamp`.
Reference: Microsoft Defender XDR, Streaming API, and advanced hunting schema, DeviceNetworkEvents, DeviceEvents,
UrlClickEvents.
"""

from playbooks.formats.defender_network import (
    CONNECTION,
    CONNECTION_COLUMNS,
    DNS,
    DNS_COLUMNS,
    FIELDS,
    HTTP,
    HTTP_COLUMNS,
    LISTENING,
    of,
)
from playbooks.formats.format import Clock, Format, Json, Part

ROW = "r.properties"
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

FORMAT = Format(
    name="defender_streaming",
    product="Defender XDR Streaming API, network and DNS rows",
    cut=Json(
        keys=frozenset({"category", "properties"}),
        only=(("category", "AdvancedHunting-.+"),),
        shape=f'{{"category": "VARCHAR", "properties": {{{FIELDS}, "Url": "VARCHAR", '
        '"AccountUpn": "VARCHAR", "IPAddress": "VARCHAR"}}',
        envelopes=("records",),
    ),
    clock=Clock.IN_THE_STAMP,
    kind="concat_ws(' ', replace(r.category, 'AdvancedHunting-', ''), r.properties.ActionType)",
    parts=(
        Part(table="network_activity", when=of(ROW, CONNECTION), columns=of(ROW, CONNECTION_COLUMNS)),
        Part(table="dns_activity", when=of(ROW, DNS), columns=of(ROW, DNS_COLUMNS)),
        Part(table="http_activity", when=of(ROW, HTTP), columns=of(ROW, HTTP_COLUMNS)),
        Part(table="http_activity", when=CLICK, columns=of(ROW, CLICK_COLUMNS)),
    ),
    status=((of(ROW, LISTENING), "status line: a port began to listen; no connection"),),
    shows="which process of which device contacted which address or name; DNS and plain HTTP where inspected; links",
    cannot_show="bytes; paths of HTTPS; every connection (Defender samples and merges repeated ones)",
    reference="Microsoft Defender XDR, Streaming API; advanced hunting schema",
)
