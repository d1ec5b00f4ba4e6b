"""A lake that is read in place: every row counted as an event or as unread, none of them copied."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq

from playbooks import schema
from playbooks.case import Case
from playbooks.engine.lake import count_lake, row_at, rows_of_other_classes
from playbooks.errors import NotFound
from playbooks.evidence.acquire.lake import Lake
from playbooks.normalise.rows import UNKNOWN
from playbooks.normalise.writing import Sink, Tally
from playbooks.schema.arrow import shape_of


def read_lake(case: Case, lake: Lake) -> Tally:
    """Count the rows of a lake, and list those that become no event.

    Raises
    ------
    EvidenceChanged
        A file is gone, or has another size than the one that was listed.
    """
    from playbooks.engine.lake_columns import known_classes

    tally, tables = Tally(), known_classes()
    for one in count_lake(lake.root, lake.files):
        name = tables.get(one.class_uid or 0)
        if name is None:
            tally.unread += one.rows
            continue
        tally.tables[name] += one.rows
        tally.events += one.rows
        tally.undated += one.rows - one.dated
        tally.add_span(one.first, one.last)
    with Sink(case.unread / f"{lake.item.evidence_id}.parquet") as unread:
        for batch in rows_of_other_classes(lake.root, lake.files):
            unread.write(_unread(lake.item.evidence_id, batch))
    return tally


def _unread(evidence_id: str, rows: pa.RecordBatch) -> pa.Table:
    count = rows.num_rows
    told = [_why(uid) for uid in rows["class_uid"].to_pylist()]
    columns = {"evidence_id": [evidence_id] * count, "record_no": rows["record_no"], "kind": [UNKNOWN] * count,
               "reason": told, "raw": [""] * count}  # fmt: skip
    return pa.table({name: columns[name] for name in schema.UNREAD.names}, schema=shape_of(schema.UNREAD))


def _why(uid: int | None) -> str:
    return f"OCSF class {uid} is not read from a lake" if uid else "the row names no OCSF class"


def lake_records(lake: Lake, wanted: set[int]) -> dict[int, str]:
    """Rows by number as JSON; numbers beyond the end are absent.

    Raises
    ------
    EvidenceChanged
        A file is gone, or is not the one that was listed.
    """
    found = {}
    for number in sorted(wanted):
        try:
            name, place = row_at(lake.root, lake.files, number)
        except NotFound:
            continue
        found[number] = json.dumps(_row(lake, name, place), ensure_ascii=False, default=str)
    return found


def _row(lake: Lake, name: str, place: int) -> dict[str, object]:
    with pq.ParquetFile(lake.root / name) as file:
        for group in range(file.num_row_groups):
            held = file.metadata.row_group(group).num_rows
            if place < held:
                row: dict[str, object] = file.read_row_group(group).slice(place, 1).to_pylist()[0]
                return row
            place -= held
    raise NotFound(f"{lake.root / name}: no row {place}")
