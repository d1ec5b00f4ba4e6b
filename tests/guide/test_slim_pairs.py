"""Pairs are as many as an estate makes of them: they are held once, and their lists of texts as text."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from tests.conftest import SampleRun

from playbooks import schema
from playbooks.case import open_case
from playbooks.guide.results import Results
from playbooks.guide.store import Store
from playbooks.schema.arrow import LISTS, TEXTS, framed, texts

OF_LISTS = [column.name for column in schema.EGRESS_PAIRS.columns if column.type == "VARCHAR[]"]
A_CELL = 8  # bytes of an empty list, offset and validity included; a list of Python takes 56 and a pointer


@pytest.fixture
def results(incident: SampleRun, tmp_path: Path) -> Results:
    return Results(open_case(incident.copy(tmp_path / "case")))


def test_a_cell_is_a_list_a_null_one_is_missing_and_no_other_column_changes() -> None:
    rows = pa.table({"refs": pa.array([["E001:1", "E001:2"], [], None], TEXTS), "src": ["10.0.0.1", "a", None]})
    frame = framed(rows)
    assert frame.refs.dtype == LISTS
    assert (frame.refs.iloc[0], frame.refs.iloc[1]) == (["E001:1", "E001:2"], [])
    assert [texts(cell) for cell in frame.refs] == [["E001:1", "E001:2"], [], []]
    assert list(frame.src) == ["10.0.0.1", "a", None]


def test_empty_lists_of_a_kept_table_take_next_to_nothing(tmp_path: Path) -> None:
    count = 1_000
    lists = pd.DataFrame({name: [[]] * count for name in OF_LISTS})
    frame = pd.DataFrame({name: [None] * count for name in schema.EGRESS_PAIRS.names}).assign(**lists)
    store = Store(tmp_path, lambda: "today")
    store.keep(schema.EGRESS_PAIRS, frame)
    assert store.load(schema.EGRESS_PAIRS)[OF_LISTS].memory_usage(deep=True).max() < A_CELL * count


def test_all_lists_of_pairs_stay_in_arrow_from_the_question_to_the_file(results: Results) -> None:
    anew = results._scope_pairs()
    assert all(kind == LISTS for frame in (anew, results.pairs) for kind in frame[OF_LISTS].dtypes)


def test_pairs_are_held_once(results: Results) -> None:
    assert results.scoped_pairs is results.pairs
    assert "scoped_pairs" not in vars(results)  # before the ranking, too, nobody holds what it replaces
