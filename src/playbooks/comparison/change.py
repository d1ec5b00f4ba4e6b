"""One difference between two sides, and how plain data differs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

CAUSES = ("evidence", "version", "own format", "parameter", "case.yaml", "decision")
EFFECTS = ("outcome", "finding", "limit", "other result")


@dataclass(frozen=True)
class Change:
    """One difference.

    Attributes
    ----------
    part
        One of `CAUSES` or `EFFECTS`.
    subject
        What differs: the name of an item, a field's path, the id of a question or finding.
    change
        How: added, removed, changed, appeared, gone, moved, signal added, …
    first, second
        What the two sides say; None where a side says nothing.
    refs
        Records behind it, as the side that has them names them.
    why
        What the files themselves say of the reason; empty where they say nothing.
    """

    part: str
    subject: str
    change: str
    first: str | None = None
    second: str | None = None
    refs: tuple[str, ...] = ()
    why: str = ""


def text_of(value: Any) -> str:
    """A value as text: a string as it is, anything else as JSON with sorted keys."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def differing(part: str, first: Any, second: Any, path: str = "") -> Iterator[Change]:
    """Every field in which two values of JSON differ, by its path; of lists the entries that one of them lacks."""
    if first == second:
        return
    if isinstance(first, dict) and isinstance(second, dict):
        for name in sorted(first.keys() | second.keys()):
            yield from _field(part, f"{path}.{name}" if path else name, name, first, second)
    elif isinstance(first, list) and isinstance(second, list):
        before, after = (Counter(text_of(entry) for entry in entries) for entries in (first, second))
        yield from (Change(part, path, "removed", first=entry) for entry in (before - after).elements())
        yield from (Change(part, path, "added", second=entry) for entry in (after - before).elements())
        if before == after:
            yield Change(part, path, "changed", "the same entries", "in another order")
    else:
        yield Change(part, path, "changed", text_of(first), text_of(second))


def _field(part: str, path: str, name: str, first: dict[str, Any], second: dict[str, Any]) -> Iterator[Change]:
    if name not in first:
        yield Change(part, path, "added", second=text_of(second[name]))
    elif name not in second:
        yield Change(part, path, "removed", first=text_of(first[name]))
    else:
        yield from differing(part, first[name], second[name], path)
