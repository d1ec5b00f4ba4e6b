"""Microsoft Defender XDR, rows of DeviceNetworkEvents and DNS rows of DeviceEvents, from Advanced Hunting as CSV.

What the portal's export gives: a header with the columns of the query, quoted cells, stamps of ISO 8601.
Rows are read as in `defender_network`.
Reference: Microsoft Defender XDR, advanced hunting schema, DeviceNetworkEvents and DeviceEvents.
"""

from playbooks.formats.defender_network import (
    CONNECTION,
    CONNECTION_COLUMNS,
    DNS,
    DNS_COLUMNS,
    HTTP,
    HTTP_COLUMNS,
    LISTENING,
    of,
)
from playbooks.formats.format import Clock, Columns, Format, Part

FORMAT = Format(
    name="defender_network_csv",
    product="Defender XDR Advanced Hunting, network and DNS rows, CSV",
    cut=Columns(
        delimiter=",",
        # names in lower case, as headers are read; SQL knows no case in names
        fields=(
            *("timestamp", "timegenerated", "deviceid", "devicename", "actiontype", "localip", "localport"),
            *("remoteip", "remoteport", "remoteurl", "protocol", "reportid", "additionalfields"),
            *("initiatingprocessfilename", "initiatingprocessfolderpath", "initiatingprocesscommandline"),
            *("initiatingprocessaccountname", "initiatingprocesssha256", "initiatingprocesssha1"),
            "initiatingprocessmd5",
        ),
        keys=frozenset({"timestamp", "devicename", "actiontype", "localip", "remoteip"}),
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.ActionType",
    parts=(
        Part(table="network_activity", when=of("r", CONNECTION), columns=of("r", CONNECTION_COLUMNS)),
        Part(table="dns_activity", when=of("r", DNS), columns=of("r", DNS_COLUMNS)),
        Part(table="http_activity", when=of("r", HTTP), columns=of("r", HTTP_COLUMNS)),
    ),
    status=((of("r", LISTENING), "status line: a port began to listen; no connection"),),
    shows="which process of which device contacted which address or name; DNS and plain HTTP where inspected",
    cannot_show="bytes; paths of HTTPS; every connection (Defender samples and merges repeated ones)",
    reference="Microsoft Defender XDR, advanced hunting schema: DeviceNetworkEvents, DeviceEvents",
)
