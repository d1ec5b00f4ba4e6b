"""Outcomes: every question is answered found, clear or blind, with the reason in a sentence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from playbooks.coverage.blind_spots import OUTSIDE_MOSTLY

FOUND, CLEAR, BLIND = "found", "clear", "blind"
KINDS = {
    "egress_rhythm": {"rhythm"},
    "known_indicators": {"intelligence"},
    "function_changes": {"novelty", "sequence", "tool"},
    "public_exposure": {"exposure"},
    "logging_tampered": {"evasion"},
}


@dataclass(frozen=True)
class Basis:
    """What the outcomes rest on."""

    coverage: dict[str, Any]
    findings: list[dict[str, Any]]
    leads: list[dict[str, Any]]
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
    if name == "known_indicators" and not basis.coverage["indicators"]:
        return BLIND, "Could not look: the evidence holds no intelligence to compare with."
    if name == "egress_rhythm" and not basis.pairs:
        return BLIND, "Could not look: no record shows a client of the stated internal ranges calling out."
    if name == "function_runs":
        return _runs(question, basis)
    found = [f["id"] for f in basis.findings if KINDS[name] & _kinds(f)]
    leads = [f["id"] for f in basis.leads if KINDS[name] & _kinds(f)]
    if name == "known_indicators":
        found, leads = found + leads, []  # a listed destination was contacted, whatever else is known of it
    if found:
        return FOUND, f"See {', '.join(found[:10])}{_rest(found)}."
    if name == "egress_rhythm" and (spot := _most_clients_outside(basis)):
        return BLIND, f"Could not look at most of it: {spot['missing']}. {spot['recommend']}"
    weak = (
        f" {len(leads)} with one kind of signal only {'are leads' if len(leads) > 1 else 'is a lead'}." if leads else ""
    )
    return CLEAR, f"Nothing of the kind in the searched records: {_over(question, basis)}.{weak}"


def _most_clients_outside(basis: Basis) -> dict[str, Any] | None:
    return next((spot for spot in basis.coverage["blind_spots"] if spot["id"] == OUTSIDE_MOSTLY), None)


def _rest(found: list[str]) -> str:
    return f" and {len(found) - 10} more" if len(found) > 10 else ""


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
        return FOUND, f"{len(touched):,} runs of functions in findings are recorded, by {who}."
    return CLEAR, f"{len(runs):,} runs are recorded, none of a function in a finding; {_over(question, basis)}."


def _over(question: dict[str, Any], basis: Basis) -> str:
    """Over how many events, from when to when."""
    names = dict.fromkeys(need.split(".")[0] for need in question["needs"])
    facts = [t for t in basis.coverage["tables"] if t["table"] in names and t["events"]]
    spans = [f"{t['events']:,} of {t['table']} from {t['first'][:16]}Z to {t['last'][:16]}Z" for t in facts]
    window = basis.coverage["window"]
    within = f", within the window {window['start']} to {window['end']}" if window else ""
    return "; ".join(spans) + within
