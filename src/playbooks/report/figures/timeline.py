"""The egress timeline: which serverless destinations were contacted in which hours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from playbooks.report.figures.look import BLUE, framed
from playbooks.report.figures.picture import MAX_ROWS, Picture, counted, left_out, named, stamp
from playbooks.report.inert import figure_label

if TYPE_CHECKING:
    import plotly.graph_objects as go

MAX_MARKS = 20_000  # more marks than this neither draw quickly nor tell more


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
        f"{named(rank.index[0])} was seen in the most hours ({int(busiest['hours']):,}, with "
        f"{counted(int(busiest['connections']), 'connection')}). Being here is not suspicious by itself."
    ) + left_out(len(rank), len(shown), "destinations")
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
