"""What each destination is by the catalogue: by its name, its CNAME targets, or the paths asked there.

Distinct names and paths are classified, never rows. A label only: being at a provider weighs nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import ibis
import ibis.expr.types as ir

from playbooks.knowledge.catalogue import Match, load_catalogue
from playbooks.scoping.dns_naming import ADDRESS_SHAPE

Pair = tuple[str, str]


@dataclass(frozen=True)
class Label:
    """A match and what was matched: host, cname or path."""

    match: Match
    matched_by: str


@dataclass(frozen=True)
class Destinations:
    """Labels of named destinations, and of (source, destination) where only the path tells the customer."""

    by_name: Mapping[str, Label]
    by_pair: Mapping[Pair, Label]

    def label(self, src: str, dst: str) -> Label | None:
        """What `dst` is, as `src` used it."""
        return self.by_pair.get((src, dst)) or self.by_name.get(dst)

    def key(self, src: str, dst: str) -> tuple[str, ...]:
        """What prevalence is counted over: the customer of the provider where known, else the destination."""
        label = self.label(src, dst)
        if label is None or label.match.tenant is None:
            return (dst,)
        return (label.match.id, label.match.tenant)

    @cached_property
    def names(self) -> frozenset[str]:
        """Destinations of the catalogue."""
        return frozenset(self.by_name)


def classify(events: ir.Table, dns: ir.Table) -> Destinations:
    """Classify the destinations of `events` (see `egress_events`).

    `dns` is the whole table of DNS events: a CNAME that any client received says where a name leads.
    """
    distinct = events.filter(events.dst_name.notnull()).select("dst_name").distinct()
    by_name = classify_names(distinct.to_pyarrow()["dst_name"].to_pylist(), dns)
    unclear = [name for name, label in by_name.items() if label.match.tenant is None]
    return Destinations(by_name, _by_path(events, unclear) if unclear else {})


def classify_names(names: Iterable[str], dns: ir.Table) -> dict[str, Label]:
    """Labels of those names that are hosts of the catalogue, or aliases of one."""
    asked = set(names)
    by_name = _by_host(asked)
    return by_name | _by_cname(asked - set(by_name), dns)


def _by_host(names: Iterable[str]) -> dict[str, Label]:
    catalogue = load_catalogue()
    found = ((name, catalogue.classify(name)) for name in names)
    return {name: Label(match, match.matched_by) for name, match in found if match is not None}


def _by_cname(names: set[str], dns: ir.Table) -> dict[str, Label]:
    """Names outside the catalogue that are aliases of one inside it; the first target in the alphabet."""
    targets = dns.select(name=dns.query_hostname, target=dns.answers.unnest())
    targets = targets.mutate(target=targets.target.lower()).distinct()
    targets = targets.filter(~targets.target.re_search(ADDRESS_SHAPE), targets.target.contains("."))
    columns = targets.order_by("name", "target").to_pyarrow().to_pydict()
    labels = _by_host(set(columns["target"]))
    found: dict[str, Label] = {}
    for name, target in zip(columns["name"], columns["target"], strict=True):
        if name in names and target in labels:
            found.setdefault(name, Label(labels[target].match, "cname"))
    return found


def _by_path(events: ir.Table, hosts: list[str]) -> dict[Pair, Label]:
    """On hosts that serve every customer the path names one: the most used of a pair, then by name."""
    asked = events.filter(events.path.notnull(), events.dst_name.isin(hosts))
    asked = asked.group_by("src", "dst", "path").agg(times=asked.count())
    rows = asked.order_by(ibis.desc("times"), "path").to_pyarrow().to_pydict()
    catalogue = load_catalogue()
    uses: dict[Pair, dict[tuple[str, str], tuple[int, Match]]] = {}
    for src, dst, path, times in zip(*(rows[name] for name in ("src", "dst", "path", "times")), strict=True):
        match = catalogue.classify(dst, path)
        if match is not None and match.tenant is not None:
            tenants = uses.setdefault((src, dst), {})
            before, first = tenants.get((match.id, match.tenant), (0, match))
            tenants[match.id, match.tenant] = (before + times, first)
    return {pair: Label(_most_used(tenants), "path") for pair, tenants in uses.items()}


def _most_used(tenants: Mapping[tuple[str, str], tuple[int, Match]]) -> Match:
    return min(tenants.items(), key=lambda item: (-item[1][0], item[0]))[1][1]
