"""Tables of the dictionary in Arrow's types."""

from __future__ import annotations

import pyarrow as pa

from playbooks.schema.columns import Table

ARROW = {
    "VARCHAR": pa.string(),
    "VARCHAR[]": pa.list_(pa.string()),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
}


def shape_of(table: Table) -> pa.Schema:
    """The columns of a table of the dictionary, in their order."""
    return pa.schema([(column.name, ARROW[column.type]) for column in table.columns])
