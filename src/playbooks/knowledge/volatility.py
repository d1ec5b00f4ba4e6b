"""What can be collected of what a case observes, in order of volatility, with documented retention.

A retention is what a provider documents for everybody; a house may keep more, or have lost more. Where none is
documented the days are null, and `lost` says in words when it goes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from playbooks.knowledge.data import read_data
from playbooks.knowledge.operations import Platform

Entity = Literal["host", "source", "resource", "principal", "account", "destination"]
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Kind:
    """One kind of evidence.

    Attributes
    ----------
    order
        Place in the order of volatility.
    entity, platforms, resource_types, catalogue_ids, tables
        To what it applies; an empty list means any.
    retention_days
        Documented days until it is dropped, counted from the event; null where none is documented.
    acquired_by
        Operations of `playbooks acquire aws` that bring it.
    blind_spots
        Ids of blind spots that ask for it.
    """

    __pydantic_config__ = STRICT
    id: str
    order: int
    entity: Entity
    what: str
    how: str
    retention_days: int | None
    lost: str
    confidence: Literal["high", "medium", "low"]
    sources: tuple[str, ...]
    platforms: tuple[Platform, ...] = ()
    resource_types: tuple[str, ...] = ()
    catalogue_ids: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    acquired_by: tuple[str, ...] = ()
    blind_spots: tuple[str, ...] = ()
    collectable: bool = True

    def applies_to(self, entity: str, platform: str | None = None, part: str | None = None) -> bool:
        """Whether it can be collected of an entity.

        Parameters
        ----------
        entity
            Kind of entity.
        platform
            Its cloud, where it is in one.
        part
            Resource type, catalogue id or event table, whichever tells entities of this kind apart.
        """
        parts = self.resource_types or self.catalogue_ids or self.tables
        return (
            entity == self.entity
            and (not self.platforms or platform in self.platforms)
            and (not parts or part in parts)
        )


@dataclass(frozen=True)
class Volatility:
    """All kinds, in the order of the file."""

    __pydantic_config__ = STRICT
    version: str
    kinds: tuple[Kind, ...]

    def of(self, entity: str, platform: str | None = None, part: str | None = None) -> tuple[Kind, ...]:
        """What can be collected of an entity, the most volatile first."""
        fitting = (kind for kind in self.kinds if kind.applies_to(entity, platform, part))
        return tuple(sorted(fitting, key=lambda kind: kind.order))

    def asked_by(self, blind_spot: str) -> tuple[Kind, ...]:
        """What would close a blind spot."""
        return tuple(kind for kind in self.kinds if blind_spot in kind.blind_spots)


@cache
def load_volatility() -> Volatility:
    """The kinds of this release, read once."""
    return TypeAdapter(Volatility).validate_python(read_data("volatility.yaml"))
