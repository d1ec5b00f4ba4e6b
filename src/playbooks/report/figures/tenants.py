"""Hosts × tenants: which source talked how often to which destination that is worth a look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.report.figures.look import BLUE, GREY, ROW_HEIGHT, VERMILION, framed
from playbooks.report.figures.picture import MAX_ROWS, Picture, counted, named
from playbooks.report.inert import figure_label

if TYPE_CHECKING:
    import plotly.graph_objects as go

MAX_COLUMNS = 16  # more names than this cannot be read beside each other
WORTH_A_LOOK = 8  # destinations without finding or lead that are drawn with them
NAME_HEIGHT = 190  # of the slanted names above the columns
LONGEST_NAME = 34
KINDS = {"finding": ("square", VERMILION), "lead": ("diamond", BLUE), "neither": ("circle", GREY)}


def hosts_and_tenants(pairs: pd.DataFrame, findings: Mapping[str, Any]) -> Picture:
    """A row per source, a column per tenant or destination; the mark grows with contacts, its shape tells findings."""
    caption = "Which host talked to which tenant"
    empty = pd.DataFrame(columns=["source", "tenant or destination", "contacts", "in"])
    if pairs.empty:
        return Picture(None, caption, "No picture: the records hold no contact with the outside.", empty)
    frame = _cells(pairs, _told(findings))
    columns = _columns(frame)
    inside = frame[frame.column.isin(columns)]
    rows = _rows(inside)
    drawn = inside[inside.src.isin(rows)]
    table = inside.rename(columns={"src": "source", "column": "tenant or destination", "kind": "in"})
    summary = _sentence(frame, inside, columns, rows)
    figure = _matrix(drawn, columns, rows)
    return Picture(figure, caption, summary, table[list(empty.columns)].reset_index(drop=True))


def _told(findings: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """(source, destination) → finding or lead; a finding before a lead."""
    told: dict[tuple[str, str], str] = {}
    for kind in ("lead", "finding"):
        for entry in findings.get(f"{kind}s") or ():
            about = entry.get("subjects") or {}
            ends = [(src, dst) for src in about.get("src", ()) for dst in about.get("dst", ())]
            told |= dict.fromkeys(ends, kind)
    return told


def _cells(pairs: pd.DataFrame, told: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    """One row per source and column: a tenant stands for all its names."""
    tenant = pairs["tenant"].where(pairs["tenant"].notna(), pairs["dst"])
    kinds = [told.get((src, dst), "neither") for src, dst in zip(pairs["src"], pairs["dst"], strict=True)]
    order = pd.Series([list(KINDS).index(kind) for kind in kinds], index=pairs.index)
    ranked = pairs.assign(column=tenant.astype(str), order=order, contacts=pairs["connections"].fillna(0))
    cells = ranked.groupby(["src", "column"], as_index=False).agg(
        contacts=("contacts", "sum"), order=("order", "min"), priority=("priority", "max")
    )
    return cells.assign(kind=cells["order"].map(dict(enumerate(KINDS))))


def _columns(frame: pd.DataFrame) -> list[str]:
    """Findings first, then leads, then the destinations most worth a look."""
    best = frame.groupby("column", as_index=False).agg(order=("order", "min"), priority=("priority", "max"))
    best = best.sort_values(["order", "priority", "column"], ascending=[True, False, True], kind="stable")
    told, others = best[best.order < 2], best[best.order == 2]
    return [*told.column[:MAX_COLUMNS], *others.column[: max(0, min(WORTH_A_LOOK, MAX_COLUMNS - len(told)))]]


def _rows(inside: pd.DataFrame) -> list[str]:
    best = inside.groupby("src", as_index=False).agg(order=("order", "min"), contacts=("contacts", "sum"))
    best = best.sort_values(["order", "contacts", "src"], ascending=[True, False, True], kind="stable")
    return list(best.src[:MAX_ROWS])


def _sentence(frame: pd.DataFrame, inside: pd.DataFrame, columns: list[str], rows: list[str]) -> str:
    told = inside[inside.kind == "finding"]
    about = (
        f"Of findings: {', '.join(f'{named(row.src)} → {named(row.column)}' for row in told.head(5).itertuples())}"
        f"{' and more' if len(told) > 5 else ''}."
        if len(told)
        else "No finding is about any of them."
    )
    missing = [
        counted(frame["column"].nunique() - len(columns), "more destination"),
        counted(inside["src"].nunique() - len(rows), "more source"),
    ]
    left = [words for words in missing if not words.startswith("0 ")]
    places = counted(len(columns), "tenant or destination", "tenants or destinations")
    return (
        f"{counted(len(rows), 'source')} and {places}: those of findings and leads, then those most worth a look. "
        f"{about} A larger mark means more contacts." + (f" Not drawn: {', '.join(left)}." if left else "")
    )


def _matrix(drawn: pd.DataFrame, columns: list[str], rows: list[str]) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure([_marks(drawn, columns, rows, kind) for kind in KINDS])
    figure.update_xaxes(
        tickvals=list(range(len(columns))), ticktext=[figure_label(name, LONGEST_NAME) for name in columns],
        range=[-0.6, len(columns) - 0.4], side="top", tickangle=-40, ticks="", title_text="",
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(range(len(rows))), ticktext=[figure_label(name, LONGEST_NAME) for name in rows],
        range=[len(rows) - 0.4, -0.6], ticks="", title_text="",
    )  # fmt: skip
    framed(figure, len(rows), NAME_HEIGHT + 50)
    below = -20 / (max(len(rows), 2) * ROW_HEIGHT)
    return figure.update_layout(legend={"y": below, "yanchor": "top"}, margin={"t": 8, "r": 80, "b": 40})


def _marks(drawn: pd.DataFrame, columns: list[str], rows: list[str], kind: str) -> go.Scatter:
    import plotly.graph_objects as go

    symbol, colour = KINDS[kind]
    part = drawn[drawn.kind == kind]
    top = max(float(drawn.contacts.max()), 1.0)
    place, row_of = ({name: number for number, name in enumerate(names)} for names in (columns, rows))
    contacts = part.contacts.astype(int).tolist()
    return go.Scatter(
        x=[place[column] for column in part.column],
        y=[row_of[src] for src in part.src],
        mode="markers",
        name={"finding": "in a finding", "lead": "in a lead", "neither": "in neither"}[kind],
        marker={
            "symbol": symbol,
            "color": colour,
            "size": [6 + 12 * (float(n) / top) ** 0.5 for n in contacts],
            "opacity": 0.85,
            "line": {"width": 0},
        },
        text=[
            f"{figure_label(row.src)} → {figure_label(row.column)}<br>{counted(n, 'contact')}"
            for row, n in zip(part.itertuples(), contacts, strict=True)
        ],
        hovertemplate="%{text}<extra></extra>",
        showlegend=bool(len(part)),
    )
