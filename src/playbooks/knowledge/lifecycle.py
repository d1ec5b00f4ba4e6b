"""What a record around first contact says of the stages of an intrusion, and which telemetry could say it.

A rule reads one record and says "consistent with". Every rule carries its innocent reading, its sources and how
sure it is; technique ids are those of the release that `knowledge.attack` is pinned to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from playbooks.knowledge.attack import technique
from playbooks.knowledge.data import read_data
from playbooks.knowledge.operations import Phase, load_operations

STRICT = ConfigDict(extra="forbid")
SELDOM_TELLING = ("invoke", "discovery")  # phases of a working day
Side = Literal["device", "client", "wire", "user"]
Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Stage:
    """One stage.

    `shown_by` names the channels of which one must be in evidence before silence means anything; `needs` whether it
    must report around first contact, or before it.
    """

    __pydantic_config__ = STRICT
    id: str
    name: str
    tactics: tuple[str, ...]
    shown_by: tuple[str, ...]
    needs: Literal["around", "before"] = "around"


@dataclass(frozen=True)
class Channel:
    """One kind of telemetry: what it shows, which records belong to it, and what to collect where it is lacking."""

    __pydantic_config__ = STRICT
    id: str
    what: str
    side: Side
    open: str
    classes: tuple[int, ...] = ()
    activities: str | None = None


@dataclass(frozen=True)
class Rule:
    """How one kind of record is read.

    Attributes
    ----------
    channel, stage, attack
        Telemetry it reads, the stage it speaks of, and technique ids as context.
    activity
        RE2 over the name of the event as logged, without case; null fits any.
    matches
        Field → RE2 over its value, without case; all must fit.
    when
        Whether it holds before or after first contact only.
    operations
        Lower-case audit operations, where the rule stands for a phase of `cloud_operations.yaml`.
    telling
        Hardly ordinary on a host: such records are listed before others.
    """

    __pydantic_config__ = STRICT
    id: str
    channel: str
    stage: str
    attack: tuple[str, ...]
    says: str
    telling: bool
    confidence: Confidence
    sources: tuple[str, ...]
    innocent_if: str
    activity: str | None = None
    matches: Mapping[str, str] = field(default_factory=dict)
    when: Literal["before", "after"] | None = None
    operations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Lifecycle:
    """Stages, channels and rules of one release, in the order of the file."""

    __pydantic_config__ = STRICT
    version: str
    stages: tuple[Stage, ...]
    channels: tuple[Channel, ...]
    rules: tuple[Rule, ...]
    phases: Mapping[Phase, str]

    def channel(self, id: str) -> Channel:
        """The channel with this id."""
        return next(one for one in self.channels if one.id == id)

    def channels_of(self, stage: Stage) -> tuple[Channel, ...]:
        """The channels that could show a stage, those that decide first."""
        hints = {rule.channel for rule in self.every_rule if rule.stage == stage.id} - set(stage.shown_by)
        return (*map(self.channel, stage.shown_by), *(one for one in self.channels if one.id in hints))

    @cached_property
    def every_rule(self) -> tuple[Rule, ...]:
        """The rules of the file, then one for each phase of the operations of the clouds."""
        return (*self.rules, *(_of_phase(phase, stage) for phase, stage in self.phases.items()))

    def number_of(self, id: str) -> int:
        """The place of a rule in `every_rule`."""
        return next(place for place, rule in enumerate(self.every_rule) if rule.id == id)


def _of_phase(phase: Phase, stage: str) -> Rule:
    known = [one for one in load_operations().operations if one.phase == phase]
    names = {name.lower() for one in known for name in (one.operation, *one.logged_as)}
    return Rule(
        id=f"operation-{phase}",
        channel="audit",
        stage=stage,
        attack=(),  # those of the operation itself
        says="{user}: {operation} {target}",
        telling=phase not in SELDOM_TELLING,
        confidence="medium",
        sources=("cloud_operations.yaml",),
        innocent_if="Work on the own cloud; hypothesis B looks at it.",
        operations=tuple(sorted(names)),
    )


def _checked(found: Lifecycle) -> Lifecycle:
    """Refuse ids that nothing declares, and techniques of another stage or release.

    Raises
    ------
    KeyError
        A rule names a technique that the pinned release was not checked for.
    ValueError
        A rule names a stage or channel that does not exist, or only techniques of other stages.
    """
    stages = {stage.id: set(stage.tactics) for stage in found.stages}
    channels = {channel.id for channel in found.channels}
    named = {name for stage in found.stages for name in stage.shown_by} | {rule.channel for rule in found.rules}
    if unknown := (named - channels) | ({rule.stage for rule in found.rules} | set(found.phases.values())) - set(
        stages
    ):
        raise ValueError(f"lifecycle.yaml: {', '.join(sorted(unknown))}: no such stage or channel.")
    for rule in found.rules:
        tactics = {tactic for id in rule.attack for tactic in technique(id).tactics}
        if rule.attack and not tactics & stages[rule.stage]:
            raise ValueError(f"lifecycle.yaml, rule {rule.id}: no technique of it belongs to {rule.stage}.")
    return found


@cache
def load_lifecycle() -> Lifecycle:
    """The rules of this release, read and checked once."""
    return _checked(TypeAdapter(Lifecycle).validate_python(read_data("lifecycle.yaml")))
