"""The coverage heat map: records per evidence item over time, with every empty cell marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.report.figures.look import GREY, MANY, framed
from playbooks.report.figures.picture import MAX_ROWS, Picture, counted, left_out, stamp, utc
from playbooks.report.inert import figure_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

MAX_CELLS = 120  # columns; longer windows are drawn in wider cells
CELL_HOURS = (1, 2, 3, 6, 12, 24, 48, 168, 336, 730, 2190, 8760)


def coverage_heatmap(coverage: Mapping[str, Any]) -> Picture:
    """Records per hour and evidence item; a cross marks a cell without any record, a dot one with empty hours."""
    import plotly.graph_objects as go

    caption = "What was looked at: records per evidence item over time"
    matrix = coverage.get("matrix") or {}
    hours, rows = list(matrix.get("hours") or []), list(matrix.get("rows") or [])
    if not hours or not rows:
        empty = pd.DataFrame(columns=["evidence item", "table", "from", "to", "records"])
        return Picture(None, caption, "No picture: no evidence item holds a record with a time.", empty)
    width = next((step for step in CELL_HOURS if len(hours) / step <= MAX_CELLS), CELL_HOURS[-1])
    starts = [utc(hour) for hour in hours[::width]]
    shown = rows[:MAX_ROWS]
    cells = [_cells(row["counts"], width) for row in shown]
    names = [f"{figure_label(row['evidence_id'], 12)}  {figure_label(row['name'], 34)}" for row in shown]
    figure = go.Figure(_heat(cells, starts, names))
    for symbol, name, chosen in (("x-thin", "no record", 0), ("circle", "some hours without", 1)):
        figure.add_trace(_cell_marks(cells, starts, symbol, name, chosen))
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5], showgrid=False, ticks=""
    )
    figure.update_xaxes(title_text="UTC", showgrid=False)
    table = _heat_table(rows, hours, width)
    summary = _coverage_sentence(coverage, rows, hours, width) + left_out(len(rows), len(shown), "evidence items")
    return Picture(framed(figure, len(shown)), caption, summary, table)


def _cells(counts: Sequence[int], width: int) -> list[tuple[int, int]]:
    """Give per cell the records in it and the hours without any."""
    slices = [counts[at : at + width] for at in range(0, len(counts), width)]
    return [(sum(part), sum(1 for count in part if not count)) for part in slices]


def _heat(cells: list[list[tuple[int, int]]], starts: list[pd.Timestamp], names: list[str]) -> go.Heatmap:
    import math

    import plotly.graph_objects as go

    top = max((records for row in cells for records, _ in row), default=1) or 1
    powers = range(int(math.log10(top)) + 1)
    return go.Heatmap(
        x=starts,
        y=list(range(len(names))),
        z=[[math.log10(records) if records else None for records, _ in row] for row in cells],
        text=[[f"{name}<br>{records:,} records" for records, _ in row] for name, row in zip(names, cells, strict=True)],
        hovertemplate="%{text}<br>from %{x|%Y-%m-%d %H:%M}<extra></extra>",
        colorscale=MANY,
        zmin=0,
        zmax=max(math.log10(top), 1),
        xgap=1,
        ygap=3,
        colorbar={
            "title": {"text": "records", "side": "top", "font": {"size": 11}},
            "tickvals": list(powers),
            "ticktext": [f"{10**power:,}" for power in powers],
            "thickness": 10,
            "outlinewidth": 0,
            "len": 1.0,
        },
    )


def _cell_marks(
    cells: list[list[tuple[int, int]]], starts: list[pd.Timestamp], symbol: str, name: str, chosen: int
) -> go.Scatter:
    """Mark cells without a record (`chosen` 0), or cells with records and empty hours (1)."""
    import plotly.graph_objects as go

    at = [
        (starts[column], row_no)
        for row_no, row in enumerate(cells)
        for column, (records, empty) in enumerate(row)
        if (records == 0 if chosen == 0 else records > 0 and empty > 0)
    ]
    return go.Scatter(
        x=[x for x, _ in at],
        y=[y for _, y in at],
        mode="markers",
        name=name,
        marker={
            "symbol": symbol,
            "size": 5 if chosen == 0 else 3,
            "color": GREY if chosen == 0 else "#ffffff",
            "line": {"width": 1, "color": GREY if chosen == 0 else "#20262d"},
        },
        hoverinfo="skip",
        showlegend=bool(at),
    )


def _heat_table(rows: Sequence[Mapping[str, Any]], hours: Sequence[str], width: int) -> pd.DataFrame:
    at = [hours[0], hours[-1]]
    found = [
        {
            "evidence item": f"{row['evidence_id']} {row['name']}",
            "table": row["table"],
            "from": stamp(at[0]),
            "to": stamp(utc(at[1]) + pd.Timedelta(hours=1)),
            "hours": len(hours),
            "hours with records": sum(1 for count in row["counts"] if count),
            "records": sum(row["counts"]),
            "most in one hour": max(row["counts"], default=0),
        }
        for row in rows
    ]
    return pd.DataFrame(found)


def _coverage_sentence(
    coverage: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], hours: Sequence[str], width: int
) -> str:
    records = sum(sum(row["counts"]) for row in rows)
    gaps = [gap for item in coverage.get("items", []) for gap in item.get("gaps") or []]
    longest = max(gaps, key=lambda gap: gap["hours"], default=None)
    gap_words = (
        f"{counted(len(gaps), 'gap')} found, the longest {counted(round(longest['hours']), 'hour')} "
        f"from {stamp(longest['from'])}."
        if longest
        else "No gap of a whole hour between the first and last record of an item."
    )
    return (
        f"{counted(records, 'event')} of {counted(len(rows), 'evidence item')} between {stamp(hours[0])} and "
        f"{stamp(utc(hours[-1]) + pd.Timedelta(hours=1))} UTC. {gap_words} "
        f"A cell is {counted(width, 'hour')}; × has no record, a dot has records and at least one empty hour."
    )
