"""A blind spot: one entry of the register."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class BlindSpot:
    """Something that could not be looked at, how that was established, and what it forbids to conclude."""

    id: str
    missing: str
    forbids: str
    how_established: str
    recommend: str
    questions: tuple[str, ...] = ()
