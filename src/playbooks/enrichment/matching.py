"""Every observable beside every item that speaks of it: joins in the engine, whatever the number of either."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir
import pandas as pd

from playbooks.engine import Tables
from playbooks.enrichment.comparable import refusal
from playbooks.enrichment.observed import observed, pairs_table

EXACT, PARENT, ABOVE, PERIOD = "exact", "parent domain", "path above", "period"
INTERVAL_TOLERANCE = 0.05  # of the interval: what a source states is a setting, what is seen lies around it
SCHEME = r"^[A-Za-z][A-Za-z0-9+.-]*://"
OF_ITEM = ("source", "confidence", "valid_from", "valid_until", "tlp", "description", "verdict", "for_detection")


def matches(tables: Tables, pairs: pd.DataFrame) -> pd.DataFrame:
    """Every (observable, item) of the same type and value, hosts below a domain, and what lies below a path.

    Parameters
    ----------
    tables
        Events and indicators.
    pairs
        Rows of `schema.EGRESS_PAIRS`.

    Returns
    -------
    pandas.DataFrame
        `observable, observable_type, matched_on, first_seen, last_seen, indicator, ref` and what the item says, ordered
        by observable and reference.
    """
    items = _items(tables.indicators)
    kinds = set(items.select("indicator_type").distinct().to_pyarrow()["indicator_type"].to_pylist())
    seen_pairs = pairs_table(pairs)
    seen = observed(tables, seen_pairs, items, kinds)
    found = _joined(_keys(seen, kinds), items).union(_rhythms(seen_pairs, items))
    frame: pd.DataFrame = found.distinct().order_by("observable", "ref", "indicator").to_pandas()
    return frame


def _items(indicators: ir.Table) -> ir.Table:
    """What can be compared, by the key that it is compared on."""
    rows = indicators.filter(refusal(indicators).isnull())
    return rows.select(
        "indicator",
        "indicator_type",
        key=rows.indicator.re_replace(r"^\*\.", ""),
        ref=rows.evidence_id + ":" + rows.record_no.cast("string"),
        source=rows.source.fill_null(rows.evidence_id),
        has_source=rows.source.notnull(),
        confidence=rows.confidence,
        valid_from=rows.time,
        valid_until=rows.valid_until,
        tlp=rows.tlp,
        description=rows.description.fill_null(""),
        verdict=rows.verdict,
        for_detection=rows.for_detection,
    )


def _keys(seen: ir.Table, kinds: set[str]) -> ir.Table:
    """What is looked for among the items, for each observable: itself, and what stands above it."""
    found = seen.mutate(key=seen.observable, matched_on=ibis.literal(EXACT))
    if "domain" in kinds:
        found = found.union(_exploded(seen.filter(seen.observable_type == "domain"), PARENT, _parents))
    if "uri" in kinds:
        found = found.union(_exploded(seen.filter(seen.observable_type == "uri"), ABOVE, _folders))
    if "url" in kinds:
        urls = seen.filter(seen.observable_type == "url")
        bare = urls.mutate(key=urls.observable.re_replace(SCHEME, ""), matched_on=ibis.literal(EXACT))
        found = found.union(bare.filter(bare.key != bare.observable))
        found = found.union(_exploded(urls, ABOVE, _folders_of_url)).union(_exploded(urls, ABOVE, _bare_folders))
    return found


def _exploded(seen: ir.Table, matched_on: str, above: Callable[[ir.StringValue], ir.ArrayValue]) -> ir.Table:
    return seen.mutate(key=above(seen.observable).unnest(), matched_on=ibis.literal(matched_on))


def _parents(name: ir.StringValue) -> ir.ArrayValue:
    """The names above a name, the last label excepted: it names half of the web."""
    labels = name.split(".")
    return ibis.range(1, labels.length() - 1).map(lambda at: labels[at:].join("."))


def _folders(path: ir.StringValue, first: int = 2) -> ir.ArrayValue:
    """The folders above a path, each with its final slash, from that of `first` parts on."""
    parts = path.re_replace(r"/+$", "").split("/")
    return ibis.range(first, parts.length()).map(lambda end: parts[:end].join("/") + "/")


def _folders_of_url(url: ir.StringValue) -> ir.ArrayValue:
    return _folders(url.re_replace(r"[?#].*$", ""), first=3)


def _bare_folders(url: ir.StringValue) -> ir.ArrayValue:
    return _folders(url.re_replace(r"[?#].*$", "").re_replace(SCHEME, ""), first=1)


def _joined(keys: ir.Table, items: ir.Table) -> ir.Table:
    both = keys.inner_join(items, [keys.observable_type == items.indicator_type, keys.key == items.key])
    return _shaped(both)


def _rhythms(pairs: ir.Table, items: ir.Table) -> ir.Table:
    """Rhythms that are as long as an item says."""
    told = pairs.filter(pairs.beacon_period_s.notnull(), pairs.beacon_score > 0)
    period = told.beacon_period_s
    words = told.src + " to " + told.dst + ", every " + _plain(period) + " s"
    seen = told.select(
        "first_seen", "last_seen", period=period, observable=words, observable_type=ibis.literal("interval")
    )
    stated = items.filter(items.indicator_type == "interval").mutate(seconds=items.indicator.try_cast("float64"))
    near = (seen.period - stated.seconds).abs() <= stated.seconds * INTERVAL_TOLERANCE
    both = seen.inner_join(stated, near)
    return _shaped(both.mutate(matched_on=ibis.literal(PERIOD)))


def _plain(number: ir.FloatingValue) -> ir.StringValue:
    """A number as people write it: 62, not 62.0."""
    return number.cast("string").re_replace(r"\.0$", "")


def _shaped(both: ir.Table) -> ir.Table:
    return both.select(
        *("observable", "observable_type", "matched_on", "first_seen", "last_seen", "indicator", "ref", "has_source"),
        *OF_ITEM,
    )
