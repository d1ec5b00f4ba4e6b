"""Log sources in which the behaviour of a finding is looked for, and their names in other tools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from playbooks.knowledge.data import read_data


@dataclass(frozen=True)
class Dialect:
    """How another tool names the records of a log source, and each field; `where` is the beginning of a query.

    Where a field has several names, any of them may hold its value.
    """

    where: str
    fields: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class HuntSource:
    """A log source of Sigma. `fields`: what is looked for → Sigma's fields; an empty list means the whole record."""

    name: str
    about: str
    logsource: Mapping[str, str]
    fields: Mapping[str, tuple[str, ...]]
    dialects: Mapping[str, Dialect]
    providers: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    operations: tuple[str, ...] = field(default=())

    def speaks_of(self, provider: str, service: str, operation: str) -> bool:
        """Whether a row of `cloud_activity` comes of such records."""
        fits = all(
            not patterns or any(fnmatchcase(value.lower(), pattern) for pattern in patterns)
            for value, patterns in ((service, self.services), (operation, self.operations))
        )
        return provider in self.providers and fits


@cache
def egress_sources() -> tuple[HuntSource, ...]:
    """Log sources that show contacts with a destination."""
    return _read("egress")


@cache
def cloud_sources() -> tuple[HuntSource, ...]:
    """Log sources that show what was done in a cloud."""
    return _read("cloud")


def _read(part: str) -> tuple[HuntSource, ...]:
    data: Any = read_data("hunting.yaml")
    return tuple(
        HuntSource(
            entry["name"],
            entry["about"],
            entry["logsource"],
            {role: tuple(names) for role, names in entry["fields"].items()},
            {name: Dialect(**entry[name]) for name in ("kql", "spl") if name in entry},
            *(tuple(entry.get(name, ())) for name in ("providers", "services", "operations")),
        )
        for entry in data[part]
    )
