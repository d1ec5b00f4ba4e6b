"""Every observable beside every item that speaks of it: joins in the engine, whatever the number of either."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import ibis
import ibis.expr.types as ir
import pandas as pd

from playbooks.engine import Tables
from playbooks.enrichment.comparable import refusal
from playbooks.enrichment.observed import engine_table, observed

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
    seen = observed(tables, pairs, items, kinds)
    parts = [_keys(kind, part, items.filter(items.indicator_type == kind)) for kind, part in seen.items()]
    keys = reduce(lambda a, b: a.union(b), parts)
    both = keys.inner_join(items, [keys.observable_type == items.indicator_type, keys.key == items.key])
    found = _shaped(both)
    if "interval" in kinds:
        found = found.union(_rhythms(pairs, items))
    # what cannot be compared is told by patterns: on the few that match, not on all
    told = found.filter(refusal(found).isnull()).drop("not_compared", "indicator_type")
    frame: pd.DataFrame = told.distinct().order_by("observable", "ref", "indicator").to_pandas()
    return frame


def _items(indicators: ir.Table) -> ir.Table:
    """The items by the key that they are compared on."""
    value = indicators.indicator
    return indicators.select(
        "indicator",
        "indicator_type",
        "not_compared",
        key=ibis.cases((value.startswith("*."), value[2:]), else_=value),
        ref=indicators.evidence_id + ":" + indicators.record_no.cast("string"),
        source=indicators.source.fill_null(indicators.evidence_id),
        has_source=indicators.source.notnull(),
        confidence=indicators.confidence,
        valid_from=indicators.time,
        valid_until=indicators.valid_until,
        tlp=indicators.tlp,
        description=indicators.description.fill_null(""),
        verdict=indicators.verdict,
        for_detection=indicators.for_detection,
    )


def _keys(kind: str, seen: ir.Table, items: ir.Table) -> ir.Table:
    """What is looked for among the items, for each observable: itself, and what stands above it."""
    match kind:
        case "domain":
            near = _near(seen, items, _last_labels)
            return _looked_for(near, _from_each_label(near.observable), PARENT)
        case "uri":
            own = ibis.array([seen.observable])
            return _looked_for(seen, own.concat(_folders(seen.observable)), ABOVE)
        case "url":
            near = _near(seen, items, _authority)
            return _looked_for(near, _of_url(near.observable), ABOVE, near.observable.re_replace(SCHEME, ""))
        case _:
            return seen.mutate(key=seen.observable, matched_on=ibis.literal(EXACT))


def _looked_for(seen: ir.Table, keys: ir.ArrayValue, above: str, also: ir.StringValue | None = None) -> ir.Table:
    """A row for each key; equal to the observable, or to its other spelling, it is the same."""
    found = seen.mutate(other=seen.observable if also is None else also, key=keys).unnest("key")
    exact = (found.key == found.observable) | (found.key == found.other)
    return found.mutate(matched_on=ibis.cases((exact, EXACT), else_=above)).drop("other")


def _near(seen: ir.Table, items: ir.Table, anchor: Callable[[ir.StringValue], ir.StringValue]) -> ir.Table:
    """The observables that share with an item what all that lies above them shares: the others cannot match."""
    anchors = items.select(anchor=anchor(items.key)).distinct()
    return seen.mutate(anchor=anchor(seen.observable)).semi_join(anchors, "anchor").drop("anchor")


@ibis.udf.scalar.builtin  # type: ignore[untyped-decorator]
def split_part(text: str, separator: str, place: int) -> str:  # type: ignore[empty-body]
    """The part of a text between separators, counted from 1, or from -1 at its end."""


def _last_labels(name: ir.StringValue) -> ir.StringValue:
    return split_part(name, ".", -2) + "." + split_part(name, ".", -1)


def _authority(url: ir.StringValue) -> ir.StringValue:
    """What stands before the first slash, the scheme left out."""
    scheme = url.find("://")
    has_scheme = (scheme > 0) & (url.find("/") == scheme + 1)
    return split_part(ibis.cases((has_scheme, url[scheme + 3 :]), else_=url), "/", 1)


def _from_each_label(name: ir.StringValue) -> ir.ArrayValue:
    """The name and the names above it, the last label excepted: it names half of the web."""
    labels = name.split(".")
    return ibis.range(0, labels.length() - 1).map(lambda at: labels[at:].join("."))


def _of_url(url: ir.StringValue) -> ir.ArrayValue:
    """The URL and the folders above it, each with and without its scheme: lists are written in either way."""
    whole = url.re_replace(r"[?#].*$", "")
    bare = whole.re_replace(SCHEME, "")
    own = ibis.array([url, url.re_replace(SCHEME, "")])
    return own.concat(_folders(whole, first=3)).concat(_folders(bare, first=1))


def _folders(path: ir.StringValue, first: int = 2) -> ir.ArrayValue:
    """The folders above a path, each with its final slash, from that of `first` parts on."""
    parts = path.re_replace(r"/+$", "").split("/")
    return ibis.range(first, parts.length()).map(lambda end: parts[:end].join("/") + "/")


def _rhythms(pairs: pd.DataFrame, items: ir.Table) -> ir.Table:
    """Rhythms that are as long as an item says."""
    rhythmic = pairs[pairs.beacon_period_s.notna() & (pairs.beacon_score > 0)]
    told = engine_table(rhythmic, "src", "dst", "first_seen", "last_seen", "beacon_period_s")
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
        *("observable", "observable_type", "matched_on", "first_seen", "last_seen", "indicator", "indicator_type"),
        *("ref", "has_source", "not_compared", *OF_ITEM),
    )
