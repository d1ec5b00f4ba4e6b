"""The matrix source × hour: counts in the span that is looked at, hours without any record included.

Counts add up: cells + before + after + timeless = events of the row.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from playbooks.coverage.hours import HOUR_S, Counted, Looked, iso
from playbooks.coverage.sources import Stream

CELL_HOURS = (1, 24, 168, 720, 8760)
MOST_HOURLY_CELLS = 240  # ten days; longer spans are counted by day
MOST_CELLS = 400
MOST_ROWS = 200
Cells = np.ndarray[Any, np.dtype[np.int64]]


def matrix(streams: list[Stream], counted: Counted, looked: Looked | None) -> dict[str, Any]:
    """Counts per stream and cell.

    Returns
    -------
    dict
        `hours` (starts of the cells, UTC), `cell_hours`, `rows` (at most `MOST_ROWS`) and `rows_left_out`. A row:
        `evidence_id, name, table, format, counts, quiet_hours` (hours of a cell without any record),
        `before, after` (events outside the span), `timeless` (events without a stamp).
    """
    if looked is None:
        return {"hours": [], "cell_hours": 1, "rows": [], "rows_left_out": 0}
    width = _width(looked.hours)
    start = looked.start - looked.start % width if width in (1, 24) else looked.start
    cells = -(-(looked.end - start) // width)
    shown = streams[:MOST_ROWS]
    return {
        "hours": [iso((start + width * cell) * HOUR_S) for cell in range(cells)],
        "cell_hours": width,
        "rows": [_row(stream, counted, looked, (start, width, cells)) for stream in shown],
        "rows_left_out": len(streams) - len(shown),
    }


def _width(hours: int) -> int:
    fits = (w for w in CELL_HOURS if hours <= w * (MOST_HOURLY_CELLS if w == 1 else MOST_CELLS - 1))
    return next(fits, CELL_HOURS[-1])


def _row(stream: Stream, counted: Counted, looked: Looked, grid: tuple[int, int, int]) -> dict[str, Any]:
    start, width, cells = grid
    hours, events, _ = counted.of(stream)
    inside = (hours >= looked.start) & (hours < looked.end)
    place = (hours[inside] - start) // width
    counts = np.bincount(place, weights=events[inside], minlength=cells).astype("int64")
    present = np.bincount(place, minlength=cells)
    asked = np.bincount((np.arange(looked.start, looked.end) - start) // width, minlength=cells)
    return {
        "evidence_id": stream.source.label,
        "name": stream.name,
        "table": stream.table,
        "format": stream.source.format,
        "counts": counts.tolist(),
        "quiet_hours": (asked - present).tolist(),
        "before": int(events[hours < looked.start].sum()),
        "after": int(events[hours >= looked.end].sum()),
        "timeless": counted.timeless.get(stream.number, 0),
    }


def hours_present(streams: list[Stream], counted: Counted, looked: Looked | None) -> set[int]:
    """Hours of the span in which any of these streams has a record."""
    if looked is None:
        return set()
    found: set[int] = set()
    for stream in streams:
        hours = counted.of(stream)[0]
        found.update(hours[(hours >= looked.start) & (hours < looked.end)].tolist())
    return found


def quiet_runs(present: set[int], start: int, end: int) -> list[dict[str, Any]]:
    """Runs of whole hours without any record between two hour numbers: a fact, no judgement."""
    inside = sorted(hour for hour in present if start <= hour < end)
    edges = np.array([start - 1, *inside, end])
    missing = np.diff(edges) - 1
    return [
        {"from": iso((edges[at] + 1) * HOUR_S), "to": iso(edges[at + 1] * HOUR_S), "hours": int(missing[at])}
        for at in np.flatnonzero(missing > 0)
    ]
