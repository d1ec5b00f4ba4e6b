"""Columns of lists of texts are asked as a whole, whether Arrow holds them or Python does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from playbooks.schema.arrow import TEXTS, column_of, holding, lengths

CELLS = [["dns"], [], None, ["tls", "flow"], ["http", "dns"], ["flow"]]


@pytest.fixture(params=["arrow", "objects"])
def made(request: pytest.FixtureRequest) -> Callable[[list[list[str] | None]], pd.Series]:
    """A column as the store gives it, or as a question makes it."""
    if request.param == "arrow":
        return lambda cells: column_of(pa.array(cells, TEXTS))
    return lambda cells: pd.Series(cells, dtype=object)


def test_a_null_cell_holds_nothing(made: Callable[..., pd.Series]):
    assert holding(made(CELLS), "tls", "flow").tolist() == [False, False, False, True, False, True]
    assert holding(made(CELLS), "dns").tolist() == [True, False, False, False, True, False]
    assert lengths(made(CELLS)).tolist() == [1, 0, 0, 2, 2, 1]


@pytest.mark.parametrize("places", [[], [5], [3, 4], [5, 2, 0], [1, 2, 3, 4, 5]])
def test_rows_that_were_picked_answer_as_they_did_among_all(made: Callable[..., pd.Series], places: list[int]):
    column = made(CELLS)
    picked = column.iloc[places]
    assert holding(picked, "flow", "http").tolist() == holding(column, "flow", "http")[np.array(places, int)].tolist()
    assert lengths(picked).tolist() == lengths(column)[np.array(places, int)].tolist()


def test_a_slice_and_several_chunks_answer_as_one_column():
    whole = pa.chunked_array([pa.array(CELLS[:2], TEXTS), pa.array(CELLS[2:], TEXTS)])
    column = pd.Series(pd.arrays.ArrowExtensionArray(whole))
    assert holding(column[1:5], "dns", "flow").tolist() == [False, False, True, True]
    assert lengths(column[1:5]).tolist() == [0, 0, 2, 2]


def test_nothing_wanted_is_held_by_nobody(made: Callable[..., pd.Series]):
    assert holding(made(CELLS)).tolist() == [False] * len(CELLS)
