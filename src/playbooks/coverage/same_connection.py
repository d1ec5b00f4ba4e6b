"""The same connection in two sources: differences of their stamps, found by keys that few records carry.

A key is the same client with the same address and ports, the same server name, or the same address; behind a proxy the
server name alone. A DNS answer counts for the connection after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from playbooks.coverage.sources import EVENT_TABLES, MOST_TABLES, Source, membership
from playbooks.engine import Tables

if TYPE_CHECKING:
    import ibis.expr.types as ir

LARGEST_S = 15 * 3600  # no two zones of one estate lie further apart
MOST_DIFFERENCES = 50_000  # of two sources; rare keys first
MOST_RECORDS = 100_000  # of which all keys are compared; more do not make an offset any surer
MOST_PER_KEY = 200  # records of one key and source: a chatty pair says nothing of one connection
Whole = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Differences:
    """Differences of two streams, one row per pair of records: stamps of both, the same less what each took, keys."""

    one: Whole
    two: Whole
    begun_one: Whole
    begun_two: Whole
    key: Whole

    def of(self, begun: bool) -> Whole:
        """Seconds by which the second stream is ahead: of the stamps, or of the begins."""
        return self.begun_two - self.begun_one if begun else self.two - self.one


def sightings(tables: Tables, sources: list[Source], records: int) -> ir.Table:
    """Records that show who reached for what; of many records, those of a share of all keys, the same ones each time.

    Parameters
    ----------
    records
        How many there are: beyond `MOST_RECORDS` a share is enough.

    Returns
    -------
    ibis Table
        `stream, key` (a digest), `second`, `begun` (less its duration: a proxy writes at the end), `evidence_id,
        record_no`.
    """
    import ibis

    dns, http, network = (_timed(tables, name) for name in ("dns_activity", "http_activity", "network_activity"))
    client, port = network.src_endpoint_ip, network.src_endpoint_port.cast("string")
    server = network.dst_endpoint_ip + "|" + network.dst_endpoint_port.cast("string")
    name = _name(network.tls_sni.fill_null(network.dst_endpoint_hostname))
    asked = dns.mutate(answer=dns.answers.unnest())
    parts = [
        _keyed(dns, "n", dns.src_endpoint_ip + "|" + _name(dns.query_hostname)),
        _keyed(asked, "a", asked.src_endpoint_ip + "|" + asked.answer),
        _keyed(http, "n", http.src_endpoint_ip + "|" + _name(http.dst_endpoint_hostname)),
        _keyed(http, "a", http.src_endpoint_ip + "|" + http.dst_endpoint_ip),
        _keyed(http, "s", _name(http.dst_endpoint_hostname)),
        _keyed(network, "t", client + "|" + port + "|" + server),
        _keyed(network, "n", client + "|" + name),
        _keyed(network, "a", client + "|" + network.dst_endpoint_ip),
        _keyed(network, "s", name),
    ]
    owner = membership(sources)
    union = ibis.union(*parts)
    share = max(records // MOST_RECORDS, 1)
    chosen = union.filter(union.key % share == 0) if share > 1 else union
    rows = chosen.inner_join(owner, "evidence_id")
    return rows.mutate(stream=rows.source * MOST_TABLES + rows.place).drop("source", "place")


def _timed(tables: Tables, name: str) -> ir.Table:
    import ibis

    table = tables[name].filter(tables[name].time.notnull())
    second = table.time.epoch_seconds().cast("int64")
    took = (table.duration_ms // 1000).cast("int64").fill_null(0) if name == "http_activity" else ibis.literal(0)
    place = ibis.literal(EVENT_TABLES.index(name), type="int64")
    return table.mutate(second=second, begun=(second - took).cast("int64"), place=place)


def _name(column: ir.StringValue) -> ir.StringValue:
    return column.lower()


def _keyed(table: ir.Table, kind: str, what: ir.StringValue) -> ir.Table:
    rows = table.mutate(what=what)
    rows = rows.filter(rows.what.notnull())
    return rows.select(
        "evidence_id", "record_no", "second", "begun", "place", key=(rows.what + "|" + kind).hash().cast("int64")
    )


def differences(seen: ir.Table) -> dict[tuple[int, int], Differences]:
    """Differences of every two streams that hold the same keys; one query of the engine."""
    import ibis

    held = seen.group_by("stream", "key").aggregate(n=seen.count())
    held = held.filter(held.n <= MOST_PER_KEY)
    other = held.select(key_two="key", two="stream", many="n")
    both = held.join(other, [held.key == other.key_two, held.stream < other.two])
    both = both.select("key", "two", one="stream", product=both.n * both.many)
    order = ibis.cumulative_window(group_by=[both.one, both.two], order_by=[both["product"], both.key])
    chosen = both.mutate(running=both["product"].sum().over(order))
    chosen = chosen.filter(chosen.running <= MOST_DIFFERENCES).select("key", "one", "two")
    first = seen.select(key_one="key", stream_one="stream", second_one="second", begun_one="begun")
    pairs = chosen.join(first, [chosen.key == first.key_one, chosen.one == first.stream_one])
    pairs = pairs.select("key", "one", "two", "second_one", "begun_one")
    again = seen.select(key_two="key", stream_two="stream", second_two="second", begun_two="begun")
    pairs = pairs.join(again, [pairs.key == again.key_two, pairs.two == again.stream_two])
    near = pairs.filter((pairs.second_two - pairs.second_one).abs() <= LARGEST_S)
    rows = near.order_by("one", "two", "key", "second_one", "second_two").to_pyarrow()
    column = {name: rows[name].to_numpy().astype("int64") for name in rows.column_names if name != "key"}
    column["key"] = rows["key"].to_numpy().astype("int64")
    found = {}
    for one, two in sorted({*zip(column["one"].tolist(), column["two"].tolist(), strict=True)}):
        mine = (column["one"] == one) & (column["two"] == two)
        names = ("second_one", "second_two", "begun_one", "begun_two", "key")
        found[one, two] = Differences(*(column[name][mine] for name in names))
    return found
