"""Tables of the dictionary in Arrow's types."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pandas.api.types import is_list_like

from playbooks.schema.columns import Table

TEXTS = pa.list_(pa.string())
LISTS = pd.ArrowDtype(TEXTS)  # of a frame: a list of Python costs ten times as much, and an empty one nothing less
ARROW = {
    "VARCHAR": pa.string(),
    "VARCHAR[]": TEXTS,
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
}


def shape_of(table: Table) -> pa.Schema:
    """The columns of a table of the dictionary, in their order."""
    return pa.schema([(column.name, ARROW[column.type]) for column in table.columns])


def framed(rows: pa.Table) -> pd.DataFrame:
    """Rows as a frame; lists of texts stay in Arrow (`LISTS`) and are made when a cell is looked at."""
    found: pd.DataFrame = rows.to_pandas(types_mapper=lambda kind: LISTS if kind == TEXTS else None)
    return found


def column_of(lists: pa.ListArray) -> pd.Series:
    """A column of `LISTS`."""
    return pd.Series(pd.arrays.ArrowExtensionArray(lists))


def holding(column: pd.Series, *wanted: str) -> npt.NDArray[np.bool_]:
    """Which cells of a column of lists hold one of these texts; a null one holds none."""
    lists = _lists(column)
    found = np.zeros(len(lists), bool)
    hit = pc.is_in(lists.flatten(), pa.array(wanted, pa.string())).to_numpy(zero_copy_only=False)
    found[pc.list_parent_indices(lists).to_numpy()[hit]] = True
    return found


def lengths(column: pd.Series) -> npt.NDArray[np.int64]:
    """How many texts each cell of a column of lists holds; a null one none."""
    counted: pa.Array = pc.fill_null(pc.list_value_length(_lists(column)), 0)
    return np.asarray(counted.to_numpy(zero_copy_only=False), dtype="int64")


def _lists(column: pd.Series) -> pa.ListArray:
    held = pa.array(column, pa.list_(pa.string()), from_pandas=True)
    return held.combine_chunks() if isinstance(held, pa.ChunkedArray) else held


def texts(cell: Any) -> list[str]:
    """What a cell of `LISTS` holds; nothing where it is null."""
    return list(map(str, cell)) if is_list_like(cell) else []
