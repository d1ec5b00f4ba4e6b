"""Who talks to what outside, how regularly, and who else does.

**Innocent when** the rhythm is a program's design: updaters, monitoring, mail polling, clock sync, chat
reconnects and telemetry are as regular as an implant. Timing cannot tell them apart; context can.

**Cannot see** what the telemetry does not show: names where neither SNI nor DNS was logged, paths inside
TLS, clients behind a proxy or resolver whose own log is missing, and anything that keeps one connection
open instead of calling again.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from playbooks import schema
from playbooks.case import CaseFile
from playbooks.engine import Tables
from playbooks.scoping import rhythm
from playbooks.scoping.destinations import Destinations, classify
from playbooks.scoping.egress_events import egress_events, proxy_addresses, within
from playbooks.scoping.question import Question

QUESTION = Question(
    id="egress_rhythm",
    hypothesis="A",
    title="Does a client of the estate call an outside service in a rhythm?",
    needs=(
        ("dns_activity", "query_hostname"),
        ("http_activity", "dst_endpoint_hostname"),
        ("http_activity", "dst_endpoint_ip"),
        ("network_activity", "tls_sni"),
        ("network_activity", "dst_endpoint_ip"),
    ),
    innocent_when=(
        "The program calls home by design: updater, monitoring, mail polling, clock sync, chat, telemetry.",
        "The destination is a service that the house has approved; ask its owner for the expected interval.",
    ),
    cannot_see=(
        "Names of destinations where the records hold neither SNI, host nor a DNS answer before the flow.",
        "Paths inside TLS or CONNECT tunnels: on hosts shared by all customers the customer stays unknown.",
        "Clients behind a proxy or resolver whose own log is not part of the evidence.",
        "Channels that stay open: a kept-alive connection or a WebSocket is one contact, not many.",
        "DNS lookups that a cache on the client answered.",
    ),
)

MAX_REFS = 20
MAX_USER_AGENTS = 5
SOURCES = ("http", "tls", "flow", "dns")  # preferred in this order when equally many check-ins were seen
NO_BYTES = -1

Ints = npt.NDArray[np.int64]


def egress_pairs(tables: Tables, case: CaseFile) -> pd.DataFrame:
    """One row per source and destination over all telemetry, within the window of the case.

    Parameters
    ----------
    tables
        Event tables of the case.
    case
        Window, baseline and internal ranges are taken from it. Events of the baseline outside the window
        only decide `new_in_window`.

    Returns
    -------
    pandas.DataFrame
        The columns of `schema.EGRESS_PAIRS`, by falling `beacon_score` (null last) and `connections`, then
        `src`, `dst`. `connections` and bytes are those of the telemetry that saw most, never a sum over
        logs of the same connection. Ownership and priority are left empty for enrichment; `rita_score` is
        null. Of one pair and telemetry the newest `rhythm.MAX_TIMES` seconds with contacts are scored.
    """
    contacts = egress_events(tables, case)
    seen = within(contacts, case.window)
    telemetry = _by_telemetry(seen)
    pairs = _pairs(telemetry)
    destinations = classify(seen, tables.dns_activity)
    frame = pd.DataFrame({**_counted(telemetry, pairs), **_rhythms(telemetry, pairs)})
    frame = frame.assign(**_labels(frame, destinations), user_agents=_user_agents(seen, frame))
    frame = frame.assign(**_prevalence(frame, destinations, proxy_addresses(tables, case)))
    frame["new_in_window"] = _new(frame, contacts, destinations, tables, case)
    return _finished(frame)


@dataclass(frozen=True)
class _Telemetry:
    """One row per source, destination, kind of telemetry and format, with the events behind it."""

    src: list[str]
    dst: list[str]
    named: npt.NDArray[np.bool_]
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


def _by_telemetry(seen: ir.Table) -> _Telemetry:
    """Add up in the engine; only lists of times and record numbers come here."""
    event = ibis.struct({"time": seen.time, "evidence_id": seen.evidence_id, "record_no": seen.record_no})
    grouped = seen.group_by("src", "dst", "source", "format").agg(
        named=seen.dst_name.notnull().any(),
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
    return _Telemetry(
        src=table["src"].to_pylist(),
        dst=table["dst"].to_pylist(),
        named=_one(table["named"]).to_numpy(zero_copy_only=False),
        source=table["source"].to_pylist(),
        contacts=_integers(table["contacts"]),
        first=_integers(table["first"]),
        last=_integers(table["last"]),
        bytes_out=_integers(table["bytes_out"]),
        bytes_in=_integers(table["bytes_in"]),
        starts=lists.offsets.to_numpy().astype(np.int64) - lists.offsets[0].as_py() if len(lists) else np.zeros(1, np.int64),
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
class _Pairs:
    """Which rows of telemetry belong to which pair; pairs are numbered by source and destination."""

    src: list[str]
    dst: list[str]
    of_row: Ints
    by_pair: Ints  # rows in the order of their pairs
    starts: Ints  # of each pair in `by_pair`

    def rows(self, number: int) -> Ints:
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.by_pair)
        return self.by_pair[self.starts[number] : end]


def _pairs(telemetry: _Telemetry) -> _Pairs:
    src_code, src = pd.factorize(np.asarray(telemetry.src, dtype=object), sort=True)
    dst_code, dst = pd.factorize(np.asarray(telemetry.dst, dtype=object), sort=True)
    keys, of_row = np.unique(src_code.astype(np.int64) * max(len(dst), 1) + dst_code, return_inverse=True)
    by_pair = np.argsort(of_row, kind="stable")
    starts = np.searchsorted(of_row[by_pair], np.arange(len(keys)))
    names = [str(src[key // len(dst)]) for key in keys], [str(dst[key % len(dst)]) for key in keys]
    return _Pairs(*names, of_row.astype(np.int64), by_pair, starts.astype(np.int64))


def _counted(telemetry: _Telemetry, pairs: _Pairs) -> dict[str, object]:
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


def _refs(telemetry: _Telemetry, pairs: _Pairs) -> list[list[str]]:
    """Up to `MAX_REFS` records of each pair, evenly over its events in order of time, with both ends."""
    lengths = np.diff(telemetry.starts)
    pair = np.repeat(pairs.of_row, lengths)
    coded = telemetry.evidence.dictionary_encode()
    names = coded.dictionary.to_pylist()
    evidence = coded.indices.to_numpy(zero_copy_only=False)
    order = np.lexsort((telemetry.record, evidence, telemetry.time, pair))
    starts = np.searchsorted(pair[order], np.arange(len(pairs.src) + 1))
    chosen = [order[first + _spread(end - first)] for first, end in zip(starts[:-1], starts[1:], strict=True)]
    return [
        [f"{names[item]}:{record}" for item, record in zip(evidence[at], telemetry.record[at], strict=True)]
        for at in chosen
    ]


def _spread(count: int) -> Ints:
    if count <= MAX_REFS:
        return np.arange(count)
    return np.arange(MAX_REFS) * (count - 1) // (MAX_REFS - 1)


def _rhythms(telemetry: _Telemetry, pairs: _Pairs) -> dict[str, object]:
    """Rhythm of each pair, in the telemetry with most check-ins."""
    columns: dict[str, list[object]] = {
        name: [None] * len(pairs.src)
        for name in ("beacon_score", "beacon_period_s", "beacon_reason", "beacon_source")
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


def _longest(telemetry: _Telemetry, rows: Ints) -> tuple[Ints, str]:
    def seconds(row: int) -> Ints:
        return rhythm.whole_seconds(telemetry.time[telemetry.starts[row] : telemetry.starts[row + 1]] // 1_000_000)

    series = [(seconds(row), telemetry.source[row]) for row in rows.tolist()]
    return max(series, key=lambda item: (len(item[0]), -SOURCES.index(item[1])))


def _labels(frame: pd.DataFrame, destinations: Destinations) -> dict[str, list[str | None]]:
    labels = [destinations.label(src, dst) for src, dst in zip(frame["src"], frame["dst"], strict=True)]
    matches = [label.match if label else None for label in labels]
    return {
        "provider": [match.provider if match else None for match in matches],
        "service": [match.service if match else None for match in matches],
        "catalogue_id": [match.id if match else None for match in matches],
        "tenant": [match.tenant if match else None for match in matches],
        "matched_by": [label.matched_by if label else None for label in labels],
    }


def _user_agents(seen: ir.Table, frame: pd.DataFrame) -> list[list[str]]:
    """The most used user agents of each pair, then by name."""
    used = seen.filter(seen.user_agent.notnull()).group_by("src", "dst", "user_agent").agg(times=ibis._.count())
    place = ibis.row_number().over(
        group_by=[used.src, used.dst], order_by=[used.times.desc(), used.user_agent]
    )
    used = used.mutate(place=place)
    rows = used.filter(used.place < MAX_USER_AGENTS).order_by("src", "dst", "place").to_pyarrow().to_pydict()
    agents: dict[tuple[str, str], list[str]] = {}
    for src, dst, agent in zip(rows["src"], rows["dst"], rows["user_agent"], strict=True):
        agents.setdefault((src, dst), []).append(agent)
    return [agents.get(pair, []) for pair in zip(frame["src"], frame["dst"], strict=True)]


def _prevalence(frame: pd.DataFrame, destinations: Destinations, proxies: frozenset[str]) -> dict[str, object]:
    """Clients per tenant or destination; a proxy counts only where no client behind it is known."""
    keys = [destinations.key(src, dst) for src, dst in zip(frame["src"], frame["dst"], strict=True)]
    behind: dict[tuple[str, ...], set[str]] = {}
    for key, src in zip(keys, frame["src"], strict=True):
        behind.setdefault(key, set()).add(src)
    everyone = len(set(frame["src"]) - proxies) or 1
    counts = {key: max(len(clients - proxies), 1) for key, clients in behind.items()}
    clients = np.array([counts[key] for key in keys], dtype=np.int64)
    return {"clients": clients, "clients_share": clients / everyone}


def _new(
    frame: pd.DataFrame, contacts: ir.Table, known: Destinations, tables: Tables, case: CaseFile
) -> list[bool | None]:
    """Whether no client was seen there in the baseline; null where the baseline holds no contact at all."""
    if case.baseline is None:
        return [None] * len(frame)
    before = within(contacts, case.baseline)
    pairs = before.select("src", "dst").distinct().to_pyarrow().to_pydict()
    if not pairs["src"]:
        return [None] * len(frame)
    earlier = classify(before, tables.dns_activity)
    keys = {earlier.key(src, dst) for src, dst in zip(pairs["src"], pairs["dst"], strict=True)}
    return [known.key(src, dst) not in keys for src, dst in zip(frame["src"], frame["dst"], strict=True)]


_PANDAS_TYPES = {"VARCHAR": "object", "BIGINT": "Int64", "DOUBLE": "float64", "BOOLEAN": "boolean"}


def _finished(frame: pd.DataFrame) -> pd.DataFrame:
    """All columns of the schema, in its order and types; rows in the promised order."""
    frame["priority_reasons"] = [[] for _ in range(len(frame))]
    for column in schema.EGRESS_PAIRS.columns:
        if column.name not in frame:
            frame[column.name] = None
        if column.type in _PANDAS_TYPES:
            frame[column.name] = frame[column.name].astype(_PANDAS_TYPES[column.type])
    by = ["beacon_score", "connections", "src", "dst"]
    ordered = frame.sort_values(by, ascending=[False, False, True, True], na_position="last", kind="stable")
    return ordered[list(schema.EGRESS_PAIRS.names)].reset_index(drop=True)


def checkins(tables: Tables, case: CaseFile, src: str, dst: str) -> pd.DataFrame:
    """Every event of one pair in the window, in order of time.

    Returns
    -------
    pandas.DataFrame
        time (UTC), source, evidence_id, record_no, bytes_out, bytes_in.
    """
    seen = within(egress_events(tables, case), case.window)
    rows = seen.filter(seen.src == src, seen.dst == dst).select(
        "time", "source", "evidence_id", "record_no", "bytes_out", "bytes_in"
    )
    frame = rows.order_by("time", "evidence_id", "record_no").to_pyarrow().to_pandas()
    return frame.astype({"bytes_out": "Int64", "bytes_in": "Int64"})


def egress_hours(tables: Tables, case: CaseFile) -> pd.DataFrame:
    """Contacts per hour with destinations of the catalogue, in the window.

    Returns
    -------
    pandas.DataFrame
        hour (UTC), dst, service, connections (of the telemetry that saw most in that hour).
    """
    seen = within(egress_events(tables, case), case.window)
    destinations = classify(seen, tables.dns_activity)
    chosen = seen.filter(seen.dst.isin(sorted(destinations.by_name)))
    counted = chosen.group_by("dst", "source", "format", hour=chosen.time.truncate("h")).agg(n=ibis._.count())
    most = counted.group_by("hour", "dst").agg(connections=counted.n.max())
    frame = most.order_by("hour", "dst").to_pyarrow().to_pandas()
    frame.insert(2, "service", [destinations.by_name[dst].match.service for dst in frame["dst"]])
    return frame
