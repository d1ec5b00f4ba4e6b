"""Decisions: what an analyst decided of a finding, why and when; every later run honours it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from playbooks.case import Case
from playbooks.errors import CaseError, UsageError
from playbooks.evidence import custody

VERDICTS = ("benign", "suspicious", "confirmed", "needs more")
FIELDS = ("finding", "verdict", "reason", "analyst", "time")
BENIGN = "benign"


def decide(
    case: Case, finding: str, verdict: str, reason: str, analyst: str, until: str | dt.date | None = None
) -> dict[str, Any]:
    """Record a decision in `decisions.jsonl` and in the custody chain.

    Parameters
    ----------
    finding
        Id of a finding or lead, e.g. A-1f3c9a02.
    verdict
        One of `VERDICTS`.
    reason, analyst
        Why, and who decides; neither may be empty.
    until
        The last day of events that a benign decision covers; without one, the day on which it is made. What is seen
        later is told again.

    Raises
    ------
    UsageError
        An argument is empty or unknown.
    """
    if verdict not in VERDICTS:
        raise UsageError(f"verdict {verdict!r}: expected one of {', '.join(VERDICTS)}.")
    if not (finding.strip() and reason.strip() and analyst.strip()):
        raise UsageError("a decision needs a finding id, a reason and the analyst's name; one of them is empty.")
    now = dt.datetime.now(dt.UTC)
    entry = {
        "finding": finding.strip(),
        "verdict": verdict,
        "reason": reason.strip(),
        "analyst": analyst.strip(),
        "time": now.isoformat(timespec="seconds"),
        "until": _day(until) if until is not None else now.date().isoformat(),
    }
    known = decisions(case).get(entry["finding"])
    told = ("verdict", "reason", "analyst", *(("until",) if until is not None else ()))
    if known and all(known[key] == entry[key] for key in told):
        return known  # a cell run twice decides nothing twice
    with case.decisions.open("a", encoding="utf-8") as journal:
        journal.write(json.dumps(entry, sort_keys=True, ensure_ascii=False) + "\n")
    custody.append(case.custody, case.config.case_id, "decided", decision=entry)
    return entry


def covers(decision: dict[str, Any] | None, last_seen: str) -> bool:
    """Whether a decision sets a subject aside that was last seen at that moment (ISO)."""
    return decision is not None and decision["verdict"] == BENIGN and last_seen[:10] <= decision["until"]


def decisions(case: Case) -> dict[str, dict[str, Any]]:
    """The last decision on each finding.

    Raises
    ------
    CaseError
        A line of `decisions.jsonl` is no decision.
    """
    if not case.decisions.is_file():
        return {}
    found = {}
    for number, line in enumerate(case.decisions.read_bytes().splitlines(), start=1):
        try:
            made = json.loads(line)
            entry = {key: str(made[key]) for key in FIELDS}
            entry["until"] = _day(made.get("until", entry["time"][:10]))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, UsageError) as error:
            raise CaseError(_no_decision(number)) from error
        if entry["verdict"] not in VERDICTS:
            raise CaseError(_no_decision(number))
        found[entry["finding"]] = entry
    return found


def _day(until: object) -> str:
    try:
        return dt.date.fromisoformat(str(until)).isoformat()
    except ValueError as error:
        raise UsageError(f"until {until!r}: expected a day, such as 2026-12-31.") from error


def _no_decision(line: int) -> str:
    return (
        f"decisions.jsonl, line {line}: no decision. Expected finding, verdict ({', '.join(VERDICTS)}), reason, "
        "analyst, time, and until where it has an end; correct or remove the line."
    )
