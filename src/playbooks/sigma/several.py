"""Fields of records in which a list stands on the way: every value of a field, any of which may fit.

Sigma's fields know no lists: `resources.ARN` is the ARN of each resource.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from playbooks.sigma.sources import Place

MAX_VALUES = 200  # of one field of one record; beyond lies no record of a service
NAME_KEYS = ("name", "Name", "key")
VALUE_KEYS = ("value", "Value", "intValue", "boolValue", "multiValue", "multiIntValue")


def values_of(record: Any, places: Sequence[Place]) -> list[str]:
    """The values of a field: those at the first place where there are any."""
    for place in places:
        found = list(_values(record, place))[:MAX_VALUES]
        if found:
            return found
    return []


def json_of(text: str | None) -> Any:
    """`text` as JSON; None for what is none, and what is nested too deeply."""
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return None


def _values(record: Any, place: Place) -> Iterator[str]:
    found: Iterable[Any] = _at(record, place.steps)
    if place.named:
        found = _named(found, place.named)
    if place.inside:
        found = (leaf for one in found for leaf in _at(json_of(one) if isinstance(one, str) else one, place.inside))
    for leaf in found:
        yield from (text + place.behind for text in _texts(leaf))


def _at(value: Any, steps: Sequence[str]) -> Iterator[Any]:
    if not steps:
        yield value
    elif isinstance(value, dict):
        if steps[0] in value:
            yield from _at(value[steps[0]], steps[1:])
    elif isinstance(value, list):
        for one in value[:MAX_VALUES]:
            yield from _at(one, steps)


def _named(found: Iterable[Any], name: str) -> Iterator[Any]:
    """The value of the entry of that name in lists of names and values."""
    for listed in found:
        for entry in listed if isinstance(listed, list) else [listed]:
            if isinstance(entry, dict) and any(entry.get(key) == name for key in NAME_KEYS):
                yield from (entry[key] for key in VALUE_KEYS if key in entry)


def _texts(leaf: Any) -> Iterator[str]:
    """A value as the texts that rules compare: each entry of a list, and a list of objects as a whole besides."""
    if isinstance(leaf, list):
        for one in leaf[:MAX_VALUES]:
            yield from _texts(one)
        if any(isinstance(one, dict) for one in leaf):
            yield _text(json.dumps(leaf, ensure_ascii=False, separators=(",", ":")))
    elif isinstance(leaf, bool):
        yield "true" if leaf else "false"
    elif isinstance(leaf, dict):
        yield _text(json.dumps(leaf, ensure_ascii=False, separators=(",", ":")))
    elif leaf is not None:
        yield _text(str(leaf))


def _text(text: str) -> str:
    """Half a surrogate pair is written as an escape: no encoder takes it."""
    return text.encode("utf-8", "backslashreplace").decode()
