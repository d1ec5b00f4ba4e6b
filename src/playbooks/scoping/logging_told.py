"""What a record of another provider than AWS tells of a log, and the parts of it that are read."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.scoping.logging_state import State


@dataclass(frozen=True)
class LogRecord:
    """One record: operation in lower case, request and answer as text, the resource by its name, the service."""

    operation: str
    request: str | None
    response: str | None
    resource: str | None
    service: str = ""


@dataclass(frozen=True)
class Told:
    """What one record sets of which thing; `word` where it ends something."""

    kind: str
    name: str | None
    sets: State
    word: str | None = None


def whole_number(text: str | None) -> float | None:
    """A number of days; null for anything else, whatever its length."""
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else None
