"""The manifest of a MISP feed: which events it has, each in a file of its own.

The whole of it stands on one line. Each event that it names is kept and compared with nothing: its items stand in the
event file of that name, which belongs into evidence too.
Reference: MISP, feeds, manifest.json.
"""

from playbooks.formats.format import Clock, Format, TextLines

EVENT = r'"[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}":\s*\{'
# a byte that is no UTF-8 stands as \xNN, which is no escape of JSON
WHOLE = r"list_transform([replace(r.whole, '\x', '\\x')], lambda t: CASE WHEN json_valid(t) THEN t END)[1]"


def _of_event(path: str) -> str:
    return f"""json_extract_string({WHOLE}, '$."' || item || '".{path}')"""


FORMAT = Format(
    name="misp_manifest",
    product="MISP feed, manifest",
    table="indicators",
    cut=TextLines(rf"^(?P<whole>\s*\{{\s*{EVENT}.*\}}\s*\}}\s*)$"),
    clock=Clock.IN_THE_STAMP,
    undated=f"said({_of_event('timestamp')}) IS NULL",
    # a name that holds a quote is none of MISP, and no path
    each=f"list_filter(json_keys({WHOLE}), lambda k: NOT contains(k, '\"'))",
    columns=f"""
        epoch_time({_of_event("timestamp")})  AS time,
        item                        AS indicator,
        'event'                     AS indicator_type,
        said({_of_event("Orgc.name")})  AS source,
        said({_of_event("info")})   AS description,
        'an event of a feed: its items stand in a file of their own'  AS not_compared
    """,
    shows="which events a feed has: their files belong into evidence",
    cannot_show="the items of these events",
    reference="MISP, feeds",
)
