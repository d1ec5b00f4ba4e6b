"""Verbs that argue a finding: how its records may be read, and what can be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from playbooks.case import Case
from playbooks.errors import NotFound
from playbooks.guide.opened import results_of
from playbooks.report import Table, View

READING_COLUMNS = ["reading", "stands", "speaks for it", "speaks against it", "refs"]


def argument(case: Case, finding: str = "") -> View:
    """How the records of a finding or lead may be read, how sure it is, and what would change that.

    Without an id, the finding with the highest score.
    Example: `guide.argument(case, "A-1f3c9a02")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    finding : str
        Id of a finding or lead, such as A-1f3c9a02; empty: the first, or all.

    Returns
    -------
    View
        Shows itself. `data`: dict: readings with the facts for and against, confidence, and what would change
        it.

    Raises
    ------
    NotFound
        No finding or lead has this id.
    """
    entry = _entry(case, finding)
    if entry is None:
        return View(("No finding and no lead: nothing to argue.",))
    made = entry["argument"]
    word = made["confidence"]
    words = [f"{entry['id']}: {entry['title']}.", f"Confidence {word['word']}. {word['because']}"]
    words += [made["infrastructure"]] if made["infrastructure"] else []
    rows = pd.DataFrame([_reading_row(one) for one in made["readings"]], columns=READING_COLUMNS)
    mind = [("lower", step) for step in made["mind"]["lower"]] + [("raise", step) for step in made["mind"]["raise"]]
    tables = (
        Table("How its records may be read", rows, "results/findings.json"),
        Table("What would change our mind", pd.DataFrame(mind, columns=["it would", "when it is done and told"])),
    )
    return View(tuple(words), tables, data=made)


def containment(case: Case, finding: str = "") -> View:
    """What can be done about a finding, in order, and what each option does to evidence; nothing is carried out.

    Example: `guide.containment(case, "A-1f3c9a02")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    finding : str
        Id of a finding or lead, such as A-1f3c9a02; empty: the first, or all.

    Returns
    -------
    View
        Shows itself. `data`: list of dict: options in their order, each with effect, what it does to evidence,
        and undo.

    Raises
    ------
    NotFound
        No finding or lead has this id.
    """
    entry = _entry(case, finding)
    if entry is None:
        return View(("No finding and no lead: nothing to contain.",))
    options = entry["argument"]["containment"]
    rows = pd.DataFrame(options, columns=["option", "effect", "evidence", "undo", "confidence"])
    words = (
        f"{entry['id']}: {entry['title']}.",
        "Preserve first (`guide.checklist`). The kit carries none of these out.",
    )
    return View(words, (Table("Options in their order", rows, "results/findings.json"),), data=options)


def _entry(case: Case, finding: str) -> dict[str, Any] | None:
    """The finding or lead of that id; without one the first there is."""
    found = results_of(case).findings
    told: list[dict[str, Any]] = [*found["findings"], *found["leads"]]
    if not finding:
        return told[0] if told else None
    mine = next((entry for entry in told if entry["id"] == finding), None)
    if mine is None:
        known = ", ".join(entry["id"] for entry in told) or "none"
        raise NotFound(f"{finding!r}: no finding or lead of this case. Known: {known}.")
    return mine


def _reading_row(reading: Mapping[str, Any]) -> dict[str, Any]:
    both = [*reading["for"], *reading["against"]]
    return {
        "reading": reading["says"],
        "stands": reading["stands"],
        "speaks for it": _told(reading["for"]),
        "speaks against it": _told(reading["against"]),
        "refs": list(dict.fromkeys(ref for fact in both for ref in fact["refs"])),
    }


def _told(facts: Iterable[Mapping[str, Any]]) -> str:
    return " ".join(fact["sentence"] for fact in facts)
