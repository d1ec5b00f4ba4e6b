"""The sections on what happened around first contact, and on who else is in it; nothing is judged here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from playbooks.report.figures.picture import MOST_ROWS
from playbooks.report.words import column_heads, is_missing, utc_time

if TYPE_CHECKING:
    import pandas as pd

IN_FULL = 10  # findings, then leads, whose lifecycle is printed
ROWS_IN_FULL = 40  # telling records of one of them
_HEADS = ("Time (UTC)", "Stage", "What the record says", "Matched by", "User", "ATT&CK", "Innocent if", "Record")


def lifecycle_section(findings: Mapping[str, Any], related: pd.DataFrame | None) -> dict[str, Any]:
    """Stages of each finding, then lead, of hypothesis A, and its telling records in order of time."""
    told = [e for kind in ("findings", "leads") for e in findings.get(kind) or () if e.get("lifecycle")]
    return {
        "lifecycles": [_lifecycle(entry, related) for entry in told[:IN_FULL]],
        "heads": column_heads(list(_HEADS)),
        "more": max(0, len(told) - IN_FULL),
    }


def _lifecycle(entry: Mapping[str, Any], related: pd.DataFrame | None) -> dict[str, Any]:
    lifecycle = entry["lifecycle"]
    rows = [] if related is None else related[related.finding == entry["id"]].to_dict("records")
    telling = [row for row in rows if row["telling"]]
    names = ("stage", "sentence", "matched_by", "user", "attack", "innocent_if", "ref")
    return {
        "id": entry["id"],
        "title": entry["title"],
        "first": lifecycle["first_contact"],
        "since": lifecycle["looked_at"][0],
        "until": lifecycle["looked_at"][1],
        "notes": [note for host in lifecycle["hosts"] for note in host["notes"]][:IN_FULL],
        "stages": lifecycle["stages"],
        "rows": [[utc_time(row["time"]), *(row[name] for name in names)] for row in telling[:ROWS_IN_FULL]],
        "total": len(rows),
    }


def scope_section(scope: pd.DataFrame | None, notes: Sequence[str]) -> dict[str, Any]:
    """Sources that share a trait with findings and leads."""
    rows = [] if scope is None else scope.head(MOST_ROWS).to_dict("records")
    heads = ["Source", "Finding", "Shares", "When (UTC)", "What left", "Records"]
    return {
        "rows": [_scope_row(row) for row in rows],
        "total": 0 if scope is None else len(scope),
        "heads": column_heads(heads, []),
        "notes": list(notes),
    }


def _scope_row(row: Mapping[Any, Any]) -> list[Any]:
    known_as = [*row["hostnames"], *row["users"], *row["processes"]]
    sent, received = (
        "an unknown number of bytes" if is_missing(row[name]) else f"{row[name]:,} bytes"
        for name in ("bytes_out", "bytes_in")
    )
    return [
        [row["src"], *known_as],
        [row["finding"], "named by it" if row["is_subject"] else "shares a trait"],
        list(row["shares"]),
        f"{utc_time(row['first_seen'])} to {utc_time(row['last_seen'])}; began {row['began']}",
        f"{row['connections']:,} contacts; {sent} out, {received} in ({row['counted_in']})",
        list(row["refs"]),
    ]
