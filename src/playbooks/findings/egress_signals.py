"""Signals of destinations: what was seen, in a sentence, with its weight and its records.

Kinds are what is independent: how regularly somebody calls (rhythm), who else goes there (rarity), which program
calls (client: user agent, process and TLS fingerprint are three views of that one fact), the published shape of a
tool (tool), what others say (intelligence), and what happened to a destination of ours (ownership).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from playbooks.enrichment import CONTEXT, MODIFIED, UNVETTED, VALID
from playbooks.findings.estate import (
    RHYTHM_FROM,
    Estate,
    Program,
    is_known,
    is_new_program,
    place,
    programs,
    serves_everybody,
)
from playbooks.findings.signal import Signal
from playbooks.knowledge.characteristics import Characteristic, load_characteristics
from playbooks.schema.arrow import texts

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
CLIENT_ELSEWHERE_WEIGHT = 0.15  # a fingerprint that the estate knows, but from other destinations
TOOL_WEIGHT = 0.4  # the published shape of a tool; an exercise has it too
# times the source's own confidence; an unreviewed source says less, and what it gives as context still less
INTEL_WEIGHT = {VALID: 0.6, UNVETTED: 0.25, CONTEXT: 0.1}
MODIFIED_WEIGHT = 0.4  # our own endpoint, changed by somebody who is not on the allow-list
SHOWN_TEXT = 120  # characters of a value in a sentence
Intel = Mapping[str, list[Any]]


def signals_of(rows: list[Any], estate: Estate, intel: Intel) -> tuple[Signal, ...]:
    """All signals of pairs that belong together, the strongest first within a kind.

    Parameters
    ----------
    rows
        Rows of `schema.EGRESS_PAIRS`, as `itertuples` gives them.
    estate
        Counts over all pairs.
    intel
        Rows of `schema.ENRICHMENT` by their observable.
    """
    found = [s for row in rows for s in (*_rhythm(row, estate), *_rarity(row, estate), *_client(row, estate))]
    found += [s for row in rows for s in (*_tools(row), *_ownership(row), *_known(row, intel))]
    found += [s for row in rows for s in estate.channels.get((str(row.src), str(row.dst)), ())]
    best: dict[tuple[str, str], Signal] = {}
    for signal in found:
        best.setdefault((signal.kind, signal.sentence), signal)
    return tuple(sorted(best.values(), key=lambda s: (s.kind, -s.weight, s.sentence)))


def intel_by_observable(intel: pd.DataFrame) -> dict[str, list[Any]]:
    """Matches with intelligence by what was seen."""
    found: dict[str, list[Any]] = {}
    for item in intel.itertuples(index=False):
        found.setdefault(str(item.observable), []).append(item)
    return found


def _is_common(row: Any, estate: Estate) -> bool:
    """Whether the estate at large does it; at a host of all customers only the rhythm of many tells that."""
    if estate.clients < CLIENTS_TO_TELL:
        return False
    if serves_everybody(row):
        rhythmic = estate.in_rhythm.get(row.dst, 0)
        return rhythmic > RARE_CLIENTS and rhythmic / estate.clients > RARE_SHARE
    return bool(row.clients_share >= COMMON_SHARE)


def _rhythm(row: Any, estate: Estate) -> Iterator[Signal]:
    """A rhythm that nothing ordinary explains: not half the estate's, and not there before the window."""
    if pd.isna(row.beacon_score) or row.beacon_score < RHYTHM_FROM or _is_common(row, estate):
        return
    known = is_known(row.new_for_client if serves_everybody(row) else row.new_in_window)
    weight = RHYTHM_KNOWN_WEIGHT if known else RHYTHM_WEIGHT
    since = " The destination was in use before the window already." if known else ""
    sentence = f"{row.src} calls {row.dst} in a rhythm ({_seen_in(row)}): {row.beacon_reason}{since}"
    yield Signal("rhythm", sentence, weight * row.beacon_score, tuple(row.refs))


def _seen_in(row: Any) -> str:
    """The telemetry of a rhythm, and the program whose own contacts hold it, where others use the host, too."""
    own = row.beacon_client
    return f"{row.beacon_source}, of “{own[:SHOWN_TEXT]}” alone" if isinstance(own, str) else str(row.beacon_source)


def _rarity(row: Any, estate: Estate) -> Iterator[Signal]:
    """Few clients of a large enough estate, and, where a baseline can tell, nobody before."""
    rare = row.clients <= RARE_CLIENTS or row.clients_share <= RARE_SHARE
    if estate.clients < CLIENTS_TO_TELL or not rare or is_known(row.new_in_window):
        return
    few = f"{row.clients} of {estate.clients} clients seen talk to {row.tenant if row.tenant else row.dst}"
    if pd.isna(row.new_in_window):
        yield Signal(
            "rarity",
            f"{few}; without a baseline it cannot be told whether it is new.",
            RARITY_WITHOUT_BASELINE,
            edges(row),
        )
    else:
        yield Signal("rarity", f"{few}, and none did in the baseline.", RARITY_WEIGHT, edges(row))


