"""Values out of the JSON text of audit records, whatever stands in it.

The text is the attacker's as much as the provider's: broken, deeply nested or mistyped JSON gives no value
and no error. The record itself stays an event either way.
"""

from __future__ import annotations

import json
from functools import cache

MAX_VALUES = 100  # values read from one list of a request; a service's own limits lie far below
MAX_TEXT = 2048  # characters of a name: twice the longest that AWS allows
LISTED = "listed"  # where the values of a record stand whose JSON is a list


def json_object(text: object) -> dict[str, object]:
    """`text` as a JSON object; empty where it is none."""
    if isinstance(text, dict):
        return text
    value = _json(text)
    return value if isinstance(value, dict) else {}


def json_record(text: object) -> dict[str, object]:
    """`text` as a JSON object; a list, as some services write one, is held under `LISTED`."""
    value = text if isinstance(text, dict) else _json(text)
    return {LISTED: value} if isinstance(value, list) else value if isinstance(value, dict) else {}


def _json(text: object) -> object:
    try:
        return json.loads(text, parse_int=str, parse_float=str) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def texts_at(record: object, path: str) -> list[str]:
    """Every text or number that stands at dotted `path`; `[]` and lists on the way are walked through."""
    return [clean for clean in map(plain_text, values_at(record, path)) if clean]


def values_at(record: object, path: str) -> list[object]:
    """Whatever stands at dotted `path`, lists walked through: objects, texts, numbers, truth values."""
    found: list[object] = [record]
    for step in _steps(path):
        found = _members(found, step)[:MAX_VALUES]
        if not found:
            return []
    return [leaf for one in found for leaf in (one if isinstance(one, list) else [one])][:MAX_VALUES]


def objects_at(record: object, path: str) -> list[dict[str, object]]:
    """The objects among `values_at`."""
    return [value for value in values_at(record, path) if isinstance(value, dict)]


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
