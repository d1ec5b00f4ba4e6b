"""What a run of records became: rows of tables, unread records with their reasons, blank lines."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from playbooks import schema

BROKEN, STATUS, UNKNOWN = "broken", "status", "unknown"


@dataclass(frozen=True)
class Rows:
    """What one run of records became: rows of one or more tables, unread records, and the count of blank ones.

    `several` says that a record may have become several rows; where one of its entries could not be read, it
    stands in `unread` besides.
    """

    tables: dict[str, pa.Table]
    unread: pa.Table
    blank: int
    several: bool = False

    @property
    def count(self) -> int:
        """How many records became events whole."""
        if not self.several:
            return sum(table.num_rows for table in self.tables.values())
        read = {number for table in self.tables.values() for number in table["record_no"].to_pylist()}
        return len(read - set(self.unread["record_no"].to_pylist()))

    def with_others(self, others: Rows, numbers: pa.Int64Array) -> Rows:
        """These rows with those that the unread records of `numbers` became as another format."""
        stay = self.unread.filter(pc.invert(pc.is_in(self.unread["record_no"], numbers)))
        tables = dict(self.tables)
        for name, table in others.tables.items():
            if table.num_rows:
                both = [tables[name], table] if name in tables else [table]
                tables[name] = pa.concat_tables(both).sort_by("record_no")
        unread = pa.concat_tables([stay, others.unread]).sort_by("record_no")
        return Rows(tables, unread, self.blank, self.several or others.several)

    @property
    def events(self) -> pa.Table:
        """All events in the order of their records; where there are several tables, with the columns of all."""
        if len(self.tables) == 1:
            return next(iter(self.tables.values()))
        held = [table for table in self.tables.values() if table.num_rows]
        return pa.concat_tables(held, promote_options="default").sort_by("record_no") if held else pa.table({})

    def in_order(self) -> list[dict[str, Any]]:
        """Every event with the columns of its own table, in the order of the records."""
        rows = [row for table in self.tables.values() for row in table.to_pylist()]
        return sorted(rows, key=lambda row: int(row["record_no"]))


@cache
def unread_none() -> pa.Table:
    """No unread records, with the columns of `schema.UNREAD`."""
    types = {"record_no": pa.int64()}
    return pa.schema([(name, types.get(name, pa.string())) for name in schema.UNREAD.names]).empty_table()


def numbers_from(first: int, count: int) -> pa.Int64Array:
    """The numbers of so many records."""
    return pa.array(np.arange(first, first + count, dtype=np.int64))


def unread_table(evidence_id: str, numbers: pa.Array, kinds: list[str], reasons: list[str], raws: pa.Array) -> pa.Table:
    """Unread records with the columns of `schema.UNREAD`."""
    ids = pa.array([evidence_id] * len(reasons), pa.string())
    columns = [ids, numbers, pa.array(kinds, pa.string()), pa.array(reasons, pa.string()), raws]
    return pa.table(dict(zip(schema.UNREAD.names, columns, strict=True)))
