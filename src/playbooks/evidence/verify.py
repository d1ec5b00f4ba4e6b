"""Verify: is every byte of the evidence what it was when it was added? Lists all that differs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bagit

from playbooks.case import Case
from playbooks.errors import EvidenceChanged
from playbooks.evidence import custody
from playbooks.evidence.custody import Fault
from playbooks.evidence.preserve import ALGORITHMS, items, printable, sha256_of, tag_manifest


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: how much was checked, and every fault."""

    files: int
    size: int
    entries: int
    head: str
    faults: tuple[Fault, ...]

    @property
    def intact(self) -> bool:
        return not self.faults

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {"intact": self.intact, **asdict(self)}


def verify(case: Case) -> Verdict:
    """Check bag and custody chain against each other; changes nothing."""
    known = items(case)
    chain = custody.entries(case.custody)
    faults = [*custody.check(case.custody, case.config.case_id), *_bag_faults(case), *_disagreement(case)]
    faults += _decision_faults(case, chain)
    return Verdict(
        files=len(known),
        size=sum(item.size for item in known),
        entries=len(chain),
        head=str(chain[-1].get("fingerprint", "")) if chain else "",
        faults=tuple(dict.fromkeys(Fault(printable(fault.where), printable(fault.what)) for fault in faults)),
    )


def require_intact(case: Case) -> Verdict:
    """Verify, and stop with everything that differs.

    Raises
    ------
    EvidenceChanged
        Anything is not as it was recorded.
    """
    verdict = verify(case)
    if not verdict.intact:
        lines = [f"  {fault.where}: {fault.what}" for fault in verdict.faults]
        raise EvidenceChanged(
            f"{case.path}: evidence is not what it was when it was added.\n"
            + "\n".join(lines)
            + "\nNothing was run. Find out who changed it; restore the files from a copy, then verify again."
        )
    return verdict


def _decision_faults(case: Case, chain: list[dict[str, Any]]) -> list[Fault]:
    """Every line of `decisions.jsonl` must stand in the chain as it was decided, and none may be missing."""
    decided = [entry["decision"] for entry in chain if entry.get("activity") == "decided" and "decision" in entry]
    lines = case.decisions.read_bytes().splitlines() if case.decisions.is_file() else []
    faults = []
    for number, line in enumerate(lines, start=1):
        try:
            known = json.loads(line) in decided
        except ValueError:
            known = False
        if not known:
            faults.append(Fault(f"{case.decisions.name}, line {number}", "the chain records no such decision"))
    if len(lines) < len(decided):
        faults.append(Fault(case.decisions.name, f"{len(lines)} lines, but the chain records {len(decided)} decisions"))
    return faults


def _bag_faults(case: Case) -> list[Fault]:
    """Every changed, missing and extra file of the bag; then what the BagIt library says of its form."""
    bag = case.evidence
    if not bag.is_dir():
        return []
    stated = _manifest(bag / "manifest-sha256.txt") | _manifest(bag / "tagmanifest-sha256.txt")
    present = {file.relative_to(bag).as_posix() for file in bag.rglob("*") if not file.is_dir() or file.is_symlink()}
    expected = set(stated) | {f"tagmanifest-{algorithm}.txt" for algorithm in ALGORITHMS}
    faults = [Fault(f"evidence/{path}", "missing") for path in sorted(expected - present)]
    extra = present - expected
    faults += [Fault(f"evidence/{path}", "extra: nothing records it") for path in sorted(extra)]
    for path in sorted(set(stated) & present):
        found = sha256_of(bag / path)
        if found != stated[path]:
            faults.append(Fault(f"evidence/{path}", f"changed: SHA-256 was {stated[path]}, is {found}"))
    return faults or _form_faults(bag)


def _form_faults(bag: Path) -> list[Fault]:
    """What the files alone do not show: a tag manifest or the bag as a whole that is not as written."""
    for algorithm in ALGORITHMS:
        file = bag / f"tagmanifest-{algorithm}.txt"
        if file.read_bytes() != tag_manifest(bag, algorithm).encode():
            return [Fault(f"evidence/{file.name}", "changed: it does not fit the tag files")]
    try:
        bagit.Bag(str(bag)).validate(completeness_only=True)
    except (bagit.BagError, OSError, ValueError) as error:
        return [Fault("evidence", f"not a valid bag: {error}")]
    return []


def _disagreement(case: Case) -> list[Fault]:
    """Manifests and custody chain must tell the same, so that changing one of them shows."""
    known = items(case)
    faults = []
    for algorithm in ALGORITHMS:
        name = f"manifest-{algorithm}.txt"
        stated = _manifest(case.evidence / name)
        for item in known:
            path = f"data/{item.name}"
            found = stated.pop(path, None)
            if found is None:
                faults.append(Fault(f"evidence/{path}", f"not in {name}, though the chain says it was added"))
            elif found != getattr(item, algorithm):
                faults.append(Fault(f"evidence/{path}", f"{name} and custody chain state different digests"))
        faults += [Fault(f"evidence/{path}", f"in {name}, but the chain does not record it") for path in stated]
    return faults


def _manifest(file: Path) -> dict[str, str]:
    if not file.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in file.read_text(encoding="utf-8", errors="replace").splitlines())
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}
