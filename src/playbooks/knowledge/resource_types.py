"""Which types of resources hold, carry or start code, and where no audit log tells their runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from playbooks.knowledge.data import read_data
from playbooks.knowledge.operations import Operation, Platform, load_operations, platform_of

STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class ResourceType:
    """What one type of resource has to do with code.

    Attributes
    ----------
    does
        `holds`, `carries` or `starts` code; `none` where it is no function and nothing like one.
    not_on
        Platforms on which a resource of the same name is something else.
    runs
        Why no audit log tells its runs; null where operations of phase `invoke` may.
    why
        The decision in a few words.
    """

    __pydantic_config__ = STRICT
    does: Literal["holds", "carries", "starts", "none"]
    not_on: tuple[Platform, ...] = ()
    runs: str | None = None
    why: str | None = None


@dataclass(frozen=True)
class ResourceTypes:
    """All types by name."""

    __pydantic_config__ = STRICT
    version: str
    types: Mapping[str, ResourceType]

    def function_like(self) -> list[str]:
        """Names of the types that are a function or its like on some platform, sorted."""
        return sorted(name for name, one in self.types.items() if one.does != "none")

    def is_function_like(self, provider: str | None, name: str) -> bool:
        """Whether resources of a type are functions or their like at a provider, as a log calls it."""
        known = self.types.get(name)
        return known is not None and known.does != "none" and platform_of(provider or "") not in known.not_on


def runs_of(provider: str | None, name: str) -> tuple[Operation, ...]:
    """Operations by which the catalogue knows that a resource of a type ran: logged ones, and ones that never are."""
    platform = platform_of(provider or "")
    return tuple(
        one
        for one in load_operations().operations
        if one.platform == platform and one.resource_type == name and one.phase == "invoke"
    )


@cache
def load_resource_types() -> ResourceTypes:
    """The types of this release, read once."""
    return TypeAdapter(ResourceTypes).validate_python(read_data("resource_types.yaml"))
