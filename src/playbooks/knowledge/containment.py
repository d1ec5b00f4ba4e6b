"""What can be done about a finding, in which order, and what each option does to evidence. The kit carries none out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from playbooks.knowledge.data import read_data
from playbooks.knowledge.operations import Platform

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Option:
    """One option; the fields stand in `containment.yaml`. `undo` is null where it cannot be taken back."""

    __pydantic_config__ = STRICT
    id: str
    order: int
    option: str
    effect: str
    evidence: str
    undo: str | None
    confidence: Literal["high", "medium", "low"]
    sources: tuple[str, ...]
    hypothesis: Literal["A", "B"] | None = None
    platforms: tuple[Platform, ...] = ()
    types: tuple[str, ...] = ()
    with_facts: tuple[str, ...] = ()

    def applies_to(
        self, hypothesis: str, platforms: frozenset[str], types: frozenset[str], facts: frozenset[str]
    ) -> bool:
        """Whether it makes sense for a finding with these."""
        return (
            self.hypothesis in (None, hypothesis)
            and (not self.platforms or bool(platforms & set(self.platforms)))
            and (not self.types or bool(types & set(self.types)))
            and (not self.with_facts or bool(facts & set(self.with_facts)))
        )


@dataclass(frozen=True)
class Containment:
    """All options."""

    __pydantic_config__ = STRICT
    version: str
    options: tuple[Option, ...]

    def of(
        self, hypothesis: str, platforms: frozenset[str], types: frozenset[str], facts: frozenset[str]
    ) -> tuple[Option, ...]:
        """What applies, in the order in which it is to be considered."""
        fitting = (one for one in self.options if one.applies_to(hypothesis, platforms, types, facts))
        return tuple(sorted(fitting, key=lambda one: (one.order, one.id)))


@cache
def load_containment() -> Containment:
    """The options of this release, read once."""
    return TypeAdapter(Containment).validate_python(read_data("containment.yaml"))
