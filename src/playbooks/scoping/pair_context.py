"""Who and what stands behind the contacts of a pair: programs, users, and what the baseline knew of them.

The engine adds up over records that carry a value; of a column that no record carries nothing is asked twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from playbooks.schema.arrow import TEXTS, column_of
from playbooks.scoping.pair_telemetry import Columns, PairNames

MOST_VALUES = 5  # of a pair and column: a sixth program on one destination is a browser's update
# column of the contacts → columns of the pairs that hold its values and their records
LISTED = {
    "user_agent": ("user_agents", "user_agent_refs"),
    "process": ("processes", "process_refs"),
    "user": ("users", "user_refs"),
    "fingerprint": ("fingerprints", "fingerprint_refs"),
}
PROGRAMS = ("user_agent", "process", "fingerprint")
NO_LISTS = pa.chunked_array([], TEXTS)


def carried(contacts: ir.Table, columns: Collection[str]) -> list[str]:
    """Those of the columns that any record carries, in order of their names."""
    counts = contacts.aggregate(**{name: contacts[name].count() for name in columns}).to_pyarrow().to_pylist()[0]
    return [name for name in sorted(columns) if counts[name]]


def places(pairs: PairNames) -> dict[tuple[str, str], int]:
    """Number of each pair."""
    return {pair: number for number, pair in enumerate(pairs.both)}


def listed(seen: ir.Table, pairs: PairNames, filled: Collection[str]) -> Columns:
    """The most used values of each column of `LISTED` per pair, then by name, each with its first record.

    `filled` are the columns that any record carries.
    """
    place = places(pairs) if set(filled) & set(LISTED) else {}
    found: Columns = {}
    for column, (values, refs) in LISTED.items():
        if column in filled:
            rows = _most_used(seen, column).to_pyarrow()
            told = (rows["kept"], rows["refs"])
            at = [place[pair] for pair in zip(*(rows[name].to_pandas() for name in ("src", "dst")), strict=True)]
        else:
            told, at = (NO_LISTS, NO_LISTS), []
        found |= {name: spread(lists, at, len(pairs.src)) for name, lists in zip((values, refs), told, strict=True)}
    return found


def spread(lists: pa.ChunkedArray, at: Sequence[int], count: int) -> pd.Series:
    """A column of `count` cells, those at `at` with these lists, the others with none."""
    taken = np.full(count, len(lists))
    taken[np.asarray(at, dtype=np.int64)] = np.arange(len(lists))
    with_none = pa.chunked_array([*lists.chunks, pa.array([[]], TEXTS)])
    return column_of(with_none.combine_chunks().take(pa.array(taken)))


def first_records(rows: ir.Table, *keys: str) -> ir.Table:
    """Per group of `keys`, how often it occurs (`times`) and its first record (`ref`), of the item first seen."""
    by_item = rows.group_by(*keys, "evidence_id").agg(
        times=rows.count(), since=rows.time.min(), record=rows.record_no.min()
    )
    turn = ibis.row_number().over(group_by=list(keys), order_by=[by_item.since, by_item.evidence_id])
    total = by_item.times.sum().over(group_by=list(keys))
    placed = by_item.mutate(turn=turn, total=total)
    first = placed.filter(placed.turn == 0)
    return first.select(*keys, times="total", ref=first.evidence_id + ":" + first.record.cast("string"))


def _most_used(seen: ir.Table, column: str) -> ir.Table:
    """One row per pair: the most used values and the record of each, in order."""
    rows = seen.filter(seen[column].notnull()).mutate(value=seen[column])
    used = first_records(rows, "src", "dst", "value")
    place = ibis.row_number().over(group_by=[used.src, used.dst], order_by=[used.times.desc(), used.value])
    top = used.mutate(place=place)
    top = top.filter(top.place < MOST_VALUES)
    return top.group_by("src", "dst").agg(
        kept=top.value.collect(order_by=top.place), refs=top.ref.collect(order_by=top.place)
    )


def new_programs(columns: Columns, before: ir.Table) -> list[list[str] | None]:
    """Programs of each pair that no client had in the baseline; null where it shows none of their kind."""
    known = {column: _distinct(before, column) for column in carried(before, PROGRAMS)}
    held: Mapping[str, list[list[str]]] = {name: columns[LISTED[name][0]] for name in known}  # type: ignore[misc]
    if not known:
        return [None] * len(columns["src"])  # type: ignore[arg-type]
    return [
        [value for name, values in zip(known, row, strict=True) for value in values if value not in known[name]]
        for row in zip(*held.values(), strict=True)
    ]


def _distinct(rows: ir.Table, column: str) -> frozenset[str]:
    found = rows.filter(rows[column].notnull()).select(value=rows[column]).distinct()
    return frozenset(found.to_pyarrow()["value"].to_pylist())
