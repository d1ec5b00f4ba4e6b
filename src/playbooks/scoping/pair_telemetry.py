"""Contacts added up per source, destination, telemetry and program, and from there per pair.

The engine adds up; only times and record numbers come here, as flat arrays. One connection may stand in
several logs, so a pair takes its figures from the telemetry that saw most of it: logs are never summed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from playbooks.formats import FORMATS
from playbooks.schema.arrow import column_of
from playbooks.scoping.series import Ints, order_within

MAX_REFS = 20
SOURCES = ("http", "tls", "flow", "dns")  # preferred in this order when equally many check-ins were seen
NO_BYTES = -1
# logs that stamp the end of a request: its start is what keeps a rhythm
STAMPED_AT_END = tuple(form.name for form in FORMATS if form.ends)

Columns = dict[str, object]  # of a DataFrame


@dataclass(frozen=True)
class Telemetry:
    """One row per source, destination, kind of telemetry, format and program, with the events behind it."""

    src: list[str]
    dst: list[str]
    source: list[str]
    format: list[str]
    client: list[str | None]  # process, else user agent, else fingerprint
    named: npt.NDArray[np.bool_]
    by_proxy: npt.NDArray[np.bool_]
    contacts: Ints
    first: Ints
    last: Ints
    bytes_out: Ints
    bytes_in: Ints
    starts: Ints  # of its events; one longer than the rows
    time: Ints  # at which each event began, microseconds
    evidence: pa.Array
    record: Ints


def by_telemetry(seen: ir.Table) -> Telemetry:
    """Add up in the engine; only lists of times and record numbers come here."""
    over = seen.format.isin(STAMPED_AT_END)
    lasted = ibis.ifelse(over, seen.duration_ms, 0).fill_null(0)
    event = ibis.struct(
        {"time": seen.time, "lasted": lasted, "evidence_id": seen.evidence_id, "record_no": seen.record_no}
    )
    client = ibis.coalesce(seen.process, seen.user_agent, seen.fingerprint)
    grouped = seen.group_by("src", "dst", "source", "format", client=client).agg(
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
    # pandas holds equal texts once, which a list of pyarrow does not
    texts = {name: table[name].to_pandas().tolist() for name in ("src", "dst", "source", "format", "client")}
    return Telemetry(
        **texts,
        named=_one(table["named"]).to_numpy(zero_copy_only=False),
        by_proxy=_one(table["by_proxy"]).to_numpy(zero_copy_only=False),
        contacts=_integers(table["contacts"]),
        first=_integers(table["first"]),
        last=_integers(table["last"]),
        bytes_out=_integers(table["bytes_out"]),
        bytes_in=_integers(table["bytes_in"]),
        starts=np.concatenate(([0], np.cumsum(pc.list_value_length(lists).to_numpy(zero_copy_only=False)))),
        time=_integers(events.field("time")) - 1_000 * _integers(events.field("lasted")),
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
class PairNames:
    """Source and destination of each pair, in this order, and the sources that are proxies."""

    src: list[str]
    dst: list[str]
    proxies: frozenset[str]

    @cached_property
    def both(self) -> list[tuple[str, str]]:
        """(source, destination) of each pair."""
        return list(zip(self.src, self.dst, strict=True))


@dataclass(frozen=True)
class Pairs:
    """Which rows of telemetry belong to which stream, and which streams to which pair.

    A stream is one kind of telemetry of a pair in one format, whatever the program. Pairs are numbered by source
    and destination, streams by pair, kind and format, so equal evidence gives equal numbers.
    """

    src: list[str]
    dst: list[str]
    of_row: Ints  # pair of each row
    stream: Ints  # stream of each row
    of_stream: Ints  # pair of each stream, in order
    source: Ints  # of each stream, an index of SOURCES
    by_proxy: npt.NDArray[np.bool_]  # of each row

    @cached_property
    def proxies(self) -> frozenset[str]:
        """Sources that are proxies."""
        return frozenset(self.src[number] for number in np.unique(self.of_row[self.by_proxy]).tolist())


def number_pairs(telemetry: Telemetry) -> Pairs:
    """Pairs in the order of source and destination, and the streams of each."""
    src_code, src = pd.factorize(np.asarray(telemetry.src, dtype=object), sort=True)
    dst_code, dst = pd.factorize(np.asarray(telemetry.dst, dtype=object), sort=True)
    form_code, forms = pd.factorize(np.asarray(telemetry.format, dtype=object), sort=True)
    keys, of_row = np.unique(src_code.astype(np.int64) * max(len(dst), 1) + dst_code, return_inverse=True)
    kind = np.array([SOURCES.index(source) for source in telemetry.source], dtype=np.int64)
    wide = max(len(forms), 1)
    streams, stream = np.unique((of_row * len(SOURCES) + kind) * wide + form_code, return_inverse=True)
    return Pairs(
        src=[str(src[key // len(dst)]) for key in keys],
        dst=[str(dst[key % len(dst)]) for key in keys],
        of_row=of_row.astype(np.int64),
        stream=stream.astype(np.int64),
        of_stream=(streams // wide // len(SOURCES)).astype(np.int64),
        source=(streams // wide % len(SOURCES)).astype(np.int64),
        by_proxy=telemetry.by_proxy,
    )


def counted(telemetry: Telemetry, pairs: Pairs) -> Columns:
    """Counts, bytes, first and last event, telemetry and records of each pair."""
    rows = np.argsort(pairs.of_row, kind="stable")
    starts = np.searchsorted(pairs.of_row[rows], np.arange(len(pairs.src)))
    stream_starts = np.searchsorted(pairs.of_stream, np.arange(len(pairs.src)))

    def over(reduce: np.ufunc, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        return np.asarray(reduce.reduceat(values[rows], starts)) if len(rows) else values

    def most(values: Ints) -> Ints:
        """Sum over the programs of a stream, and of that the largest of the pair; missing where all are."""
        known = values != NO_BYTES
        sums = np.bincount(pairs.stream, np.where(known, values, 0), minlength=len(pairs.of_stream)).astype(np.int64)
        sums[np.bincount(pairs.stream, known, minlength=len(sums)) == 0] = NO_BYTES
        return np.maximum.reduceat(sums, stream_starts) if len(sums) else sums

    bits = np.bitwise_or.reduceat(1 << pairs.source, stream_starts) if len(pairs.source) else pairs.source
    listed = {mask: sorted(name for i, name in enumerate(SOURCES) if mask >> i & 1) for mask in range(16)}
    return {
        "src": pairs.src,
        "dst": pairs.dst,
        "kind": np.where(over(np.logical_or, telemetry.named), "fqdn", "ip"),
        "first_seen": _times(over(np.minimum, telemetry.first)),
        "last_seen": _times(over(np.maximum, telemetry.last)),
        "connections": most(telemetry.contacts),
        "bytes_out": _bytes(most(telemetry.bytes_out)),
        "bytes_in": _bytes(most(telemetry.bytes_in)),
        "sources": [listed[mask] for mask in bits.tolist()],
        "refs": _refs(telemetry, pairs),
    }


def _times(microseconds: npt.NDArray[np.generic]) -> pd.Series:
    return pd.Series(microseconds.astype("datetime64[us]")).dt.tz_localize("UTC")


def _bytes(values: npt.NDArray[np.generic]) -> pd.Series:
    return pd.Series(values, dtype="Int64").mask(values == NO_BYTES)


def _refs(telemetry: Telemetry, pairs: Pairs) -> pd.Series:
    """Up to `MAX_REFS` records of each pair, evenly over its events in order of time, with both ends."""
    pair = np.repeat(pairs.of_row, np.diff(telemetry.starts))
    coded = telemetry.evidence.dictionary_encode()  # in the order in which rows came, which no engine promises
    place = pc.rank(coded.dictionary.cast(pa.string())).to_numpy()
    evidence = coded.indices.to_numpy(zero_copy_only=False)
    order = order_within(pair, telemetry.time // 1_000_000, telemetry.time, place[evidence], telemetry.record)
    counts = np.bincount(pair, minlength=len(pairs.src))
    at = order[_spread(counts)]
    names = pc.cast(coded.dictionary, pa.string()).take(pa.array(evidence[at]))
    refs = pc.binary_join_element_wise(names, pc.cast(pa.array(telemetry.record[at]), pa.string()), ":")
    ends = np.concatenate(([0], np.cumsum(np.minimum(counts, MAX_REFS))))
    return column_of(pa.ListArray.from_arrays(pa.array(ends, pa.int32()), refs))


def _spread(counts: Ints) -> Ints:
    """Places of the chosen events: all of a short stretch, evenly spaced ones of a long one, ends included."""
    chosen = np.minimum(counts, MAX_REFS)
    begin = np.repeat(np.cumsum(counts) - counts, chosen)
    turn = np.arange(int(chosen.sum())) - np.repeat(np.cumsum(chosen) - chosen, chosen)
    total = np.repeat(counts, chosen)
    places: Ints = begin + np.where(total > MAX_REFS, turn * (total - 1) // (MAX_REFS - 1), turn)
    return places
