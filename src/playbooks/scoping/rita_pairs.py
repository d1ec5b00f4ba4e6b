"""Which events RITA would score together, and what it says of them.

RITA reads Zeek only. A name and its client are one pair over all addresses: each connection whose HTTP host or
TLS server name is that name, once, at the time and with the IP bytes of its conn row. An address and its client
are a pair where none of its connections belongs to a name that is scored. The window is that of
all connections from or to an address that is a destination of ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from playbooks.case import CaseFile
from playbooks.engine import Tables
from playbooks.scoping import rita
from playbooks.scoping.egress_events import within
from playbooks.scoping.joins import has_rows
from playbooks.scoping.series import sorted_within, starts_of

CONNECTIONS = "zeek_conn"
NAMES = ("zeek_http", "zeek_ssl")
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
    by_name = [] if named is None else _scored(named.filter(named.second >= begin), "dst", window)
    found = {(src, dst): value for src, dst, _, value in by_name}
    flows = contacts.filter(contacts.format == CONNECTIONS, contacts.ip_bytes_out.notnull())
    events = flows.select("src", "dst_ip", "dst", "uid", second=_second(flows.time), size=flows.ip_bytes_out)
    events = events.filter(events.second >= begin)
    events = events if named is None else _without(events, named, list(found))
    best: dict[Pair, float] = {}
    for src, _, names, value in _scored(events, "dst_ip", window):
        for dst in names:
            best[src, dst] = max(best.get((src, dst), 0.0), value)
    return best | found


def _span(conn: ir.Table, contacts: ir.Table) -> tuple[int, int] | None:
    """First and last second of connections that touch a destination; where no address is known, of all of them."""
    conn = conn.select("time", src=conn.src_endpoint_ip, dst=conn.dst_endpoint_ip)
    reach = _ends(contacts.filter(contacts.format == CONNECTIONS))
    if reach is None:
        return _ends(conn)
    first, last = (ibis.literal(dt.datetime.fromtimestamp(end, dt.UTC), "timestamp('UTC')") for end in reach)
    beyond = conn.filter((conn.time < first) | (conn.time >= last + ibis.interval(seconds=1)))
    if not has_rows(beyond):
        return reach
    reached = contacts.filter(contacts.dst_ip.notnull()).select("dst_ip").distinct()
    back = beyond.semi_join(reached, beyond.src == reached.dst_ip)
    on = beyond.semi_join(reached, beyond.dst == reached.dst_ip)
    wider = _ends(ibis.union(back, on)) or reach
    return min(reach[0], wider[0]), max(reach[1], wider[1])


def _ends(rows: ir.Table) -> tuple[int, int] | None:
    ends = rows.aggregate(first=rows.time.min(), last=rows.time.max())
    first, last = ends.select(first=_second(ends.first), last=_second(ends.last)).to_pyarrow().to_pylist()[0].values()
    return None if first is None else (first, last)


def _second(time: ir.TimestampValue) -> ir.IntegerValue:
    """Whole seconds; DuckDB's epoch has a fraction, which its cast to an integer would round."""
    return time.epoch_seconds().cast("float64").floor().cast("int64")


def _named(conn: ir.Table, contacts: ir.Table) -> ir.Table | None:
    """(src, dst, uid, second, size): one row per connection with a name in its HTTP or TLS rows, if any has."""
    rows = contacts.filter(contacts.format.isin(NAMES), contacts.naming == "record", contacts.uid.notnull())
    rows = rows.filter(rows.dst_name.notnull())
    if not has_rows(rows):
        return None
    names = rows.select("src", "dst", "uid").distinct()
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


def _scored(events: ir.Table, dst: str, window: tuple[float, float]) -> list[tuple[str, str, list[str], float]]:
    """Source, name or address, the destinations that the kit lists it under, and the score.

    Only lists of seconds and sizes of pairs with enough events come here.
    """
    event = ibis.struct({"second": events.second, "size": events["size"]})
    grouped = events.group_by("src", other=events[dst]).agg(
        n=events.count(), names=events.dst.collect(distinct=True), events=event.collect()
    )
    enough = grouped.filter(grouped.n >= rita.MIN_SECONDS, grouped.n < rita.STROBE)
    table = enough.to_pyarrow()
    if not len(table):
        return []
    lists = pa.concat_arrays(table["events"].chunks)
    flat = lists.flatten()
    seconds = flat.field("second").to_numpy(zero_copy_only=False)
    sizes = flat.field("size").to_numpy(zero_copy_only=False)
    starts = starts_of(table["n"].to_numpy())
    values = rita.scores(starts, sorted_within(seconds, starts), sizes, window)
    columns = (*(table[name].to_pandas() for name in ("src", "other")), table["names"].to_pylist())
    return [row for row in zip(*columns, values.tolist(), strict=True) if not np.isnan(row[-1])]
