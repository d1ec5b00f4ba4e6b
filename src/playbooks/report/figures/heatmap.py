"""The coverage picture: records per source over time, with gaps, window and baseline marked.

A cell is deeper the more records it holds. A dot is a cell without any record; a barred line is a gap, a silence that
the source's own rhythm does not explain. What could not be read or is missing has a row, and words in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.report.figures.coverage_rows import KINDS, Row, length, rows_of, table_of
from playbooks.report.figures.look import GREY, MANY, VERMILION, framed
from playbooks.report.figures.picture import MAX_ROWS, Picture, counted, left_out, stamp, utc
from playbooks.report.inert import figure_label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

MAX_CELLS = 120  # columns; longer spans are drawn in wider cells
CELLS_TOGETHER = (1, 2, 3, 4, 6, 8, 12, 24)
CAPTION = "What was looked at: records per source over time"
MOST_GAPS = 300


def coverage_heatmap(coverage: Mapping[str, Any]) -> Picture:
    """Draw sources by time; a dot is a cell without record, a barred line is a gap."""
    import plotly.graph_objects as go

    matrix = coverage.get("matrix") or {}
    hours, rows = list(matrix.get("hours") or []), rows_of(coverage)
    if not hours or not rows:
        empty = pd.DataFrame(columns=["evidence item", "table", "from", "to", "records"])
        return Picture(None, CAPTION, "No picture: no evidence item holds a record with a time.", empty)
    cell_hours = int(matrix.get("cell_hours") or 1)
    together = next((n for n in CELLS_TOGETHER if len(hours) / n <= MAX_CELLS), CELLS_TOGETHER[-1])
    starts, shown = [utc(hour) for hour in hours[::together]], rows[:MAX_ROWS]
    width = pd.Timedelta(hours=cell_hours * together)
    end = starts[-1] + width
    figure = go.Figure(_heat(shown, starts, together, width))
    figure.add_trace(_empty(shown, starts, together, width))
    figure.add_trace(_gap_lines(shown, starts[0], end))
    _spans(figure, coverage, starts[0], end)
    _notes(figure, shown, starts[0])
    labels = [row.label for row in shown]
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.5, -0.5], showgrid=False, ticks=""
    )
    figure.update_xaxes(title_text="UTC", showgrid=False, range=[starts[0], end])
    table = table_of(rows, hours, cell_hours)
    summary = _sentence(coverage, rows, hours, cell_hours) + f" A cell is {_cell(cell_hours * together)}."
    framed(figure, len(shown), 170).update_layout(
        margin={"l": 8, "r": 170, "t": 34, "b": 8},
        legend={"y": 1.0, "yanchor": "bottom", "x": 1.01, "xanchor": "left", "orientation": "v"},
    )
    return Picture(figure, CAPTION, summary + left_out(len(rows), len(shown), "sources"), table)


def _cell(hours: int) -> str:
    return counted(hours // 24, "day") if hours % 24 == 0 else counted(hours, "hour")


def _summed(values: Sequence[int], together: int) -> list[int]:
    return [sum(values[at : at + together]) for at in range(0, len(values), together)]


def _heat(rows: Sequence[Row], starts: list[pd.Timestamp], together: int, width: pd.Timedelta) -> go.Heatmap:
    import math

    import plotly.graph_objects as go

    counts = [_summed(row.counts, together) for row in rows]
    quiet = [_summed(row.quiet, together) for row in rows]
    top = max((count for row in counts for count in row), default=1) or 1
    words = [
        [
            f"{row.label}<br>{count:,} records, {counted(hours, 'hour')} without"
            for count, hours in zip(*two, strict=True)
        ]
        for row, two in zip(rows, zip(counts, quiet, strict=True), strict=True)
    ]
    return go.Heatmap(
        x=[start + width / 2 for start in starts],
        y=list(range(len(rows))),
        z=[[math.log10(count) if count else None for count in row] for row in counts],
        text=words,
        hovertemplate="%{text}<br>around %{x|%Y-%m-%d %H:%M}<extra></extra>",
        colorscale=MANY,
        zmin=0,
        zmax=max(math.log10(top), 1),
        xgap=1,
        ygap=3,
        colorbar=_scale(range(int(math.log10(top)) + 1)),
    )


def _scale(powers: range) -> dict[str, Any]:
    """Give the scale below the rows, to the left."""
    return {
        "title": {"text": "records in a cell", "side": "top", "font": {"size": 11}},
        "tickvals": list(powers),
        "ticktext": [f"{10**power:,}" for power in powers],
        "orientation": "h",
        "thickness": 8,
        "len": 0.4,
        "x": 0,
        "xanchor": "left",
        "y": -0.02,
        "yanchor": "top",
        "ypad": 44,
        "outlinewidth": 0,
    }


def _empty(rows: Sequence[Row], starts: list[pd.Timestamp], together: int, width: pd.Timedelta) -> go.Scatter:
    """A dot in every cell without any record; rows that hold nothing at all have words instead."""
    import plotly.graph_objects as go

    at = [
        (starts[column] + width / 2, place)
        for place, row in enumerate(rows)
        if not row.is_empty
        for column, count in enumerate(_summed(row.counts, together))
        if not count
    ]
    return go.Scatter(
        x=[x for x, _ in at],
        y=[y for _, y in at],
        mode="markers",
        name="no record",
        marker={"symbol": "circle", "size": 3, "color": GREY, "line": {"width": 0}},
        hoverinfo="skip",
        showlegend=bool(at),
    )


def _gap_lines(rows: Sequence[Row], start: pd.Timestamp, end: pd.Timestamp) -> go.Scatter:
    """A thick line with bars at both ends for every gap, longest first where there are too many."""
    import plotly.graph_objects as go

    found = [(place, gap) for place, row in enumerate(rows) for gap in row.gaps]
    found.sort(key=lambda one: -one[1]["seconds"])
    xs: list[Any] = []
    ys: list[Any] = []
    texts: list[Any] = []
    for place, gap in found[:MOST_GAPS]:
        first, last = max(utc(gap["from"]), start), min(utc(gap["to"]), end)
        said = f"gap of {length(gap['seconds'])}<br>{stamp(gap['from'])} to {stamp(gap['to'])} UTC"
        xs += [first, last, None]
        ys += [place, place, None]
        texts += [said, said, ""]
    return go.Scatter(
        x=xs,
        y=ys,
        text=texts,
        mode="lines+markers",
        name="gap",
        line={"color": VERMILION, "width": 3},
        marker={"symbol": "line-ns-open", "size": 13, "color": VERMILION, "line": {"width": 3, "color": VERMILION}},
        hovertemplate="%{text}<extra></extra>",
        showlegend=bool(found),
    )


def _spans(figure: go.Figure, coverage: Mapping[str, Any], start: pd.Timestamp, end: pd.Timestamp) -> None:
    """Window and baseline: a bracket above the rows with its name, and lines down through them."""
    for name, dash in (("baseline", "dot"), ("window", "solid")):
        span = coverage.get(name)
        if not span:
            continue
        first, last = max(utc(span["start"]), start), min(utc(span["end"]), end)
        if first >= last:
            continue
        for edge in (first, last):
            figure.add_shape(
                type="line", x0=edge, x1=edge, y0=0, y1=1.0, yref="paper",
                line={"width": 1.5, "dash": dash, "color": GREY},
            )  # fmt: skip
        figure.add_shape(
            type="line", x0=first, x1=last, y0=1.0, y1=1.0, yref="paper",
            line={"width": 4 if name == "window" else 2, "dash": dash, "color": GREY},
        )  # fmt: skip
        if name == "window":
            figure.add_shape(
                type="rect", x0=first, x1=last, y0=0, y1=1.0, yref="paper", layer="below", line={"width": 0},
                fillcolor="rgba(47,127,193,.08)",
            )  # fmt: skip
        figure.add_annotation(
            x=first + (last - first) / 2, y=1.0, yref="paper", yanchor="bottom", text=name, showarrow=False,
            font={"size": 12},
        )  # fmt: skip


def _notes(figure: go.Figure, rows: Sequence[Row], start: pd.Timestamp) -> None:
    """Words beside the rows; inside rows that hold nothing."""
    for place, row in enumerate(rows):
        if not row.note:
            continue
        inside = row.is_empty and not row.gaps
        where = (
            {"x": start, "xanchor": "left", "xshift": 8} if inside else {"x": 1.01, "xref": "paper", "xanchor": "left"}
        )
        figure.add_annotation(
            y=place, yanchor="middle", text=figure_label(row.note, 60), showarrow=False, font={"size": 11}, **where
        )


def _sentence(coverage: Mapping[str, Any], rows: Sequence[Row], hours: Sequence[str], cell_hours: int) -> str:
    sources = [row for row in rows if row.counts and row.item != "–" and not row.note.startswith("not read")]
    records = sum(row.records for row in rows)
    end = stamp(utc(hours[-1]) + pd.Timedelta(hours=cell_hours))
    said = [
        f"{counted(records, 'event')} of {counted(len(sources), 'source')} between {stamp(hours[0])} and {end} UTC.",
        _gap_words(coverage),
    ]
    lost = sum(1 for row in rows if row.note.startswith("not read"))
    absent = [KINDS[str(row.table)] for row in rows if row.item == "–"]
    silent = sum(1 for row in sources if "nothing in the window" in row.note)
    said += [f"{counted(silent, 'source has', 'sources have')} nothing in the window."] * bool(silent)
    said += [f"{counted(lost, 'file')} could not be read."] * bool(lost)
    said += [f"Not in evidence: {', '.join(absent)}."] * bool(absent)
    return " ".join(said)


def _gap_words(coverage: Mapping[str, Any]) -> str:
    gaps = list(coverage.get("gaps") or [])
    if not gaps:
        return "No silence longer than the sources' own rhythm explains."
    longest = max(gaps, key=lambda gap: (gap["seconds"], gap["from"]))
    inside = sum(1 for gap in gaps if gap["in"] != "baseline")
    return (
        f"{counted(len(gaps), 'gap')} ({inside:,} in the window), the longest {length(longest['seconds'])} from "
        f"{stamp(longest['from'])} in {longest['source']}."
    )
