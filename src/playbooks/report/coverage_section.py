"""The sections about what was looked at: coverage, blind spots, and the fields that would have decided the case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from playbooks.report.figures.picture import MOST_ROWS
from playbooks.report.words import column_heads, span, utc_time

FILE = "results/coverage.json"
_COUNTS = ("Records", "Events", "Unread", "Blank")


def coverage_section(coverage: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the template `coverage` draws."""
    items = list(coverage.get("items") or [])
    sums: dict[str, Any] = {
        name: sum(int(item.get(name) or 0) for item in items) for name in ("records", "events", "unread", "blank")
    }
    sums["true"] = all(
        item.get("records") == sum(int(item.get(name) or 0) for name in ("events", "unread", "blank")) for item in items
    )
    heads = ["Item", "Name", "Format", *_COUNTS, "First and last (UTC)", "Note"]
    tables = [_gaps(coverage), _clocks(coverage), _fields(coverage), _retention(coverage), _logging(coverage)]
    return {
        "sums": sums,
        "items": _table("Evidence items: records = events + unread + blank", heads, map(_item_row, items), _COUNTS),
        "tables": [table for table in (*tables, _phases(coverage), _columns(coverage)) if table["rows"]],
        "file": FILE,
    }


def _table(
    caption: str, heads: list[str], rows: Iterable[list[Any]], numeric: Iterable[str] = (), wide: bool = True
) -> dict[str, Any]:
    listed = list(rows)
    return {
        "caption": caption,
        "heads": column_heads(heads, numeric),
        "rows": listed[:MOST_ROWS],
        "total": len(listed),
        "wide": wide,
    }


def _gaps(coverage: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        [gap["source"], utc_time(gap["from"]), utc_time(gap["to"]), gap["hours"], gap["in"],
         [ref for ref in (gap["before"], gap["after"]) if ref], gap["others"] or "nobody", gap["sentence"]]
        for gap in coverage.get("gaps") or []
    ]  # fmt: skip
    return _table(
        "Gaps: silences that the source's own rhythm does not explain",
        ["Source", "From (UTC)", "To (UTC)", "Hours", "In", "Records before and after", "Same log goes on in", "Why"],
        rows,
        ["Hours"],
    )


def _clocks(coverage: Mapping[str, Any]) -> dict[str, Any]:
    words = {"agree": "agree", "zone": "DIFFER by a zone", "drift": "DIFFER"}
    rows = [
        [f"{row['first']} and {row['second']}", words.get(row["state"], row["state"]), row["offset_s"],
         f"{row['matches']:,} of {row['of']:,}", [ref for pair in row["examples"] for ref in pair], row["sentence"]]
        for row in coverage.get("clock_skew") or []
    ]  # fmt: skip
    return _table(
        "Clocks: sources that saw the same connections",
        ["Sources", "Clocks", "Second is ahead by (s)", "Connections", "Records, in pairs", "In words"],
        rows,
        ["Second is ahead by (s)"],
    )


def _fields(coverage: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        [row["source"], row["table"], row["label"], f"{row['filled']:,} of {row['of']:,}", row["state"],
         [f"{one['id']}: {one['effect']}" for one in row["questions"]] or "–", row["without"]]
        for row in coverage.get("fields") or []
        if row["state"] in ("absent", "in part")
    ]  # fmt: skip
    heads = ["Source", "Table", "Field", "Records with it", "State", "Questions that lean on it", "Cannot be told"]
    return _table("Fields that decide and are not there, or only in part", heads, rows)


def _retention(coverage: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        [row["source"], row["name"], utc_time(row["oldest"]), row["oldest_ref"], row["observed_days"],
         row["stated_days"], row["expires"], row["window"], row["baseline"], row["sentence"]]
        for row in coverage.get("retention") or []
    ]  # fmt: skip
    return _table(
        "Retention: how far back each source goes, and what its owner states",
        ["Source", "Name", "Oldest (UTC)", "Record", "Days there", "Days stated", "Deleted from", "Window", "Baseline",
         "In words"],
        rows,
        ["Days there", "Days stated"],
    )  # fmt: skip


def _logging(coverage: Mapping[str, Any]) -> dict[str, Any]:
    names = ("check", "account", "region", "service", "state", "why", "proof")
    return _table(
        "Audit logging: pass, fail or unknown; without proof nothing passes",
        ["Check", "Account", "Region", "Service", "State", "Why", "Proof"],
        ([row.get(name) for name in names] for row in coverage.get("audit_logging") or []),
    )


def _phases(coverage: Mapping[str, Any]) -> dict[str, Any]:
    names = ("provider", "phase", "state", "events", "why", "proof")
    return _table(
        "Audit records by platform and phase",
        ["Platform", "Phase", "State", "Events", "Why", "Proof"],
        ([row.get(name) for name in names] for row in coverage.get("phases") or []),
        ["Events"],
    )


def _columns(coverage: Mapping[str, Any]) -> dict[str, Any]:
    heads = ["Table", "Events", "In the window", "Without a time", "First and last (UTC)", "Fields never filled"]
    numeric = ["Events", "In the window", "Without a time"]
    rows = map(_column_row, coverage.get("tables") or [])
    return _table("Tables: what the events can and cannot say", heads, rows, numeric)


def _column_row(table: Mapping[str, Any]) -> list[Any]:
    never = [name for name, share in (table.get("fields") or {}).items() if not share]
    counts = [table.get(name) for name in ("events", "in_window", "timeless")]
    return [table.get("table"), *counts, _first_last(table), ", ".join(never) or "none"]


def _item_row(item: Mapping[str, Any]) -> list[Any]:
    form = item.get("format") or "unknown"
    tables = ", ".join(name for name, count in (item.get("tables") or {}).items() if count)
    return [
        item.get("evidence_id"), item.get("name"), f"{form} ({tables})" if tables else form,
        item.get("records"), item.get("events"), item.get("unread"), item.get("blank"), _first_last(item),
        item.get("note"),
    ]  # fmt: skip


def _first_last(row: Mapping[str, Any]) -> str:
    return span(row.get("first"), row.get("last")).removesuffix(" UTC") if row.get("first") else "no time"


def blind_spots_section(coverage: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the template `blind_spots` draws."""
    names = ("missing", "forbids", "questions", "how_established", "recommend")
    heads = ["Missing", "Forbids to conclude", "Questions", "How established", "Recommended"]
    spots = [[spot.get(name) for name in names] for spot in coverage.get("blind_spots") or []]
    return {
        "spots": _table("What could not be seen", heads, spots),
        "deciding": _deciding(coverage),
        "items": len(coverage.get("items") or []),
        "file": FILE,
    }


def _deciding(coverage: Mapping[str, Any]) -> dict[str, Any]:
    rows = [
        [row["label"], row["sentence"], row["findings"], f"{row['pairs']:,} pairs, {row['hosts']:,} hosts",
         [ref for example in row["examples"] for ref in example["refs"][:2]], row["recommend"]]
        for row in coverage.get("deciding_fields") or []
    ]  # fmt: skip
    heads = ["Field", "What it would tell in this case", "Findings and leads", "Concerns", "Records", "How to get it"]
    return _table("Fields that would have decided this case", heads, rows)
