"""A picture of a report: a figure, and the same in a sentence and a table for those who cannot see it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.report.inert import shortened, visible

if TYPE_CHECKING:
    import plotly.graph_objects as go

MAX_ROWS = 30
MOST_ROWS = 200  # of the data table
PLOTLY_MIME = "application/vnd.plotly.v1+json"


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
        return {PLOTLY_MIME: json.loads(self.figure.to_json())}

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Show itself in a notebook: the figure, and the same as words and rows for the page of the step."""
        words = f"<figcaption>{escape(self.caption)}</figcaption><p>{escape(self.summary)}</p>"
        rows = self.table.head(MOST_ROWS).to_html(index=False, border=0)
        data = f"<details><summary>Data of this picture ({len(self.table):,} rows)</summary>{rows}</details>"
        plain = f"{self.caption}. {self.summary}"
        return {**self.bundle(), "text/html": words + data * bool(len(self.table)), "text/plain": plain}


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


def named(text: object) -> str:
    """Give a name from a log for a sentence: in sight, and cut where it is too long to read."""
    return shortened(visible(text), 120)


def left_out(total: int, drawn: int, what: str) -> str:
    """Say how many of `total` are not drawn; nothing where all are."""
    return f" Not drawn: {total - drawn:,} more {what}; the table has them." if total > drawn else ""
