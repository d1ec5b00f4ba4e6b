"""The verb for Sigma rules: what they match, and what became of every rule."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from playbooks.case import Case
from playbooks.guide.opened import results_of
from playbooks.report import Table, View, counted
from playbooks.sigma import Outcome

MATCH_COLUMNS = ["time", "in_window", "level", "title", "principal", "resource", "kind", "ref", "refs", "tags", "path"]
RULE_COLUMNS = [
    *("status", "level", "title", "matches", "records", "log_sources", "reason"),
    *("rule_id", "path", "document"),
]


def sigma(case: Case, rows: int = 50, status: str = "") -> View:
    """Run the kit's Sigma rules and those of the case over its records; list matches, and the outcome of every rule.

    `status` shows rules of one outcome alone: matched, clear, blind, not converted, not parsed.
    Example: `guide.sigma(case, status="blind")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.
    status : str
        matched, clear, blind, not converted or not parsed: rules that ended so; empty: all.

    Returns
    -------
    View
        Shows itself. `data`: the run: `matches`, and `outcomes` of the rules.
    """
    found = results_of(case).sigma
    counts = ", ".join(f"{number:,} {name}" for name, number in found.counts().items())
    words = [f"{counted(len(found.outcomes), 'rule')}: {counts}.", f"Digest of the rule files: {found.rules_sha256}."]
    if found.others:
        words.append(f"{counted(found.others, 'file')} beside them {'are' if found.others > 1 else 'is'} no .yml.")
    words.append(_where(case, found.matches))
    words.append("A match is what its author thinks of such a record: it supports other signals, and accuses nobody.")
    shown = [asdict(one) for one in _by_status(found.outcomes) if status in ("", one.status)]
    tables = [
        Table.first("Records that rules fit", found.matches[MATCH_COLUMNS], rows, "results/sigma_matches.parquet"),
        Table.first("What became of each rule", pd.DataFrame(shown, columns=RULE_COLUMNS), rows, "results/sigma.json"),
    ]
    return View(tuple(words), tuple(table for table in tables if len(table.rows)), data=found)


def _where(case: Case, matches: pd.DataFrame) -> str:
    """How many matches are listed, and how many of them lie in the window."""
    listed = f"Rules look at all evidence: {counted(len(matches), 'match', 'matches')} listed"
    if case.config.window is None:
        return f"{listed}; the case states no window."
    return f"{listed}, {int(matches['in_window'].eq(True).sum()):,} of them in the window of the case."


def _by_status(outcomes: tuple[Outcome, ...]) -> list[Outcome]:
    """Matched rules first, most severe first; then what could not be looked at; clear ones last."""
    order = ("matched", "not parsed", "not converted", "blind", "clear")
    levels = ("critical", "high", "medium", "low", "informational", "")
    return sorted(outcomes, key=lambda one: (order.index(one.status), levels.index(one.level), one.path, one.document))
