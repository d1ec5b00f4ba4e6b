"""Tables as CSV that a spreadsheet opens as text: no cell becomes a formula, whatever evidence says."""

from __future__ import annotations

import csv
import io
from numbers import Number
from typing import TYPE_CHECKING

from playbooks.report.inert import visible, without_ansi
from playbooks.report.words import is_missing

if TYPE_CHECKING:
    import pandas as pd

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_text(frame: pd.DataFrame) -> str:
    """A frame as CSV: lists joined by `; `, times as ISO 8601 in UTC, nothing for what is missing.

    A cell that a spreadsheet would calculate begins with an apostrophe; what cannot be seen is written out.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False, name=None):
        writer.writerow([safe_cell(value) for value in row])
    return out.getvalue()


def safe_cell(value: object) -> str:
    """One value as the text of a cell; a number stays one, whatever its sign."""
    if isinstance(value, Number):
        return _words(value)
    text = visible(without_ansi(_words(value)))
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def _words(value: object) -> str:
    if isinstance(value, str):
        return value
    if hasattr(value, "__len__") and hasattr(value, "__iter__"):
        return "; ".join(str(one) for one in value)
    if is_missing(value):
        return ""
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return "true" if value else "false"
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat()).replace("+00:00", "Z") if isoformat else str(value)
