"""Whose published range an address lies in: a label of low confidence for what has no name.

A range says who announces an address, never which customer uses it, and the list may be older or newer than the
contact. Distinct addresses are looked up among sorted bounds, never one by one among the ranges.
"""

from __future__ import annotations

import ipaddress
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import ibis.expr.types as ir

from playbooks.case import CaseFile
from playbooks.scoping.addresses import parse

Bounds = tuple[int, int]  # first and last address, as numbers


@dataclass(frozen=True)
class Publisher:
    """Who publishes the range, and for what; several lists of one range stand side by side, joined by commas."""

    provider: str
    service: str | None
    region: str | None


def publishers(addresses: Iterable[str], ranges: ir.Table, case: CaseFile) -> dict[str, Publisher]:
    """The publisher of the narrowest range around each address; addresses in none are absent.

    Parameters
    ----------
    addresses
        Addresses as they stand in the event tables.
    ranges
        The table `address_ranges`.
    case
        `address_ranges` says whose ranges an item lists that names nobody; without an entry it is not used.
    """
    edges = {version: _edges(known) for version, known in _published(ranges, case).items()}
    if not edges:
        return {}
    parsed = ((text, parse(text)) for text in addresses)
    found = (
        (text, _around(int(address), *edges[address.version]))
        for text, address in parsed
        if address and address.version in edges
    )
    return {text: publisher for text, publisher in found if publisher is not None}


def _around(address: int, starts: list[int], owners: list[Publisher | None]) -> Publisher | None:
    place = bisect_right(starts, address)
    return owners[place - 1] if place else None


def _published(ranges: ir.Table, case: CaseFile) -> dict[int, dict[Bounds, Publisher]]:
    """The ranges of each IP version, each once."""
    stated = {entry.evidence: entry.provider for entry in case.address_ranges}
    rows = ranges.select("evidence_id", "address_range", "provider", "service", "region").distinct().to_pyarrow()
    listed: dict[str, list[tuple[str, str | None, str | None]]] = {}
    for row in rows.to_pylist():
        if provider := row["provider"] or stated.get(row["evidence_id"]):
            listed.setdefault(row["address_range"], []).append((provider, row["service"], row["region"]))
    known: dict[int, dict[Bounds, list[tuple[str, str | None, str | None]]]] = {}
    for text, several in listed.items():
        network = ipaddress.ip_network(text, strict=False)
        bounds = int(network.network_address), int(network.broadcast_address)
        known.setdefault(network.version, {}).setdefault(bounds, []).extend(several)
    return {version: {at: _joined(rows) for at, rows in places.items()} for version, places in known.items()}


def _joined(rows: Iterable[tuple[str, str | None, str | None]]) -> Publisher:
    provider, service, region = (
        ", ".join(sorted({one for one in column if one})) for column in zip(*rows, strict=True)
    )
    return Publisher(provider, service or None, region or None)


def _edges(known: Mapping[Bounds, Publisher]) -> tuple[list[int], list[Publisher | None]]:
    """Where the narrowest range changes, in order, and which it is from there on.

    Prefixes lie inside one another or apart, so the ranges that are open at a place are a stack.
    """
    owners: dict[int, Publisher | None] = {}  # of several changes at one place the last counts
    opened: list[tuple[int, Publisher]] = []
    for first, last, owner in _outer_first(known):
        while opened and opened[-1][0] < first:
            owners |= _closed(opened)
        owners[first] = owner
        opened.append((last, owner))
    while opened:
        owners |= _closed(opened)
    return list(owners), list(owners.values())


def _outer_first(known: Mapping[Bounds, Publisher]) -> Iterator[tuple[int, int, Publisher]]:
    for first, last in sorted(known, key=lambda bounds: (bounds[0], -bounds[1])):
        yield first, last, known[first, last]


def _closed(opened: list[tuple[int, Publisher]]) -> dict[int, Publisher | None]:
    """Behind the innermost range the one around it goes on, if there is one."""
    last, _ = opened.pop()
    return {last + 1: opened[-1][1] if opened else None}
