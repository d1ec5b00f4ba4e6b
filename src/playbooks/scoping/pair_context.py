"""Who and what stands behind the contacts of a pair: programs, users, hours, and what the baseline knew of them.

The engine adds up over records that carry a value; of a column that no record carries nothing is asked twice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd

from playbooks.scoping.pair_telemetry import Columns, Pairs, Telemetry
from playbooks.scoping.series import Ints

MOST_VALUES = 5  # of a pair and column: a sixth program on one destination is a browser's update
# column of the contacts → columns of the pairs that hold its values and their records
LISTED = {
    "user_agent": ("user_agents", "user_agent_refs"),
    "process": ("processes", "process_refs"),
    "user": ("users", "user_refs"),
    "fingerprint": ("fingerprints", "fingerprint_refs"),
}
PROGRAMS = ("user_agent", "process", "fingerprint")
USUAL_SHARE = 0.5  # of the clients that the busiest hour has: an hour with fewer is one in which the estate rests
LEAST_CLIENTS = 5  # in the busiest hour: fewer say nothing of an estate's habits
HOUR_US, DAY_HOURS, FIRST_SATURDAY = 3_600_000_000, 24, 48  # 1970-01-03 was a Saturday: hours after the epoch
HABIT_HOURS = 28 * DAY_HOURS  # four weeks tell an estate's hours, and bound what is held
CLASSES = 2 * DAY_HOURS  # hour of the day, on weekdays and on weekends


def carried(contacts: ir.Table, columns: Collection[str]) -> list[str]:
    """Those of the columns that any record carries, in order of their names."""
    counts = contacts.aggregate(**{name: contacts[name].count() for name in columns}).to_pyarrow().to_pylist()[0]
    return [name for name in sorted(columns) if counts[name]]


def places(pairs: Pairs) -> dict[tuple[str, str], int]:
    """Number of each pair."""
    return {pair: number for number, pair in enumerate(pairs.both)}


def listed(seen: ir.Table, pairs: Pairs, filled: Collection[str]) -> Columns:
    """The most used values of each column of `LISTED` per pair, then by name, each with its first record.

    `filled` are the columns that any record carries.
    """
    place = places(pairs) if set(filled) & set(LISTED) else {}
    found: Columns = {}
    for column, (values, refs) in LISTED.items():
        lists: list[list[str]] = [[]] * len(pairs.src)
        pointers: list[list[str]] = [[]] * len(pairs.src)
        if column in filled:
            for row in _most_used(seen, column).to_pyarrow().to_pylist():
                number = place[row["src"], row["dst"]]
                lists[number], pointers[number] = row["kept"], row["refs"]
        found |= {values: lists, refs: pointers}
    return found


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


def hours(telemetry: Telemetry, pairs: Pairs) -> Columns:
    """How many hours of the day a pair fills, and how much of it lies where the estate rests."""
    if not len(telemetry.time):
        return {"active_hours": np.zeros(0, dtype=np.int64), "off_hours_share": np.zeros(0)}
    hour = (telemetry.time // HOUR_US).astype(np.int32)
    first = int(hour.min())
    classes = _class(np.arange(first, int(hour.max()) + 1))
    hour -= first
    resting = _resting(hour, classes, telemetry, pairs)
    starts = telemetry.starts[:-1]
    by_pair = np.argsort(pairs.of_row, kind="stable")
    firsts = np.searchsorted(pairs.of_row[by_pair], np.arange(len(pairs.src)))
    masks = np.bitwise_or.reduceat((1 << classes % DAY_HOURS).astype(np.int32)[hour], starts)
    filled = np.bitwise_count(np.bitwise_or.reduceat(masks[by_pair], firsts)).astype(np.int64)
    if resting is None:
        return {"active_hours": filled, "off_hours_share": [None] * len(pairs.src)}
    silent = np.add.reduceat(resting[classes][hour], starts, dtype=np.int64)[by_pair]
    events = np.diff(telemetry.starts)[by_pair]
    off = np.add.reduceat(silent, firsts) / np.add.reduceat(events, firsts)
    return {"active_hours": filled, "off_hours_share": off}


def _class(hour: npt.NDArray[np.int64]) -> Ints:
    """Hours since 1970 → hour of the day, 24 more on a weekend."""
    day = (hour - FIRST_SATURDAY) // DAY_HOURS % 7
    return hour % DAY_HOURS + DAY_HOURS * (day < 2)


def _resting(
    hour: npt.NDArray[np.int32], classes: Ints, telemetry: Telemetry, pairs: Pairs
) -> npt.NDArray[np.bool_] | None:
    """The classes of hours in which fewer clients are about than at the busiest; null where no class stands out.

    `hour` of each event counts from the first; `classes` are those of all hours. The newest `HABIT_HOURS` speak.
    """
    codes, clients = pd.factorize(np.asarray(pairs.src, dtype=object))
    event_client = np.repeat(codes[pairs.of_row].astype(np.int32), np.diff(telemetry.starts))
    habit = min(len(classes), HABIT_HOURS)
    at = hour - (len(classes) - habit)
    about = np.zeros((len(clients), habit), dtype=bool)
    about[event_client[at >= 0], at[at >= 0]] = True
    shown = np.bincount(classes[-habit:], minlength=CLASSES)
    mean = np.bincount(classes[-habit:], weights=about.sum(axis=0), minlength=CLASSES) / np.maximum(shown, 1)
    resting = (mean < USUAL_SHARE * mean.max()) & (shown > 0)
    told = habit >= DAY_HOURS and mean.max() >= LEAST_CLIENTS and bool(resting.any())
    return resting if told else None


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
