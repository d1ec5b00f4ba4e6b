"""Hypothesis A: which destinations of the estate carry independent signals of command and control?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from playbooks.case import Allowed, CaseFile
from playbooks.enrichment import MODIFIED, NOT_COUNTED
from playbooks.findings.egress_allowed import allowed_by, is_too_broad
from playbooks.findings.egress_channels import NO_CHANNELS, channel_signals, grouped, in_channels
from playbooks.findings.egress_shared import same_traffic
from playbooks.findings.egress_signals import SHOWN_TEXT, intel_by_observable, shapes, signals_of
from playbooks.findings.estate import PROGRAM_KINDS, RHYTHM_FROM, Estate, estate_of, filled
from playbooks.findings.signal import ALLOWED, Signal, Subject, score
from playbooks.findings.wording import counted
from playbooks.scoping.egress_pairs import BY_ADDRESS, QUESTION

ATTACK = ("T1583.007", "T1584.007", "T1102", "T1071.001")
OUTSIDE = (
    "The destination is not in the serverless catalogue: whether a function stands behind it (custom domain) "
    "cannot be told from these records."
)


def egress_subjects(
    pairs: pd.DataFrame, intel: pd.DataFrame, config: CaseFile, channels: pd.DataFrame = NO_CHANNELS
) -> list[Subject]:
    """Destinations with at least one signal, grouped by tenant where one is known.

    Parameters
    ----------
    pairs
        Rows of `schema.EGRESS_PAIRS` with ownership.
    intel
        Rows of `schema.ENRICHMENT`.
    config
        The case.
    channels
        Rows of `schema.EGRESS_CHANNELS`; those over many destinations are subjects of their own.
    """
    by_value = intel_by_observable(intel)
    estate = replace(estate_of(pairs), channels=channel_signals(channels))
    told = (_candidates(pairs, by_value, estate), grouped(channels, pairs))
    rows_of = (
        (row, by) for f in told for row, by in zip(f.itertuples(index=False), allowed_by(f, config), strict=True)
    )
    broad = [entry for entry in config.allow_list if is_too_broad(entry)]
    groups: dict[str, list[Any]] = {}
    entries: dict[str, dict[str, None]] = {}
    for row, allowed in rows_of:
        if signals_of([row], estate, by_value):
            key = _group(row) + (ALLOWED if allowed else "")
            groups.setdefault(key, []).append(row)
            entries.setdefault(key, {}).update({allowed: None} if allowed else {})
    beside = same_traffic(groups, estate, by_value)
    subjects = (
        (key, _subject(key, "; ".join(entries[key]) or None, rows, signals_of(rows, estate, by_value), by_value))
        for key, rows in groups.items()
    )
    found = [
        replace(one, context=(*one.context, *beside.get(key, ()), *_not_honoured(one, broad))) for key, one in subjects
    ]
    return sorted(found, key=lambda subject: (-score(subject.signals), subject.key))


def _candidates(pairs: pd.DataFrame, intel: dict[str, list[Any]], estate: Estate) -> pd.DataFrame:
    """Rows that can carry a signal which leads, and what belongs to the same customer of a provider."""
    leading = (pairs.beacon_score >= RHYTHM_FROM) | (pairs.ownership == MODIFIED) | pairs.dst.isin(intel)
    leading |= filled(pairs, "traits", *(column for column, _ in PROGRAM_KINDS.values()))
    leading |= in_channels(pairs, estate.channels)
    customer = pairs.catalogue_id.fillna("") + "/" + pairs.tenant.fillna("")
    return pairs[leading | (pairs.tenant.notna() & customer.isin(customer[leading]))]


def _not_honoured(subject: Subject, entries: list[Allowed]) -> Iterator[str]:
    """Entries that would accept everybody; one of them covers nothing, and is told where it would have."""
    for entry in entries:
        if any(entry.may_cover(host) for host in subject.subjects["dst"]):
            yield f"The entry {entry.words()} accepts every customer, the adversary's too; it is not honoured."


def _group(row: Any) -> str:
    named = isinstance(row.tenant, str)
    return f"{row.catalogue_id}/{row.tenant}" if named else str(row.dst)


def _context(rows: Iterable[Any], intel: dict[str, list[Any]]) -> Iterator[str]:
    """Facts that weigh nothing and belong beside the finding."""
    for row in rows:
        if isinstance(row.catalogue_id, str):
            yield f"{row.dst} is a host of {row.provider}, {row.service} (by {row.matched_by}); this weighs nothing."
        elif row.matched_by == BY_ADDRESS:
            yield _published(row)
        yield f"Ownership of {row.dst}: {row.ownership} – {row.ownership_reason}."
        for trait, _, value, ref in shapes(row):
            if trait.strength == "hint":
                yield f"“{value[:SHOWN_TEXT]}” looks like {trait.tool} ({ref}); weighs nothing: {trait.innocent_if}."
        for item in intel.get(str(row.dst), ()):
            if item.state in NOT_COUNTED:
                yield f"{item.source} lists {item.indicator} ({item.state}); not counted."


def _published(row: Any) -> str:
    """A range around an address is weaker than a match of the catalogue: the words keep them apart."""
    told = ", ".join(str(one) for one in (row.provider, row.service, row.region) if isinstance(one, str))
    return (
        f"{row.dst} lies in an address range that its provider publishes ({told}). By the address alone: low "
        "confidence, and it names no customer; this weighs nothing."
    )


def _subject(
    key: str, allowed: str | None, rows: list[Any], signals: tuple[Signal, ...], intel: dict[str, list[Any]]
) -> Subject:
    rows = sorted(rows, key=lambda row: (-(row.connections or 0), row.src, row.dst))
    sources = sorted({str(row.src) for row in rows})
    hosts = sorted({str(row.dst) for row in rows})
    listed = any(isinstance(row.catalogue_id, str) for row in rows)
    kinds = {signal.kind for signal in signals}
    held = None if listed or kinds & {"intelligence", "tool", "ownership"} else OUTSIDE
    tenants = sorted({str(row.tenant) for row in rows if isinstance(row.tenant, str)})
    return Subject(
        hypothesis="A",
        key=key,
        title=_title(rows, sources, hosts),
        subjects={"src": sources, "dst": hosts, "tenant": tenants},
        first_seen=min(row.first_seen for row in rows).isoformat(),
        last_seen=max(row.last_seen for row in rows).isoformat(),
        signals=signals,
        attack=ATTACK if listed else ("T1071.001",),
        not_observable=(
            "The code behind the destination, its owner and where it forwards to are not in the house's records.",
            "Acquired (T1583.007) and compromised (T1584.007) infrastructure cannot be told apart from here.",
            *QUESTION.cannot_see,
        ),
        innocent_if=QUESTION.innocent_when,
        next_steps=_next_steps(sources, hosts, tenants),
        context=tuple(dict.fromkeys(_context(rows, intel))),
        allowed_by=allowed,
        at_most_a_lead=held,
    )


def _title(rows: list[Any], sources: list[str], hosts: list[str]) -> str:
    total = sum(int(row.connections) for row in rows)
    who = sources[0] if len(sources) == 1 else f"{len(sources)} clients ({sources[0]}, …)"
    where = hosts[0] if len(hosts) == 1 else f"{hosts[0]} and {counted(len(hosts) - 1, 'more name')} of the same tenant"
    period = next((row.beacon_period_s for row in rows if not pd.isna(row.beacon_period_s)), None)
    rhythm = f", about every {period:,.0f} s" if period and (rows[0].beacon_score or 0) >= RHYTHM_FROM else ""
    return f"{who} contacted {where} {total:,} times{rhythm}"


def _next_steps(sources: list[str], hosts: list[str], tenants: list[str]) -> tuple[str, ...]:
    who = ", ".join(sources[:3])
    tenant = f" and everything of tenant {tenants[0]}" if tenants else ""
    return (
        f"Preserve memory and live connections of {who} before anything is isolated: a restart loses them.",
        "Do not open, resolve or scan the destination from the house: it would warn whoever runs it.",
        f"Find the process on {who} that made the contacts (endpoint records around first seen).",
        f"Ask the owners in the house whether they know {hosts[0]}{tenant}; if so, enter it with owner and expiry.",
        "If it stays unexplained: block the full host name (not the provider's suffix) and isolate the host together.",
    )
