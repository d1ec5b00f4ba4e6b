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
WHOLE_ROWS, WHOLE_CELLS = 5_000, 20_000  # of a table that can be filtered; a page and a saved notebook bear no more
MAX_CELL = 160
MAX_LISTED = 3
SHORT = 24  # characters that never wrap: addresses, ids, names of operations


SIGNS = {"found": "●", "clear": "✓", "blind": "∅"}  # a badge is a sign, a word and a colour; one of them is enough
NEXT = "What to look for next"

_in_lab = False


def enter_lab() -> None:
    """From now on a person watches, who can filter and fill in: show whole tables and forms."""
    global _in_lab
    _in_lab = True


def in_lab() -> bool:
    """Whether `enter_lab` was called: never in a headless run."""
    return _in_lab


@dataclass(frozen=True)
class Table:
    """Rows with a caption; `more` says where the rest stands when not all are shown.

    `whole` holds all rows where `rows` are the first of them; the lab shows those.
    """

    caption: str
    rows: pd.DataFrame
    more: str = ""
    whole: pd.DataFrame | None = None

    @classmethod
    def first(cls, caption: str, whole: pd.DataFrame, rows: int, more: str = "") -> Table:
        """The first rows of a frame; where the lab shows it, all of them."""
        return cls(caption, whole.head(rows), more, whole)


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
    next
        What to look for next, in the order of its use: each a sentence, with the call that shows it.
    queries
        Texts to be copied into another tool, each with its heading.
    form
        A widget that takes an answer; only the lab shows it.
    """

    words: tuple[str, ...]
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    data: Any = None
    next: tuple[str, ...] = ()
    queries: tuple[tuple[str, str], ...] = ()
    form: Any = None

    def _ipython_display_(self) -> None:
        """Show words, tables and what comes next as one output, and each picture as one of its own."""
        from IPython.display import display

        parts = [*(f"<p>{_cell(word, 2000)}</p>" for word in self.words), *map(_table, self.tables)]
        markup = "".join([*parts, *(_query(*query) for query in self.queries), _list(NEXT, self.next)])
        if markup:
            display({"text/html": markup, "text/plain": str(self)}, raw=True)
        for picture in self.pictures:
            shown = {"text/html": f"<p>{_cell(picture.summary, 2000)}</p>", "text/plain": _text(picture.summary)}
            display(shown, raw=True)
            if picture.figure is not None:
                display({**picture.bundle(), "text/plain": _text(picture.caption)}, raw=True)
        if self.form is not None and in_lab():
            display(self.form)

    def __str__(self) -> str:
        captions = (f"{table.caption} ({len(table.rows):,} rows)" for table in self.tables)
        queries = (f"{title}\n{text}" for title, text in self.queries)
        following = (f"{NEXT}: {step}" for step in self.next)
        return "\n".join(_text(line) for line in (*self.words, *captions, *queries, *following))


def _list(title: str, items: tuple[str, ...]) -> str:
    listed = "".join(f"<li>{_cell(item, 600)}</li>" for item in items)
    return f'<div class="next"><p>{title}:</p><ul>{listed}</ul></div>' if items else ""


def _query(title: str, text: str) -> str:
    """A text to be copied: whole, but with every unseen character written out."""
    return f'<p>{_cell(title, 400)}</p><pre class="query">{html.escape(visible(text))}</pre>'


def frame_markup(frame: pd.DataFrame) -> str:
    """A frame that a person displays, shown as inert as a view, with its index where that says something."""
    named = frame.index.name is not None or frame.index.nlevels > 1 or frame.index.dtype == object
    rows = frame.reset_index() if named and not set(frame.index.names) & set(frame.columns) else frame
    return _table(Table(f"{len(frame):,} rows, {frame.shape[1]} columns", rows))


def _shown_of(table: Table) -> tuple[pd.DataFrame, int]:
    """The rows to show, and how many there are."""
    if not _in_lab:
        return table.rows.head(MAX_ROWS), len(table.rows)
    whole = table.rows if table.whole is None else table.whole
    return whole.head(min(WHOLE_ROWS, WHOLE_CELLS // max(1, whole.shape[1]))), len(whole)


def _table(table: Table) -> str:
    rows, total = _shown_of(table)
    head = "".join(f'<th scope="col">{_cell(name)}</th>' for name in rows.columns)
    body = "".join(
        "<tr>" + "".join(f"<td{_kind(value)}>{_badge(value)}</td>" for value in row) + "</tr>"
        for row in rows.itertuples(index=False, name=None)
    )
    hidden = total - len(rows)
    rest = f"<p>{hidden:,} more rows{_cell(f' in {table.more}' if table.more else '')}.</p>" if hidden > 0 else ""
    caption = f"<caption>{_cell(table.caption, 400)}</caption>"
    grid = f'<table class="grid">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<div class="scroll">{grid}</div>{rest}'


def _kind(value: object) -> str:
    """Numbers to the right; what is short stays on one line."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ' class="num"'
    return ' class="stamp"' if hasattr(value, "isoformat") or len(str(value)) <= SHORT else ""


def _badge(value: object) -> str:
    """One of the three outcomes as a badge, anything else as a cell."""
    named = isinstance(value, str) and value in SIGNS
    return f'<span class="answer {value}">{SIGNS[str(value)]} {value}</span>' if named else _cell(value)


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
