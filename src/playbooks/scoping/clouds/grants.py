"""What one cloud must tell of grants: who holds which role where, in its records and in acquired answers.

A grant gives a role to a holder over a scope. What a role may do stands in its definition, which is in evidence, in
`knowledge/role_rights.yaml`, or not known.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from playbooks.case_file import Own
from playbooks.knowledge.role_rights import RolePlatform

MAX_GRANTS = 500  # of one record or answer; the providers' own limits are 1,500 members and 4,000 assignments


@dataclass(frozen=True)
class Grant:
    """One role of one holder over one scope.

    Attributes
    ----------
    key
        By which a later record can end or repeat it: the assignment's id, or its parts.
    holder, holder_type
        Id or address of who holds it, as the provider writes it.
    role
        Id of the role, in lower case where the provider knows no case.
    scope, wide
        Where it holds, and whether that is a whole subscription, project or directory, or more.
    account
        Subscription or project.
    condition
        Title or text of its condition; empty where it has none; null where the evidence does not tell.
    foreign
        Why the holder is none of the house, in words; null where that is not known.
    anyone
        Who may use it, where that is everybody.
    form
        `role`, `app_role` (of an application by itself) or `consent` (of an application for a person).
    """

    key: str
    holder: str
    holder_type: str | None
    role: str
    scope: str
    wide: bool
    account: str | None = None
    condition: str | None = None
    foreign: str | None = None
    anyone: str | None = None
    form: str = "role"


@dataclass(frozen=True)
class Definition:
    """What a role grants; `whole` says that nothing else is."""

    name: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    whole: bool = True
    kind: str | None = None
    refs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """What one record or answer tells.

    `ended` are keys of grants. Where `replaces` names a scope, the grants given are all that it has; `listed` names an
    account of which every grant was asked for.
    """

    given: tuple[Grant, ...] = ()
    ended: tuple[str, ...] = ()
    defined: dict[str, Definition] = field(default_factory=dict)
    replaces: str | None = None
    listed: str | None = None


@dataclass(frozen=True)
class Step:
    """One operation, whose start and end are one, or one acquired answer; contents are parsed, own is the case's."""

    operation: str
    request: dict[str, Any]
    response: dict[str, Any]
    account: str | None
    resource: str | None
    own: Own


class GrantReader(Protocol):
    """One provider's grants.

    `provider` is the value of `cloud_provider`, `platform` that of the knowledge; `operations` are ends of operation
    names in lower case, `asked` operations of acquired answers.
    """

    provider: str
    platform: RolePlatform
    operations: tuple[str, ...]
    asked: tuple[str, ...]

    def record(self, step: Step) -> Told:
        """What a record of a success tells."""

    def answer(self, step: Step) -> Told:
        """What an acquired answer tells."""

    def holder_of(self, uid: str | None, name: str | None) -> str | None:
        """The holder as grants name it, of who acted in a record."""

    def action_of(self, service: str, operation: str) -> str | None:
        """The action as roles name it, of a recorded operation; null where they cannot be compared."""
