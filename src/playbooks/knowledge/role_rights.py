"""Roles of Azure, Google Cloud and Entra ID: what they grant, and which of that tells something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Literal

from pydantic import ConfigDict, TypeAdapter

from playbooks.knowledge.aws_rights import Sourced
from playbooks.knowledge.data import read_data

STRICT = ConfigDict(extra="forbid")
RolePlatform = Literal["azure", "gcp", "entra"]
Means = Literal["code", "run", "rights", "pass", "logs"]


@dataclass(frozen=True)
class Telling(Sourced):
    """An action with which something of interest is done."""

    __pydantic_config__ = STRICT
    platform: RolePlatform
    action: str
    means: Means


@dataclass(frozen=True)
class Permission(Sourced):
    """The permission of Google Cloud behind a method of its audit log."""

    __pydantic_config__ = STRICT
    method: str
    permission: str


@dataclass(frozen=True)
class Unrecorded(Sourced):
    """An action whose use leaves no record unless more than the default is logged."""

    __pydantic_config__ = STRICT
    platform: RolePlatform
    action: str


@dataclass(frozen=True)
class PublishedRole(Sourced):
    """A role as its provider publishes it; see the head of the file."""

    __pydantic_config__ = STRICT
    platform: RolePlatform
    id: str
    name: str
    actions: tuple[str, ...]
    whole: bool
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    kind: str | None = None


@dataclass(frozen=True)
class RoleRights:
    """The file, in its order."""

    __pydantic_config__ = STRICT
    version: str
    sources: Mapping[str, str]
    telling: tuple[Telling, ...]
    permissions: tuple[Permission, ...]
    unrecorded: tuple[Unrecorded, ...]
    roles: tuple[PublishedRole, ...]

    @cached_property
    def permission_of(self) -> Mapping[str, str]:
        """Permission by the last two parts of a method's name."""
        return {row.method: row.permission for row in self.permissions}

    @cached_property
    def role_of(self) -> Mapping[tuple[str, str], PublishedRole]:
        """Role by platform and id in lower case."""
        return {(row.platform, row.id.lower()): row for row in self.roles}


@cache
def load_role_rights() -> RoleRights:
    """The file of this release, read once.

    Raises
    ------
    ValueError
        A row names a source that the file does not describe.
    """
    found = TypeAdapter(RoleRights).validate_python(read_data("role_rights.yaml"))
    named = {row.source for rows in vars(found).values() if isinstance(rows, tuple) for row in rows}
    if unknown := named - set(found.sources):
        raise ValueError(f"role_rights.yaml: {', '.join(sorted(unknown))}: no such source.")
    return found
