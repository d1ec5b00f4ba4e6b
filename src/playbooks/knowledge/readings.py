"""How the records of a finding may be read: innocent readings and the one of abuse, and which facts speak for each."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from playbooks.knowledge.data import read_data

STRICT = ConfigDict(extra="forbid", populate_by_name=True)


@dataclass(frozen=True)
class Reading:
    """One reading.

    Attributes
    ----------
    only_with
        Facts of which one must be there before the reading is worth a line; empty: always.
    speaks_for, speaks_against
        Ids of facts.
    decides
        What would settle it.
    """

    __pydantic_config__ = STRICT
    id: str
    hypothesis: Literal["A", "B"]
    innocent: bool
    says: str
    speaks_for: Annotated[tuple[str, ...], Field(alias="for")]
    speaks_against: Annotated[tuple[str, ...], Field(alias="against")]
    decides: tuple[str, ...]
    sources: tuple[str, ...]
    only_with: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Readings:
    """All readings, in the order of the file."""

    __pydantic_config__ = STRICT
    version: str
    readings: tuple[Reading, ...]

    def of(self, hypothesis: str, facts: frozenset[str]) -> tuple[Reading, ...]:
        """The readings that are worth a line where these facts are."""
        return tuple(
            one
            for one in self.readings
            if one.hypothesis == hypothesis and (not one.only_with or facts & set(one.only_with))
        )


@cache
def load_readings() -> Readings:
    """The readings of this release, read once."""
    return TypeAdapter(Readings).validate_python(read_data("readings.yaml"))
