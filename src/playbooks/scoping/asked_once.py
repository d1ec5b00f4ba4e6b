"""What only Python can tell of a record, asked once for each combination of what it is told by.

A million calls of one function differ in little more than their time: the engine finds the combinations and joins the
answers back, so that what is held in memory grows with what differs and not with the records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import ibis
import ibis.expr.types as ir
import pyarrow as pa

AT_ONCE = 20_000  # combinations that stand in Python at a time
ASKED = "asked_"


def asked_once(
    rows: ir.Table, columns: Sequence[str], work: Callable[..., tuple[object, ...]], answers: Mapping[str, pa.DataType]
) -> ir.Table:
    """`rows` with what `work` gives for `columns` in columns of the names and types of `answers`."""
    return with_answers(rows, columns, answers_of(rows, columns, work, answers))


def answers_of(
    rows: ir.Table, columns: Sequence[str], work: Callable[..., tuple[object, ...]], answers: Mapping[str, pa.DataType]
) -> pa.Table:
    """Each combination of `columns`, prefixed `ASKED`, with its answers."""
    asked = rows.select(*columns).distinct().to_pyarrow()
    asked = asked.rename_columns([f"{ASKED}{name}" for name in columns])
    pieces = [_answered(batch, work, answers) for batch in asked.to_batches(max_chunksize=AT_ONCE)]
    shape = pa.schema([*asked.schema, *(pa.field(name, kind) for name, kind in answers.items())])
    return pa.Table.from_batches(pieces, shape)


def with_answers(rows: ir.Table, columns: Sequence[str], answers: pa.Table) -> ir.Table:
    """`rows` with the answers for their combination; nulls are alike."""
    side = ibis.memtable(answers)
    keys = [f"{ASKED}{name}" for name in columns]
    alike = [rows[name].identical_to(side[key]) for name, key in zip(columns, keys, strict=True)]
    return rows.left_join(side, alike).drop(*keys)


def _answered(
    batch: pa.RecordBatch, work: Callable[..., tuple[object, ...]], answers: Mapping[str, pa.DataType]
) -> pa.RecordBatch:
    told = [work(*values) for values in zip(*(column.to_pylist() for column in batch.columns), strict=True)]
    said = [pa.array([one[at] for one in told], kind) for at, kind in enumerate(answers.values())]
    fields = [*batch.schema, *(pa.field(name, kind) for name, kind in answers.items())]
    return pa.RecordBatch.from_arrays([*batch.columns, *said], schema=pa.schema(fields))
