"""Microsoft Defender XDR streaming API: one JSON object a row, the row in `properties`, its table in `category`.

What the Streaming API writes to an Event Hub or a storage account. All tables come in one stream; the rows about
connections, DNS and plain HTTP are read (as in `defender_network`), the others are unread with their table named.
`time` is when the row was published; the event's own time is `Timestamp`.
Reference: Microsoft Defender XDR, Streaming API, and advanced hunting schema, DeviceNetworkEvents and DeviceEvents.
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

FORMAT = Format(
    name="defender_streaming",
    product="Defender XDR Streaming API, network and DNS rows",
    cut=Json(
        keys=frozenset({"category", "properties"}),
        only=(("category", "AdvancedHunting-.+"),),
        shape=f'{{"category": "VARCHAR", "properties": {{{FIELDS}}}}}',
        envelopes=("records",),
    ),
    clock=Clock.IN_THE_STAMP,
    kind="concat_ws(' ', replace(r.category, 'AdvancedHunting-', ''), r.properties.ActionType)",
    parts=(
        Part(table="network_activity", when=of(ROW, CONNECTION), columns=of(ROW, CONNECTION_COLUMNS)),
        Part(table="dns_activity", when=of(ROW, DNS), columns=of(ROW, DNS_COLUMNS)),
        Part(table="http_activity", when=of(ROW, HTTP), columns=of(ROW, HTTP_COLUMNS)),
    ),
    status=((of(ROW, LISTENING), "status line: a port began to listen; no connection"),),
    shows="which process of which device contacted which address or name; DNS and plain HTTP where inspected",
    cannot_show="bytes; paths of HTTPS; every connection (Defender samples and merges repeated ones)",
    reference="Microsoft Defender XDR, Streaming API; advanced hunting schema",
)
