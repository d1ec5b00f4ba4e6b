"""How a table of results is kept: the Arrow type of each column of the dictionary."""

from __future__ import annotations

import pyarrow as pa

from playbooks import schema

ARROW = {
    "VARCHAR": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
}


def shape_of(table: schema.Table) -> pa.Schema:
    """The columns of a table, in their order."""
    return pa.schema([(column.name, ARROW[column.type]) for column in table.columns])
