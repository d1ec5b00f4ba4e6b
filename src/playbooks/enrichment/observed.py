"""What was seen that intelligence could speak of: destinations, URLs, paths, clients, hashes, tenants, rhythms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import ibis
import ibis.expr.types as ir
import pandas as pd

from playbooks.engine import Tables
from playbooks.enrichment.comparable import CASELESS, SEEN_IN

PATH = r"^(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)?(/[^?#]*)"
PAIR_COLUMNS = ("src", "dst", "kind", "tenant", "first_seen", "last_seen", "beacon_period_s", "beacon_score")
TYPES = {
    **dict.fromkeys(("first_seen", "last_seen"), "timestamp('UTC', 6)"),
    **dict.fromkeys(("beacon_period_s", "beacon_score"), "float64"),
}
SHAPE = ("observable", "observable_type", "first_seen", "last_seen")


def pairs_table(pairs: pd.DataFrame) -> ir.Table:
    """The columns of egress pairs that intelligence speaks of, for the engine."""
    types = {name: TYPES.get(name, "string") for name in PAIR_COLUMNS}
    return ibis.memtable(pairs[list(PAIR_COLUMNS)], schema=ibis.schema(types))


def observed(tables: Tables, pairs: ir.Table, items: ir.Table, kinds: set[str]) -> ir.Table:
    """Each value of a type once, with the span in which it was seen, however many tables and columns hold it.

    Parameters
    ----------
    tables
        Events.
    pairs
        As `pairs_table` gives them.
    items
        Items that can be compared; a value that only an equal item could match is sought among these.
    kinds
        Their types: other values are not looked for.
    """
    parts = [_destinations(pairs), *_values(tables, items, kinds), *_tenants(pairs, items, kinds)]
    whole = reduce(lambda a, b: a.union(b), (part.select(*SHAPE) for part in parts))
    spans = whole.group_by("observable", "observable_type")
    return spans.aggregate(first_seen=whole.first_seen.min(), last_seen=whole.last_seen.max())


def _destinations(pairs: ir.Table) -> ir.Table:
    kind = ibis.cases((pairs.kind == "ip", "ip"), else_="domain")
    spans = pairs.group_by(observable=pairs.dst, observable_type=kind)
    return spans.aggregate(first_seen=pairs.first_seen.min(), last_seen=pairs.last_seen.max())


def _values(tables: Tables, items: ir.Table, kinds: set[str]) -> Iterator[ir.Table]:
    """Values that stand in a column: those that an item names; every URL and path, for an item may lie above it."""
    for kind, places in SEEN_IN.items():
        wanted = items.filter(items.indicator_type == kind).select(observable=items.indicator).distinct()
        for name, columns in places.items() if kind in kinds else ():
            for column in (tables[name][one] for one in columns):
                value = column.lower() if kind in CASELESS else column
                seen = _spans(tables[name], value, kind)
                yield seen if kind == "url" else seen.semi_join(wanted, "observable")
    if "uri" in kinds:
        web = tables.http_activity
        yield _spans(web, web.http_request_url_string.re_extract(PATH, 1), "uri")


def _spans(table: ir.Table, value: ir.StringValue, kind: str) -> ir.Table:
    told = table.select("time", observable=value)
    told = told.filter(told.observable.notnull() & (told.observable != ""))
    spans = told.group_by("observable").aggregate(first_seen=told.time.min(), last_seen=told.time.max())
    return spans.mutate(observable_type=ibis.literal(kind))


def _tenants(pairs: ir.Table, items: ir.Table, kinds: set[str]) -> Iterator[ir.Table]:
    if "tenant" in kinds:
        wanted = items.filter(items.indicator_type == "tenant").select(observable=items.indicator).distinct()
        held = pairs.filter(pairs.tenant.notnull())
        spans = held.group_by(observable=held.tenant)
        seen = spans.aggregate(first_seen=held.first_seen.min(), last_seen=held.last_seen.max())
        yield seen.mutate(observable_type=ibis.literal("tenant")).semi_join(wanted, "observable")
