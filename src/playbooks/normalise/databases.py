"""A database of addresses as one record: it holds no event, and says what it is and of which day."""

from __future__ import annotations

import pyarrow as pa

from playbooks import schema
from playbooks.case import Case
from playbooks.evidence import Item
from playbooks.evidence.address_databases import address_databases
from playbooks.normalise.read import BROKEN, STATUS, Rows


def database_rows(case: Case, item: Item) -> Rows | None:
    """The one unread record of a database; None for any other item."""
    for database in address_databases(case, [item]):
        kind = BROKEN if database.fault else STATUS
        values = (item.evidence_id, 1, kind, database.words(), "")
        types = [pa.string(), pa.int64(), pa.string(), pa.string(), pa.string()]
        shape = pa.schema(list(zip(schema.UNREAD.names, types, strict=True)))
        row = {name: [value] for name, value in zip(schema.UNREAD.names, values, strict=True)}
        return Rows({}, pa.table(row, schema=shape), 0)
    return None
