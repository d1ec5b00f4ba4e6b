"""What was seen that intelligence could speak of: destinations, URLs, paths, clients, hashes, tenants, rhythms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

import ibis
import ibis.expr.types as ir
import pandas as pd

from playbooks import schema
from playbooks.engine import Tables
from playbooks.enrichment.comparable import CASELESS, SEEN_IN

PATH = r"^(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)?(/[^?#]*)"
IBIS = {"VARCHAR": "string", "DOUBLE": "float64", "TIMESTAMPTZ": "timestamp('UTC', 6)"}
SHAPE = ("observable", "observable_type", "first_seen", "last_seen")


def engine_table(pairs: pd.DataFrame, *columns: str) -> ir.Table:
    """Columns of egress pairs, for the engine."""
    types = {column: schema.EGRESS_PAIRS.type_of(column) for column in columns}
    return ibis.memtable(pairs[list(columns)], schema=ibis.schema({name: IBIS[type_] for name, type_ in types.items()}))


def observed(tables: Tables, pairs: pd.DataFrame, items: ir.Table, kinds: set[str]) -> dict[str, ir.Table]:
    """Each value of a type once, with the span in which it was seen, however many tables and columns hold it.

    Parameters
    ----------
    tables
        Events.
    pairs
        Rows of `schema.EGRESS_PAIRS`.
    items
        The items; a value that only an equal item could match is sought among these.
    kinds
        Their types: other values are not looked for.

    Returns
    -------
    dict
        `domain`, `url` and `uri`, for what items may stand above of, and `others`; each with the columns of `SHAPE`.
    """
    found = {"domain": _destinations(pairs, "domain")}
    web = tables.http_activity
    if "url" in kinds:
        found["url"] = _spans(web, web.http_request_url_string, "url")
    if "uri" in kinds:
        found["uri"] = _spans(web, web.http_request_url_string.re_extract(PATH, 1), "uri")
    others = [_destinations(pairs, "ip"), *_values(tables, items, kinds), *_tenants(pairs, items, kinds)]
    whole = reduce(lambda a, b: a.union(b), (part.select(*SHAPE) for part in others))
    spans = whole.group_by("observable", "observable_type")
    found["others"] = spans.aggregate(first_seen=whole.first_seen.min(), last_seen=whole.last_seen.max())
    return {kind: part.select(*SHAPE) for kind, part in found.items()}


def _destinations(pairs: pd.DataFrame, kind: str) -> ir.Table:
    held = pairs[pairs.kind.eq("ip") if kind == "ip" else ~pairs.kind.eq("ip")]
    return _of_pairs(held, "dst", kind)


def _of_pairs(pairs: pd.DataFrame, column: str, kind: str) -> ir.Table:
    held = engine_table(pairs, column, "first_seen", "last_seen")
    spans = held.group_by(observable=held[column])
    seen = spans.aggregate(first_seen=held.first_seen.min(), last_seen=held.last_seen.max())
    return seen.mutate(observable_type=ibis.literal(kind))


def _values(tables: Tables, items: ir.Table, kinds: set[str]) -> Iterator[ir.Table]:
    """Values that stand in a column and that an item names."""
    for kind, places in SEEN_IN.items():
        wanted = items.filter(items.indicator_type == kind).select(observable=items.key).distinct()
        for name, columns in places.items() if kind in kinds and kind != "url" else ():
            for column in (tables[name][one] for one in columns):
                value = column.lower() if kind in CASELESS else column
                yield _spans(tables[name], value, kind).semi_join(wanted, "observable")


def _spans(table: ir.Table, value: ir.StringValue, kind: str) -> ir.Table:
    told = table.select("time", observable=value)
    told = told.filter(told.observable.notnull() & (told.observable != ""))
    spans = told.group_by("observable").aggregate(first_seen=told.time.min(), last_seen=told.time.max())
    return spans.mutate(observable_type=ibis.literal(kind))


def _tenants(pairs: pd.DataFrame, items: ir.Table, kinds: set[str]) -> Iterator[ir.Table]:
    if "tenant" in kinds:
        wanted = items.filter(items.indicator_type == "tenant").select(observable=items.key).distinct()
        yield _of_pairs(pairs[pairs.tenant.notna()], "tenant", "tenant").semi_join(wanted, "observable")
