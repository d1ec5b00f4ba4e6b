"""The pictures of a report: each with a caption, a sentence with its facts, and its data as a table.

A picture never says anything by colour alone, draws at most `MAX_ROWS` rows, and says what it leaves out.
Without data there is no figure, and the sentence says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.report.inert import figure_label, visible
from playbooks.report.look import BLUE, GREY, MANY, OUTCOMES, framed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

MAX_ROWS = 30
MAX_MARKS = 20_000  # more marks than this neither draw quickly nor tell more
MAX_CELLS = 120  # columns of the heat map; longer windows are drawn in wider cells
CELL_HOURS = (1, 2, 3, 6, 12, 24, 48, 168, 336, 730, 2190, 8760)
PLOTLY_MIME = "application/vnd.plotly.v1+json"
STROKES_APART_S = 300
PHASES = (
    "identity", "create", "modify-code", "modify-config", "permission", "trigger", "invoke", "defence-evasion",
    "discovery",
)  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """One picture: `figure` (None where there is nothing to draw), and what it says in words and rows."""

    figure: go.Figure | None
    caption: str
    summary: str
    table: pd.DataFrame

    def bundle(self) -> dict[str, Any]:
        """Give the figure as a Jupyter MIME bundle entry; empty without a figure."""
        if self.figure is None:
            return {}
        import json

        return {PLOTLY_MIME: json.loads(self.figure.to_json())}


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Give `1 record`, `1,200 records`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def stamp(time: object) -> str:
    """Give `time` to the minute, as `2024-04-19 08:05` (UTC)."""
    return utc(time).strftime("%Y-%m-%d %H:%M")


def utc(time: object) -> pd.Timestamp:
    """Give `time` as an aware UTC stamp; a stamp without a zone is UTC by contract."""
    moment = pd.Timestamp(time)  # type: ignore[arg-type]
    return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")


def _left_out(total: int, drawn: int, what: str) -> str:
    return f" Not drawn: {total - drawn:,} more {what}; the table has them." if total > drawn else ""


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
    names = [f"{row['evidence_id']}  {figure_label(row['name'], 34)}" for row in shown]
    figure = go.Figure(_heat(cells, starts, names))
    for symbol, name, chosen in (("x-thin", "no record", 0), ("circle", "some hours without", 1)):
        figure.add_trace(_cell_marks(cells, starts, symbol, name, chosen))
    figure.update_yaxes(
        tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.5, -0.5], showgrid=False, ticks=""
    )
    figure.update_xaxes(title_text="UTC", showgrid=False)
    table = _heat_table(rows, hours, width)
    summary = _coverage_sentence(coverage, rows, hours, width) + _left_out(len(rows), len(shown), "evidence items")
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


def egress_timeline(egress_hours: pd.DataFrame) -> Picture:
    """One row per destination; a mark per hour with connections, larger where there were more."""
    import plotly.graph_objects as go

    caption = "When the estate talked to serverless destinations"
    if egress_hours.empty:
        return Picture(
            None, caption, "No picture: the records hold no connection to a destination of the catalogue.",
            egress_hours.copy(),
        )  # fmt: skip
    frame = egress_hours.assign(hour=pd.to_datetime(egress_hours["hour"], utc=True))
    rank = frame.groupby("dst").agg(hours=("hour", "nunique"), connections=("connections", "sum"))
    rank = rank.sort_values(["hours", "connections"], ascending=False, kind="stable")
    shown = list(rank.index[:MAX_ROWS])
    drawn = frame[frame["dst"].isin(shown)].nlargest(MAX_MARKS, "connections", keep="all").head(MAX_MARKS)
    service = frame.drop_duplicates("dst").set_index("dst")["service"]
    labels = [_destination(dst, service[dst]) for dst in shown]
    figure = go.Figure(_bubbles(drawn.sort_values("hour"), shown))
    figure.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=labels, range=[len(shown) - 0.4, -0.6], ticks="", title_text=""
    )
    figure.update_xaxes(title_text="UTC")
    busiest = rank.iloc[0]
    summary = (
        f"{counted(int(frame['connections'].sum()), 'connection')} to {counted(len(rank), 'destination')} between "
        f"{stamp(frame['hour'].min())} and {stamp(frame['hour'].max() + pd.Timedelta(hours=1))} UTC. "
        f"{visible(rank.index[0])} was seen in the most hours ({int(busiest['hours']):,}, with "
        f"{counted(int(busiest['connections']), 'connection')}). Being here is not suspicious by itself."
    ) + _left_out(len(rank), len(shown), "destinations")
    table = frame.sort_values(["hour", "dst"], kind="stable").assign(hour=lambda data: data["hour"].map(stamp))
    return Picture(framed(figure, len(shown), 90), caption, summary, table.reset_index(drop=True))


def _destination(dst: object, service: object) -> str:
    name = figure_label(dst, 42)
    return name if service is None or pd.isna(service) else f"{name}  ({figure_label(service, 24)})"  # type: ignore[call-overload]


def _bubbles(drawn: pd.DataFrame, shown: list[str]) -> go.Scatter:
    import plotly.graph_objects as go

    row_of = {dst: number for number, dst in enumerate(shown)}
    counts = drawn["connections"].clip(lower=1)
    top = float(counts.max())
    return go.Scatter(
        x=drawn["hour"].dt.strftime("%Y-%m-%d %H:%M").tolist(),
        y=[row_of[dst] for dst in drawn["dst"]],
        mode="markers",
        text=[f"{figure_label(dst)}<br>{counted(int(n), 'connection')}"
              for dst, n in zip(drawn["dst"], drawn["connections"], strict=True)],
        hovertemplate="%{text}<br>in the hour from %{x|%Y-%m-%d %H:%M}<extra></extra>",
        marker={
            "color": BLUE,
            "opacity": 0.75,
            "size": [4 + 12 * (float(n) / top) ** 0.5 for n in counts],
            "line": {"width": 0},
        },
        showlegend=False,
    )  # fmt: skip


def checkin_raster(checkins: pd.DataFrame) -> Picture:
    """Check-ins of one pair, a row per hour (or per day where they are rare), above the intervals between them."""
    caption = "Check-ins of the pair with the clearest rhythm"
    if checkins.empty:
        return Picture(None, caption, "No picture: no pair had enough events to measure a rhythm.", checkins.copy())
    frame = checkins.assign(time=pd.to_datetime(checkins["time"], utc=True)).sort_values("time", kind="stable")
    times = frame["time"]
    intervals = times.diff().dt.total_seconds().dropna()
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
    table = pd.DataFrame({"time (UTC)": times.dt.strftime("%Y-%m-%d %H:%M:%S"), "src": frame["src"],
                          "dst": frame["dst"], "seconds since the one before": times.diff().dt.total_seconds()})
    summary = _rhythm_sentence(frame, intervals, "hour" if by_hour else "day")
    summary += _left_out(len(rows), len(shown), "hours" if by_hour else "days")
    return Picture(framed(figure, len(shown), 300), caption, summary, table.reset_index(drop=True))


def _rhythm_sentence(frame: pd.DataFrame, intervals: pd.Series[float], row: str) -> str:
    first, last = frame["time"].iloc[0], frame["time"].iloc[-1]
    who = f"{visible(frame['src'].iloc[0])} contacted {visible(frame['dst'].iloc[0])} "
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

    rows = max(len(labels), 2) * 24
    figure = make_subplots(
        rows=2, cols=1, row_heights=[rows / (rows + 130), 130 / (rows + 130)], vertical_spacing=min(0.5, 70 / (rows + 200))
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


def function_history(activity: pd.DataFrame, resource: str | None = None) -> Picture:
    """Control-plane events as swim lanes, one per phase; the symbol tells the outcome."""
    import plotly.graph_objects as go

    caption = "History of the functions" if resource is None else f"History of {visible(resource)}"
    frame = activity if resource is None else activity[activity["resource"] == resource]
    columns = ["time", "phase", "operation", "principal", "resource", "outcome", "ref"]
    if frame.empty:
        of = "" if resource is None else f" of {visible(resource)}"
        none = f"No picture: the records hold no control-plane event{of}."
        return Picture(None, caption, none, pd.DataFrame(columns=columns))
    frame = frame.assign(time=pd.to_datetime(frame["time"], utc=True)).sort_values("time", kind="stable")
    outcome = frame["outcome"].where(frame["outcome"].isin(list(OUTCOMES)), "unknown")
    frame = frame.assign(lane=frame["phase"].fillna("other"), result=outcome)
    known = [phase for phase in PHASES if (frame["lane"] == phase).any()]
    lanes = [*known, *sorted(set(frame["lane"]) - set(known), key=str)]
    shown = lanes[:MAX_ROWS]
    drawn = frame[frame["lane"].isin(shown)].head(2000)
    figure = go.Figure([_outcomes(drawn, shown, outcome) for outcome in OUTCOMES])
    counts = frame["lane"].value_counts()
    figure.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=[f"{figure_label(lane, 30)}  ({counts[lane]:,})" for lane in shown],
        range=[len(shown) - 0.4, -0.6], ticks="",
    )  # fmt: skip
    figure.update_xaxes(title_text="UTC")
    table = frame[columns].assign(time=frame["time"].dt.strftime("%Y-%m-%d %H:%M:%S"))
    summary = _history_sentence(frame, lanes) + _left_out(len(frame), len(drawn), "events")
    return Picture(framed(figure, len(shown) * 2, 110), caption, summary, table.reset_index(drop=True))


def _history_sentence(frame: pd.DataFrame, lanes: list[str]) -> str:
    failed = int((frame["result"] == "failure").sum())
    parts = ", ".join(f"{visible(lane)} {int((frame['lane'] == lane).sum()):,}" for lane in lanes[:12])
    return (
        f"{counted(len(frame), 'control-plane event')} on {counted(frame['resource'].nunique(), 'resource')} between "
        f"{stamp(frame['time'].iloc[0])} and {stamp(frame['time'].iloc[-1])} UTC: {parts}. "
        f"{counted(failed, 'event')} failed (drawn as a cross)."
    )


def _outcomes(drawn: pd.DataFrame, lanes: list[str], outcome: str) -> go.Scatter:
    """Draw the events of one outcome; events close in time stand above each other."""
    import plotly.graph_objects as go

    symbol, colour = OUTCOMES[outcome]
    span = max((drawn["time"].iloc[-1] - drawn["time"].iloc[0]).total_seconds(), 1.0)
    slot = ((drawn["time"] - drawn["time"].iloc[0]).dt.total_seconds() / span * 80).astype(int)
    level = drawn.assign(slot=slot).groupby(["lane", "slot"]).cumcount() % 5
    chosen = drawn["result"] == outcome
    part = drawn[chosen]
    lane_of = {lane: number for number, lane in enumerate(lanes)}
    lifts = (0.0, -0.16, 0.16, -0.32, 0.32)
    return go.Scatter(
        x=part["time"].dt.strftime("%Y-%m-%d %H:%M:%S").tolist(),
        y=[lane_of[lane] + lifts[lift] for lane, lift in zip(part["lane"], level[chosen], strict=True)],
        mode="markers",
        name=outcome if outcome != "unknown" else "outcome not logged",
        marker={"symbol": symbol, "color": colour, "size": 10, "opacity": 0.85, "line": {"width": 1, "color": colour}},
        text=[
            "<br>".join(figure_label(value, 60) for value in (event.operation, event.resource, event.principal))
            for event in part.itertuples()
        ],
        hovertemplate="%{text}<br>%{x|%Y-%m-%d %H:%M:%S}<extra></extra>",
        showlegend=bool(chosen.any()),
    )
