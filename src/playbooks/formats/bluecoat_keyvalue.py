"""Blue Coat / Symantec ProxySG and Cloud SWG access log as name=value pairs, by the names of the W3C fields.

An administrator writes such a format by hand; names in parentheses are written with dashes (`cs-User-Agent`).
Values with blanks are quoted. The fields are those of the ELFF log.
Reference: Broadcom Edge SWG (ProxySG) documentation, "Access log formats", custom format strings.
"""

from playbooks.formats.bluecoat_elff import FORMAT as ELFF
from playbooks.formats.format import Clock, Format, Pairs

SPELT = {
    "cs_user_agent": "cs_User_Agent",
    "cs_referer": "cs_Referer",
    "cs_x_forwarded_for": "cs_X_Forwarded_For",
}

FORMAT = Format(
    name="bluecoat_keyvalue",
    product="Blue Coat / Symantec ProxySG and Cloud SWG access log, name=value",
    table="http_activity",
    cut=Pairs(
        style="keyvalue",
        fields=tuple(SPELT.get(name, name) for name in getattr(ELFF.cut, "fields", ())),
        keys=frozenset({"c_ip", "cs_host", "date", "time"}),
        any_of=frozenset({"s_action", "sc_filter_result"}),
    ),
    clock=Clock.IN_THE_STAMP,
    # a line that ends before its host was cut off; nothing of it is to be trusted
    columns=ELFF.columns.replace("iso_time(r.date", "iso_time(CASE WHEN r.cs_host IS NOT NULL THEN r.date END"),
    shows=ELFF.shows,
    cannot_show=ELFF.cannot_show,
    reference="Broadcom Edge SWG (ProxySG) documentation, access log formats",
)
