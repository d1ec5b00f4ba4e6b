"""Microsoft 365 unified audit log as CSV: the record stands as JSON text in the column `AuditData`.

Exports of the portal (two layouts) and of `Search-UnifiedAuditLog | Export-Csv`; the other columns only repeat
what the JSON holds, in the zone and spelling of the exporting machine, and are not read. Text that a
spreadsheet has cut at 32,767 characters is no JSON any more, and its record is unread.
Reference: Microsoft, "Export, configure, and view audit log records", column AuditData.
"""

import re

from playbooks.formats.format import Clock, Columns, Format
from playbooks.formats.m365_ual import FORMAT as RECORD
from playbooks.formats.m365_ual import SHAPE

# The record `a` in the cell is the one that `m365_ual` reads; here it has to be taken out of its text first.
MEANT = {name: re.sub(r"\br\.", "a.", value) for name, value in RECORD.every_part[0].select().items()}
# Bytes that are no UTF-8 stand as `\xNN` in the text, which is no escape of JSON: the backslash is doubled.
MENDED = r"regexp_replace(r.auditdata, '\\(x[0-9a-f]{2})', '\\\\\1', 'g')"
TEXT = f"CASE WHEN json_valid(r.auditdata) THEN r.auditdata WHEN json_valid({MENDED}) THEN {MENDED} END"
INNER = f"list_transform([json_transform({TEXT}, '{SHAPE}')]"

FORMAT = Format(
    name="m365_ual_csv",
    product="Microsoft 365 unified audit log, CSV",
    table="api_activity",
    cut=Columns(delimiter=",", fields=("creationdate", "auditdata"), keys=frozenset({"creationdate", "auditdata"})),
    clock=Clock.IN_THE_STAMP,
    columns=",\n".join(f"{INNER}, lambda a: {value})[1] AS {name}" for name, value in MEANT.items()),
    shows=RECORD.shows,
    cannot_show=RECORD.cannot_show,
    reference="Microsoft, Export, configure, and view audit log records",
)
