"""Which events RITA would score together, and what it says of them.

RITA reads Zeek only. A name and its client are one pair over all addresses: each connection whose HTTP host or
TLS server name is that name, once, at the time and with the IP bytes of its conn row. An address and its client
are a pair where none of its connections belongs to a name that is scored. The window is that of
all connections from or to an address that is a destination of ours.
"""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from playbooks.case import CaseFile
from playbooks.engine import Tables
from playbooks.scoping import rita
from playbooks.scoping.egress_events import within

CONNECTIONS = "zeek_conn"
NAMES = ("zeek_http", "zeek_ssl")
EDGE_ROWS = 2_000  # of the data set, looked at together from its edge inwards
EDGE_TURNS = 50  # a data set that begins with a hundred thousand inner connections counts as a whole
Pair = tuple[str, str]


def rita_scores(tables: Tables, contacts: ir.Table, case: CaseFile) -> Mapping[Pair, float]:
    """RITA's score of each (source, destination) that it would score, within the window of the case.

    Parameters
    ----------
    tables
        Event tables of the case: times and bytes of connections behind a proxy stand there only.
    contacts
        What `egress_events` gives.
    case
        Its window.

    Returns
    -------
    Mapping
        (src, dst) of `contacts` → 0 to 1. Where the kit knows a name for an address that RITA scores as an
        address, the name has the best of its addresses. Empty without Zeek's conn.log and its `orig_ip_bytes`.
    """
    contacts = within(contacts, case.window)
    network = within(tables.network_activity, case.window)
    conn = network.filter(network.format == CONNECTIONS, network.traffic_ip_bytes_out.notnull())
    span = _span(conn, contacts)
    if span is None:
        return {}
    window = rita.window(*span)
    begin = int(rita.counted_from(window))
    named = _named(conn, contacts)
    found = {(src, dst): value for src, dst, value in _scored(named.filter(named.second >= begin), "dst", window)}
    flows = contacts.filter(contacts.format == CONNECTIONS, contacts.ip_bytes_out.notnull())
    events = flows.select("src", "dst_ip", "dst", "uid", second=_second(flows.time), size=flows.ip_bytes_out)
    events = _without(events.filter(events.second >= begin), named, list(found))
    best: dict[Pair, float] = {}
    names = _names_of(events)
    for src, address, value in _scored(events, "dst_ip", window):
        for dst in names.get((src, address), ()):
            best[src, dst] = max(best.get((src, dst), 0.0), value)
    return best | found


def _span(conn: ir.Table, contacts: ir.Table) -> tuple[int, int] | None:
    """First and last second of connections that touch a destination; where no address is known, of all of them."""
    edges = [_edge(conn, contacts, newest) for newest in (False, True)]
    if None in edges:
        whole = conn.aggregate(first=_second(conn.time).min(), last=_second(conn.time).max())
        edges = list(whole.to_pyarrow().to_pylist()[0].values())
    first, last = edges
    return None if first is None or last is None else (first, last)


def _edge(conn: ir.Table, contacts: ir.Table, newest: bool) -> int | None:
    """First or last second with a connection from or to a destination of ours; looked for from the edge inwards."""
    rows = conn.select(second=_second(conn.time), src=conn.src_endpoint_ip, dst=conn.dst_endpoint_ip)
    order = ibis.desc("second") if newest else "second"
    for turn in range(EDGE_TURNS):
        looked_at = rows.order_by(order).limit(EDGE_ROWS, offset=turn * EDGE_ROWS).to_pyarrow().to_pylist()
        ends = {row[end] for row in looked_at for end in ("src", "dst") if row[end]}
        reached = contacts.filter(contacts.dst_ip.isin(sorted(ends))).select("dst_ip").distinct()
        known = set(reached.to_pyarrow()["dst_ip"].to_pylist())
        counted = [row["second"] for row in looked_at if {row["src"], row["dst"]} & known]
        if counted:
            return int(max(counted) if newest else min(counted))
        if len(looked_at) < EDGE_ROWS:
            return None
    return None


def _second(time: ir.TimestampValue) -> ir.IntegerValue:
    """Whole seconds; DuckDB's epoch has a fraction, which its cast to an integer would round."""
    return time.epoch_seconds().cast("float64").floor().cast("int64")


def _named(conn: ir.Table, contacts: ir.Table) -> ir.Table:
    """(src, dst, uid, second, size): one row per connection with a name in its HTTP or TLS rows."""
    rows = contacts.filter(contacts.format.isin(NAMES), contacts.naming == "record", contacts.uid.notnull())
    names = rows.filter(rows.dst_name.notnull()).select("src", "dst", "uid").distinct()
    sized = conn.select(by_uid="metadata_uid", second=_second(conn.time), size=conn.traffic_ip_bytes_out)
    return names.inner_join(sized, names.uid == sized.by_uid).drop("by_uid")


def _without(events: ir.Table, named: ir.Table, scored: list[Pair]) -> ir.Table:
    """Events of addresses none of whose connections belongs to a scored name."""
    if not scored:
        return events
    src, dst = (pa.array([pair[side] for pair in scored], pa.string()) for side in (0, 1))
    pairs = ibis.memtable(pa.table({"src": src, "dst": dst}))
    taken = named.semi_join(pairs, ["src", "dst"]).select("uid").distinct()
    addresses = events.semi_join(taken, "uid").select("src", "dst_ip").distinct()
    return events.anti_join(addresses, ["src", "dst_ip"])


def _scored(events: ir.Table, dst: str, window: tuple[float, float]) -> list[tuple[str, str, float]]:
    """Pairs with enough events, and their scores; only lists of seconds and sizes come here."""
    event = ibis.struct({"second": events.second, "size": events["size"]})
    grouped = events.group_by("src", other=events[dst]).agg(n=events.count(), events=event.collect())
    enough = grouped.filter(grouped.n >= rita.MIN_SECONDS, grouped.n < rita.STROBE)
    table = enough.order_by("src", "other").to_pyarrow()
    if not len(table):
        return []
    lists = pa.concat_arrays(table["events"].chunks)
    flat = lists.flatten()
    seconds = flat.field("second").to_numpy(zero_copy_only=False)
    sizes = flat.field("size").to_numpy(zero_copy_only=False)
    counts = table["n"].to_numpy()
    order = np.lexsort((seconds, np.repeat(np.arange(len(counts)), counts)))
    starts = np.concatenate(([0], np.cumsum(counts)))
    values = rita.scores(starts, seconds[order], sizes[order], window)
    names = zip(table["src"].to_pylist(), table["other"].to_pylist(), values.tolist(), strict=True)
    return [(src, other, value) for src, other, value in names if not np.isnan(value)]


def _names_of(events: ir.Table) -> dict[Pair, list[str]]:
    """Under which destinations the kit lists the connections of a client with an address."""
    rows = events.select("src", "dst_ip", "dst").distinct().order_by("src", "dst_ip", "dst").to_pyarrow().to_pydict()
    found: dict[Pair, list[str]] = {}
    for src, address, dst in zip(rows["src"], rows["dst_ip"], rows["dst"], strict=True):
        found.setdefault((src, address), []).append(dst)
    return found
