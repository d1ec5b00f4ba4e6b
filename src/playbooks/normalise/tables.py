"""A table exported as CSV → its rows as the JSON records that the same table gives elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache

import pyarrow as pa

from playbooks.formats import Columns, Json
from playbooks.normalise.json_records import mended
from playbooks.normalise.records import Records

UTC = " [utc]"  # behind the names of columns of time in exports of Microsoft's portals


def table_layout(layout: Json, header: frozenset[str]) -> Columns:
    """How the CSV of a table is cut that begins with these names."""
    keys = layout.keys or layout.any_of
    return Columns(delimiter=",", fields=(), keys=frozenset(key.lower() for key in keys) & header)


def plain_name(name: str) -> str:
    """The name of a column without what it says about the zone."""
    return name.removesuffix(UTC)


@cache
def _spelled(shape: str) -> dict[str, str]:
    """The names at the top of a shape, by their spelling in headers."""
    return {name.lower().replace("-", "_"): name for name in json.loads(shape)}


def cells_in(records: Records) -> Iterable[Sequence[str]]:
    """The cells of each record, however they are held."""
    if records.delimiter:
        return (raw.split(records.delimiter) for raw in records.raws)
    if records.cells is not None and pa.types.is_struct(records.cells.type):
        return zip(*(column.to_pylist() for column in records.cells.flatten()), strict=True)
    return records.cells.to_pylist() if records.cells is not None else []


def row_json(layout: Json, names: tuple[str, ...], cells: Sequence[str]) -> str | None:
    """A row as JSON text with the names that a format reads; None where it does not fit under its header."""
    if len(cells) != len(names):
        return None
    spelled = _spelled(layout.shape)
    pairs = zip(names, cells, strict=True)
    found = {key: _value(cell, name) for name, cell in pairs if cell and (key := spelled.get(plain_name(name)))}
    return "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in found.items()) + "}"


def _value(cell: str, name: str) -> str:
    if cell[0] in "{[":
        try:
            json.loads(mended(cell))
        except (ValueError, RecursionError):
            return json.dumps(cell)
        return mended(cell)
    return json.dumps(cell + "Z" if name.endswith(UTC) and not cell.endswith("Z") else cell)
