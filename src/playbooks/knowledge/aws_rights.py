"""What AWS publishes of rights: accounts of its layers, its managed policies, and the actions that operations need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter

from playbooks.knowledge.data import read_data

STRICT = ConfigDict(extra="forbid")
Confidence = Literal["high", "medium", "low"]


@dataclass(frozen=True)
class Sourced:
    """`source` names one of the file's sources."""

    __pydantic_config__ = STRICT
    source: str = field(kw_only=True)
    confidence: Confidence = field(kw_only=True)


@dataclass(frozen=True)
class LayerAccounts(Sourced):
    """Accounts from which AWS publishes the layers of one product."""

    __pydantic_config__ = STRICT
    product: str
    accounts: tuple[str, ...]


@dataclass(frozen=True)
class ManagedPolicy(Sourced):
    """The statements of one version of a policy that AWS manages, as its document writes them."""

    __pydantic_config__ = STRICT
    arn: str
    version: str
    statements: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Prefix(Sourced):
    """The first label of a record's event source, and the prefix that IAM uses."""

    __pydantic_config__ = STRICT
    label: str
    prefix: str


@dataclass(frozen=True)
class Action(Sourced):
    """The action of IAM behind an operation that records call otherwise."""

    __pydantic_config__ = STRICT
    operation: str
    action: str


@dataclass(frozen=True)
class Free(Sourced):
    """An operation that needs no grant."""

    __pydantic_config__ = STRICT
    operation: str


@dataclass(frozen=True)
class Incomparable(Sourced):
    """A service whose actions are not named after operations."""

    __pydantic_config__ = STRICT
    service: str
    why: str


@dataclass(frozen=True)
class DataRights(Sourced):
    """Rights whose use is a data event, or leaves no record of CloudTrail."""

    __pydantic_config__ = STRICT
    rights: tuple[str, ...]
    log: Literal["data", "none"]


@dataclass(frozen=True)
class AwsRights:
    """The file, in its order."""

    __pydantic_config__ = STRICT
    version: str
    sources: Mapping[str, str]
    layer_accounts: tuple[LayerAccounts, ...]
    managed_policies: tuple[ManagedPolicy, ...]
    prefixes: tuple[Prefix, ...]
    actions: tuple[Action, ...]
    no_right_needed: tuple[Free, ...]
    not_comparable: tuple[Incomparable, ...]
    data_rights: tuple[DataRights, ...]

    @cached_property
    def layers_of_aws(self) -> frozenset[str]:
        """Every account from which AWS publishes layers."""
        return frozenset(account for row in self.layer_accounts for account in row.accounts)

    @cached_property
    def published(self) -> Mapping[str, ManagedPolicy]:
        """Managed policies by ARN."""
        return {row.arn: row for row in self.managed_policies}

    @cached_property
    def prefix_of(self) -> Mapping[str, str]:
        """Prefix of IAM by the label of the event source, where they differ."""
        return {row.label: row.prefix for row in self.prefixes}

    @cached_property
    def action_of(self) -> Mapping[str, str]:
        """Action by operation, both with their prefix."""
        return {row.operation: row.action for row in self.actions}

    @cached_property
    def free(self) -> frozenset[str]:
        """Operations that need no grant."""
        return frozenset(row.operation for row in self.no_right_needed)

    @cached_property
    def incomparable(self) -> frozenset[str]:
        """Labels of services that cannot be compared."""
        return frozenset(row.service for row in self.not_comparable)

    @cached_property
    def unrecorded(self) -> tuple[str, ...]:
        """Rights whose use no management event shows."""
        return tuple(right for row in self.data_rights for right in row.rights)


@cache
def load_aws_rights() -> AwsRights:
    """The file of this release, read once.

    Raises
    ------
    ValueError
        A row names a source that the file does not describe.
    """
    found = TypeAdapter(AwsRights).validate_python(read_data("aws_rights.yaml"))
    named = {row.source for rows in vars(found).values() if isinstance(rows, tuple) for row in rows}
    if unknown := named - set(found.sources):
        raise ValueError(f"aws_rights.yaml: {', '.join(sorted(unknown))}: no such source.")
    return found
