"""Joins that cost nothing where there is nothing to join: most cases lack most logs."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir


def has_rows(rows: ir.Table) -> bool:
    """Whether there is any row; engines stop at the first."""
    return bool(rows.select(one=ibis.literal(1)).limit(1).to_pyarrow().num_rows)


def beside(
    rows: ir.Table, side: ir.Table, meets: ir.BooleanValue | list[ir.BooleanValue], source: ir.Table | None = None
) -> ir.Table:
    """A left join; a side without rows is not joined, for an engine would hash the wide rows to find nothing.

    `source` is what the side is made from, where that is sooner asked: without it the side has no row.
    """
    if has_rows(side if source is None else source):
        return rows.left_join(side, meets)
    return rows.mutate(**{name: ibis.null(kind) for name, kind in side.schema().items()})
