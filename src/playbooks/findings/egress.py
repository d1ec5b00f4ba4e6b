"""Hypothesis A: which destinations of the estate carry independent signals of command and control?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from playbooks.case import CaseFile
from playbooks.enrichment import APPROVED, EXPIRED, MODIFIED, NOT_YET, TOO_BROAD, UNVETTED, VALID
from playbooks.findings.signal import ALLOWED, Signal, Subject, score
from playbooks.knowledge.characteristics import load_characteristics
from playbooks.scoping.egress_pairs import BY_ADDRESS, QUESTION

RHYTHM_FROM = 0.7  # beacon_score from which a rhythm is called one; memoryless traffic stays below .4
# Weights add up as independent chances (see signal.score). They are set so that one kind alone stays below
# .65, and a rhythm with rarity (.68) ranks above either with a user agent nobody else has (.62, .51).
RHYTHM_WEIGHT = 0.5  # the behaviour itself; half, because updaters and monitoring have it too
RHYTHM_KNOWN_WEIGHT = 0.2  # the pair had the same habit before the window
RARE_CLIENTS = 2  # an implant on one host, and a second host that looks at the same place
RARE_SHARE = 0.05  # the same in an estate of many clients
CLIENTS_TO_TELL = 5  # in a smaller estate everything is rare
COMMON_SHARE = 0.25  # what a quarter of the estate does is the house at work
RARITY_WEIGHT = 0.35  # few clients, and nobody before the window
RARITY_WITHOUT_BASELINE = 0.25  # few clients; whether it is new is unknown
CLIENT_WEIGHT = 0.25  # a program nobody else uses: developers have such, too
TOOL_WEIGHT = 0.4  # the published shape of a tool; an exercise has it too
INTEL_WEIGHT = {VALID: 0.6, UNVETTED: 0.25}  # times the source's own confidence; an unreviewed source says less
MODIFIED_WEIGHT = 0.4  # our own endpoint, changed by somebody who is not on the allow-list
ATTACK = ("T1583.007", "T1584.007", "T1102", "T1071.001")
OUTSIDE = (
    "The destination is not in the serverless catalogue: whether a function stands behind it (custom domain) "
    "cannot be told from these records."
)


@dataclass(frozen=True)
class Estate:
    """How many clients were seen, and how many use each user agent."""

    clients: int
    agent_users: dict[str, int]


def with_priority(pairs: pd.DataFrame, intel: pd.DataFrame, config: CaseFile) -> pd.DataFrame:
    """Fill `priority` and `priority_reasons`: rhythm with context, what to look at first."""
    estate = _estate(pairs)
    by_value = _intel_by_observable(intel)
    priorities, reasons = [], []
    for row in pairs.itertuples(index=False):
        signals = _signals([row], estate, by_value)
        allowed = _allowed(row, config)
        priorities.append(0.0 if allowed else score(signals))
        reasons.append([f"allowed: {allowed}"] if allowed else [f"{s.kind}: {s.sentence}" for s in signals])
    table = pairs.assign(priority=priorities, priority_reasons=pd.Series(reasons, index=pairs.index, dtype=object))
    order = ["priority", "beacon_score", "connections", "src", "dst"]
    return table.sort_values(order, ascending=[False, False, False, True, True], kind="stable", ignore_index=True)


def egress_subjects(pairs: pd.DataFrame, intel: pd.DataFrame, config: CaseFile) -> list[Subject]:
    """Destinations with at least one signal, grouped by tenant where one is known.

    Parameters
    ----------
    pairs
        Rows of `schema.EGRESS_PAIRS` with ownership.
    intel
        Rows of `schema.ENRICHMENT`.
    config
        The case.
    """
    estate = _estate(pairs)
    by_value = _intel_by_observable(intel)
    groups: dict[str, list[Any]] = {}
    entries: dict[str, dict[str, None]] = {}
    for row in pairs.itertuples(index=False):
        if _signals([row], estate, by_value):
            allowed = _allowed(row, config)
            key = _group(row) + (ALLOWED if allowed else "")
            groups.setdefault(key, []).append(row)
            entries.setdefault(key, {}).update({allowed: None} if allowed else {})
    found = [_subject(key, "; ".join(entries[key]) or None, rows, estate, by_value) for key, rows in groups.items()]
    return sorted(found, key=lambda subject: (-score(subject.signals), subject.key))


def _group(row: Any) -> str:
    named = isinstance(row.tenant, str)
    return f"{row.catalogue_id}/{row.tenant}" if named else str(row.dst)


def _estate(pairs: pd.DataFrame) -> Estate:
    users: dict[str, set[str]] = {}
    for src, agents in zip(pairs.src, pairs.user_agents, strict=True):
        for agent in agents if agents is not None else ():
            users.setdefault(str(agent), set()).add(str(src))
    return Estate(pairs.src.nunique(), {agent: len(sources) for agent, sources in users.items()})


def _intel_by_observable(intel: pd.DataFrame) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for item in intel.itertuples(index=False):
        found.setdefault(str(item.observable), []).append(item)
    return found


def _allowed(row: Any, config: CaseFile) -> str | None:
    """The entry that accepts the pair; a destination of ours that was just changed is accepted by none."""
    if row.ownership == MODIFIED:
        return None
    day = row.last_seen.date() if isinstance(row.last_seen, dt.datetime) else dt.date.max
    for entry in config.allow_list:
        if entry.covers_destination(str(row.src), str(row.dst), day):
            return entry.words()
    return f"inventory: {row.ownership_reason}" if row.ownership == APPROVED else None


def _signals(rows: list[Any], estate: Estate, intel: dict[str, list[Any]]) -> tuple[Signal, ...]:
    """All signals of pairs that belong together, the strongest first within a kind."""
    found = [s for row in rows for s in (*_rhythm(row, estate), *_rarity(row, estate), *_client(row, estate))]
    found += [s for row in rows for s in (*_tools(row), *_ownership(row), *_known(row, intel))]
    best: dict[tuple[str, str], Signal] = {}
    for signal in found:
        best.setdefault((signal.kind, signal.sentence), signal)
    return tuple(sorted(best.values(), key=lambda s: (s.kind, -s.weight, s.sentence)))


def _is_common(row: Any, estate: Estate) -> bool:
    return estate.clients >= CLIENTS_TO_TELL and row.clients_share >= COMMON_SHARE


def _seen_before(row: Any) -> bool:
    """Whether the baseline holds the destination; False also where no baseline can tell."""
    return not pd.isna(row.new_in_window) and not row.new_in_window


def _rhythm(row: Any, estate: Estate) -> Iterator[Signal]:
    """A rhythm that nothing ordinary explains: not half the estate's, and not there before the window."""
    if pd.isna(row.beacon_score) or row.beacon_score < RHYTHM_FROM or _is_common(row, estate):
        return
    known = _seen_before(row)
    weight = RHYTHM_KNOWN_WEIGHT if known else RHYTHM_WEIGHT
    since = " The destination was in use before the window already." if known else ""
    sentence = f"{row.src} calls {row.dst} in a rhythm ({row.beacon_source}): {row.beacon_reason}{since}"
    yield Signal("rhythm", sentence, weight * row.beacon_score, tuple(row.refs))


