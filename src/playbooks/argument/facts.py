"""Facts of a finding that speak for or against a reading of it: its signals, and what the same records say besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from pandas.api.types import is_list_like

from playbooks.scoping.baseline_contacts import Before
from playbooks.scoping.novelty import SLIGHT

REFS_SHOWN = 5
COMMON_CLIENTS = 5  # from here on a destination is not one client's own
MODIFIED = "owned-recently-modified"
OWN = ("owned-approved", "owned-unapproved", MODIFIED)
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Fact:
    """One fact: its id (a kind of signal, or one of this module), a sentence, and the records that show it."""

    id: str
    sentence: str
    refs: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {"fact": self.id, "sentence": self.sentence, "refs": list(self.refs[:REFS_SHOWN])}


def of_signals(entry: Entry) -> Iterator[Fact]:
    """What the finding rests on."""
    for signal in entry["signals"]:
        if signal["weight"] > 0:
            yield Fact(signal["kind"], signal["sentence"], tuple(signal["refs"]))


def of_egress(entry: Entry, pairs: pd.DataFrame, before: Mapping[str, Before]) -> Iterator[Fact]:
    """What egress pairs say besides.

    Parameters
    ----------
    entry
        A finding or lead of hypothesis A.
    pairs
        Rows of `schema.EGRESS_PAIRS` of the finding.
    before
        Destinations that were contacted in the baseline.
    """
    contacted = sorted(set(map(str, pairs.dst)))
    for dst in (dst for dst in contacted if dst in before):
        counts = f"contacts: {before[dst].contacts:,}, clients: {before[dst].clients:,}"
        yield Fact("in-baseline", f"{dst} was contacted in the baseline already ({counts}).", (before[dst].ref,))
    for dst in contacted:
        rows = pairs[pairs.dst == dst]
        first = rows.iloc[0]
        refs = tuple(str(ref) for row_refs in rows.refs for ref in list(row_refs)[:1])
        if first.clients >= COMMON_CLIENTS and first.clients_share > 0:
            share = f"{first.clients:,} clients, {first.clients_share:.0%} of all that are seen, talk to {dst}."
            yield Fact("common", share, refs)
        if first.ownership in OWN and first.ownership != MODIFIED:
            yield Fact("own", f"{dst}: {first.ownership_reason}.", tuple(first.ownership_refs) or refs)
        if isinstance(first.catalogue_id, str):
            yield _tenant(dst, first.tenant, refs)
    yield from _programs(pairs)
    yield from _around(entry)


def _tenant(dst: object, tenant: object, refs: tuple[str, ...]) -> Fact:
    if isinstance(tenant, str):
        return Fact("named-tenant", f"{dst} names one customer of the provider: {tenant}.", refs)
    return Fact(
        "shared-host", f"{dst} serves every customer of the provider, and no record shows which was asked.", refs
    )


def _programs(pairs: pd.DataFrame) -> Iterator[Fact]:
    """Programs behind the contacts that the baseline knows."""
    row: Any
    for row in pairs.itertuples(index=False):
        if not is_list_like(row.new_programs):  # no baseline
            continue
        new = set(row.new_programs)
        for image, ref in zip(row.processes, row.process_refs, strict=True):
            if image not in new:
                yield Fact("program-known", f"{image} on {row.src} was in use in the baseline already.", (str(ref),))


def _around(entry: Entry) -> Iterator[Fact]:
    """What else happened at the hosts around first contact."""
    for stage in (entry.get("lifecycle") or {}).get("stages", ()):
        if stage["state"] == "found" and stage["refs"]:
            told = f"{stage['name']}: records of the host around first contact fit it ({stage['events']})."
            yield Fact("around", told, tuple(stage["refs"]))


def of_cloud(rows: pd.DataFrame, has_change_list: bool) -> Iterator[Fact]:
    """What control-plane records say besides.

    Parameters
    ----------
    rows
        Rows of `schema.CLOUD_ACTIVITY` of the finding.
    has_change_list
        Whether the case names its approved changes.
    """
    done = rows[~rows.phase.isin(["invoke", "discovery"])]
    covered = done[done.change_ref.notna()]
    if len(covered):
        tickets = ", ".join(dict.fromkeys(covered.change_ref.astype(str)))
        yield Fact(
            "ticket", f"The change list covers {len(covered)} of {len(done)} changes: {tickets}.", _refs(covered)
        )
    if has_change_list and len(done) > len(covered):
        bare = done[done.change_ref.isna()]
        yield Fact("no-ticket", f"The change list covers none of {len(bare)} changes.", _refs(bare))
    if len(done) and done.by_user.eq(False).all():
        yield Fact("by-role", "All changes were made by a role, app or service, as pipelines do.", _refs(done))
    habit = done[done.novelty.le(SLIGHT)]
    if len(habit):
        sentence = f"{len(habit)} of {len(done)} changes hold nothing that the baseline of who made them lacks."
        yield Fact("habit", sentence, _refs(habit))
    refused = rows[rows.outcome == "failure"]
    if len(refused):
        what = ", ".join(dict.fromkeys(refused.operation_base.astype(str)))
        yield Fact("refused", f"Calls that failed ({len(refused)}): {what}.", _refs(refused))


def _refs(rows: pd.DataFrame) -> tuple[str, ...]:
    return tuple(str(ref) for ref in rows.ref.head(REFS_SHOWN))


def by_id(facts: Iterable[Fact]) -> dict[str, list[Fact]]:
    """Facts under their ids, in order, each sentence once."""
    found: dict[str, list[Fact]] = {}
    for fact in facts:
        known = found.setdefault(fact.id, [])
        if fact.sentence not in {one.sentence for one in known}:
            known.append(fact)
    return found
