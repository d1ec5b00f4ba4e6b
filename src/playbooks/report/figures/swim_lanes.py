"""Swim lanes of one chain: a lane per principal, time downwards, a sign per stage, arrows for what was handed over.

Time runs down the page, because a row has room for the words of its step and a column has not. Rows stand close
together; where minutes pass between two of them, that is written.
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.report.figures.look import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, framed
from playbooks.report.figures.picture import Picture, counted, named, stamp
from playbooks.report.inert import figure_label, shortened
from playbooks.report.words import is_missing

if TYPE_CHECKING:
    import plotly.graph_objects as go

SIGNS: dict[str, tuple[str, str]] = {  # stage → symbol, colour
    "preparation": ("triangle-up", PURPLE),
    "change": ("square", BLUE),
    "permission or trigger": ("diamond", ORANGE),
    "run": ("circle", GREEN),
    "downstream": ("circle-open", GREEN),
    "evasion": ("x", VERMILION),
}
HANDED = {  # what was handed over, in a sentence
    "credentials": "key or password handed over",
    "rights": "rights given",
    "role": "role taken",
    "function": "changed code runs as this role",
    "run": "runs what was changed",
}
ON_ARROW = {
    "credentials": "key or password", "rights": "rights", "role": "role taken", "function": "runs as", "run": "runs it"
}  # fmt: skip
MOST_LANES = 6
OTHERS = "others"
PAUSE_S = 300  # from here on it is written that time passed
PAUSE_ROWS = 0.8
MOST_STEPS = 60
STEP_LABEL, NAME_IN_WORDS = 40, 48  # characters
MOST_IN_WORDS = 6
LANE_LINES = 3
LANE_WIDTH = {1: 30, 2: 26, 3: 20, 4: 16, 5: 13, 6: 11}  # characters of a line, by number of lanes
GUIDE, LANE = "rgba(122,130,140,.30)", "rgba(122,130,140,.55)"
COLUMNS = ["step", "time", "stage", "principal", "operation", "resource", "source_ip", "linked_by", "ref"]


def swim_lanes(chains: pd.DataFrame, steps: pd.DataFrame, chain: str = "") -> Picture:
    """Draw one chain of `schema.CHAINS` with its `schema.CHAIN_STEPS`; without a name, the first."""
    chosen = chains[chains["chain"] == chain] if chain else chains.head(1)
    mine = steps[steps["chain"].isin(chosen["chain"])].sort_values("step", kind="stable")
    if chosen.empty or mine.empty:
        none = f"no chain {named(chain)} is known" if chain else "no steps lead to each other within the window"
        return Picture(None, "Who handed what to whom", f"No picture: {none}.", pd.DataFrame(columns=COLUMNS))
    head = chosen.iloc[0]
    mine = mine.assign(time=pd.to_datetime(mine["time"], utc=True)).reset_index(drop=True)
    drawn = Drawn.of(mine.head(MOST_STEPS))
    table = mine[COLUMNS].assign(time=mine["time"].dt.strftime("%Y-%m-%d %H:%M:%S"))
    caption = f"Chain {named(head['chain'])}: who handed what to whom"
    return Picture(_figure(drawn), caption, _sentence(head, mine, drawn), table)


@dataclass(frozen=True)
class Drawn:
    """Steps with their places: `row` down the page and `lane` across; and who has which lane."""

    steps: pd.DataFrame
    lanes: list[str]

    @classmethod
    def of(cls, steps: pd.DataFrame) -> Drawn:
        """Give each principal a lane in order of first steps; of very many the last share one."""
        names = list(dict.fromkeys(steps["principal"].astype(str)))
        lanes = names if len(names) <= MOST_LANES else [*names[: MOST_LANES - 1], OTHERS]
        place = {name: min(number, len(lanes) - 1) for number, name in enumerate(names)}
        pauses = steps["time"].diff() >= pd.Timedelta(seconds=PAUSE_S)
        rows = [number + PAUSE_ROWS * passed for number, passed in enumerate(pauses.cumsum())]
        return cls(steps.assign(row=rows, pause=pauses, lane=steps["principal"].astype(str).map(place)), lanes)

    def handed_over(self) -> Iterator[tuple[Any, Any]]:
        """The first step of each hand-over, and the step on the giver's lane that it goes back to."""
        for step in self.steps.drop_duplicates(["handed_over", "handed_by", "principal"]).itertuples(index=False):
            if is_missing(step.handed_over) or step.handed_by == step.principal:
                continue
            giver = self.steps[(self.steps["principal"] == step.handed_by) & (self.steps["row"] < step.row)]
            if len(giver):
                shown = giver[giver["ref"] == step.handed_ref]
                yield step, next((shown if len(shown) else giver.tail(1)).itertuples(index=False))


