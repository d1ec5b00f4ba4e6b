"""CSV that a spreadsheet opens as text, whatever evidence says."""

from __future__ import annotations

import csv
import io

import pandas as pd
import pytest

from playbooks.report.spreadsheet import csv_text, safe_cell


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@SUM(A1)", "\tx", " =1", "＝1", "\x1b[0m=1", "\n=1"])
def test_no_cell_becomes_a_formula(text: str) -> None:
    assert safe_cell(text).startswith("'")


@pytest.mark.parametrize(
    ("value", "cell"), [("a=b", "a=b"), (None, ""), (float("nan"), ""), (True, "true"), (3, "3"), (-60, "-60")]
)
def test_an_ordinary_cell_is_as_it_is(value: object, cell: str) -> None:
    assert safe_cell(value) == cell


def test_a_table_comes_back_as_it_was_written() -> None:
    time = pd.Timestamp("2026-03-10T08:00:00Z")
    frame = pd.DataFrame({"host": ['a","b\n=1', "x\u202ey"], "seen": [time, pd.NaT], "refs": [["E1:1", "E1:2"], []]})
    assert list(csv.reader(io.StringIO(csv_text(frame)))) == [
        ["host", "seen", "refs"],
        ['a","b\n=1', "2026-03-10T08:00:00Z", "E1:1; E1:2"],
        ["x‹U+202E›y", "", ""],
    ]
