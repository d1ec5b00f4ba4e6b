"""The summary: what was suspected and found, who is affected, what could not be looked at, what to do first.

Each sentence is put together from facts of the case; none is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from playbooks.report.affected_section import KINDS, Affected, affected_by
from playbooks.report.facts import CaseFacts
from playbooks.report.figures.picture import counted
from playbooks.report.words import span

MOST_NAMED = 5  # of one kind
MOST_UNSEEN = 4
MOST_FIRST = 3  # things to collect first
IN_EVIDENCE = "in evidence"
UNREVIEWED = "unreviewed-baseline"  # the blind spot that puts all answers under a condition


def brief_section(facts: CaseFacts) -> dict[str, Any]:
    """Give what the template `summary` draws: sentences under five heads, and the answers."""
    outcomes = list((facts.findings.get("outcomes") or {}).values())
    return {
        "headline": _headline(facts, outcomes),
        "looked_at": _looked_at(facts),
        "affected": _affected(affected_by(facts)),
        "unseen": _unseen(facts, outcomes),
        "first": _first(facts),
        "questions": outcomes,
    }


def _headline(facts: CaseFacts, outcomes: Sequence[Mapping[str, Any]]) -> str:
    found, leads = (len(facts.findings.get(kind) or ()) for kind in ("findings", "leads"))
    leads = int(facts.findings.get("leads_total") or leads)
    aside = len(facts.findings.get("suppressed") or ())
    said = [str(outcome.get("outcome")) for outcome in outcomes]
    answers = ", ".join(f"{said.count(word)} {word}" for word in ("found", "clear", "blind") if word in said)
    return (
        f"{counted(found, 'finding')}, {counted(leads, 'lead')}, {aside:,} suppressed. "
        f"{counted(len(outcomes), 'question')} asked{': ' + answers if answers else ''}."
    )


def _looked_at(facts: CaseFacts) -> str:
    items = list(facts.coverage.get("items") or ())
    events = sum(int(item.get("events") or 0) for item in items)
    if not items:
        return "No evidence was read."
    within = f" of {span(facts.window.get('start'), facts.window.get('end'))}" if facts.window else ""
    asked = f"the questions ask for the window{within}"
    return f"{counted(events, 'event')} in {counted(len(items), 'evidence item')}; {asked}."


def _affected(every: Sequence[Affected]) -> list[str]:
    """One sentence per kind of what findings name, and how many more leads name."""
    told = []
    for kind, (one, many) in KINDS.items():
        named = [each for each in every if each.kind == kind and each.in_finding]
        further = sum(1 for each in every if each.kind == kind and not each.in_finding and each.in_lead)
        if named:
            listed = _named([each.words() for each in named])
            beside = f" Leads name {further:,} more." if further else ""
            told.append(f"{counted(len(named), one, many)}: {listed}.{beside}")
        elif further:
            told.append(f"No {one} by a finding; leads name {further:,}.")
    return told or ["No finding and no lead names a host, an identity or a resource."]


def _unseen(facts: CaseFacts, outcomes: Sequence[Mapping[str, Any]]) -> list[str]:
    blind = [one for one in outcomes if one.get("outcome") == "blind"]
    spots = sorted(facts.coverage.get("blind_spots") or (), key=lambda spot: spot.get("id") != UNREVIEWED)
    told = [f"Not answered: {one.get('title')} {one.get('reason')}" for one in blind]
    told += [
        f"{_begun(str(spot.get('missing')))}. It forbids to conclude {spot.get('forbids')}."
        for spot in spots[:MOST_UNSEEN]
    ]
    more = len(spots) - MOST_UNSEEN
    told += [f"{more:,} more under Blind spots."] if more > 0 else []
    return told or ["No blind spot was established in what was brought; what nobody recorded stands in no list."]


def _begun(words: str) -> str:
    return words[:1].upper() + words[1:]


def _first(facts: CaseFacts) -> list[str]:
    """What is lost first, and which findings nobody decided; nothing is advised that the results do not hold."""
    groups: dict[tuple[str, str], list[str]] = {}
    for row in facts.checklist.get("rows") or ():
        if not str(row.get("state")).startswith(IN_EVIDENCE):
            groups.setdefault((str(row.get("what")), str(row.get("why_now"))), []).append(str(row.get("entity")))
    told = [f"Collect {what}: {_named(of)}; {why}." for (what, why), of in list(groups.items())[:MOST_FIRST]]
    if (more := len(groups) - MOST_FIRST) > 0:
        told.append(f"{counted(more, 'more kind')} of evidence, in order of volatility, under What to collect next.")
    found = list(facts.findings.get("findings") or ())
    if waiting := sum(1 for finding in found if not finding.get("decision")):
        told.append(f"Decide on {counted(waiting, 'finding')}: no decision is recorded.")
    if found:
        told.append("Before anything is cut off: the options stand at each finding, with what each does to evidence.")
    return told or ["Nothing that the results name."]


def _named(names: Sequence[str]) -> str:
    rest = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + rest
