"""One thing of ours: who answers for it, by which names it is known, and where that is written."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel, ConfigDict, Field, model_validator

DIGITS_SHOWN = 12  # of a SHA-256, in sentences


class Owned(BaseModel):
    """One inventory entry: a serverless resource or host of ours, with its owner, and the last day of its approval."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    owner: str
    service: str | None = None
    resource: str | None = None
    host: str | None = None
    tenant: str | None = None
    approved: bool = True
    expires: dt.date | None = None

    @model_validator(mode="after")
    def _names_something(self) -> Owned:
        if not (self.resource or self.host or self.tenant):
            raise ValueError("an inventory entry names a resource, a host or a tenant")
        return self

    @property
    def names(self) -> str:
        """What it names, most exact first."""
        return str(self.host or self.resource or self.tenant)

    @property
    def account_uid(self) -> str | None:
        """The account it lies in, where the entry tells."""
        return None

    def words(self) -> str:
        """Where it is written and who answers for it, for sentences."""
        return f"in the inventory, owner {self.owner}" if self.owner.strip() else "in the inventory, no owner named"


class Listed(Owned):
    """One entry of an inventory file: without an owner it is approved by nobody.

    `file`, `place` (line, or place in the JSON document) and `sha256` (of the file) say where it stands; `layout` is
    the name of what was read.
    """

    owner: str = ""
    account: str | None = None
    region: str | None = None
    file: str = ""
    place: str = ""
    sha256: str = ""
    layout: str = ""

    @property
    def account_uid(self) -> str | None:
        return self.account

    def words(self) -> str:
        """The same with the pointer: file, place in it, and the beginning of its digest."""
        pointer = f"in the inventory ({self.file}, {self.place}, SHA-256 {self.sha256[:DIGITS_SHOWN]})"
        return f"{pointer}, owner {self.owner}" if self.owner.strip() else f"{pointer}, no owner named"


class InventoryFile(BaseModel):
    """A file in the folder of the case that lists what is ours.

    Who enters `owner` and `approved: true` answers for every entry of the file that names nobody else. An export of a
    provider shows what exists, the adversary's too: without `approved` it approves nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    file: str = Field(min_length=1)
    owner: str = ""
    approved: bool | None = None
