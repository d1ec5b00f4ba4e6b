"""Verbs of the first two notebooks: preserve, read, and say what the evidence covers."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd

from playbooks import evidence as preserved
from playbooks.case import Case
from playbooks.errors import UsageError
from playbooks.guide.next_steps import after_reading
from playbooks.guide.opened import results_of
from playbooks.normalise import Reading
from playbooks.normalise import show as raw_of
from playbooks.report import Table, View


def add(case: Case, *files: str) -> View:
    """Preserve files or folders as evidence: copied, hashed while copying, recorded.

    Example: `guide.add(case, "/mnt/export/proxy")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    *files : str
        Paths of files or folders.

    Returns
    -------
    View
        Shows itself. `data`: list: what became of each file.
    """
    done = preserved.add(case, [Path(file) for file in files])
    rows = [
        {
            "input": preserved.printable(entry.source),
            "evidence": entry.item.evidence_id if entry.item else None,
            "outcome": entry.note or "added",
        }
        for entry in done
    ]
    added = sum(1 for entry in done if entry.item and not entry.note)
    return View(
        (f"{added} of {len(done)} files added.",), (Table("What became of each file", pd.DataFrame(rows)),), data=done
    )


def evidence(case: Case) -> View:
    """List the evidence and check every byte of it against what was recorded.

    Example: `guide.evidence(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.

    Returns
    -------
    View
        Shows itself. `data`: Verdict: intact or not, and every fault.
    """
    verdict = preserved.verify(case)
    rows = pd.DataFrame([vars(item) for item in preserved.items(case)])
    state = "intact: every byte is as it was when it was added" if verdict.intact else "NOT INTACT"
    words = [
        f"{verdict.files:,} items, {verdict.size:,} bytes; custody chain of {verdict.entries:,} entries.",
        f"Evidence is {state}.",
    ]
    words += [f"{fault.where}: {fault.what}" for fault in verdict.faults]
    if not verdict.files:
        words.append("No evidence yet. Add some with guide.add(case, …) or: playbooks add CASE FILE…")
    columns = ["evidence_id", "name", "source", "size", "sha256", "added"]
    tables = (Table("Evidence, in the order in which it was added", rows[columns]),) if len(rows) else ()
    return View(tuple(words), tables, data=verdict)


def require_intact(case: Case) -> View:
    """Stop here if any byte of the evidence differs.

    Example: `guide.require_intact(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.

    Returns
    -------
    View
        Shows itself. `data`: Verdict: intact.
    """
    verdict = preserved.require_intact(case)
    return View((f"Intact. Chain head {verdict.head or '(no entry yet)'}.",), data=verdict)


def custody(case: Case, last: int = 10) -> View:
    """Show the last acts on record.

    Example: `guide.custody(case, last=20)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    last : int
        How many acts are shown.

    Returns
    -------
    View
        Shows itself. `data`: list of dict: all acts.
    """
    entries = preserved.custody.entries(case.custody)
    rows = [
        {
            "seq": e["seq"],
            "time": e["time"],
            "activity": e["activity"],
            "by": e["actor"]["user"],
            "fingerprint": e["fingerprint"][:16],
        }
        for e in entries[-last:]
    ]
    return View(
        (f"{len(entries):,} acts on record.",), (Table("Custody chain, its end", pd.DataFrame(rows)),), data=entries
    )


CHECKLIST_COLUMNS = ["no", "what", "entity", "state", "why_now", "how", "refs", "because"]


def checklist(case: Case, at: str = "", rows: int = 50) -> View:
    """List what to collect next, from what this case saw: in order of volatility, with what runs out when.

    Days are counted from the newest event in evidence; `at` counts them from another moment, or from "now".
    Example: `guide.checklist(case, at="2026-03-12T08:00:00Z")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    at : str
        Moment with a zone, or "now"; empty: the newest event in evidence.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: dict: `rows` in their order, `words`.

    Raises
    ------
    UsageError
        `at` is no moment with a zone.
    """
    listed = results_of(case).checklist(_moment(at))
    table = pd.DataFrame(listed["rows"], columns=CHECKLIST_COLUMNS)
    shown = Table.first("What to collect next, in order", table, rows, "results/checklist.json")
    return View(tuple(listed["words"]), (shown,), data=listed)


def _moment(at: str) -> dt.datetime | None:
    if at in ("", "now"):
        return dt.datetime.now(dt.UTC) if at else None
    try:
        return dt.datetime.fromisoformat(at)
    except ValueError as error:
        raise UsageError(f"at {at!r}: no moment. Expected e.g. 2026-03-12T08:00:00Z, or now.") from error


def normalise(case: Case) -> View:
    """Read all evidence: every record becomes an event, or is unread with a reason, or is blank.

    Example: `guide.normalise(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.

    Returns
    -------
    View
        Shows itself. `data`: list of Reading: one per item, whose counts add up.
    """
    readings = results_of(case).readings
    total = {name: sum(getattr(r, name) for r in readings) for name in ("records", "events", "unread", "blank")}
    law = "{records:,} records = {events:,} events + {unread:,} unread + {blank:,} blank".format(**total)
    return View(
        (f"{law}.",),
        (Table("What became of each item", _reading_rows(readings)),),
        data=readings,
        next=after_reading(readings),
    )


def _reading_rows(readings: list[Reading]) -> pd.DataFrame:
    columns = ["evidence_id", "name", "format", "records", "events", "unread", "blank", "first", "last", "note"]
    return _dated(pd.DataFrame([vars(r) for r in readings], columns=columns), "first", "last")


def _dated(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """ISO texts as times, so that they are shown as such."""
    return table.assign(**{column: pd.to_datetime(table[column], utc=True, format="ISO8601") for column in columns})


def unread(case: Case, rows: int = 20) -> View:
    """Show records that became no event, with their reasons.

    Example: `guide.unread(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    rows : int
        How many rows are shown; the lab shows all, and lets you filter them.

    Returns
    -------
    View
        Shows itself. `data`: DataFrame: one row per record, with its reason.
    """
    readings = results_of(case).readings
    files = [case.unread / f"{r.evidence_id}.parquet" for r in readings if r.unread]
    parts = [pd.read_parquet(file) for file in files]
    table = (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["evidence_id", "record_no", "kind", "reason", "raw"])
    )
    words = (f"{len(table):,} records are unread.",) if len(table) else ("Every record became an event.",)
    shown = (Table.first("Unread records", table, rows, "unread/"),) if len(table) else ()
    return View(words, shown, data=table)


def show(case: Case, *refs: str) -> View:
    """Show the raw records behind references.

    Example: `guide.show(case, "E003:4118")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    *refs : str
        References, such as E003:4118.

    Returns
    -------
    View
        Shows itself. `data`: dict: reference → raw record.
    """
    records = raw_of(case, refs)
    rows = pd.DataFrame([{"ref": r.ref, "file": r.file, "record": r.text} for r in records.values()])
    return View((), (Table("Records as they stand in the evidence", rows),), data=records)