def _rarity(row: Any, estate: Estate) -> Iterator[Signal]:
    """Few clients of a large enough estate, and, where a baseline can tell, nobody before."""
    rare = row.clients <= RARE_CLIENTS or row.clients_share <= RARE_SHARE
    if estate.clients < CLIENTS_TO_TELL or not rare or _seen_before(row):
        return
    few = f"{row.clients} of {estate.clients} clients seen talk to {row.tenant if row.tenant else row.dst}"
    if pd.isna(row.new_in_window):
        yield Signal(
            "rarity",
            f"{few}; without a baseline it cannot be told whether it is new.",
            RARITY_WITHOUT_BASELINE,
            _edges(row),
        )
    else:
        yield Signal("rarity", f"{few}, and none did in the baseline.", RARITY_WEIGHT, _edges(row))


def _edges(row: Any) -> tuple[str, ...]:
    refs = tuple(row.refs)
    return refs if len(refs) < 2 else (refs[0], refs[-1])


def _agents(row: Any) -> list[tuple[str, str]]:
    """The user agents of a pair, each with the record that shows it."""
    if row.user_agents is None or row.user_agent_refs is None:
        return []
    return list(zip(map(str, row.user_agents), map(str, row.user_agent_refs), strict=True))


def _client(row: Any, estate: Estate) -> Iterator[Signal]:
    """A user agent that nobody else in the estate has."""
    if estate.clients < CLIENTS_TO_TELL or len(estate.agent_users) < 2 or _is_common(row, estate):
        return
    for agent, ref in _agents(row):
        if estate.agent_users[agent] == 1:
            sentence = f"User agent “{agent[:120]}” is used by {row.src} alone."
            yield Signal("client", sentence, CLIENT_WEIGHT, (ref,))


