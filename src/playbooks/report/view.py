"""A view: words, tables and pictures that display themselves in a notebook and in its exported page."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from playbooks.report.figures import Picture
from playbooks.report.inert import redacted, shortened, visible
from playbooks.report.words import is_missing, when

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS = 50
MAX_CELL = 160
MAX_LISTED = 3
SHORT = 24  # characters that never wrap: addresses, ids, names of operations


@dataclass(frozen=True)
class Table:
    """Rows with a caption; `more` says where the rest stands when not all are shown."""

    caption: str
    rows: pd.DataFrame
    more: str = ""


@dataclass(frozen=True)
class View:
    """What a verb of the guide gives back.

    Attributes
    ----------
    words
        Sentences, each a paragraph.
    tables, pictures
        Shown below them, in order.
    data
        The value itself, for the next cell: a DataFrame or a dict.
    """

    words: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    data: Any = None

    def _ipython_display_(self) -> None:
        """Show words and tables as one output and each picture as one of its own."""
        from IPython.display import display

        markup = "".join([*(f"<p>{_cell(word, 2000)}</p>" for word in self.words), *map(_table, self.tables)])
        if markup:
            display({"text/html": markup, "text/plain": str(self)}, raw=True)
        for picture in self.pictures:
            shown = {"text/html": f"<p>{_cell(picture.summary, 2000)}</p>", "text/plain": _text(picture.summary)}
            display(shown, raw=True)
            if picture.figure is not None:
                display({**picture.bundle(), "text/plain": _text(picture.caption)}, raw=True)

    def __str__(self) -> str:
        captions = (f"{table.caption} ({len(table.rows):,} rows)" for table in self.tables)
        return "\n".join(_text(line) for line in (*self.words, *captions))


def _table(table: Table) -> str:
    rows = table.rows.head(MAX_ROWS)
    head = "".join(f'<th scope="col">{_cell(name)}</th>' for name in rows.columns)
    body = "".join(
        "<tr>" + "".join(f"<td{_kind(value)}>{_cell(value)}</td>" for value in row) + "</tr>"
        for row in rows.itertuples(index=False, name=None)
    )
    hidden = len(table.rows) - len(rows)
    rest = f"<p>{hidden:,} more rows{_cell(f' in {table.more}' if table.more else '')}.</p>" if hidden > 0 else ""
    caption = f"<caption>{_cell(table.caption, 400)}</caption>"
    grid = f'<table class="grid">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="scroll">{grid}</div>{rest}'


def _kind(value: object) -> str:
    """Numbers to the right; what is short stays on one line."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ' class="num"'
    return ' class="stamp"' if hasattr(value, "isoformat") or len(str(value)) <= SHORT else ""


def _cell(value: object, limit: int = MAX_CELL) -> str:
    """Any value as inert text, short enough to read; credentials in URLs are hidden, `data` has them."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, list | tuple):
        listed = "; ".join(str(part) for part in value[:MAX_LISTED])
        text = listed + (f"; … ({len(value)})" if len(value) > MAX_LISTED else "")
    elif is_missing(value):
        text = "–"
    elif hasattr(value, "isoformat"):
        text = when(value)
    elif isinstance(value, float):
        text = f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    elif isinstance(value, int) and not isinstance(value, bool):
        text = f"{value:,}"
    else:
        text = str(value)
    return html.escape(_text(text, limit))


def _text(text: str, limit: int = 2000) -> str:
    """Text without unseen characters and credentials: a terminal may be what shows it."""
    return shortened(redacted(visible(text))[0], limit)
