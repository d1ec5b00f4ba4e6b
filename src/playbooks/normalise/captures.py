"""A packet capture as one record: it holds no event itself, and says which items hold what a tool read out of it."""

from __future__ import annotations

import pyarrow as pa

from playbooks import schema
from playbooks.case import Case
from playbooks.evidence import Item
from playbooks.evidence.captures import captures, kind_of
from playbooks.normalise.read import STATUS, UNKNOWN, Rows

BEGINNING = "packet capture ("


def capture_rows(case: Case, item: Item) -> Rows | None:
    """The one unread record of a capture, with the word on who read it; None for any other item."""
    if not kind_of(item.file(case)):
        return None
    capture = captures(case, [item])[0]
    kind = STATUS if capture.is_read else UNKNOWN
    values = (item.evidence_id, 1, kind, capture.state(), "")
    row = {name: [value] for name, value in zip(schema.UNREAD.names, values, strict=True)}
    types = [pa.string(), pa.int64(), pa.string(), pa.string(), pa.string()]
    shape = pa.schema(list(zip(schema.UNREAD.names, types, strict=True)))
    return Rows({}, pa.table(row, schema=shape), 0)


def is_of_capture(note: str) -> bool:
    """Whether a note of a reading speaks of a capture."""
    return note.startswith(BEGINNING)
