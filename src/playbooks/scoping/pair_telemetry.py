"""Contacts added up per source, destination and telemetry, and from there per pair.

The engine adds up; only times and record numbers come here, as flat arrays. One connection may stand in
several logs, so a pair takes its figures from the telemetry that saw most of it: logs are never summed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from playbooks.scoping import rhythm

MAX_REFS = 20
SOURCES = ("http", "tls", "flow", "dns")  # preferred in this order when equally many check-ins were seen
NO_BYTES = -1

Ints = npt.NDArray[np.int64]
Columns = dict[str, object]  # of a DataFrame


@dataclass(frozen=True)
class Telemetry:
    """One row per source, destination, kind of telemetry and format, with the events behind it."""

    src: list[str]
    dst: list[str]
    named: npt.NDArray[np.bool_]
    by_proxy: npt.NDArray[np.bool_]
    source: list[str]
    contacts: Ints
    first: Ints
    last: Ints
    bytes_out: Ints
    bytes_in: Ints
    starts: Ints  # of its events; one longer than the rows
    time: Ints  # of each event, microseconds
    evidence: pa.Array
    record: Ints


def by_telemetry(seen: ir.Table) -> Telemetry:
    """Add up in the engine; only lists of times and record numbers come here."""
    event = ibis.struct({"time": seen.time, "evidence_id": seen.evidence_id, "record_no": seen.record_no})
    grouped = seen.group_by("src", "dst", "source", "format").agg(
        named=seen.dst_name.notnull().any(),
        by_proxy=seen.by_proxy.any(),
        contacts=seen.count(),
        first=seen.time.min(),
        last=seen.time.max(),
        bytes_out=seen.bytes_out.sum(),
        bytes_in=seen.bytes_in.sum(),
        events=event.collect(),
    )
    table = grouped.to_pyarrow()
    lists = _one(table["events"])
    events = lists.flatten()
    return Telemetry(
        src=table["src"].to_pylist(),
        dst=table["dst"].to_pylist(),
        named=_one(table["named"]).to_numpy(zero_copy_only=False),
        by_proxy=_one(table["by_proxy"]).to_numpy(zero_copy_only=False),
        source=table["source"].to_pylist(),
        contacts=_integers(table["contacts"]),
        first=_integers(table["first"]),
        last=_integers(table["last"]),
        bytes_out=_integers(table["bytes_out"]),
        bytes_in=_integers(table["bytes_in"]),
        starts=np.concatenate(([0], np.cumsum(pc.list_value_length(lists).to_numpy(zero_copy_only=False)))),
        time=_integers(events.field("time")),
        evidence=events.field("evidence_id"),
        record=_integers(events.field("record_no")),
    )


def _one(column: pa.ChunkedArray) -> pa.Array:
    return pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)


def _integers(column: pa.ChunkedArray | pa.Array) -> Ints:
    """Whole numbers (times as microseconds); null is `NO_BYTES`, which only counts of bytes can be."""
    array = _one(column) if isinstance(column, pa.ChunkedArray) else column
    if pa.types.is_timestamp(array.type):
        array = array.cast(pa.timestamp("us", "UTC"))
    filled: Ints = array.cast(pa.int64()).fill_null(NO_BYTES).to_numpy(zero_copy_only=False)
    return filled


@dataclass(frozen=True)
class Pairs:
    """Which rows of telemetry belong to which pair; pairs are numbered by source and destination."""

    src: list[str]
    dst: list[str]
    of_row: Ints
    by_proxy: npt.NDArray[np.bool_]  # of each row
    by_pair: Ints  # rows in the order of their pairs
    starts: Ints  # of each pair in `by_pair`

    @cached_property
    def both(self) -> list[tuple[str, str]]:
        """(source, destination) of each pair."""
        return list(zip(self.src, self.dst, strict=True))

    @cached_property
    def proxies(self) -> frozenset[str]:
        """Sources that are proxies."""
        return frozenset(self.src[number] for number in np.unique(self.of_row[self.by_proxy]).tolist())

    def rows(self, number: int) -> Ints:
        """Rows of telemetry of one pair."""
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.by_pair)
        return self.by_pair[self.starts[number] : end]


def number_pairs(telemetry: Telemetry) -> Pairs:
    """Pairs in the order of source and destination."""
    src_code, src = pd.factorize(np.asarray(telemetry.src, dtype=object), sort=True)
    dst_code, dst = pd.factorize(np.asarray(telemetry.dst, dtype=object), sort=True)
    keys, of_row = np.unique(src_code.astype(np.int64) * max(len(dst), 1) + dst_code, return_inverse=True)
    by_pair = np.argsort(of_row, kind="stable")
    starts = np.searchsorted(of_row[by_pair], np.arange(len(keys)))
    names = [str(src[key // len(dst)]) for key in keys], [str(dst[key % len(dst)]) for key in keys]
    return Pairs(*names, of_row.astype(np.int64), telemetry.by_proxy, by_pair, starts.astype(np.int64))


def counted(telemetry: Telemetry, pairs: Pairs) -> Columns:
    """Counts, bytes, first and last event, telemetry and records of each pair."""

    def over(reduce: np.ufunc, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        ordered = values[pairs.by_pair]
        return np.asarray(reduce.reduceat(ordered, pairs.starts)) if len(ordered) else ordered

    bits = np.array([1 << SOURCES.index(source) for source in telemetry.source], dtype=np.int64)
    listed = {mask: sorted(name for i, name in enumerate(SOURCES) if mask >> i & 1) for mask in range(16)}
    return {
        "src": pairs.src,
        "dst": pairs.dst,
        "kind": np.where(over(np.logical_or, telemetry.named), "fqdn", "ip"),
        "first_seen": _times(over(np.minimum, telemetry.first)),
        "last_seen": _times(over(np.maximum, telemetry.last)),
        "connections": over(np.maximum, telemetry.contacts),
        "bytes_out": _bytes(over(np.maximum, telemetry.bytes_out)),
        "bytes_in": _bytes(over(np.maximum, telemetry.bytes_in)),
        "sources": [listed[int(mask)] for mask in over(np.bitwise_or, bits)],
        "refs": _refs(telemetry, pairs),
    }


def _times(microseconds: npt.NDArray[np.generic]) -> pd.Series:
    return pd.Series(microseconds.astype("datetime64[us]")).dt.tz_localize("UTC")


def _bytes(values: npt.NDArray[np.generic]) -> pd.Series:
    return pd.Series(values, dtype="Int64").mask(values == NO_BYTES)


def _refs(telemetry: Telemetry, pairs: Pairs) -> list[list[str]]:
    """Up to `MAX_REFS` records of each pair, evenly over its events in order of time, with both ends."""
    lengths = np.diff(telemetry.starts)
    pair = np.repeat(pairs.of_row, lengths)
    coded = telemetry.evidence.dictionary_encode()
    names = coded.dictionary.to_pylist()
    evidence = coded.indices.to_numpy(zero_copy_only=False)
    order = np.lexsort((telemetry.record, evidence, telemetry.time, pair))
    starts = np.searchsorted(pair[order], np.arange(len(pairs.src) + 1))
    chosen = [order[first + _spread(end - first)] for first, end in pairwise(starts)]
    return [
        [f"{names[item]}:{record}" for item, record in zip(evidence[at], telemetry.record[at], strict=True)]
        for at in chosen
    ]


def _spread(count: int) -> Ints:
    if count <= MAX_REFS:
        return np.arange(count)
    return np.arange(MAX_REFS) * (count - 1) // (MAX_REFS - 1)


def rhythms(telemetry: Telemetry, pairs: Pairs) -> Columns:
    """Rhythm of each pair, in the telemetry with most check-ins."""
    columns: dict[str, list[object]] = {
        name: [None] * len(pairs.src) for name in ("beacon_score", "beacon_period_s", "beacon_reason", "beacon_source")
    }
    busy = np.unique(pairs.of_row[telemetry.contacts >= rhythm.MIN_CHECKINS])
    for number in busy.tolist():
        times, source = _longest(telemetry, pairs.rows(number))
        found = rhythm.score(times)
        if found is not None:
            columns["beacon_score"][number] = found.score
            columns["beacon_period_s"][number] = found.period_s
            columns["beacon_reason"][number] = found.reason
            columns["beacon_source"][number] = source
    return dict(columns)


def _longest(telemetry: Telemetry, rows: Ints) -> tuple[Ints, str]:
    def seconds(row: int) -> Ints:
        return rhythm.whole_seconds(telemetry.time[telemetry.starts[row] : telemetry.starts[row + 1]] // 1_000_000)

    series = [(seconds(row), telemetry.source[row]) for row in rows.tolist()]
    return max(series, key=lambda item: (len(item[0]), -SOURCES.index(item[1])))
