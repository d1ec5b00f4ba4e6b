"""A query result as a Parquet file, without loss: what Arrow has no type for is kept as JSON text, and named.

Column names that occur twice get a number; an index that says something becomes columns. What was done to
a column stands in `Column`, so that nobody takes the file for more than it is.
"""

from __future__ import annotations

import datetime as dt
import decimal
import ipaddress
import json
import math
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playbooks.errors import AllFailed

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

AS_TEXT = (dt.date, dt.time, dt.timedelta, decimal.Decimal, uuid.UUID, ipaddress.IPv4Address, ipaddress.IPv6Address)
DEEPEST = 200


class NoSnapshot(AllFailed):
    """A value of the result has no form in the snapshot; names the column."""


@dataclass(frozen=True)
class Column:
    """A column as the source named it, its name in the file, its type there, and how its values are written."""

    original: str
    name: str
    type: str
    kept_as: str = "values"

    def as_json(self) -> dict[str, str]:
        """For the custody chain."""
        return asdict(self)


@dataclass(frozen=True)
class Snapshot:
    """A result ready to be written."""

    table: pa.Table
    columns: tuple[Column, ...]

    def write(self, file: Path) -> None:
        """Write the Parquet file.

        Raises
        ------
        NoSnapshot
            A column has a type that Parquet cannot hold.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            pq.write_table(self.table, file, compression="zstd")
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
            raise NoSnapshot(
                f"{file.name}: the result cannot be kept as Parquet: {error}. Cast that column."
            ) from error


def from_arrow(table: pa.Table) -> Snapshot:
    """The snapshot of an Arrow table: its values as they are."""
    names = _distinct([str(name) for name in table.column_names])
    columns = zip(table.column_names, names, table.schema.types, strict=True)
    return Snapshot(
        table.rename_columns(names), tuple(Column(str(was), name, str(kind)) for was, name, kind in columns)
    )


def from_frame(frame: pd.DataFrame) -> Snapshot:
    """The snapshot of a DataFrame.

    Raises
    ------
    NoSnapshot
        A cell holds an object of a kind that has no lossless text.
    """
    import pandas as pd
    import pyarrow as pa

    if not (isinstance(frame.index, pd.RangeIndex) and frame.index.name is None):
        level_names = [str(name) if name is not None else "index" for name in frame.index.names]
        levels = [pd.Series(frame.index.get_level_values(place)) for place in range(frame.index.nlevels)]
    else:
        level_names, levels = [], []
    originals = level_names + [_label(label) for label in frame.columns]
    series = levels + [frame.iloc[:, place] for place in range(frame.shape[1])]
    names = _distinct(originals)
    kept = [_array(name, column) for name, column in zip(names, series, strict=True)]
    table = pa.table([array for array, _ in kept], names=names)
    described = zip(originals, names, kept, strict=True)
    return Snapshot(table, tuple(Column(was, name, str(array.type), how) for was, name, (array, how) in described))


def _label(label: object) -> str:
    return ".".join(map(str, label)) if isinstance(label, tuple) else str(label)


def _distinct(names: list[str]) -> list[str]:
    """Each name once, whatever the case of its letters (engines differ on that): a later one gets a number."""
    taken = Counter(name.lower() for name in names)
    seen: set[str] = set()
    distinct = []
    for name in names:
        number, new = 1, name.encode("utf-8", "backslashreplace").decode()
        while new.lower() in seen or (number > 1 and new.lower() in taken):
            number += 1
            new = f"{name}_{number}"
        seen.add(new.lower())
        distinct.append(new)
    return distinct


def _array(name: str, column: pd.Series[Any]) -> tuple[pa.Array, str]:
    """A column as an Arrow array, and how its values are written."""
    import pandas as pd
    import pyarrow as pa

    kind = column.dtype
    if isinstance(kind, pd.DatetimeTZDtype) or kind.kind in "iubM":
        return pa.array(column, from_pandas=True), "values"
    if kind.kind == "f" and not isinstance(kind, pd.api.extensions.ExtensionDtype):
        return pa.array(column.to_numpy(), from_pandas=False), "values"  # NaN stays NaN
    values = [None if _missing(value) else value for value in column.astype(object)]
    present = [value for value in values if value is not None]
    if all(isinstance(value, str) and _encodable(value) for value in present):
        return pa.array(values, pa.string()), "values"
    for python, arrow in ((bytes, pa.binary()), (bool, pa.bool_()), (float, pa.float64())):
        if all(type(value) is python for value in present):
            return pa.array(values, arrow), "values"
    if all(type(value) is int and -(2**63) <= value < 2**63 for value in present):
        return pa.array(values, pa.int64()), "values"
    texts = [None if value is None else _json(name, value) for value in values]
    return pa.array(texts, pa.string()), "JSON text"


def _missing(value: object) -> bool:
    """Whether a cell is empty: None, NaN, NaT, NA."""
    import pandas as pd

    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _encodable(text: str) -> bool:
    return not any("\ud800" <= char <= "\udfff" for char in text)


def _json(name: str, value: object) -> str:
    """A value as JSON text in ASCII: half a surrogate pair and a control character are written as escapes."""
    return json.dumps(_plain(name, value, 0), ensure_ascii=True, allow_nan=False)


def _plain(name: str, value: Any, depth: int) -> Any:
    import numpy as np

    if depth > DEEPEST:
        raise NoSnapshot(f"column {name!r}: a value is nested deeper than {DEEPEST} levels. Leave the column out.")
    if isinstance(value, Mapping):
        return _plain_mapping(name, value, depth)
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        parts = [_plain(name, part, depth + 1) for part in value]
        return sorted(parts, key=json.dumps) if isinstance(value, set | frozenset) else parts
    if isinstance(value, np.generic):
        return _plain(name, value.item(), depth + 1)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str | int | float | bool) or value is None:
        return value
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    if isinstance(value, AS_TEXT):
        return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
    kind = type(value)
    raise NoSnapshot(
        f"column {name!r}: a cell holds a {kind.__module__}.{kind.__qualname__}, which no text keeps whole. "
        "Turn the column into text in the query, or leave it out."
    )


def _plain_mapping(name: str, value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    plain = {str(key): _plain(name, part, depth + 1) for key, part in value.items()}
    if len(plain) < len(value):
        raise NoSnapshot(f"column {name!r}: a value has keys that are the same as text, such as 1 and '1'.")
    return plain
