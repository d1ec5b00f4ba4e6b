"""`batch.json`: every case of a batch, where it stands and what it found, sorted by what needs a person."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playbooks.batch.across import Mark, in_several, marks_of
from playbooks.batch.journal import DONE, FAILED, SET_ASIDE, Entry, Journal
from playbooks.case import open_case
from playbooks.errors import PlaybookError

EXIT_ALL, EXIT_SOME, EXIT_NONE = 0, 3, 4


def summarised(journal: Journal, cases: Iterable[Path], with_results: bool = True) -> dict[str, Any]:
    """Where every case of a batch stands.

    Parameters
    ----------
    journal
        What happened so far.
    cases
        Folders of the cases.
    with_results
        Whether to look into each finished case; while a batch runs, its own states are enough.

    Returns
    -------
    dict
        `cases` (most need of a person first), `across` (what several cases share), `counts` of states, `exit_code`.
    """
    rows, marks = [], []
    for path in cases:
        row, seen = _row(journal.entry(str(path)), path, with_results)
        rows.append(row)
        marks += seen
    states = [row["state"] for row in rows]
    counts = {state: states.count(state) for state in sorted(set(states))}
    return {
        "counts": counts,
        "exit_code": _exit_code(states),
        "cases": sorted(rows, key=_need),
        "across": in_several(marks),
    }


def _exit_code(states: list[str]) -> int:
    done = states.count(DONE)
    return EXIT_ALL if done == len(states) else EXIT_SOME if done else EXIT_NONE


def _row(entry: Entry, path: Path, with_results: bool) -> tuple[dict[str, Any], list[Mark]]:
    row: dict[str, Any] = {**asdict(entry), "case": str(path), "case_id": path.name}
    row |= {"findings": None, "leads": None, "undecided": None, "outcomes": {}, "report": None}
    if not with_results:
        return row, []
    try:
        case = open_case(path)
        found = json.loads((case.results / "findings.json").read_bytes()) if entry.state == DONE else None
    except (PlaybookError, OSError, ValueError) as error:
        return row | {"error": entry.error or str(error)}, []
    report = case.report / "report.html"
    row |= {"case_id": case.config.case_id, "report": str(report) if report.is_file() else None}
    return (row | _counted(found), marks_of(case, found)) if found else (row, [])


def _counted(found: dict[str, Any]) -> dict[str, Any]:
    said = [outcome["outcome"] for outcome in found["outcomes"].values()]
    return {
        "findings": len(found["findings"]),
        "leads": found["leads_total"],
        "undecided": sum(1 for entry in found["findings"] if not entry["decision"]),
        "outcomes": {word: said.count(word) for word in ("found", "clear", "blind")},
    }


def _need(row: dict[str, Any]) -> tuple[int, int, int, int, str]:
    """What failed first, then what nobody has decided, then leads, then what could not be looked at."""
    failed = 0 if row["state"] in (FAILED, SET_ASIDE) else 1
    blind = row["outcomes"].get("blind", 0)
    return failed, -(row["undecided"] or 0), -(row["leads"] or 0), -blind, str(row["case"])
