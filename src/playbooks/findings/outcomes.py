"""Outcomes: every question is answered found, clear or blind, with the reason in a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from playbooks.coverage.blind_spots import OUTSIDE_MOSTLY
from playbooks.coverage.captures import NOT_READ
from playbooks.enrichment import UNVETTED, VALID
from playbooks.scoping.uses import number_of

FOUND, CLEAR, BLIND = "found", "clear", "blind"
KINDS = {
    "egress_rhythm": {"rhythm", "session", "dns"},  # a channel that stays open, or hides in names, calls no more
    "known_indicators": {"intelligence"},
    "function_changes": {"novelty", "chain", "tool", "collector", "change", "credentials"},
    "public_exposure": {"exposure"},
    "logging_tampered": {"evasion"},
}


DESTINATIONS = ("egress_rhythm", "known_indicators")  # asked of pairs: clients outside the ranges have none
COUNTED = (VALID, UNVETTED)  # states of intelligence that say something of what was seen
SHOWN = 10
MOSTLY = 0.5  # of the window: what lies in the rest says nothing of the whole


@dataclass(frozen=True)
class Basis:
    """What the outcomes rest on."""

    coverage: dict[str, Any]
    findings: list[dict[str, Any]]
    leads: list[dict[str, Any]]
    suppressed: list[dict[str, Any]]
    pairs: int
    intel: pd.DataFrame
    activity: pd.DataFrame


def outcomes(basis: Basis, hypotheses: Iterable[str]) -> dict[str, dict[str, str]]:
    """Question id → hypothesis, title, outcome and reason; questions outside the hypotheses are left out."""
    wanted = set(hypotheses)
    asked = (question for question in basis.coverage["questions"] if question["hypothesis"] in wanted)
    return {question["id"]: _answer(question, basis) for question in asked}


def _answer(question: dict[str, Any], basis: Basis) -> dict[str, str]:
    outcome, reason = _outcome(question, basis)
    return {"hypothesis": question["hypothesis"], "title": question["title"], "outcome": outcome, "reason": reason}


def _outcome(question: dict[str, Any], basis: Basis) -> tuple[str, str]:
    if not question["answerable"]:
        return BLIND, f"Could not look: {question['reason']}."
    name = question["id"]
    if name == "function_runs":
        return _runs(question, basis)
    if told := _listed(basis) if name == "known_indicators" else _see(_of_kind(name, basis.findings)):
        return FOUND, told
    if why := _why_blind(name, basis):
        return BLIND, why
    if why := _mostly_silent(question, basis):
        return BLIND, why
    beside = _beside(name, basis) + _silences(question, basis)
    nothing = "No finding" if _beside(name, basis) else "Nothing"
    return CLEAR, f"{nothing} of the kind in the searched records: {_over(question, basis)}.{beside}"


def _of_kind(name: str, rows: Iterable[dict[str, Any]]) -> list[str]:
    """Ids of findings, leads or rows set aside that carry a signal which answers the question."""
    return [row["id"] for row in rows if KINDS[name] & _kinds(row)]


def _see(ids: list[str]) -> str:
    return f"See {', '.join(ids[:SHOWN])}{_rest(ids)}." if ids else ""


def _listed(basis: Basis) -> str:
    """Observed values that intelligence lists: a fact whatever else is known, allowed or decided of them."""
    counted = basis.intel[basis.intel.state.isin(COUNTED)]
    matches = [f"{m.observable} ({m.state}, {m.ref})" for m in counted.itertuples(index=False)]
    if not matches:
        return ""
    told = _of_kind("known_indicators", [*basis.findings, *basis.leads, *basis.suppressed])
    return " ".join(filter(None, (f"Listed: {', '.join(matches[:SHOWN])}{_rest(matches)}.", _see(told))))


def _why_blind(name: str, basis: Basis) -> str:
    """Why an answerable question about destinations has no answer all the same; empty where it has."""
    if name not in DESTINATIONS:
        return ""
    if name == "known_indicators" and not basis.coverage["indicators"]:
        return "Could not look: the evidence holds no intelligence to compare with."
    if closed := [spot for spot in basis.coverage["blind_spots"] if spot["id"].startswith(NOT_READ)]:
        return f"Could not look into all of it: {closed[0]['missing']}. {closed[0]['recommend']}"
    if not basis.pairs:
        return "Could not look: no record shows a client of the stated internal ranges calling out."
    spot = _most_clients_outside(basis)
    return f"Could not look at most of it: {spot['missing']}. {spot['recommend']}" if spot else ""


def _tables(question: dict[str, Any], basis: Basis) -> list[dict[str, Any]]:
    """Facts of the tables that a question looks at and that hold records."""
    names = dict.fromkeys(need.split(".")[0] for need in question["needs"])
    return [fact for fact in basis.coverage["tables"] if fact["table"] in names and fact["events"]]


def _mostly_silent(question: dict[str, Any], basis: Basis) -> str:
    """Why nothing found says nothing: the sources are silent for most of the window; empty where they are not."""
    facts = [fact for fact in _tables(question, basis) if fact.get("in_window", 1)]
    shares = [fact.get("silent_share", 0.0) for fact in facts]
    if not shares or min(shares) < MOSTLY:
        return ""
    told = ", ".join(f"{fact['table']} {share:.0%}" for fact, share in zip(facts, shares, strict=True))
    return f"Could not look at most of the window: its sources are silent against their own rhythm ({told} of it)."


def _silences(question: dict[str, Any], basis: Basis) -> str:
    """Silences of the window in which the question could not be asked of some source."""
    names = {fact["table"] for fact in _tables(question, basis)}
    gaps = [gap for gap in basis.coverage.get("gaps", ()) if gap["table"] in names and gap["in"] != "baseline"]
    if not gaps:
        return ""
    longest = max(gaps, key=lambda gap: (gap["seconds"], gap["from"]))
    many = "1 silence" if len(gaps) == 1 else f"{len(gaps):,} silences"
    return f" Not in {many} of its sources; the longest: {longest['sentence']}"


def _beside(name: str, basis: Basis) -> str:
    """What was seen of the kind and is no finding: leads, rows set aside, matches that do not count."""
    leads = len(_of_kind(name, basis.leads))
    aside = len(_of_kind(name, basis.suppressed))
    told = []
    if leads:
        told.append(f" {leads} {'leads' if leads > 1 else 'lead'} of the kind, too little for a finding.")
    if aside:
        told.append(f" {aside} {_are(aside)} set aside by the allow-list, the inventory or a decision.")
    if name == "known_indicators" and len(basis.intel):
        states = ", ".join(sorted(set(basis.intel.state)))
        matches = "match is" if len(basis.intel) == 1 else "matches are"
        told.append(f" {len(basis.intel):,} {matches} not counted ({states}).")
    return "".join(told)


def _are(count: int) -> str:
    return "are" if count > 1 else "is"


def _most_clients_outside(basis: Basis) -> dict[str, Any] | None:
    return next((spot for spot in basis.coverage["blind_spots"] if spot["id"] == OUTSIDE_MOSTLY), None)


def _rest(found: list[str]) -> str:
    return f" and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""


def _kinds(finding: dict[str, Any]) -> set[str]:
    return {signal["kind"] for signal in finding["signals"] if signal["weight"] > 0}


def _runs(question: dict[str, Any], basis: Basis) -> tuple[str, str]:
    """Who ran it: asked of the functions in findings; blind where runs are not logged at all."""
    if any(spot["id"] == "no-data-events" for spot in basis.coverage["blind_spots"]):
        return BLIND, "Could not look: no data events are in the records, so runs left no trace."
    runs = basis.activity[basis.activity.phase == "invoke"]
    named = {resource for f in basis.findings for resource in f["subjects"].get("resource", [])}
    touched = runs[runs.resource.isin(named)]
    if len(touched):
        who = ", ".join(sorted(set(touched.principal.dropna()))[:5])
        return FOUND, f"{number_of(touched):,} runs of functions in findings are recorded, by {who}."
    return CLEAR, f"{number_of(runs):,} runs are recorded, none of a function in a finding; {_over(question, basis)}."


def _over(question: dict[str, Any], basis: Basis) -> str:
    """Over how many events, from when to when."""
    names = dict.fromkeys(need.split(".")[0] for need in question["needs"])
    facts = [t for t in basis.coverage["tables"] if t["table"] in names and t["events"]]
    spans = [f"{t['events']:,} of {t['table']} from {_day(t['first'])} to {_day(t['last'])}" for t in facts]
    window = basis.coverage["window"]
    within = f", within the window {window['start']} to {window['end']}" if window else ""
    return "; ".join(spans) + within


def _day(moment: str | None) -> str:
    return f"{moment[:16]}Z" if moment else "no time"