def edges(row: Any) -> tuple[str, ...]:
    """First and last record of a pair."""
    refs = tuple(row.refs)
    return refs if len(refs) < 2 else (refs[0], refs[-1])


def _client(row: Any, estate: Estate) -> Iterator[Signal]:
    """A program that nobody else in the estate has, unless the baseline knows both it and the destination."""
    if _is_common(row, estate):
        return
    for program in programs(row):
        new = is_new_program(row, program)
        if new is False and is_known(row.new_in_window):
            continue
        since = ", and nobody had it in the baseline" if new else ""
        if program.kind == "TLS fingerprint":
            yield from _fingerprint(row, program, estate, since)
        elif _tells(program.kind, estate) and estate.users_of(program) == 1:
            sentence = f"{program.kind.capitalize()} “{program.value[:SHOWN_TEXT]}” is used by {row.src} alone{since}."
            yield Signal("client", sentence, CLIENT_WEIGHT, (program.ref,))


def _tells(kind: str, estate: Estate) -> bool:
    """Whether enough clients show a program of the kind, and more than one program."""
    return estate.told(kind) >= CLIENTS_TO_TELL and len(estate.users[kind]) > 1


def _fingerprint(row: Any, program: Program, estate: Estate, since: str) -> Iterator[Signal]:
    """Alone at a place where others are: a program nobody else has, or one that others use elsewhere."""
    there = estate.at_suffix[place(row)]
    others = frozenset().union(*(clients for name, clients in there.items() if name != program.counted_as))
    alone = len(there[program.counted_as]) == 1 and len(others - {str(row.src)}) >= CLIENTS_TO_TELL - 1
    unique = _tells(program.kind, estate) and estate.users_of(program) == 1
    if unique:
        sentence = f"{program.kind} {program.value} is that of {row.src} alone{since}."
        yield Signal("client", sentence, CLIENT_WEIGHT, (program.ref,))
    elif alone:
        sentence = f"{program.kind} {program.value} is {row.src}'s alone at {place(row)}; elsewhere others have it."
        yield Signal("client", sentence, CLIENT_ELSEWHERE_WEIGHT, (program.ref,))


def _tools(row: Any) -> Iterator[Signal]:
    """Shapes of documented tools; one that common software has too says no more than a rare client does."""
    for trait, field, value, ref in shapes(row):
        sentence = f"“{value[:SHOWN_TEXT]}” has the shape of {trait.tool} ({field})"
        if trait.strength == "distinct":
            yield Signal("tool", f"{sentence}.", TOOL_WEIGHT, (ref,))
        elif trait.strength == "weak":
            yield Signal("client", f"{sentence}; common software has it too.", CLIENT_WEIGHT, (ref,))


def shapes(row: Any) -> Iterator[tuple[Characteristic, str, str, str]]:
    """Traits that records of the pair show: the trait, its column, the value, and the record."""
    known = load_characteristics().by_id
    told = (texts(column) for column in (row.traits, row.trait_fields, row.trait_values, row.trait_refs))
    for name, field, value, ref in zip(*told, strict=True):
        yield known[name], field, value, ref


def _ownership(row: Any) -> Iterator[Signal]:
    if row.ownership == MODIFIED:
        yield Signal("ownership", f"{row.dst} is {row.ownership_reason}.", MODIFIED_WEIGHT, tuple(row.ownership_refs))


def _known(row: Any, intel: Intel) -> Iterator[Signal]:
    """Intelligence on the host or a program; what is expired or too broad weighs nothing and is told."""
    seen = [(str(row.dst), edges(row))]
    seen += [(program.value.removeprefix("ja4:").removeprefix("ja3:"), (program.ref,)) for program in programs(row)]
    for item, refs in ((item, refs) for value, refs in seen for item in intel.get(value, ())):
        base = INTEL_WEIGHT.get(item.state, 0.0)
        if base:
            sentence = (
                f"{item.source} lists {item.indicator} ({item.state}, confidence {confidence(item)}): "
                f"“{item.description}”."
            )
            yield Signal("intelligence", sentence, base * confidence(item) / 100, (item.ref, *refs))


def confidence(item: Any) -> int:
    """What the source states, 0 to 100; 50 where it states nothing."""
    return 50 if pd.isna(item.confidence) else int(item.confidence)
