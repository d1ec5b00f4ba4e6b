"""What is logged, as facets that can be compared: on or off, a scope, a number of days, a place, a level.

A facet is unknown (null) until a record or an acquired answer tells it. Comparing says less, more, same, or unknown
where the state before is not in evidence: a default of a service is used only where its documentation states one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

LESS, MORE, SAME, UNKNOWN = "less", "more", "same", "unknown"
SHOWN = 5  # parts of a scope named in a sentence
SHOWN_TEXT = 120  # characters of a condition


@dataclass(frozen=True)
class Flag:
    """On or off."""

    on: bool


@dataclass(frozen=True)
class Scope:
    """What is covered: (kind, part) pairs; a null part stands for all of its kind."""

    parts: frozenset[tuple[str, str | None]]

    def beyond(self, other: Scope) -> frozenset[tuple[str, str | None]]:
        """What it covers and `other` does not."""
        return frozenset(one for one in self.parts if one not in other.parts and (one[0], None) not in other.parts)


@dataclass(frozen=True)
class Days:
    """How long records are kept; infinity where they do not expire."""

    days: float


@dataclass(frozen=True)
class Place:
    """Where records go."""

    where: str


@dataclass(frozen=True)
class Level:
    """From which severity messages are written; a lower rank writes more."""

    rank: int
    name: str


@dataclass(frozen=True)
class Test:
    """A condition in words of the service's own: it can be seen to change, not which way."""

    text: str


Facet = Flag | Scope | Days | Place | Level | Test
State = Mapping[str, Facet]


@dataclass(frozen=True)
class Difference:
    """How one facet changed: its effect, the word for it, and a sentence part."""

    effect: str
    change: str
    words: str


def compare(name: str, before: Facet | None, after: Facet) -> Difference:
    """What becomes of facet `name`."""
    if before is None:
        return _from_unknown(name, after)
    if before == after:
        return Difference(SAME, "unchanged", f"{name} stays {said(after)}")
    both = f"{name} from {said(before)} to {said(after)}"
    if isinstance(before, Flag) and isinstance(after, Flag):
        return Difference(MORE, "widened", f"{name} on") if after.on else Difference(LESS, "narrowed", f"{name} off")
    if isinstance(before, Days) and isinstance(after, Days):
        longer = after.days > before.days
        return Difference(MORE, "lengthened", both) if longer else Difference(LESS, "shortened", both)
    if isinstance(before, Level) and isinstance(after, Level):
        finer = after.rank < before.rank
        return Difference(MORE, "widened", both) if finer else Difference(LESS, "narrowed", both)
    if isinstance(before, Scope) and isinstance(after, Scope):
        return _of_scopes(name, before, after)
    if isinstance(after, Test):
        return Difference(UNKNOWN, "not comparable", both)
    return Difference(LESS, "redirected", both)


def _of_scopes(name: str, before: Scope, after: Scope) -> Difference:
    lost, won = before.beyond(after), after.beyond(before)
    parts = [f"{name}: no longer {_parts(lost)}"] if lost else []
    parts += [f"{name}: now {_parts(won)} too"] if won else []
    if lost:
        return Difference(LESS, "narrowed", "; ".join(parts))
    return Difference(MORE, "widened", parts[0]) if won else Difference(SAME, "unchanged", f"{name} says the same")


def _from_unknown(name: str, after: Facet) -> Difference:
    words = f"{name} is {said(after)}; the state before is not in evidence"
    if isinstance(after, Flag):
        return Difference(MORE if after.on else LESS, "widened" if after.on else "narrowed", words)
    if isinstance(after, Days) and math.isinf(after.days):
        return Difference(MORE, "lengthened", words)
    if isinstance(after, Scope) and not after.parts:
        return Difference(LESS, "narrowed", words)
    return Difference(UNKNOWN, "not comparable", words)


def covers(now: Facet | None, lost: Facet) -> bool:
    """Whether a state records at least as much as the one that was lost."""
    return now is not None and compare("", lost, now).effect in (SAME, MORE)


def said(facet: Facet) -> str:
    """A facet in words."""
    match facet:
        case Flag(on):
            return "on" if on else "off"
        case Days(days):
            return "without end" if math.isinf(days) else f"{days:g} days"
        case Place(where):
            return where
        case Level(_, name):
            return name
        case Test(text):
            return repr(text[:SHOWN_TEXT])
        case Scope(parts):
            return _parts(parts) if parts else "nothing"


def _parts(parts: frozenset[tuple[str, str | None]]) -> str:
    told = sorted(kind if part is None else f"{kind} {part}" for kind, part in parts)
    return ", ".join(told[:SHOWN]) + (f" and {len(told) - SHOWN} more" if len(told) > SHOWN else "")
