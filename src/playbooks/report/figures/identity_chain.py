"""The chain of identity: who changed or ran which function, as which role it runs, and what that role called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.report.figures.look import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, framed
from playbooks.report.figures.picture import Picture, counted, named
from playbooks.report.inert import figure_label
from playbooks.report.words import is_missing

if TYPE_CHECKING:
    import plotly.graph_objects as go

CAPTION = "Chain of identity: who, which function, as which role, to what"
COLUMNS = ["from", "link", "to", "records"]
HEADS = ("who", "function", "role", "what the role called")
MOST = 8  # of one column
CHANGING = ("create", "modify-code", "modify-config", "permission", "trigger")
LINKS: dict[str, tuple[str, str, str]] = {  # kind of link → words, dash, colour
    "changed": ("changed", "solid", VERMILION),
    "ran": ("ran", "dot", GREY),
    "runs as": ("runs as", "solid", BLUE),
    "called": ("called", "solid", GREEN),
}
SIGNS = (("circle", PURPLE), ("square", BLUE), ("diamond", ORANGE), ("triangle-up", GREEN))
NAME = 24


@dataclass(frozen=True)
class Link:
    """From one place of a column to one of the next."""

    column: int
    start: str
    kind: str
    end: str
    refs: tuple[str, ...]


def identity_chain(
    activity: pd.DataFrame, roles: pd.DataFrame | None, called: pd.DataFrame | None, findings: Mapping[str, Any]
) -> Picture:
    """Draw the links of functions in findings; without one, of those in leads, then of all with a known role."""
    empty = pd.DataFrame(columns=COLUMNS)
    links = list(_links(activity, roles, called, _functions(activity, roles, findings)))
    if not links:
        none = "No picture: no record links a principal to a function of ours."
        return Picture(None, CAPTION, none, empty)
    columns = _columns(links)
    drawn = [one for one in links if one.start in columns[one.column] and one.end in columns[one.column + 1]]
    rows = [[one.start, LINKS[one.kind][0], one.end, ", ".join(one.refs[:3])] for one in links]
    return Picture(_figure(drawn, columns), CAPTION, _sentence(links, drawn), pd.DataFrame(rows, columns=COLUMNS))


def _functions(activity: pd.DataFrame, roles: pd.DataFrame | None, findings: Mapping[str, Any]) -> list[str]:
    known = set(activity.loc[activity["resource_type"] == "function", "resource"].dropna().astype(str))
    known |= set() if roles is None else set(roles["resource"].dropna().astype(str))
    for kind in ("findings", "leads"):
        told = [
            str(name)
            for entry in findings.get(kind) or ()
            for name in (entry.get("subjects") or {}).get("resource") or ()
            if str(name) in known
        ]
        if told:
            return list(dict.fromkeys(told))[:MOST]
    return sorted(known)[:MOST]


def _links(
    activity: pd.DataFrame, roles: pd.DataFrame | None, called: pd.DataFrame | None, functions: list[str]
) -> Iterator[Link]:
    mine = activity[activity["resource"].isin(functions) & (activity["outcome"] != "failure")]
    for kind, phases in (("changed", CHANGING), ("ran", ("invoke",))):
        acts = mine[mine["phase"].isin(phases)].dropna(subset=["principal"])
        for (who, function), part in acts.groupby(["principal", "resource"], sort=True):
            yield Link(0, str(who), kind, str(function), tuple(map(str, part["ref"].head(3))))
    held = roles[roles["resource"].isin(functions)].dropna(subset=["role"]) if roles is not None else None
    if held is None:
        return
    for (function, role), part in held.groupby(["resource", "role"], sort=True):
        yield Link(1, str(function), "runs as", str(role), tuple(map(str, part["refs"].iloc[0][:3])))
    if called is None or not len(called):
        return
    for _, one in called[called["role"].isin(held["role"])].iterrows():
        what = str(one["operation"]) if is_missing(one["service"]) else f"{one['operation']} ({one['service']})"
        yield Link(2, str(one["role"]), "called", what, tuple(map(str, one["refs"][:3])))


def _columns(links: list[Link]) -> list[list[str]]:
    """The names of each column in order of first mention, changes before runs; of many the first."""
    columns: list[dict[str, None]] = [{}, {}, {}, {}]
    for one in links:
        columns[one.column][one.start] = None
        columns[one.column + 1][one.end] = None
    return [list(column)[:MOST] for column in columns]


def _sentence(links: list[Link], drawn: list[Link]) -> str:
    changed = [f"{named(one.start)} → {named(one.end)}" for one in links if one.kind == "changed"]
    runs = [f"{named(one.start)} → {named(one.end)}" for one in links if one.kind == "runs as"]
    called = sum(1 for one in links if one.kind == "called")
    told = (
        f"Changed: {', '.join(changed[:5]) or 'nothing, by these records'}{' and more' if len(changed) > 5 else ''}. "
    )
    told += f"Runs as: {', '.join(runs[:5]) or 'no role is known'}{' and more' if len(runs) > 5 else ''}. "
    told += (
        f"{counted(called, 'kind')} of call by such a role." if called else "No call by such a role is in the records."
    )
    more = len(links) - len(drawn)
    return told + (f" Not drawn: {counted(more, 'more link')}; the table has them." if more else "")


def _figure(links: list[Link], columns: list[list[str]]) -> go.Figure:
    import plotly.graph_objects as go

    tallest = max(map(len, columns))
    place = {
        (number, name): (row + 0.5) * tallest / len(column)
        for number, column in enumerate(columns)
        for row, name in enumerate(column)
    }
    figure = go.Figure([_lines([one for one in links if one.kind == kind], kind, place) for kind in LINKS])
    for number, column in enumerate(columns):
        symbol, colour = SIGNS[number]
        figure.add_trace(
            go.Scatter(
                x=[number] * len(column),
                y=[place[number, name] for name in column],
                mode="markers+text",
                marker={"symbol": symbol, "color": colour, "size": 13},
                text=[figure_label(_tail(name), NAME) for name in column],
                textposition=("middle left", "top center", "top center", "middle right")[number],
                cliponaxis=False,
                hovertext=[figure_label(name, 110) for name in column],
                hovertemplate="%{hovertext}<extra></extra>",
                showlegend=False,
            )
        )
    figure.update_xaxes(
        tickvals=list(range(4)), ticktext=list(HEADS), range=[-1.25, 4.25], side="top", showgrid=False, ticks="",
    )  # fmt: skip
    figure.update_yaxes(visible=False, range=[tallest + 0.2, -0.2])
    framed(figure, tallest * 2, 110)
    return figure.update_layout(legend={"y": -0.06, "yanchor": "top"})


def _lines(links: list[Link], kind: str, place: Mapping[tuple[int, str], float]) -> go.Scatter:
    import plotly.graph_objects as go

    words, dash, colour = LINKS[kind]
    x: list[float | None] = []
    y: list[float | None] = []
    beside = 0.07 if kind == "ran" else 0.0  # who changes a function may run it too
    for one in links:
        x += [one.column, one.column + 1, None]
        y += [place[one.column, one.start] + beside, place[one.column + 1, one.end] + beside, None]
    return go.Scatter(
        x=x, y=y, mode="lines", name=words, line={"dash": dash, "color": colour, "width": 2}, opacity=0.7,
        hoverinfo="skip", showlegend=bool(links),
    )  # fmt: skip


def _tail(name: str) -> str:
    return name.rpartition(":")[2] if name.startswith("arn:") else name
