"""Novelty: which control-plane events had not been seen before, by whom, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from playbooks.report.figures.look import BLUE, GREY, VERMILION, framed
from playbooks.report.figures.picture import MAX_ROWS, Picture, counted, left_out, named, stamp
from playbooks.report.inert import figure_label

if TYPE_CHECKING:
    import plotly.graph_objects as go

NEW_FROM = 0.5  # half of what can be new about an event
MAX_MARKS = 2_000
CAPTION = "What was new: control-plane events against the baseline"
COLUMNS = ["time", "principal", "operation", "resource", "novelty", "reasons", "ref"]
KINDS = {  # how new → symbol, colour, words
    "new": ("diamond", VERMILION, f"novelty {NEW_FROM} or more"),
    "partly": ("circle", BLUE, "less"),
    "none": ("circle-open", GREY, "nothing new"),
}


def novelty_by_time(activity: pd.DataFrame) -> Picture:
    """A row per principal, the newest first; the mark grows with novelty, its shape tells what is mostly new."""
    known = activity[activity["novelty"].notna()] if "novelty" in activity else activity.head(0)
    empty = pd.DataFrame(columns=COLUMNS)
    if not len(activity):
        return Picture(None, CAPTION, "No picture: the records hold no control-plane event.", empty)
    if not len(known):
        return Picture(None, CAPTION, "No picture: without a baseline nothing can be called new.", empty)
    frame = known.assign(
        time=pd.to_datetime(known["time"], utc=True),
        who=known["principal"].fillna("not told by the records").astype(str),
        novelty=known["novelty"].astype(float),
    ).sort_values(["time", "ref"], kind="stable")
    best = frame.groupby("who", as_index=False).agg(top=("novelty", "max"), events=("novelty", "size"))
    lanes = list(best.sort_values(["top", "events", "who"], ascending=[False, False, True], kind="stable")["who"])
    shown = lanes[:MAX_ROWS]
    drawn = frame[frame["who"].isin(shown)].nlargest(MAX_MARKS, "novelty", keep="first").sort_values("time")
    table = frame.sort_values(["novelty", "time"], ascending=[False, True], kind="stable")[COLUMNS]
    table = table.assign(time=table["time"].dt.strftime("%Y-%m-%d %H:%M:%S"))
    summary = (
        _sentence(frame)
        + left_out(len(lanes), len(shown), "principals")
        + left_out(int(frame["who"].isin(shown).sum()), len(drawn), "events")
    )
    return Picture(_figure(drawn, shown), CAPTION, summary, table.reset_index(drop=True))


def _sentence(frame: pd.DataFrame) -> str:
    new = frame[frame["novelty"] >= NEW_FROM]
    told = f"{len(new):,} of {counted(len(frame), 'control-plane event')} have a novelty of {NEW_FROM} or more"
    if not len(new):
        return f"{told}. New is not suspicious by itself."
    top = new.sort_values(["novelty", "time"], ascending=[False, True], kind="stable").iloc[0]
    why = ", ".join(map(named, list(top["reasons"])[:3]))
    who = counted(new["who"].nunique(), "principal")
    return (
        f"{told}, by {who}. The newest: {named(top['operation'])} by {named(top['who'])} at {stamp(top['time'])} UTC"
        f" ({top['novelty']:.2f}{': ' + why if why else ''}). New is not suspicious by itself."
    )


def _figure(drawn: pd.DataFrame, lanes: list[str]) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure([_marks(drawn, lanes, kind) for kind in KINDS])
    figure.update_yaxes(
        tickvals=list(range(len(lanes))), ticktext=[figure_label(lane, 40) for lane in lanes],
        range=[len(lanes) - 0.4, -0.6], ticks="",
    )  # fmt: skip
    figure.update_xaxes(title_text="UTC")
    return framed(figure, len(lanes), 120)


def _kind(novelty: float) -> str:
    return "new" if novelty >= NEW_FROM else "partly" if novelty > 0 else "none"


def _marks(drawn: pd.DataFrame, lanes: list[str], kind: str) -> go.Scatter:
    import plotly.graph_objects as go

    symbol, colour, words = KINDS[kind]
    part = drawn[drawn["novelty"].map(_kind) == kind]
    place = {lane: number for number, lane in enumerate(lanes)}
    return go.Scatter(
        x=part["time"].dt.strftime("%Y-%m-%d %H:%M:%S").tolist(),
        y=[place[who] for who in part["who"]],
        mode="markers",
        name=words,
        marker={
            "symbol": symbol, "color": colour, "opacity": 0.85, "size": [7 + 9 * value for value in part["novelty"]],
            "line": {"width": 1, "color": colour},
        },
        text=[
            "<br>".join([
                f"{figure_label(event.operation, 60)}: {event.novelty:.2f}", figure_label(event.resource, 60),
                *(figure_label(reason, 90) for reason in reasons[:4]), figure_label(event.ref),
            ])
            for event, reasons in zip(part.itertuples(), part["reasons"].map(list), strict=True)
        ],
        hovertemplate="%{text}<br>%{x|%Y-%m-%d %H:%M:%S}<extra></extra>",
        showlegend=bool(len(part)),
    )  # fmt: skip
