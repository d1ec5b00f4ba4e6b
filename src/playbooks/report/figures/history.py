"""The history of functions: control-plane events as swim lanes, one per phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from playbooks.report.figures.look import OUTCOMES, framed
from playbooks.report.figures.picture import MAX_ROWS, Picture, counted, left_out, named, stamp
from playbooks.report.inert import figure_label
from playbooks.scoping.uses import STANDS_FOR, number_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

PHASES = (
    "identity", "create", "modify-code", "modify-config", "permission", "trigger", "invoke", "defence-evasion",
    "discovery",
)  # fmt: skip
MAX_MARKS = 2_000


def function_history(activity: pd.DataFrame, resource: str | None = None) -> Picture:
    """Control-plane events as swim lanes, one per phase; the symbol tells the outcome."""
    import plotly.graph_objects as go

    caption = "History of the functions" if resource is None else f"History of {named(resource)}"
    frame = activity if resource is None else activity[activity["resource"] == resource]
    columns = ["time", "phase", "operation", "principal", "resource", "outcome", "ref"]
    if frame.empty:
        of = "" if resource is None else f" of {named(resource)}"
        none = f"No picture: the records hold no control-plane event{of}."
        return Picture(None, caption, none, pd.DataFrame(columns=columns))
    if STANDS_FOR not in frame:
        frame = frame.assign(**{STANDS_FOR: 1})
    frame = frame.assign(time=pd.to_datetime(frame["time"], utc=True)).sort_values("time", kind="stable")
    outcome = frame["outcome"].where(frame["outcome"].isin(list(OUTCOMES)), "unknown")
    frame = frame.assign(lane=frame["phase"].fillna("other"), result=outcome)
    known = [phase for phase in PHASES if (frame["lane"] == phase).any()]
    lanes = [*known, *sorted(set(frame["lane"]) - set(known), key=str)]
    shown = lanes[:MAX_ROWS]
    drawn = frame[frame["lane"].isin(shown)].head(MAX_MARKS)
    figure = go.Figure([_outcomes(drawn, shown, outcome) for outcome in OUTCOMES])
    counts = frame.groupby("lane")[STANDS_FOR].sum()
    figure.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=[f"{figure_label(lane, 30)}  ({counts[lane]:,})" for lane in shown],
        range=[len(shown) - 0.4, -0.6], ticks="",
    )  # fmt: skip
    figure.update_xaxes(title_text="UTC")
    table = frame[columns].assign(time=frame["time"].dt.strftime("%Y-%m-%d %H:%M:%S"))
    summary = _history_sentence(frame, lanes) + left_out(len(frame), len(drawn), "events") + _alike(frame)
    return Picture(framed(figure, len(shown) * 2, 110), caption, summary, table.reset_index(drop=True))


def _history_sentence(frame: pd.DataFrame, lanes: list[str]) -> str:
    failed = number_of(frame[frame["result"] == "failure"])
    parts = ", ".join(f"{named(lane)} {number_of(frame[frame['lane'] == lane]):,}" for lane in lanes[:12])
    events, resources = (
        counted(number_of(frame), "control-plane event"),
        counted(frame["resource"].nunique(), "resource"),
    )
    return (
        f"{events} on {resources} between "
        f"{stamp(frame['time'].iloc[0])} and {stamp(frame['time'].iloc[-1])} UTC: {parts}. "
        f"{counted(failed, 'event')} failed (drawn as a cross)."
    )


def _alike(frame: pd.DataFrame) -> str:
    """How many events are neither drawn nor listed, because the last of them stands for all."""
    more = number_of(frame) - len(frame)
    return f" {more:,} more runs and reads are like those listed; cloud_activity.parquet has them all." if more else ""


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
