"""What one cloud or office suite must tell of its audit records; one module beside this for each.

Below the questions: the common columns are the formats' work, the operations `knowledge`'s. What is left differs
from cloud to cloud: who stands behind a record, how its resource is named, what a change opens and to whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from playbooks.case_file import Own
from playbooks.knowledge.operations import Operation

# Columns of `api_activity` that say who acted, in the order of `Actor`.
ACTOR_COLUMNS = (
    "cloud_provider",
    "actor_user_type",
    "actor_user_name",
    "actor_user_uid",
    "actor_session_issuer",
    "actor_invoked_by",
    "cloud_account_uid",
)
# Phases whose success can open something, or make an endpoint.
OPENING_PHASES = frozenset({"create", "modify-code", "modify-config", "permission", "trigger", "identity"})
CHANGING_PHASES = OPENING_PHASES - {"identity"}


@dataclass(frozen=True)
class Actor:
    """Who acted, as `ACTOR_COLUMNS` of a record say it. `account` owns the resource."""

    provider: str | None
    kind: str | None
    name: str | None
    uid: str | None
    issuer: str | None
    invoked_by: str | None
    account: str | None


@dataclass(frozen=True)
class Principal:
    """Who acted.

    `via` is the session or service in between; a null `name` means the record names nobody. `is_user` says whether a
    user's credentials were used, a person's or those a program was given; false for roles, apps and services, null
    where the record does not tell.
    """

    name: str | None
    kind: str | None
    via: str | None
    is_user: bool | None = None


@dataclass(frozen=True)
class Call:
    """What was done to what, as a record says it.

    `request` and `response` are empty where the record has none. `logged_name` and `logged_uid` are the columns
    `resource_name` and `resource_uid`; `detail` is the message of a call that failed. `own` is what the case says is
    of the house.
    """

    operation: Operation
    request: dict[str, object]
    response: dict[str, object]
    account: str | None
    region: str | None
    logged_name: str | None
    logged_uid: str | None
    failed: bool
    detail: str | None
    own: Own


@dataclass(frozen=True)
class Facts:
    """What a call tells of its resource.

    Attributes
    ----------
    resource, uid
        Short name, without alias and version, and full id where the record has one.
    exposure
        What the call opens, to whom; or would have opened, where it failed. Null where that is nothing.
    endpoint
        The host that a success made.
    touched
        Full ids of the functions and their like that a change's request names; of an address, `https://` and its host.
    role, passed
        Identity that the function runs as, and the one that this call itself gave it.
    triggers
        Kinds of triggers that a change sets: `schedule`, `event source sqs`, `function URL`; sorted.
    schedule
        When it is to run, as the request writes it; null where the request sets no times.
    phase
        What the record shows that it was, where the catalogue's phase holds under a condition; else null.
    """

    resource: str | None
    uid: str | None
    exposure: str | None = None
    endpoint: str | None = None
    touched: tuple[str, ...] = ()
    role: str | None = None
    passed: str | None = None
    triggers: tuple[str, ...] = ()
    schedule: str | None = None
    phase: str | None = None


@dataclass(frozen=True)
class Target:
    """A function, or its like, that the change of another resource names; null is what its id does not tell."""

    resource_type: str
    resource: str
    account: str | None
    place: str | None


class Cloud(Protocol):
    """One provider's records."""

    def principal(self, actor: Actor) -> Principal:
        """The person or pipeline behind a record, not the key or session it used."""

    def facts(self, call: Call) -> Facts:
        """What a call tells of its resource."""

    def place(self, region: str | None, uid: str | None) -> str | None:
        """What tells namesakes of one account apart (region, resource group); null where it is not told or needed."""

    def target(self, uid: str) -> Target | None:
        """The resource behind an id of `Facts.touched`; null for an address, and for an id of another shape."""


class NamedPerAccount:
    """Of a cloud whose names are unique in an account, and whose changes name no other resource by an id."""

    def place(self, _region: str | None, _uid: str | None) -> str | None:
        """Nothing more is needed to tell namesakes apart."""
        return None

    def target(self, _uid: str) -> Target | None:
        """No id of such a cloud stands in `Facts.touched`."""
        return None
