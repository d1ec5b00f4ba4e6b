"""Signals and what is made of them: how independent facts about one subject add up.

A signal is one fact with the records behind it. Its *kind* says what it was seen by; two signals of one
kind do not count twice. A finding needs two kinds or more. The provider of a host is no kind at all.

A fact that is weak, or repeats what another signal of the same subject rests on, *decides* nothing: it adds to the
score, and is none of the two kinds. So a further signal may make a lead a finding, and never a finding a lead.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

REFS_SHOWN = 20
STRONGEST = 0.9  # no single fact settles a case
# Being seldom is what most of the web is to most clients, and to load first and poll then is what applications
# in a browser do; a rule of others says what its author knew: these kinds support another, and lead nowhere alone.
SUPPORTING = frozenset({"rarity", "client", "burst", "sigma"})
ALLOWED = "/allowed"  # ends the key of what an entry covers: a subject beside what no entry covers


@dataclass(frozen=True)
class Signal:
    """One fact: its kind, a sentence with the figures in it, a weight from 0 to 1, and its records.

    `decides` is false where it is none of the two kinds of a finding; `leads` makes one of a supporting kind a lead.
    """

    kind: str
    sentence: str
    weight: float
    refs: tuple[str, ...]
    decides: bool = True
    leads: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "sentence": self.sentence,
            "weight": round(self.weight, 3),
            "decides": self.decides,
            "refs": list(self.refs[:REFS_SHOWN]),
        }


@dataclass(frozen=True)
class Subject:
    """Something with signals: a destination and who talks to it, or a resource and who changed it."""

    hypothesis: str
    key: str
    title: str
    subjects: dict[str, list[str]]
    first_seen: str
    last_seen: str
    signals: tuple[Signal, ...]
    attack: tuple[str, ...]
    not_observable: tuple[str, ...]
    innocent_if: tuple[str, ...]
    next_steps: tuple[str, ...]
    context: tuple[str, ...] = ()
    allowed_by: str | None = None
    at_most_a_lead: str | None = field(default=None)

    @property
    def id(self) -> str:
        """Stable: the same subject has the same id in every run and on every machine."""
        return f"{self.hypothesis}-{hashlib.sha256(self.key.encode()).hexdigest()[:8]}"

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted({signal.kind for signal in self.signals if signal.weight > 0}))

    @property
    def deciding(self) -> tuple[str, ...]:
        """Kinds of signal that count as one of the two of a finding."""
        return tuple(sorted({signal.kind for signal in self.signals if signal.weight > 0 and signal.decides}))

    @property
    def is_lead(self) -> bool:
        """At least one kind of signal that stands on its own."""
        return bool(set(self.kinds) - SUPPORTING) or any(signal.leads for signal in self.signals)

    @property
    def is_finding(self) -> bool:
        """Two independent kinds of signal, one of them able to lead, and nothing that holds it down."""
        return bool(set(self.deciding) - SUPPORTING) and len(self.deciding) >= 2 and self.at_most_a_lead is None

    def _why_no_finding(self) -> tuple[str, ...]:
        """Why several kinds of signal are a lead all the same; nothing where that is plain."""
        if self.at_most_a_lead:
            return (self.at_most_a_lead,)
        others = [kind for kind in self.kinds if kind not in self.deciding]
        if self.is_finding or len(self.kinds) < 2 or not others:
            return ()
        return (f"A lead all the same: {', '.join(others)} is weak here, or repeats what another signal says.",)

    def as_json(self) -> dict[str, Any]:
        """The contract of `findings.json`."""
        return {
            "id": self.id,
            "hypothesis": self.hypothesis,
            "title": self.title,
            "subjects": self.subjects,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "signals": [signal.as_json() for signal in self.signals],
            "score": score(self.signals),
            "attack": list(self.attack),
            "not_observable": list(self.not_observable),
            "innocent_if": list(self.innocent_if),
            "next_steps": list(self.next_steps),
            "context": [*self.context, *self._why_no_finding()],
            "decision": None,
        }


def score(signals: tuple[Signal, ...]) -> float:
    """Weights added as independent chances, the strongest of each kind once: 1 − Π(1 − w).

    Monotone: a further signal never lowers it. It orders findings; it is no probability of compromise.
    """
    strongest: dict[str, float] = {}
    for signal in signals:
        strongest[signal.kind] = max(strongest.get(signal.kind, 0.0), min(signal.weight, STRONGEST))
    rest = 1.0
    for weight in strongest.values():
        rest *= 1 - weight
    return round(1 - rest, 3)
