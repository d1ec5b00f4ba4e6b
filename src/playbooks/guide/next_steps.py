"""What to look for next: sentences that end in the call that shows it, with the names that a result put first.

Names are the adversary's. They are written as Python writes text, so that a copied call holds a text and no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from playbooks.normalise import Reading

FIRST = 3  # findings that are named one by one


def call(verb: str, *values: object) -> str:
    """A call of a verb on these values, as it would be typed."""
    return f"guide.{verb}({', '.join(['case', *map(repr, values)])})"


def after_reading(readings: Iterable[Reading]) -> tuple[str, ...]:
    """After all evidence was read."""
    every = list(readings)
    unread = sum(one.unread for one in every)
    unknown = [one.evidence_id for one in every if one.format is None and one.records]
    told = [f"Why {unread:,} records became no event: {call('unread')}"] if unread else []
    told += [f"Items that no format fits ({', '.join(unknown)}): playbooks read --explain FILE"] if unknown else []
    return (*told, f"What this evidence can answer: {call('coverage')}")


def after_coverage(found: Mapping[str, Any]) -> tuple[str, ...]:
    """After coverage was stated."""
    blind = [one["title"] for one in found["questions"] if not one["answerable"]]
    told = [f"What would answer {len(blind):,} blind questions: {call('checklist')}"] if blind else []
    return (*told, f"What could not be looked at: {call('blind_spots')}")


def after_pairs(pairs: pd.DataFrame, score: str) -> tuple[str, ...]:
    """After pairs were listed: the first one that has a score."""
    scored = pairs[pairs[score].notna() & (pairs[score] > 0)]
    if not len(scored):
        return (f"No pair has a score; other ways out: {call('channels')}",)
    src, dst = str(scored.iloc[0].src), str(scored.iloc[0].dst)
    return (
        f"Its check-ins as a picture: {call('checkins', src, dst)}",
        f"Its records as they stand in the evidence: {call('records', src, dst)}",
        f"All that the case knows of it: {call('enrich_value', dst)}",
    )


def after_cloud(ranked: pd.DataFrame) -> tuple[str, ...]:
    """After changes were listed, the most unusual first."""
    named = ranked[ranked.principal.notna()]
    if not len(named):
        return (f"No change in the window; what was no longer recorded: {call('logging_state')}",)
    who = str(named.iloc[0].principal)
    return (f"All calls of the first one: {call('identities', who)}", f"What led to what: {call('chains')}")


def after_chains(heads: pd.DataFrame) -> tuple[str, ...]:
    """After chains were listed, the strongest first."""
    if not len(heads):
        return ()
    chain = str(heads.iloc[0].chain)
    return (f"The steps of the strongest alone: {call('chains', chain)}",)


def after_findings(found: Mapping[str, Any]) -> tuple[str, ...]:
    """After the answers: argue what is undecided, then fill what was blind."""
    waiting = [entry["id"] for entry in (*found["findings"], *found["leads"]) if not entry.get("decision")]
    told = [f"How its records may be read: {call('argument', one)}" for one in waiting[:FIRST]]
    told += [f"What happened around first contact: {call('lifecycle', one)}" for one in waiting[:1]]
    told += [f"{len(waiting):,} without a decision: {call('decide_form')}"] if waiting else []
    blind = sum(one["outcome"] == "blind" for one in found["outcomes"].values())
    told += [f"Queries for a SIEM that fetch more of these: {call('queries')}"] if waiting else []
    why = f"What would answer {blind:,} blind questions" if blind else "What to collect next"
    return (*told, f"{why}: {call('checklist')}")
