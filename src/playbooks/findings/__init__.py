"""Findings: signals become findings, leads and suppressed rows, and every question gets its outcome."""

from __future__ import annotations

from typing import Any

import pandas as pd

from playbooks import __version__
from playbooks.case import Case, CaseFile
from playbooks.findings.cloud import cloud_subjects
from playbooks.findings.cloud_tables import OwnClouds, counted_matches
from playbooks.findings.deciding_fields import deciding_fields
from playbooks.findings.decisions import VERDICTS, covers, decide, decisions
from playbooks.findings.egress import egress_subjects
from playbooks.findings.egress_channels import NO_CHANNELS, with_groups
from playbooks.findings.egress_priority import with_priority
from playbooks.findings.links import links
from playbooks.findings.outcomes import Basis, outcomes
from playbooks.findings.signal import ALLOWED, Signal, Subject, score
from playbooks.findings.unseen_traits import in_words, traits_not_looked_for
from playbooks.findings.wording import LIMITS, forbidden_claims
from playbooks.knowledge import attack
from playbooks.knowledge.catalogue import load_catalogue

LEADS_SHOWN = 200


def findings(
    case: Case,
    coverage: dict[str, Any],
    pairs: pd.DataFrame,
    activity: pd.DataFrame,
    intel: pd.DataFrame,
    set_apart: dict[str, Any] | None = None,
    channels: pd.DataFrame = NO_CHANNELS,
    own: OwnClouds | None = None,
) -> dict[str, Any]:
    """Put everything together: the content of `findings.json`.

    Parameters
    ----------
    case, coverage
        The case and what `coverage` says of its evidence.
    pairs, activity, intel
        Egress pairs with ownership, cloud activity, and intelligence matches.
    set_apart
        What our own collection wrote into the audit records (`Footprint.as_json`).
    channels
        Ways out that check-ins do not show (rows of `schema.EGRESS_CHANNELS`).
    own
        What chains, changes of logs, credentials used elsewhere and Sigma rules say of our own clouds.

    Returns
    -------
    dict
        JSON-ready; equal input gives equal output.
    """
    config = case.config
    subjects = _subjects(config, pairs, activity, intel, channels, own)
    decided = decisions(case)
    loud = [s for s in subjects if s.allowed_by is None and not covers(decided.get(s.id), s.last_seen)]
    quiet = [s for s in subjects if s not in loud]
    found = [_with_decision(s, decided) for s in loud if s.is_finding]
    leads = [_with_decision(s, decided) for s in loud if not s.is_finding]
    aside = [_suppressed(s, decided) for s in quiet]
    unseen = traits_not_looked_for(coverage) if "A" in config.hypotheses else []
    basis = Basis(coverage, found, leads, aside, len(pairs), intel, activity)
    return {
        "case_id": config.case_id,
        "hypotheses": list(config.hypotheses),
        "outcomes": outcomes(basis, config.hypotheses),
        "findings": found,
        "leads": leads[:LEADS_SHOWN],
        "leads_total": len(leads),
        "suppressed": aside,
        "set_apart": set_apart or {},
        "limits": [
            *LIMITS,
            *(f"Blind: {spot['missing']} – forbids to conclude {spot['forbids']}." for spot in coverage["blind_spots"]),
            *in_words(unseen),
        ],
        "not_looked_for": unseen,
        "versions": {"playbooks": __version__, "catalogue": load_catalogue().version, "attack": attack.RELEASE},
    }


def _subjects(
    config: CaseFile,
    pairs: pd.DataFrame,
    activity: pd.DataFrame,
    intel: pd.DataFrame,
    channels: pd.DataFrame,
    own: OwnClouds | None,
) -> list[Subject]:
    found = []
    if "A" in config.hypotheses:
        found += egress_subjects(pairs, intel, config, channels)
    if "B" in config.hypotheses:
        found += cloud_subjects(activity, own)
    told = [subject for subject in found if subject.is_lead]
    return sorted(told, key=lambda s: (-score(s.signals), s.hypothesis, s.key))


def _with_decision(subject: Subject, decided: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return subject.as_json() | {"decision": decided.get(subject.id)}


def _suppressed(subject: Subject, decided: dict[str, dict[str, Any]]) -> dict[str, Any]:
    decision = decided.get(subject.id)
    by_decision = (
        f"decided benign by {decision['analyst']} at {decision['time']}, for events until {decision['until']}: "
        f"{decision['reason']}"
        if decision
        else ""
    )
    return {
        "id": subject.id,
        "hypothesis": subject.hypothesis,
        "subject": subject.key.removesuffix(ALLOWED),
        "would_be": f"{'finding' if subject.is_finding else 'lead'}: {subject.title}",
        "allowed_by": subject.allowed_by or by_decision,
        "signals": [signal.as_json() for signal in subject.signals],
        "refs": list(dict.fromkeys(ref for signal in subject.signals for ref in signal.refs))[:20],
        "decision": decision,
    }


__all__ = [
    "LIMITS",
    "VERDICTS",
    "OwnClouds",
    "Signal",
    "Subject",
    "counted_matches",
    "decide",
    "deciding_fields",
    "decisions",
    "findings",
    "forbidden_claims",
    "links",
    "score",
    "with_groups",
    "with_priority",
]
