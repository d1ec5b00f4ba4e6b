"""The lifecycle: what happened around first contact, one lane per stage, and the lanes that nothing could fill."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.report.figures.look import BLUE, GREY, VERMILION, framed
from playbooks.report.figures.picture import Picture, counted, named, stamp, utc
from playbooks.report.inert import figure_label

if TYPE_CHECKING:
    import plotly.graph_objects as go

MAX_MARKS = 1_000
ROWS_A_LANE = 1.7  # marks close in time stand above each other
LIFTS = (0.0, -0.16, 0.16, -0.32, 0.32)
ANSWERS = {
    "blind": "no telemetry that could show it",
    "clear": "nothing in the records",
}
# seconds from first contact that get a label; the axis is logarithmic: minutes count near it, hours far off
TICKS = {60: "1 min", 600: "10 min", 3600: "1 h", 21_600: "6 h", 86_400: "1 d", 604_800: "7 d"}
NEAR_S = 30.0
LEFT_SHARE = 0.45  # of the width: a label there would stand on the line of first contact
BLIND_FILL = "rgba(122,130,140,.16)"


def lifecycle_timeline(activity: pd.DataFrame, stages: pd.DataFrame) -> Picture:
    """Events of one finding by stage, hours from first contact across; a blind stage is filled and says so."""
    caption = "What happened around first contact"
    columns = ["time", "stage", "sentence", "host", "user", "matched_by", "ref"]
    if stages.empty:
        empty = pd.DataFrame(columns=columns)
        return Picture(None, caption, "No picture: there is no first contact to look around.", empty)
    lanes = list(dict.fromkeys(stages["stage"]))
    answers = {lane: _answer(stages[stages.stage == lane]) for lane in lanes}
    drawn = activity.head(MAX_MARKS)
    figure = _lanes(drawn, lanes, answers)
    table = activity.assign(time=activity["time"].map(lambda time: utc(time).strftime("%Y-%m-%d %H:%M:%S")))[columns]
    return Picture(figure, caption, _sentence(activity, stages, lanes, answers), table.reset_index(drop=True))


def _answer(rows: pd.DataFrame) -> str:
    states = set(rows["state"])
    return "found" if "found" in states else "clear" if states == {"clear"} else "blind"


def _sentence(activity: pd.DataFrame, stages: pd.DataFrame, lanes: list[str], answers: dict[str, str]) -> str:
    hosts = list(dict.fromkeys(stages["src"]))
    first = stages["first_contact"].min()
    who = ", ".join(named(host) for host in hosts[:3]) + (f" and {len(hosts) - 3} more" if len(hosts) > 3 else "")
    by = {word: [lane for lane in lanes if answers[lane] == word] for word in ("found", "clear", "blind")}
    parts = [f"{word}: {', '.join(by[word])}" for word in by if by[word]]
    left = int(stages["left_out"].sum())
    return (
        f"{counted(len(activity), 'record')} around the first contact of {who} at {stamp(first)} UTC. "
        f"{'. '.join(part[0].upper() + part[1:] for part in parts)}. A mark is consistent with its stage, no more."
        + (f" Not drawn: {left:,} more records, less telling ones." if left else "")
    )


def _lanes(drawn: pd.DataFrame, lanes: list[str], answers: dict[str, str]) -> go.Figure:
    import plotly.graph_objects as go

    places = [_place(seconds) for seconds in drawn["relative_s"]]
    low, high = min([*places, _place(-60)]), max([*places, _place(60)])
    room = (high - low) * 0.04
    left = (0 - low) / (high - low) > LEFT_SHARE
    figure = go.Figure([_marks(drawn, lanes, telling=True, room=room), _marks(drawn, lanes, telling=False, room=room)])
    for number, lane in enumerate(lanes):
        if words := ANSWERS.get(answers[lane]):
            _said(
                figure, number, words, blind=answers[lane] == "blind", at=low - room if left else high + room, left=left
            )
    figure.add_vline(x=0, line={"color": VERMILION, "width": 1.5, "dash": "dot"})
    figure.add_annotation(
        x=0, y=-0.75, text="first contact", showarrow=False, font={"color": VERMILION, "size": 12}, yanchor="bottom",
        xanchor="center",
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(lanes))), ticktext=[lane.replace("-", " ") for lane in lanes],
        range=[len(lanes) - 0.4, -0.75], ticks="", showgrid=False,
    )  # fmt: skip
    figure.update_xaxes(
        title_text="before and after first contact, minutes near it and hours far off", zeroline=False,
        range=[low - room, high + room], **_ticks(low, high),
    )  # fmt: skip
    framed(figure, round(len(lanes) * ROWS_A_LANE), 110)
    return figure.update_layout(legend={"y": 1.07})


def _place(seconds: float) -> float:
    """Where a moment stands on the axis: the logarithm of its distance from first contact, with its sign."""
    return math.copysign(math.log10(1 + abs(seconds) / NEAR_S), seconds)


def _ticks(low: float, high: float) -> dict[str, list[Any]]:
    marks = [
        (sign * seconds, f"{word} {words}") for sign, word in ((-1, "−"), (1, "+")) for seconds, words in TICKS.items()
    ]
    inside = [
        (_place(seconds), words.replace(" ", "", 1)) for seconds, words in marks if low <= _place(seconds) <= high
    ]
    return {"tickvals": [place for place, _ in inside], "ticktext": [words for _, words in inside]}


def _said(figure: go.Figure, number: int, words: str, blind: bool, at: float, left: bool) -> None:
    """Write across a lane why it is empty; a blind one is filled, a clear one is not."""
    if blind:
        figure.add_hrect(y0=number - 0.42, y1=number + 0.42, fillcolor=BLIND_FILL, line_width=0, layer="below")
    figure.add_annotation(
        x=at, y=number, text=f"{'blind: ' if blind else ''}{words}", showarrow=False,
        xanchor="left" if left else "right", xshift=8 if left else -8,
        font={"size": 11, "color": GREY},
    )  # fmt: skip


def _marks(drawn: pd.DataFrame, lanes: list[str], telling: bool, room: float) -> go.Scatter:
    import plotly.graph_objects as go

    lane_of = {lane: number for number, lane in enumerate(lanes)}
    places = drawn["relative_s"].map(_place)
    slot = (places / room / 0.6).round()
    lift = drawn.assign(slot=slot).groupby(["stage", "slot"]).cumcount() % len(LIFTS)
    chosen = drawn["telling"].astype(bool) == telling
    part = drawn[chosen]
    heights = [lane_of[lane] + LIFTS[step] for lane, step in zip(part["stage"], lift[chosen], strict=True)]
    return go.Scatter(
        x=places[chosen].round(4).tolist(),
        y=heights,
        mode="markers",
        name="telling" if telling else "ordinary by itself",
        marker={
            "symbol": "circle" if telling else "circle-open",
            "color": BLUE if telling else GREY,
            "size": 10 if telling else 8,
            "opacity": 0.85,
        },
        text=[
            f"{figure_label(event.sentence, 110)}<br>{stamp(event.time)} UTC, by {event.matched_by}, {event.ref}"
            for event in part.itertuples()
        ],
        hovertemplate="%{text}<extra></extra>",
        showlegend=bool(len(part)),
    )
