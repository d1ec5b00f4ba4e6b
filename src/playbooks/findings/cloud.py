"""Hypothesis B: which of our own resources carry independent signals of abuse by their control plane?"""

from __future__ import annotations

from typing import Any

import pandas as pd

from playbooks.findings.cloud_signals import NOBODY, exercises, signals_of, started
from playbooks.findings.signal import ALLOWED, Signal, Subject, score
from playbooks.scoping.cloud_activity import FUNCTION_CHANGES, PUBLIC_EXPOSURE

STEPS_OF: dict[str, tuple[str, ...]] = {
    "function": (
        "Export code, configuration, policy, URL and triggers of every version of {resource} before any change.",
        "Stop new runs with reserved concurrency 0; it keeps the code. Record the public permission, then remove it.",
    ),
    "trail": (
        "Export the settings and the delivered files of {resource}; state from when to when it recorded less.",
        "Restore what {resource} recorded, data events included, and keep the changed settings as evidence.",
    ),
}
CHANGES = ("create", "modify-code", "modify-config", "permission", "trigger")
UNNAMED = "(unnamed)"  # a call that failed, or that names what it ends by an id of another kind


def cloud_subjects(activity: pd.DataFrame, sequences: pd.DataFrame) -> list[Subject]:
    """Resources with at least one signal.

    Parameters
    ----------
    activity
        Rows of `schema.CLOUD_ACTIVITY`.
    sequences
        Stages that follow each other, per principal (`scoping.sequences`).
    """
    # whatever but reading bears a mark of our own collection is told, also runs
    marked = activity.collector.notna() & (activity.phase != "discovery")
    activity = activity.assign(resource=activity.resource.fillna(UNNAMED), started=started(activity))
    changed = activity[activity.phase.isin([*CHANGES, "identity", "defence-evasion"]) | activity.started | marked]
    found = []
    # the same name in another account or region is another resource
    for (resource, _account, _region), rows in changed.groupby(["resource", "account", "region"], dropna=False):
        for allowed in (False, True):
            part = rows[rows.allowed_by.notna() == allowed]
            if len(part) and (signals := signals_of(str(resource), part, sequences)):
                found.append(_subject(str(resource), part, signals, allowed))
    return sorted(found, key=lambda subject: (-score(subject.signals), subject.key))


def _subject(resource: str, rows: pd.DataFrame, signals: tuple[Signal, ...], allowed: bool) -> Subject:
    principals = sorted(set(rows.principal.dropna()))
    kinds = ", ".join(dict.fromkeys(rows.phase))
    attack: list[str] = sorted({str(technique) for ids in rows.attack for technique in ids} | {"T1648"})
    return Subject(
        hypothesis="B",
        key=_place(rows) + resource + (ALLOWED if allowed else ""),
        title=f"{_people(principals)} {_did(rows)} {_kind_of(rows)} {resource} ({kinds})",
        subjects={
            "resource": [resource],
            "account": sorted(set(rows.account.dropna())),
            "principal": principals,
            "src": sorted(set(rows.source_ip.dropna())),
        },
        first_seen=rows.time.min().isoformat(),
        last_seen=rows.time.max().isoformat(),
        signals=signals,
        attack=tuple(attack),
        not_observable=(*FUNCTION_CHANGES.cannot_see, *PUBLIC_EXPOSURE.cannot_see),
        innocent_if=(*FUNCTION_CHANGES.innocent_when, *PUBLIC_EXPOSURE.innocent_when),
        next_steps=_next_steps(str(_kind_of(rows)), resource, principals),
        context=exercises(rows),
        at_most_a_lead=_held_down(rows, signals),
        allowed_by="; ".join(dict.fromkeys(rows.allowed_by)) if allowed else None,
    )


def _held_down(rows: pd.DataFrame, signals: tuple[Signal, ...]) -> str | None:
    """Why an identity's change alone is no finding: it prepares something, or it is a new colleague."""
    if (rows.phase != "identity").any() or any(signal.kind in ("exposure", "collector") for signal in signals):
        return None
    return "Only an identity was changed, and opened to nobody outside: what it was used for decides."


def _place(rows: pd.DataFrame) -> str:
    """Provider, account and region, which tell two resources of one name apart."""
    first = rows.iloc[0]
    return "".join(f"{part}/" for part in (first.provider, first.account, first.region) if isinstance(part, str))


def _people(principals: list[str]) -> str:
    if len(principals) == 1:
        return principals[0]
    return f"{len(principals)} principals ({', '.join(principals[:3])})" if principals else NOBODY


def _did(rows: pd.DataFrame) -> str:
    done = "ran" if (rows.phase == "invoke").all() else "changed"
    return done if (rows.outcome == "success").any() else f"tried to {'run' if done == 'ran' else 'change'}"


def _kind_of(rows: pd.DataFrame) -> Any:
    return next((kind for kind in rows.resource_type if isinstance(kind, str)), "resource")


def _next_steps(kind: str, resource: str, principals: list[str]) -> tuple[str, ...]:
    who = ", ".join(principals[:3]) or "the principal"
    steps = STEPS_OF.get(kind, ())
    return (
        *(step.format(resource=resource) for step in steps[:1]),
        f"Ask the owner of {resource} and {who}, over another channel than the one in question, whether they did this.",
        f"List what {who} did elsewhere: other regions, accounts, keys and roles.",
        *(step.format(resource=resource) for step in steps[1:]),
        "Deactivate (do not delete) the access keys used; revoke the sessions of roles involved.",
    )
