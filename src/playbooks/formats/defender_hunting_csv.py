"""Microsoft Defender XDR, rows of the Device… tables from Advanced Hunting as CSV.

What the portal's export gives: a header with the columns of the query, quoted cells, stamps of ISO 8601.
Rows are read as in `defender_hunting`.
Reference: Microsoft Defender XDR, advanced hunting schema, Device… tables.
"""

from playbooks.formats.defender_hunting import (
    CONNECTION,
    CONNECTION_COLUMNS,
    DNS,
    DNS_COLUMNS,
    HTTP,
    HTTP_COLUMNS,
    LISTENING,
    OTHER,
    OTHER_COLUMNS,
    of,
)
from playbooks.formats.format import Clock, Columns, Format, Part

FORMAT = Format(
    name="defender_hunting_csv",
    product="Defender XDR Advanced Hunting, Device… tables, CSV",
    cut=Columns(
        delimiter=",",
        # names in lower case, as headers are read; SQL knows no case in names
        fields=(
            *("timestamp", "timegenerated", "deviceid", "devicename", "actiontype", "localip", "localport"),
            *("remoteip", "remoteport", "remoteurl", "protocol", "reportid", "additionalfields"),
            *("initiatingprocessfilename", "initiatingprocessfolderpath", "initiatingprocesscommandline"),
            *("initiatingprocessaccountname", "initiatingprocesssha256", "initiatingprocesssha1"),
            *("initiatingprocessmd5", "initiatingprocessaccountdomain", "initiatingprocessparentfilename"),
            *("filename", "folderpath", "previousfilename", "sha256", "sha1", "md5", "processcommandline"),
            *("accountname", "accountdomain", "registrykey", "registryvaluename", "registryvaluedata", "logontype"),
            *("failurereason", "remotedevicename", "fileoriginurl"),
        ),
        keys=frozenset({"timestamp", "devicename", "actiontype"}),
    ),
    clock=Clock.IN_THE_STAMP,
    kind="r.ActionType",
    parts=(
        Part(table="network_activity", when=of("r", CONNECTION), columns=of("r", CONNECTION_COLUMNS)),
        Part(table="dns_activity", when=of("r", DNS), columns=of("r", DNS_COLUMNS)),
        Part(table="http_activity", when=of("r", HTTP), columns=of("r", HTTP_COLUMNS)),
        Part(table="system_activity", when=of("r", OTHER), columns=of("r", OTHER_COLUMNS)),
    ),
    status=((of("r", LISTENING), "status line: a port began to listen; no connection"),),
    shows="which process of which device contacted what; DNS and HTTP where inspected; processes, files, logons",
    cannot_show="bytes; paths of HTTPS; every connection (Defender samples and merges repeated ones)",
    reference="Microsoft Defender XDR, advanced hunting schema: Device… tables",
)
