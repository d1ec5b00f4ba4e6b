"""Values out of the JSON text of audit records, whatever stands in it.

The text is the attacker's as much as the provider's: broken, deeply nested or mistyped JSON gives no value
and no error. The record itself stays an event either way.
"""

from __future__ import annotations

import json
from functools import cache

MAX_VALUES = 100  # values read from one list of a request; a service's own limits lie far below
MAX_TEXT = 2048  # characters of a name: twice the longest that AWS allows


def json_object(text: object) -> dict[str, object]:
    """`text` as a JSON object; empty where it is none."""
    if isinstance(text, dict):
        return text
    if not isinstance(text, str):
        return {}
    try:
        value = json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def texts_at(record: object, path: str) -> list[str]:
    """Every text or number that stands at dotted `path`; `[]` and lists on the way are walked through."""
    found: list[object] = [record]
    for step in _steps(path):
        found = _members(found, step)[:MAX_VALUES]
        if not found:
            return []
    leaves = (leaf for one in found for leaf in (one if isinstance(one, list) else [one]))
    return [clean for clean in map(plain_text, leaves) if clean][:MAX_VALUES]


def text_at(record: object, *paths: str) -> str | None:
    """The first text at any of `paths`, in their order."""
    return next((text for path in paths for text in texts_at(record, path)), None)


@cache
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.replace("[]", "").split("."))


def _members(values: list[object], key: str) -> list[object]:
    """What stands under `key` in objects, or in objects of lists."""
    found: list[object] = []
    for one in (inner for value in values for inner in (value if isinstance(value, list) else (value,))):
        if not isinstance(one, dict):
            continue
        if key in one:
            found.append(one[key])
        else:  # services differ in the case of their keys: uUID, UUID
            found += [held for name, held in one.items() if len(name) == len(key) and name.lower() == key.lower()]
    return found


def plain_text(value: object) -> str | None:
    """A text or number as text that any encoder takes: half a surrogate pair is written as an escape."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return str(value)[:MAX_TEXT].encode("utf-8", "backslashreplace").decode() or None
