"""The items of evidence of a case, as its custody chain tells them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playbooks.case import Case
from playbooks.evidence import custody


@dataclass(frozen=True)
class Item:
    """One piece of evidence: its id, its file in the bag, and what was recorded when it was added."""

    evidence_id: str
    name: str
    source: str
    size: int
    sha256: str
    sha512: str
    added: str

    def file(self, case: Case) -> Path:
        """Where the preserved copy lies."""
        return case.evidence / "data" / self.name

    def is_in_bag(self, case: Case) -> bool:
        """Whether a plain file lies there; a name that would lead elsewhere is none of the bag's."""
        file = self.file(case)
        return self.name == file.name and file.is_file() and not file.is_symlink()


FIELDS = tuple(Item.__dataclass_fields__)


def items(case: Case) -> list[Item]:
    """The evidence of a case in the order in which it was added, as the custody chain tells it."""
    return items_in(custody.entries(case.custody))


def items_in(chain: list[dict[str, Any]]) -> list[Item]:
    """The items that these entries of a chain added."""
    added: Iterator[Any] = (entry.get("item") for entry in chain if entry.get("activity") == "added")
    return [Item(**{name: item[name] for name in FIELDS}) for item in added if _is_item(item)]


def _is_item(stated: object) -> bool:
    """Whether this is what `add` writes; anything else in a chain was written by somebody else."""
    if not isinstance(stated, dict) or not set(FIELDS) <= set(stated):
        return False
    size = stated["size"]
    return type(size) is int and size >= 0 and all(isinstance(stated[name], str) for name in FIELDS if name != "size")


def sha256_of(file: Path) -> str:
    """SHA-256 of a plain file; words that are no digest where there is none or it cannot be read."""
    if file.is_symlink() or not file.is_file():
        return "no plain file"
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"unreadable ({error.strerror})"
