"""Verbs that say what was looked at: coverage, gaps, clocks, fields, retention, blind spots."""

from __future__ import annotations

from typing import Any

import pandas as pd

from playbooks.case import Case
from playbooks.guide.next_steps import after_coverage
from playbooks.guide.opened import results_of
from playbooks.report import Table, View, counted, coverage_heatmap

FILE = "results/coverage.json"


def coverage(case: Case) -> View:
    """State what the evidence covers: source by hour, gaps against each source's rhythm, and what can be asked.

    Example: `guide.coverage(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.

    Returns
    -------
    View
        Shows itself. `data`: dict: spans, gaps, fields and questions, as in `coverage.json`.
    """
    found = results_of(case).coverage
    asked = pd.DataFrame(found["questions"])[["hypothesis", "title", "answerable", "reason"]]
    able = int(asked.answerable.sum())
    spots = counted(len(found["blind_spots"]), "blind spot")
    words = (f"{able} of {len(asked)} questions can be asked of this evidence; {spots}.",)
    tables = [
        Table("Sources and their rhythm", _streams(found), FILE),
        _table(
            "Gaps that no rhythm explains", found["gaps"], ["source", "from", "to", "in", "before", "after", "sentence"]
        ),
        Table("Questions", asked),
    ]
    return View(
        words,
        tuple(table for table in tables if len(table.rows)),
        (coverage_heatmap(found),),
        data=found,
        next=after_coverage(found),
    )


def _streams(found: dict[str, Any]) -> pd.DataFrame:
    columns = ["source", "name", "table", "events", "quiet_hours", "rhythm", "gaps", "timeless"]
    return pd.DataFrame(found["streams"], columns=columns)


def _table(caption: str, rows: list[dict[str, Any]], columns: list[str]) -> Table:
    return Table(caption, pd.DataFrame(rows, columns=columns), FILE)


def clocks(case: Case) -> View:
    """Compare the clocks of sources that saw the same connections, and say how far back each source goes.

    Example: `guide.clocks(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.

    Returns
    -------
    View
        Shows itself. `data`: what was compared: skew per pair of sources, and how far back each goes.
    """
    found = results_of(case).coverage
    skew = found["clock_skew"]
    wrong = [row for row in skew if row["state"] != "agree"]
    same = counted(len(skew) - len(wrong), "pair of sources agrees", "pairs of sources agree")
    words = [f"{same} within seconds, {counted(len(wrong), 'pair differs', 'pairs differ')}."]
    words += [row["sentence"] for row in wrong]
    if not skew:
        words = ["No two sources saw enough of the same connections to compare their clocks."]
    tables = [
        _table("Clocks", skew, ["first", "second", "state", "offset_s", "matches", "of", "examples"]),
        _table("How far back each source goes", found["retention"], ["source", "oldest", "oldest_ref", "observed_days",
               "stated_days", "window", "baseline", "sentence"]),
    ]  # fmt: skip
    return View(tuple(words), tuple(table for table in tables if len(table.rows)), data=skew)


def fields(case: Case) -> View:
    """Show which deciding fields the records carry, and what is blind or weak without them.

    Example: `guide.fields(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.

    Returns
    -------
    View
        Shows itself. `data`: dict: which deciding fields the records of each source carry.
    """
    found = results_of(case).coverage
    lacking = [row for row in found["fields"] if row["state"] in ("absent", "in part")]
    told = [{**row, "questions": [f"{one['id']}: {one['effect']}" for one in row["questions"]]} for row in lacking]
    words = [f"{len(lacking):,} of {len(found['fields']):,} deciding fields are absent or there only in part."]
    words += [_tunnels(row) for row in found["fields"] if row["field"] == "https_path" and row["of"]]
    columns = ["source", "table", "label", "state", "filled", "of", "questions", "without"]
    tables = (
        _table("Fields that are not there", told, columns),
        _table("Audit logging, with proof", found["audit_logging"],
               ["check", "account", "region", "service", "state", "why", "proof"]),
        _table("Audit records by platform and phase", found["phases"],
               ["provider", "phase", "state", "events", "why", "proof"]),
    )  # fmt: skip
    return View(tuple(words), tuple(table for table in tables if len(table.rows)), data=found["fields"])


def _tunnels(row: dict[str, Any]) -> str:
    return (
        f"{row['source']}: {row['of'] - row['filled']:,} of {row['of']:,} HTTPS requests are without a path "
        "(CONNECT or host only)."
    )


def blind_spots(case: Case) -> View:
    """List what could not be looked at, and what that forbids to conclude.

    Example: `guide.blind_spots(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.

    Returns
    -------
    View
        Shows itself. `data`: list of dict: what could not be looked at, and what that forbids to conclude.
    """
    spots = results_of(case).coverage["blind_spots"]
    columns = ["missing", "forbids", "how_established", "recommend"]
    words = (f"{counted(len(spots), 'blind spot')}, computed from the evidence.",)
    return View(words, (_table("Blind-spot register", spots, columns),), data=spots)


def deciding_fields(case: Case, rows: int = 20) -> View:
    """Name the fields that would have decided this case: for whom, and in which records they are missing.

    Example: `guide.deciding_fields(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: list of dict: one per field, with what it would have told of whom.
    """
    told = results_of(case).deciding_fields
    words = (f"{counted(len(told), 'field')} would have told more in this case, most telling first.",)
    columns = ["label", "sentence", "findings", "pairs", "hosts", "recommend"]
    table = Table.first("Fields that would have decided this case", pd.DataFrame(told, columns=columns), rows, FILE)
    return View(words, (table,) if told else (), data=told)