def _sentence(head: pd.Series[Any], steps: pd.DataFrame, drawn: Drawn) -> str:
    counts = steps["stage"].value_counts()
    stages = ", ".join(f"{stage} {counts[stage]}" for stage in SIGNS if stage in counts)
    handed = [
        f"{_short(giver.principal)} → {_short(step.principal)}: {HANDED.get(step.handed_over, named(step.handed_over))}"
        for step, giver in drawn.handed_over()
    ]
    words = "; ".join(handed[:MOST_IN_WORDS]) or "Nothing was handed from one to another"
    words += f"; and {len(handed) - MOST_IN_WORDS} more" if len(handed) > MOST_IN_WORDS else ""
    more = max(int(head["steps"]), len(steps)) - len(drawn.steps)
    return (
        f"{counted(len(steps), 'step')} by {counted(steps['principal'].nunique(), 'principal')} between "
        f"{stamp(steps['time'].iloc[0])} and {stamp(steps['time'].iloc[-1])} UTC, score {float(head['score']):.2f}: "
        f"{stages}. {words}. "
        "A step is consistent with its stage, no more."
        + (f" Not drawn: {counted(more, 'later step')} of the same chain." if more > 0 else "")
    )


def _figure(drawn: Drawn) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure([_marks(drawn.steps, stage) for stage in SIGNS])
    last = float(drawn.steps["row"].iloc[-1])
    for number in range(len(drawn.lanes)):
        figure.add_shape(
            type="line", x0=number, x1=number, y0=-0.5, y1=last + 0.5, layer="below",
            line={"color": LANE, "width": 1},
        )  # fmt: skip
    for step in drawn.steps.itertuples(index=False):
        figure.add_shape(
            type="line", x0=-0.5, x1=step.lane, y0=step.row, y1=step.row, layer="below",
            line={"color": GUIDE, "width": 1, "dash": "dot"},
        )  # fmt: skip
    for step, giver in drawn.handed_over():
        _arrow(figure, step, giver.lane)
    ticks = list(_row_labels(drawn.steps))
    figure.update_yaxes(
        tickvals=[row for row, _ in ticks], ticktext=[words for _, words in ticks], range=[last + 0.6, -0.6],
        ticks="", showgrid=False,
    )  # fmt: skip
    figure.update_xaxes(
        side="top", tickvals=list(range(len(drawn.lanes))), ticktext=[_lane_label(drawn, lane) for lane in drawn.lanes],
        range=[-0.5, len(drawn.lanes) - 0.5], ticks="", showgrid=False, tickangle=0, tickfont={"size": 11},
    )  # fmt: skip
    framed(figure, round(last + 1), 150)
    below = {"xref": "container", "yref": "container", "y": 0.0, "yanchor": "bottom"}
    return figure.update_layout(legend={**below, "entrywidthmode": "fraction", "entrywidth": 0.3})


