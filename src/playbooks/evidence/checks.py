"""What one check of a case says: verified, not present, broken, or not checked – and from where on."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum

from playbooks.evidence.custody import Fault


class State(StrEnum):
    """The four answers of a check; *not checked* is never told as *verified*, nor *not present* as *broken*."""

    VERIFIED = "verified"
    NOT_PRESENT = "not present"
    BROKEN = "broken"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True)
class Check:
    """One check: its name, its answer, a sentence with the facts, and every fault where it is broken."""

    name: str
    state: State
    detail: str
    faults: tuple[Fault, ...] = ()

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return asdict(self)
