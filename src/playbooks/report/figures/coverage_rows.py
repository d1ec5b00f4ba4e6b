"""The rows of the coverage picture: sources by hour, files that could not be read, and kinds of log that are missing.

Every row has a note in words, so that nothing is said by colour alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from playbooks.report.figures.picture import counted, stamp, utc
from playbooks.report.inert import figure_label

KINDS = {
    "dns_activity": "DNS logs",
    "http_activity": "web logs",
    "network_activity": "flow and TLS logs",
    "api_activity": "cloud audit logs",
}
NOT_READ_FROM = 0.01  # share of unread records that is worth a word beside the row


@dataclass(frozen=True)
class Row:
    """One row: its label, counts and quiet hours per cell (none for what could not be read), gaps, and its note."""

    label: str
    item: str
    name: str
    table: str | None
    counts: tuple[int, ...]
    quiet: tuple[int, ...]
    gaps: tuple[Mapping[str, Any], ...]
    note: str
    records: int

    @property
    def is_empty(self) -> bool:
        return not any(self.counts)


def rows_of(coverage: Mapping[str, Any]) -> list[Row]:
    """Rows in the order of the evidence, then what could not be read, then what is missing."""
    matrix = coverage.get("matrix") or {}
    known = [_source(row, coverage) for row in matrix.get("rows") or []]
    cells = len(matrix.get("hours") or [])
    return [*known, *_not_read(coverage, cells), *_missing(coverage, cells)] if known else []


def _source(row: Mapping[str, Any], coverage: Mapping[str, Any]) -> Row:
    item, name = str(row["evidence_id"]), str(row["name"])
    gaps = tuple(_of(coverage.get("gaps"), item, row["table"]))
    stream = next(_of(coverage.get("streams"), item, row["table"]), {})
    sources = (one for one in coverage.get("sources") or [] if item.split("–")[0] in one["evidence"])
    source: Mapping[str, Any] = next(sources, {})
    return Row(
        label=f"{figure_label(item, 12)}  {figure_label(name.removeprefix(f'{item}-'), 34)}",
        item=item,
        name=name,
        table=row["table"],
        counts=tuple(row["counts"]),
        quiet=tuple(row.get("quiet_hours") or (0 if count else 1 for count in row["counts"])),
        gaps=gaps,
        note=_note(row, gaps, stream, source),
        records=sum(row["counts"]),
    )


def _of(listed: Iterable[Mapping[str, Any]] | None, item: str, table: str) -> Iterator[Mapping[str, Any]]:
    return (one for one in listed or () if (one["source"], one["table"]) == (item, table))


def _note(row: Mapping[str, Any], gaps: Sequence[Any], stream: Mapping[str, Any], source: Mapping[str, Any]) -> str:
    """What a tired reader must not miss of a row, the worst first."""
    told = []
    if stream.get("quiet_in_window"):
        told.append("nothing in the window")
    edges = {gap.get("edge") for gap in gaps}
    told += ["begins late"] * ("start" in edges) + ["ends early"] * ("end" in edges and not told)
    if inner := sum(1 for gap in gaps if not gap.get("edge")):
        told.append(counted(inner, "gap"))
    if (share := float(source.get("unread_share") or 0)) >= NOT_READ_FROM:
        told.append(f"{share:.0%} unread")
    if row.get("timeless"):
        told.append(f"{row['timeless']:,} without time")
    if stream.get("in_doubt"):
        told.append("too few records")
    return ", ".join(told)


def _not_read(coverage: Mapping[str, Any], cells: int) -> list[Row]:
    """Items whose records became no events at all."""
    lost = [i for i in coverage.get("items") or [] if i.get("unread") and not i.get("events")]
    return [
        Row(
            label=f"{figure_label(str(item['evidence_id']), 12)}  "
            f"{figure_label(str(item['name']).removeprefix(str(item['evidence_id']) + '-'), 34)}",
            item=str(item["evidence_id"]),
            name=str(item["name"]),
            table=None,
            counts=(0,) * cells,
            quiet=(0,) * cells,
            gaps=(),
            note=f"not read: {counted(int(item['unread']), 'record')}",
            records=0,
        )
        for item in lost
    ]


def _missing(coverage: Mapping[str, Any], cells: int) -> list[Row]:
    """Kinds of log of which the evidence holds nothing."""
    absent = [t["table"] for t in coverage.get("tables") or [] if not t["events"] and t["table"] in KINDS]
    return [
        Row(KINDS[table], "–", KINDS[table], table, (0,) * cells, (0,) * cells, (), "none in evidence", 0)
        for table in absent
    ]


def table_of(rows: Sequence[Row], hours: Sequence[str], cell_hours: int) -> pd.DataFrame:
    """The same as rows: counts, quiet hours, gaps and notes."""
    end = stamp(utc(hours[-1]) + pd.Timedelta(hours=cell_hours))
    return pd.DataFrame(
        [
            {
                "evidence item": row.item,
                "name": row.name,
                "table": row.table,
                "from": stamp(hours[0]),
                "to": end,
                "records": row.records,
                "quiet hours": sum(row.quiet),
                "gaps": len(row.gaps),
                "longest gap": _longest(row),
                "note": row.note,
            }
            for row in rows
        ]
    )


def _longest(row: Row) -> str:
    gap = max(row.gaps, key=lambda one: one["seconds"], default=None)
    return f"{length(gap['seconds'])} from {stamp(gap['from'])}" if gap else ""


def length(seconds: float) -> str:
    """Give a length of time to read at a glance: `45 s`, `19 min`, `9.7 h`, `45 days`."""
    for size, name in ((172_800, "days"), (7_200, "h"), (120, "min")):
        if seconds >= size:
            unit = {"days": 86_400, "h": 3_600, "min": 60}[name]
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.0f} s"
