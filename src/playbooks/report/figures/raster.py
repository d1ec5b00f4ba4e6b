"""The check-in raster: the rhythm of one pair, to be judged by eye."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from playbooks.report.figures.look import BLUE, ROW_HEIGHT, framed
from playbooks.report.figures.picture import MAX_ROWS, Picture, counted, left_out, named, stamp

if TYPE_CHECKING:
    import plotly.graph_objects as go

MAX_MARKS = 20_000  # more strokes than this neither draw quickly nor tell more
STROKES_APART_S = 300


def checkin_raster(checkins: pd.DataFrame) -> Picture:
    """Check-ins of one pair, a row per hour (or per day where they are rare), above the intervals between them."""
    caption = "Check-ins of the pair with the clearest rhythm"
    if checkins.empty:
        return Picture(None, caption, "No picture: no pair had enough events to measure a rhythm.", checkins.copy())
    frame = checkins.assign(time=pd.to_datetime(checkins["time"], utc=True)).sort_values("time", kind="stable")
    times = frame["time"]
    intervals = _seconds_apart(times).dropna()
    short = (times.iloc[-1] - times.iloc[0]) <= pd.Timedelta(hours=48)
    by_hour = short or bool(intervals.median() < STROKES_APART_S)  # closer strokes would run together in a day
    row = times.dt.floor("h" if by_hour else "D")
    rows = list(row.drop_duplicates())
    shown = rows[:MAX_ROWS]
    inside = row.isin(shown)
    offset = (times[inside] - row[inside]).dt.total_seconds() / (60 if by_hour else 3600)
    at = row[inside].map({moment: number for number, moment in enumerate(shown)})
    labels = [moment.strftime("%d %b %H:00" if by_hour else "%a %d %b %Y") for moment in shown]
    figure = _raster(offset.head(MAX_MARKS).tolist(), at.head(MAX_MARKS).tolist(), labels, intervals, by_hour)
    table = pd.DataFrame(
        {
            "time (UTC)": times.dt.strftime("%Y-%m-%d %H:%M:%S"),
            "src": frame["src"],
            "dst": frame["dst"],
            "seconds since the one before": _seconds_apart(times),
        }
    )
    summary = _rhythm_sentence(frame, intervals, "hour" if by_hour else "day")
    summary += left_out(len(rows), len(shown), "hours" if by_hour else "days")
    return Picture(framed(figure, len(shown), 220), caption, summary, table.reset_index(drop=True))


def _seconds_apart(times: pd.Series[pd.Timestamp]) -> pd.Series[float]:
    return times.diff().dt.total_seconds()


def _rhythm_sentence(frame: pd.DataFrame, intervals: pd.Series[float], row: str) -> str:
    first, last = frame["time"].iloc[0], frame["time"].iloc[-1]
    who = f"{named(frame['src'].iloc[0])} contacted {named(frame['dst'].iloc[0])} "
    span = f"{counted(len(frame), 'time')} between {stamp(first)} and {stamp(last)} UTC"
    if intervals.empty:
        return f"{who}{span}. One event has no interval."
    low, middle, high = (float(intervals.quantile(share)) for share in (0.25, 0.5, 0.75))
    return (
        f"{who}{span}, half of the time {low:,.0f} to {high:,.0f} seconds apart (median {middle:,.0f}). "
        f"Each row is one {row}, each stroke one check-in; below, how often each interval occurred."
    )


def _raster(
    offset: list[float], at: list[int], labels: list[str], intervals: pd.Series[float], by_hour: bool
) -> go.Figure:
    from plotly.subplots import make_subplots

    rows = max(len(labels), 2) * ROW_HEIGHT
    figure = make_subplots(
        rows=2,
        cols=1,
        row_heights=[rows / (rows + 130), 130 / (rows + 130)],
        vertical_spacing=min(0.5, 70 / (rows + 200)),
    )
    figure.add_trace(_strokes(offset, at), row=1, col=1)
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.4, -0.6], ticks="", showgrid=False,
        row=1, col=1,
    )  # fmt: skip
    end, step = (60, 10) if by_hour else (24, 3)
    figure.update_xaxes(
        range=[-0.01 * end, end], dtick=step, title_text="minute of the hour" if by_hour else "hour of the day, UTC",
        row=1, col=1,
    )  # fmt: skip
    figure.add_trace(_intervals(intervals), row=2, col=1)
    figure.update_xaxes(title_text="seconds between check-ins", rangemode="tozero", row=2, col=1)
    figure.update_yaxes(title_text="times", rangemode="tozero", nticks=4, row=2, col=1)
    return figure.update_layout(showlegend=False, bargap=0.05)


def _strokes(offset: list[float], at: list[int]) -> go.Scatter:
    """Draw all check-ins as one path: ten thousands of single marks would be slow to open."""
    import plotly.graph_objects as go

    x: list[float | None] = []
    y: list[float | None] = []
    for where, row in zip(offset, at, strict=True):
        x += [round(where, 4), round(where, 4), None]
        y += [row - 0.34, row + 0.34, None]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": BLUE, "width": 1.6}, hoverinfo="skip")


def _intervals(intervals: pd.Series[float]) -> go.Bar:
    """Count the intervals in 60 bars up to the 99th percentile: one long pause must not flatten the rest."""
    import numpy as np
    import plotly.graph_objects as go

    top = float(intervals.quantile(0.99)) if len(intervals) else 0.0
    counts, edges = np.histogram(intervals[intervals <= top], bins=60, range=(0.0, max(top * 1.1, 1.0)))
    return go.Bar(
        x=((edges[:-1] + edges[1:]) / 2).round(3).tolist(),
        y=counts.tolist(),
        marker={"color": BLUE, "line": {"width": 0}},
        hovertemplate="about %{x:,.0f} s: %{y:,} times<extra></extra>",
    )
