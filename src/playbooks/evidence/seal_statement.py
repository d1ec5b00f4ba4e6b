"""The statement of a seal: what it says, which bytes it is written in, and where it lies.

`seals/0001.json` is the statement, `0001.json.sig` its signature (SSHSIG), `0001.json.tsr` the answer of a time
stamping authority, if one was asked. A number is never used again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playbooks.case import Case
from playbooks.errors import EvidenceChanged
from playbooks.evidence import custody
from playbooks.evidence.inputs import printable

FOLDER = "seals"
FILE = re.compile(r"([0-9]{4,6})\.json(\.sig|\.tsr)?")
MOST_SEALS = 999_999
TAG_MANIFESTS = ("tagmanifest-sha256.txt", "tagmanifest-sha512.txt")
SEALED, PREPARED, STAMPED = "sealed", "seal prepared", "stamped"
LARGEST_FILE = 1 << 20

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Words = Annotated[str, Field(max_length=1 << 16)]
Count = Annotated[int, Field(ge=0, lt=1 << 63)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Chain(_Part):
    """The custody chain at the moment of the seal."""

    entries: Count
    head: Digest


class Signer(_Part):
    """Whose signature the statement is for."""

    public_key: Words
    fingerprint: Words


class Tool(_Part):
    """What wrote the statement."""

    name: Words
    version: Words


class Statement(_Part):
    """What is signed."""

    type: Literal["playbooks.seal"]
    version: Literal[1]
    seal: Count
    case_id: Words
    time: Words
    bag: dict[Literal["tagmanifest-sha256.txt", "tagmanifest-sha512.txt"], Digest] = Field(min_length=2)
    chain: Chain
    items: Count
    payload_oxum: Words
    signer: Signer
    tool: Tool

    def content(self) -> bytes:
        """The bytes of its file: canonical JSON and a line end."""
        return custody.canonical(self.model_dump()) + b"\n"


def statement_file(case: Case, number: int) -> Path:
    """Where the statement of a seal lies."""
    return case.path / FOLDER / f"{number:04d}.json"


def beside(statement: Path, ending: str) -> Path:
    """The file beside a statement: `.sig` its signature, `.tsr` its time stamp."""
    return statement.with_name(statement.name + ending)


Entries = Sequence[Mapping[str, Any]]


def recorded(chain: Entries, activity: str) -> dict[int, Mapping[str, Any]]:
    """Number of a seal → the first entry of the chain that records this act of it."""
    found: dict[int, Mapping[str, Any]] = {}
    for entry in chain:
        number = entry.get("seal")
        if entry.get("activity") == activity and type(number) is int and 0 < number <= MOST_SEALS:
            found.setdefault(number, entry)
    return found


def numbers(case: Case, chain: Entries) -> list[int]:
    """Every number that was ever used for a seal of this case: by a file, or by an entry of the chain."""
    used = {int(match[1]) for match in map(FILE.fullmatch, _names(case.path / FOLDER)) if match}
    return sorted(used.union(recorded(chain, SEALED), recorded(chain, PREPARED)))


def _names(folder: Path) -> list[str]:
    """What lies in the folder of seals; where it cannot be read, the chain still tells which seals are missed."""
    try:
        return [path.name for path in folder.iterdir()] if folder.is_dir() else []
    except OSError:
        return []


class NoSeal(EvidenceChanged):
    """A file is no statement of a seal."""


def small_file(file: Path) -> bytes:
    """The content of a plain file of a seal.

    Raises
    ------
    NoSeal
        It is missing, no plain file, unreadable or far too large.
    """
    try:
        if file.is_symlink() or not file.is_file():
            raise NoSeal("no plain file" if os.path.lexists(file) else "missing")
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        raise NoSeal(f"cannot be read: {error.strerror}") from error
    if len(content) > LARGEST_FILE:
        raise NoSeal(f"larger than {LARGEST_FILE >> 20} MiB")
    return content


def read_statement(content: bytes) -> Statement:
    """The statement in these bytes; only the one way of writing it is accepted.

    Raises
    ------
    NoSeal
        They are no statement.
    """
    try:
        made = Statement.model_validate_json(content)
        same = made.content() == content
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))[:60]
        raise NoSeal(printable(f"no statement of a seal: {place}: {first['msg']}"[:200])) from error
    if not same:
        raise NoSeal("no statement of a seal: not written in the one canonical way")
    return made
