"""Verbs of the last notebook: read the answers, decide, and write the report."""

from __future__ import annotations

import pandas as pd

from playbooks import findings as judged
from playbooks.case import Case
from playbooks.errors import NotFound
from playbooks.guide.facts import case_facts, record_export
from playbooks.guide.next_steps import after_findings
from playbooks.guide.opened import results_of
from playbooks.guide.scoping import worst_pair
from playbooks.report import Table, View, write_case_report


def findings(case: Case, window_minutes: int = 60) -> View:
    """Findings, leads and what was set aside, and every question answered found, clear or blind.

    Example: `guide.findings(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    window_minutes : int
        How many minutes steps of a chain may lie apart.

    Returns
    -------
    View
        Shows itself. `data`: dict: findings, leads, suppressed, outcomes and limits, as in `findings.json`.
    """
    found = results_of(case, window_minutes).findings
    outcomes = pd.DataFrame(
        [{"question": o["title"], "outcome": o["outcome"], "reason": o["reason"]} for o in found["outcomes"].values()]
    )
    words = (f"{len(found['findings'])} findings, {found['leads_total']} leads, {len(found['suppressed'])} set aside.",)
    tables = [Table("Every question answered", outcomes)]
    tables += [
        Table(name, _finding_rows(found[key]))
        for name, key in (("Findings", "findings"), ("Leads", "leads"))
        if found[key]
    ]
    return View(words, tuple(tables), data=found, next=after_findings(found))


def _finding_rows(found: list[dict[str, object]]) -> pd.DataFrame:
    rows = []
    for entry in found:
        signals = entry["signals"]
        assert isinstance(signals, list)
        kinds = ", ".join(dict.fromkeys(signal["kind"] for signal in signals))
        refs = [ref for signal in signals for ref in signal["refs"]]
        rows.append(
            {"id": entry["id"], "score": entry["score"], "title": entry["title"], "signals": kinds, "refs": refs}
        )
    return pd.DataFrame(rows)


def decide(case: Case, finding: str, verdict: str, reason: str, analyst: str, until: str | None = None) -> View:
    """Record what you decided of a finding or lead; every later run honours it.

    Verdict: benign, suspicious, confirmed or needs more. `until` is the last day of events that *benign* covers;
    without one, today. What is seen later is told again, with the decision beside it.
    Example: `guide.decide(case, "A-1f3c9a02", "benign", "backup agent, ticket 4711", "J. Doe")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    finding : str
        Id of a finding, lead or set-aside row.
    verdict : str
        benign, suspicious, confirmed or needs more.
    reason : str
        Why, with a ticket; not empty.
    analyst : str
        Who decides; not empty.
    until : str, optional
        Last day of events that *benign* covers, such as 2026-12-31; without one, today.

    Returns
    -------
    View
        Shows itself. `data`: dict: the decision as it is kept.

    Raises
    ------
    NotFound
        No finding, lead or set-aside row has this id.
    """
    found = results_of(case).findings
    known = {entry["id"] for key in ("findings", "leads", "suppressed") for entry in found[key]}
    if finding not in known:
        raise NotFound(f"{finding!r}: no such finding in this case. Known: {', '.join(sorted(known)) or 'none'}.")
    entry = judged.decide(case, finding, verdict, reason, analyst, until)
    assert results_of(case).findings  # written anew, with the decision in them
    return View(
        (f"{entry['finding']}: {entry['verdict']} – {entry['reason']} ({entry['analyst']}, {entry['time']}).",),
        data=entry,
    )


def decisions(case: Case) -> View:
    """List what has been decided of findings, by whom and why.

    Example: `guide.decisions(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.

    Returns
    -------
    View
        Shows itself. `data`: dict: finding id → the last decision on it.
    """
    taken = judged.decisions(case)
    found = results_of(case).findings
    open_ids = [entry["id"] for entry in found["findings"] if entry["id"] not in taken]
    words = f"{len(taken)} decisions on record. Undecided findings: {', '.join(open_ids) or 'none'}."
    tables = (Table("Decisions", pd.DataFrame(taken.values())),) if taken else ()
    return View((words,), tables, data=taken)


LINK_COLUMNS = ["finding", "time", "who", "relation", "entity", "entity_kind", "ref", "item_sha256", "analyst"]


def links(case: Case, finding: str = "", rows: int = 50) -> View:
    """Show what links the records to findings: who did what to which entity, in which item, and who decided.

    Example: `guide.links(case, "A-1f3c9a02")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    finding : str
        Id of a finding or lead, such as A-1f3c9a02; empty: the first, or all.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per link from record to finding.
    """
    table = results_of(case).links
    shown = table[table.finding == finding] if finding else table
    words = (
        f"{len(shown):,} links between {shown.ref.nunique():,} records and {shown.finding.nunique():,} findings, leads "
        "and set-aside rows.",
    )
    tables = (Table.first("Case links", shown[LINK_COLUMNS], rows, "results/links.parquet"),) if len(shown) else ()
    return View(words, tables, data=shown)


def report(case: Case, window_minutes: int = 60) -> View:
    """Write the case report and say where it is.

    Example: `guide.report(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    window_minutes : int
        How many minutes steps of a chain may lie apart.

    Returns
    -------
    View
        Shows itself. `data`: None: the report is a file.
    """
    results = results_of(case, window_minutes)
    src, dst = worst_pair(results)
    facts = case_facts(results, src, dst)
    write_case_report(facts, case.path)
    record_export(case, facts)
    return View(("The report is report/report.html in the case folder: one file, readable offline.",))
