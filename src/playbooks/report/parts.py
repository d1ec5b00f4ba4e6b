"""Parts of a section: sentences and the most telling rows of one table, the last column holding the records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from playbooks.report.inert import shortened
from playbooks.report.words import column_heads, is_missing

MOST = 12  # rows of one part; the file has all
MOST_REFS = 3  # of one row
MOST_LISTED, MOST_OF_ONE = 4, 70  # values of one cell, characters of one


def part(
    title: str, words: Sequence[str], heads: Sequence[str], rows: list[list[Any]], total: int, file: str, caption: str
) -> dict[str, Any]:
    """One part: sentences, and a table whose last column holds the records."""
    numbers = ("Score", "Calls", "Attack calls", "Failed", "Matches")
    heads_of = column_heads(heads, numbers)
    path = f"results/{file}" if "." in file else f"results/{file}.parquet"
    return {"title": title, "words": words, "heads": heads_of, "rows": rows, "total": total, "file": path,
            "caption": caption}  # fmt: skip


def most(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """The first rows, as many as one part shows."""
    return frame.head(MOST).to_dict("records")


def refs_in(*found: Any) -> list[str]:
    """The first references of cells that hold one, several or none."""
    every: list[str] = []
    for cell in found:
        every += [cell] if isinstance(cell, str) else [] if is_missing(cell) else list(cell)
    return list(dict.fromkeys(every))[:MOST_REFS]


def some(values: Iterable[object], shown: int = MOST_LISTED) -> list[str]:
    """The first few of a list, each cut, and how many more there are."""
    every = [shortened(str(value), MOST_OF_ONE) for value in values]
    return every[:shown] + ([f"and {len(every) - shown} more"] if len(every) > shown else [])