def _row_labels(steps: pd.DataFrame) -> Iterator[tuple[float, str]]:
    """Time, operation and resource of each row, the day where it changes, and how long nothing happened."""
    day, before = "", None
    for step in steps.itertuples(index=False):
        moment: pd.Timestamp = step.time  # type: ignore[assignment]
        row = float(str(step.row))
        if step.pause and before is not None:
            yield row - (1 + PAUSE_ROWS) / 2, f"<i>{_span((moment - before).total_seconds())} later</i>"
        what = f"{step.operation}" if is_missing(step.resource) else f"{step.operation} · {_tail(step.resource)}"
        today = moment.strftime("%Y-%m-%d ")
        clock = f"{today if today != day else ''}{moment:%H:%M:%S}"
        yield row, f"{figure_label(what, STEP_LABEL)}  <b>{clock}</b>"
        day, before = today, moment


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h" if minutes < 2880 else f"{minutes // 1440} d"


def _tail(name: object) -> str:
    """An ARN without its first five parts: the last one tells who or what it is."""
    return str(name).rpartition(":")[2] if str(name).startswith("arn:") else str(name)


def _short(name: object) -> str:
    return shortened(named(_tail(name)), NAME_IN_WORDS)


def _lane_label(drawn: Drawn, lane: str) -> str:
    """A principal in a few lines; of a function's role, whose it is."""
    if lane == OTHERS:
        rest = drawn.steps.loc[drawn.steps["lane"] == len(drawn.lanes) - 1, "principal"].nunique()
        return f"{rest} others,<br>see data"
    width = LANE_WIDTH[len(drawn.lanes)]
    text = html.unescape(figure_label(_tail(lane), width * LANE_LINES))
    lines = [f"<b>{html.escape(text[at : at + width], quote=False)}</b>" for at in range(0, len(text), width)]
    mine = drawn.steps[drawn.steps["principal"].astype(str) == lane]
    if (mine["stage"] == "downstream").any():
        changed = drawn.steps[drawn.steps["ref"].isin(mine["handed_ref"].dropna())]
        whose = [figure_label(_tail(name), width) for name in changed["resource"].dropna()] or ["a function"]
        lines += ["<i>role of</i>", f"<i>{whose[0]}</i>"]
    return "<br>".join(lines)


def _marks(steps: pd.DataFrame, stage: str) -> go.Scatter:
    import plotly.graph_objects as go

    symbol, colour = SIGNS[stage]
    part = steps[steps["stage"] == stage]
    return go.Scatter(
        x=part["lane"].tolist(),
        y=part["row"].tolist(),
        mode="markers",
        name=stage,
        marker={"symbol": symbol, "color": colour, "size": 13, "line": {"width": 2, "color": colour}},
        text=[_hover(step) for step in part.itertuples(index=False)],
        hovertemplate="%{text}<extra></extra>",
        showlegend=bool(len(part)),
    )


def _hover(step: Any) -> str:
    told = (step.principal, step.operation, step.resource, step.source_ip, step.linked_by)
    words = [figure_label(value, 110) for value in told if not is_missing(value)]
    return "<br>".join([*words, f"{step.stage}, {step.time:%Y-%m-%d %H:%M:%S} UTC, {figure_label(step.ref)}"])


def _arrow(figure: go.Figure, step: Any, giver: int) -> None:
    """From the giver's lane to the first step of who was given; the words stand on the arrow."""
    figure.add_annotation(
        x=step.lane, y=step.row, ax=giver, ay=step.row, xref="x", yref="y", axref="x", ayref="y", text="",
        showarrow=True, arrowhead=2, arrowsize=1.1, arrowwidth=1.5, arrowcolor=GREY, standoff=9,
    )  # fmt: skip
    rightwards = giver < step.lane
    figure.add_annotation(
        x=step.lane, y=step.row, text=ON_ARROW.get(step.handed_over, figure_label(step.handed_over)), showarrow=False,
        xanchor="right" if rightwards else "left", xshift=-12 if rightwards else 12, yshift=8, font={"size": 10.5},
    )  # fmt: skip
