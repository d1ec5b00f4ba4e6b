"""The cases of a folder, and how each one stands: what ran, what was found, and what needs a person."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playbooks.case import CASE_FILE, Case, open_case
from playbooks.errors import CaseError, PlaybookError
from playbooks.evidence import items
from playbooks.findings import decisions
from playbooks.report import counted
from playbooks.steps import STEPS

NOT_RUN, BY_HAND, RAN, STOPPED = "not run", "worked on by hand", "ran", "stopped"
NEEDS_MORE = "needs more"


@dataclass(frozen=True)
class Need:
    """One thing that a person has to do, the notebook in which it is done, and how much it presses (0 most)."""

    words: str
    step: str
    rank: int


@dataclass(frozen=True)
class Standing:
    """How a case stands: `steps` gives the state of each notebook that ran, counts are those of `findings.json`."""

    folder: Path
    case_id: str
    title: str = ""
    state: str = NOT_RUN
    items: int = 0
    findings: int = 0
    leads: int = 0
    blind: int = 0
    steps: tuple[tuple[str, str], ...] = ()
    needs: tuple[Need, ...] = ()

    @property
    def rank(self) -> int:
        """How much it presses: that of its most pressing need."""
        return min((need.rank for need in self.needs), default=9)


def cases_below(folder: Path) -> list[Path]:
    """The folder itself when it holds a case, else the folders in it that do, by name.

    Raises
    ------
    CaseError
        No case here, and none in the folders of this one.
    """
    if (folder / CASE_FILE).is_file():
        return [folder]
    found = sorted(file.parent for file in folder.glob(f"*/{CASE_FILE}"))
    if not found:
        raise CaseError(
            f"{folder}: no {CASE_FILE} here, nor in a folder of it. Expected a case or a folder of cases. "
            f"Make one with: playbooks new {folder} --case-id ID"
        )
    return found


def standing_of(folder: Path) -> Standing:
    """How the case in a folder stands; a case that cannot be opened says so as its need."""
    try:
        return _standing(open_case(folder))
    except (PlaybookError, OSError, ValueError, KeyError, TypeError) as error:
        return Standing(folder, folder.name, needs=(Need(f"Correct what cannot be read: {error}", STEPS[0], 0),))


def _standing(case: Case) -> Standing:
    run, found, held = _read(case.run_record), _read(case.results / "findings.json"), items(case)
    steps = tuple((str(step["name"]), str(step["status"])) for step in run.get("steps", ()))
    blind = sum(outcome["outcome"] == "blind" for outcome in found.get("outcomes", {}).values())
    return Standing(
        folder=case.path,
        case_id=case.config.case_id,
        title=case.config.title,
        state=_state(run, found),
        items=len(held),
        findings=len(found.get("findings", ())),
        leads=len(found.get("leads", ())),
        blind=blind,
        steps=steps,
        needs=tuple(_needs(case, steps, found, len(held), blind)),
    )


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return found


def _state(run: dict[str, Any], found: dict[str, Any]) -> str:
    if failed := next((step["name"] for step in run.get("steps", ()) if step["status"] == "failed"), ""):
        return f"failed at {failed}"
    if run.get("finished"):
        return f"{RAN}, {str(run['finished'])[:16].replace('T', ' ')} UTC"
    return STOPPED if run else BY_HAND if found else NOT_RUN


def _needs(case: Case, steps: tuple[tuple[str, str], ...], found: dict[str, Any], held: int, blind: int) -> list[Need]:
    first, coverage, last = STEPS[0], STEPS[1], STEPS[-1]
    taken = decisions(case)
    needs = [Need(f"{name} failed: read its last cell", name, 1) for name, status in steps if status == "failed"]
    for rank, key, one in ((2, "findings", "finding"), (3, "leads", "lead")):
        told = [entry["id"] for entry in found.get(key, ())]
        if waiting := sum(entry not in taken for entry in told):
            needs.append(Need(f"Decide {counted(waiting, one)}", last, rank))
        if more := sum(taken[entry]["verdict"] == NEEDS_MORE for entry in told if entry in taken):
            needs.append(Need(f"Find out more of {counted(more, one)}", last, rank))
    if blind:
        needs.append(Need(f"Fill blind spots: {counted(blind, 'question')} could not be asked", coverage, 4))
    if not held:
        needs.append(Need("Add evidence", first, 5))
    elif not found:
        needs.append(Need("Run the notebooks", first, 5))
    return needs
