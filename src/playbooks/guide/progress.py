"""Long work says how far it is, to whoever listens: a person in the lab. In a headless run nobody does."""

from __future__ import annotations

from collections.abc import Callable

Heard = Callable[[str], None]

_listener: Heard | None = None


def listen(heard: Heard | None) -> None:
    """From now on, `heard` is told each step of long work; None ends it."""
    global _listener
    _listener = heard


def tell(words: str) -> None:
    """Say what is being done, and how far it is."""
    if _listener is not None:
        _listener(words)


class Counted:
    """Counts the parts of one piece of work aloud: `reading evidence: 3 of 15`."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._done = what, total, 0
        tell(what)

    def __call__(self, _part: object = None) -> None:
        self._done += 1
        tell(f"{self._what}: {self._done:,} of {self._total:,}")
