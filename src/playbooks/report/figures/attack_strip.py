"""The stage strip: which ATT&CK tactics each finding is consistent with, which were looked at, and which nobody could.

Tactics stand in the order of the ATT&CK matrix. They are context for a reader and no detection logic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.knowledge.attack import RELEASE, TECHNIQUES
from playbooks.report.figures.look import BLUE, GREEN, GREY, VERMILION, framed
from playbooks.report.figures.picture import MAX_ROWS, Picture, counted, left_out, named
from playbooks.report.inert import figure_label

if TYPE_CHECKING:
    import plotly.graph_objects as go

TACTICS = (
    "resource-development", "initial-access", "execution", "persistence", "privilege-escalation", "defense-evasion",
    "credential-access", "discovery", "lateral-movement", "collection", "command-and-control", "exfiltration",
    "impact",
)  # fmt: skip
CAPTION = "ATT&CK stages: what each finding is consistent with"
SIGNS: dict[str, tuple[str, str, str]] = {  # what is said of a cell → symbol, colour, words
    "named": ("square", VERMILION, "techniques of the finding"),
    "around": ("circle", BLUE, "records around first contact"),
    "clear": ("circle-open", GREEN, "looked at: nothing in the records"),
    "blind": ("x-thin", GREY, "blind: nothing could have shown it"),
}
COLUMNS = ["finding", "tactic", "says", "techniques", "records"]


@dataclass(frozen=True)
class Cell:
    """What is said of one finding and one tactic."""

    row: int
    finding: str
    tactic: str
    says: str
    techniques: tuple[str, ...]
    records: int


def attack_strip(findings: Mapping[str, Any]) -> Picture:
    """Draw findings by tactic; a sign tells named, seen around first contact, clear or blind; no sign is not asked."""
    every = list(findings.get("findings") or ())
    empty = pd.DataFrame(columns=COLUMNS)
    if not every:
        return Picture(None, CAPTION, "No picture: there is no finding whose stages could be shown.", empty)
    shown = every[:MAX_ROWS]
    cells = [cell for row, entry in enumerate(shown) for cell in _cells(row, entry)]
    table = pd.DataFrame(
        [[one.finding, one.tactic, SIGNS[one.says][2], ", ".join(one.techniques), one.records] for one in cells],
        columns=COLUMNS,
    )
    summary = _sentence(cells, len(shown)) + left_out(len(every), len(shown), "findings")
    return Picture(_figure(cells, shown), CAPTION, summary, table)


def _cells(row: int, entry: Mapping[str, Any]) -> list[Cell]:
    """One per tactic of which something is said; what the finding names outweighs what lay around it."""
    by_tactic: dict[str, list[str]] = {}
    for id in entry.get("attack") or ():
        for tactic in TECHNIQUES[id].tactics if id in TECHNIQUES else ():
            by_tactic.setdefault(tactic, []).append(id)
    around = {str(stage["stage"]): stage for stage in (entry.get("lifecycle") or {}).get("stages") or ()}
    said = {"found": "around", "clear": "clear", "blind": "blind"}
    found = []
    for tactic in TACTICS:
        stage = around.get(tactic)
        if tactic in by_tactic:
            says = "named"
        elif stage is not None and stage.get("state") in said:
            says = said[stage["state"]]
        else:
            continue
        records = int(stage.get("events") or 0) if stage is not None else 0
        found.append(Cell(row, str(entry.get("id")), tactic, says, tuple(by_tactic.get(tactic, ())), records))
    return found


def _sentence(cells: Sequence[Cell], findings: int) -> str:
    named_in = [
        tactic for tactic in TACTICS if any(c.tactic == tactic and c.says in ("named", "around") for c in cells)
    ]
    blind = [tactic for tactic in TACTICS if any(c.tactic == tactic and c.says == "blind" for c in cells)]
    told = f"{counted(findings, 'finding')}, consistent with {', '.join(map(_words, named_in)) or 'no tactic'}"
    told += f"; of one or more of them nothing could have shown {', '.join(map(_words, blind))}" if blind else ""
    return f"{told}. Ids of {RELEASE}, as context: ATT&CK holds no logic that detects. No sign: not asked."


def _words(tactic: str) -> str:
    return tactic.replace("-", " ")


def _figure(cells: Sequence[Cell], entries: Sequence[Mapping[str, Any]]) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure([_marks([cell for cell in cells if cell.says == says], says) for says in SIGNS])
    labels = [f"{figure_label(entry.get('id'), 14)}  {figure_label(entry.get('title'), 40)}" for entry in entries]
    figure.update_yaxes(tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.4, -0.6], ticks="")
    figure.update_xaxes(
        tickvals=list(range(len(TACTICS))), ticktext=[_words(tactic) for tactic in TACTICS],
        range=[-0.6, len(TACTICS) - 0.4], side="top", tickangle=-40, ticks="", title_text="",
    )  # fmt: skip
    framed(figure, round(len(labels) * 1.3), 200)
    return figure.update_layout(legend={"y": -0.12, "yanchor": "top"}, margin={"t": 8, "r": 60, "b": 30})


def _marks(cells: Sequence[Cell], says: str) -> go.Scatter:
    import plotly.graph_objects as go

    symbol, colour, words = SIGNS[says]
    return go.Scatter(
        x=[TACTICS.index(cell.tactic) for cell in cells],
        y=[cell.row for cell in cells],
        mode="markers",
        name=words,
        marker={"symbol": symbol, "color": colour, "size": 13, "line": {"width": 2, "color": colour}},
        text=[
            f"{figure_label(named(cell.finding))}, {_words(cell.tactic)}<br>{words}"
            + (f"<br>{figure_label(', '.join(cell.techniques), 90)}" if cell.techniques else "")
            + (f"<br>{counted(cell.records, 'record')} around first contact" if cell.records else "")
            for cell in cells
        ],
        hovertemplate="%{text}<extra></extra>",
        showlegend=bool(cells),
    )