def _tools(row: Any) -> Iterator[Signal]:
    """Shapes of documented tools; one that common software has too says no more than a rare client does."""
    traits = load_characteristics()
    seen = [("dst_endpoint_hostname", str(row.dst), _edges(row))]
    seen += [("http_request_user_agent", agent, (ref,)) for agent, ref in _agents(row)]
    for column, value, refs in seen:
        for trait in traits.seen_in(column, value):
            sentence = f"“{value[:120]}” has the shape of {trait.tool} ({column})"
            if trait.strength == "distinct":
                yield Signal("tool", f"{sentence}.", TOOL_WEIGHT, refs)
            else:
                yield Signal("client", f"{sentence}; common software has it too.", CLIENT_WEIGHT, refs)


def _ownership(row: Any) -> Iterator[Signal]:
    if row.ownership == MODIFIED:
        yield Signal("ownership", f"{row.dst} is {row.ownership_reason}.", MODIFIED_WEIGHT, tuple(row.ownership_refs))


def _known(row: Any, intel: dict[str, list[Any]]) -> Iterator[Signal]:
    """Intelligence on the host or a user agent; what is expired or too broad weighs nothing and is told."""
    seen = [(str(row.dst), _edges(row)), *((agent, (ref,)) for agent, ref in _agents(row))]
    for item, refs in ((item, refs) for value, refs in seen for item in intel.get(value, ())):
        base = INTEL_WEIGHT.get(item.state, 0.0)
        confidence = 50 if pd.isna(item.confidence) else int(item.confidence)
        if base:
            sentence = (
                f"{item.source} lists {item.indicator} ({item.state}, confidence {confidence}): “{item.description}”."
            )
            yield Signal("intelligence", sentence, base * confidence / 100, (item.ref, *refs))


def _context(rows: Iterable[Any], intel: dict[str, list[Any]]) -> Iterator[str]:
    """Facts that weigh nothing and belong beside the finding."""
    for row in rows:
        if isinstance(row.catalogue_id, str):
            yield f"{row.dst} is a host of {row.provider}, {row.service} (by {row.matched_by}); this weighs nothing."
        elif row.matched_by == BY_ADDRESS:
            yield _published(row)
        yield f"Ownership of {row.dst}: {row.ownership} – {row.ownership_reason}."
        for item in intel.get(str(row.dst), ()):
            if item.state in (EXPIRED, NOT_YET, TOO_BROAD):
                yield f"{item.source} lists {item.indicator} ({item.state}); not counted."


def _published(row: Any) -> str:
    """A range around an address is weaker than a match of the catalogue: the words keep them apart."""
    told = ", ".join(str(one) for one in (row.provider, row.service, row.region) if isinstance(one, str))
    return (
        f"{row.dst} lies in an address range that its provider publishes ({told}). By the address alone: low "
        "confidence, and it names no customer; this weighs nothing."
    )


def _subject(key: str, allowed: str | None, rows: list[Any], estate: Estate, intel: dict[str, list[Any]]) -> Subject:
    rows = sorted(rows, key=lambda row: (-(row.connections or 0), row.src, row.dst))
    signals = _signals(rows, estate, intel)
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


def counted(number: int, noun: str) -> str:
    """1 name, 2 names."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


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
