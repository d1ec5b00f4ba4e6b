"""Blind spots of packet captures: those that no tool has read, and those that were read only in part."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.case import Case
from playbooks.coverage.blind_spot import BlindSpot
from playbooks.evidence.captures import INSTALL, captures

NOT_READ = "capture-not-read-"


def captures_not_read(case: Case) -> Iterator[BlindSpot]:
    """One for each capture that is not, or may not be, in the events as a whole."""
    for capture in captures(case):
        item = capture.item
        if not capture.is_read:
            yield BlindSpot(
                f"{NOT_READ}{item.evidence_id}",
                f"what the packets of {item.evidence_id} ({item.name}) show: nobody has looked into them",
                "that any name, request, server or volume is absent: this capture may show it",
                capture.state(),
                f"Install a tool ({INSTALL}) and run again; or have another one read it: "
                "playbooks acquire capture CASE --with TOOL",
                ("egress_rhythm", "known_indicators"),
            )
        elif faults := capture.faults():
            yield BlindSpot(
                f"capture-in-part-{item.evidence_id}",
                f"a part of the packets of {item.evidence_id} ({item.name})",
                "that there was nothing else: packets behind the point where reading ended",
                "; ".join(faults),
                "Ask whoever captured it for the whole file, or for the captures before and after it.",
            )
