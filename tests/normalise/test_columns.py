"""Cells of many lines at once are the cells of each line alone."""

from __future__ import annotations

import re

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.normalise.columns import _quoted_cells, _quotes_oddly, split_columns, with_cells
from playbooks.normalise.lines import Block, split_lines

TEXT = st.text(alphabet="ab,\"\\ 'é;", max_size=12)
LINES = st.lists(TEXT, min_size=1, max_size=6)
CELLS = st.lists(st.lists(st.text(alphabet='ab, "é', max_size=5), min_size=3, max_size=3), min_size=1, max_size=6)
many = settings(max_examples=300, deadline=None, derandomize=True)


@given(lines=LINES)
@many
def test_quotes_in_the_middle_of_a_cell_are_seen(lines: list[str]) -> None:
    sliced = pa.array(['x"y', *lines]).slice(1)
    expected = any(re.search(r'[^,"]"[^,"]', line) for line in lines)
    assert _quotes_oddly(sliced) == _quotes_oddly(pa.array(lines)) == expected


@given(lines=LINES)
@many
def test_cells_are_those_of_each_line_alone(lines: list[str]) -> None:
    kept = [line for line in lines if line.strip() and line.count('"') % 2 == 0]
    if not kept:
        return
    found = _quoted_cells(pa.array(kept))
    if found is not None:
        assert [list(cells.values()) for cells in found.to_pylist()] == [split_columns(line, ",") for line in kept]


@given(rows=CELLS)
@many
def test_what_a_writer_of_csv_quotes_is_read_at_once(rows: list[list[str]]) -> None:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    records = with_cells(pa.array(lines), (), ",")
    assert records.cells is not None
    found = records.cells.to_pylist()
    assert [list(cells.values()) if isinstance(cells, dict) else cells for cells in found] == rows


@given(text=st.text(alphabet="a \t\r\n\x1c\x85\u00a0é", max_size=20))
@many
def test_lines_and_blank_ones_are_those_that_python_sees(text: str) -> None:
    lines = [line.rstrip("\r") for line in text.split("\n")]
    block = Block(text)
    assert split_lines(text).to_pylist() == text.split("\n")
    kept, blank = block.kept()
    assert kept.to_pylist() == [line for line in lines if line.strip()]
    assert blank == sum(not line.strip() for line in lines)
