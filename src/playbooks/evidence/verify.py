"""Verify: is every byte of the evidence what it was when it was added? Lists all that differs."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bagit

from playbooks.case import Case
from playbooks.cores import cores
from playbooks.errors import EvidenceChanged
from playbooks.evidence import custody, journal
from playbooks.evidence.bag import ALGORITHMS, manifest, tag_manifest
from playbooks.evidence.checks import Check, State
from playbooks.evidence.custody import Fault
from playbooks.evidence.inputs import printable
from playbooks.evidence.items import Item, items_in, sha256_of

WORTH_A_THREAD = 1 << 20


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: how much was checked, and the answer of every check."""

    files: int
    size: int
    entries: int
    head: str
    checks: tuple[Check, ...]

    @property
    def faults(self) -> tuple[Fault, ...]:
        return tuple(dict.fromkeys(fault for check in self.checks for fault in check.faults))

    @property
    def intact(self) -> bool:
        return not self.faults

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {"intact": self.intact, **asdict(self), "faults": [asdict(fault) for fault in self.faults]}


def verify(case: Case) -> Verdict:
    """Check bag, custody chain and decisions against each other; changes nothing."""
    chain = custody.entries(case.custody)
    known = items_in(chain)
    return Verdict(
        files=len(known),
        size=sum(item.size for item in known),
        entries=len(chain),
        head=str(chain[-1].get("fingerprint", "")) if chain else "",
        checks=(_check_chain(case, chain), _check_bag(case, known), _check_decisions(case, chain)),
    )


def check_of(name: str, faults: list[Fault], detail: str) -> Check:
    """A check that is verified where it has no faults; what evidence says in them is made printable."""
    told = tuple(dict.fromkeys(Fault(printable(fault.where), printable(fault.what)) for fault in faults))
    if told:
        return Check(name, State.BROKEN, f"{len(told)} {'fault' if len(told) == 1 else 'faults'}", told)
    return Check(name, State.VERIFIED, detail)


def _check_bag(case: Case, known: list[Item]) -> Check:
    if not known and not any(not path.is_dir() for path in case.evidence.rglob("*")):
        return Check("bag", State.NOT_PRESENT, "no evidence was added yet")
    size = sum(item.size for item in known)
    detail = f"{len(known):,} files, {size:,} bytes: SHA-256 of every byte, both manifests, and the custody chain agree"
    faults = [*_broken_off(case), *_bag_faults(case), *_disagreement(case, known)]
    return check_of("bag", faults, detail)


def _broken_off(case: Case) -> list[Fault]:
    if not journal.is_pending(case):
        return []
    what = "an addition was broken off; the same `playbooks add` again, or `playbooks run`, finishes it"
    return [Fault("evidence", what)]


def _check_chain(case: Case, chain: list[dict[str, Any]]) -> Check:
    if not chain:
        return check_of("custody chain", custody.check(case.custody, case.config.case_id), "")
    detail = f"entries 1 to {len(chain)}, head {chain[-1].get('fingerprint', '')}"
    cut_off = sum(1 for entry in chain if entry.get("activity") == "write cut off")
    if cut_off:
        detail += f"; {cut_off} times a write was cut off and set aside in an entry of its own"
    return check_of("custody chain", custody.check(case.custody, case.config.case_id), detail)


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


def _check_decisions(case: Case, chain: list[dict[str, Any]]) -> Check:
    decided = sum(1 for entry in chain if entry.get("activity") == "decided")
    if not decided and not case.decisions.is_file():
        return Check("decisions", State.NOT_PRESENT, "nothing was decided yet")
    return check_of("decisions", _decision_faults(case, chain), f"{decided} decisions, each as the chain records it")


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
        return []  # what the chain says was added is told as missing from the manifests
    stated = manifest(bag / "manifest-sha256.txt") | manifest(bag / "tagmanifest-sha256.txt")
    present = {file.relative_to(bag).as_posix() for file in bag.rglob("*") if not file.is_dir() or file.is_symlink()}
    expected = set(stated) | {f"tagmanifest-{algorithm}.txt" for algorithm in ALGORITHMS}
    faults = [Fault(f"evidence/{path}", "missing") for path in sorted(expected - present)]
    extra = present - expected
    faults += [Fault(f"evidence/{path}", "extra: nothing records it") for path in sorted(extra)]
    both = sorted(set(stated) & present)
    for path, found in zip(both, _digests([bag / path for path in both]), strict=True):
        if found != stated[path]:
            faults.append(Fault(f"evidence/{path}", f"changed: SHA-256 was {stated[path]}, is {found}"))
    return faults or _form_faults(bag)


def _digests(files: list[Path]) -> list[str]:
    """SHA-256 of each; large ones in threads, because hashing frees the interpreter and cores work at once."""
    with ThreadPoolExecutor(cores()) as hashing:
        large = {file: hashing.submit(sha256_of, file) for file in files if _size(file) >= WORTH_A_THREAD}
        return [large[file].result() if file in large else sha256_of(file) for file in files]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


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


def _disagreement(case: Case, known: list[Item]) -> list[Fault]:
    """Manifests and custody chain must tell the same, so that changing one of them shows."""
    faults = []
    for algorithm in ALGORITHMS:
        name = f"manifest-{algorithm}.txt"
        stated = manifest(case.evidence / name)
        for item in known:
            path = f"data/{item.name}"
            found = stated.pop(path, None)
            if found is None:
                faults.append(Fault(f"evidence/{path}", f"not in {name}, though the chain says it was added"))
            elif found != getattr(item, algorithm):
                faults.append(Fault(f"evidence/{path}", f"{name} and custody chain state different digests"))
        faults += [Fault(f"evidence/{path}", f"in {name}, but the chain does not record it") for path in stated]
    return faults
