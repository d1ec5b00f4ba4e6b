"""Hypothesis B: which of our own resources carry independent signals of abuse by their control plane?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from playbooks.findings.signal import ALLOWED, Signal, Subject, score
from playbooks.knowledge.characteristics import load_characteristics
from playbooks.scoping.cloud_activity import FUNCTION_CHANGES, LOGGING_OPERATIONS, PUBLIC_EXPOSURE

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
NOVELTY_FROM = 0.5  # from here on more than an address or a client is new
# Weights add up as independent chances (see signal.score); none alone reaches .5.
NOVELTY_WEIGHT = 0.45  # times the novelty: who acts says most, and first releases are new too
EXPOSURE_WEIGHT = 0.35  # open to strangers: some endpoints are meant to be
SEQUENCE_WEIGHT = 0.35  # steps of an abuse in order, which a first release shares in part
TOOL_WEIGHT = 0.4  # the published user agent of a tool; an exercise has it too
EVASION_WEIGHT = 0.35  # what is recorded was changed: also when a trail is replaced
COLLECTOR_WEIGHT = 0.4  # our collection only reads: containment by the same people looks like this, and theft too
TELLING_STAGES = frozenset({"preparation", "evasion"})  # a deployment has neither


def cloud_subjects(activity: pd.DataFrame, sequences: pd.DataFrame) -> list[Subject]:
    """Resources with at least one signal.

    Parameters
    ----------
    activity
        Rows of `schema.CLOUD_ACTIVITY`.
    sequences
        Stages that follow each other, per principal (`scoping.sequences`).
    """
    # whatever but reading bears a mark of our own collection is told, also runs and changes of identities
    marked = activity.collector.notna() & (activity.phase != "discovery")
    changed = activity[activity.resource.notna() & (activity.phase.isin([*CHANGES, "defence-evasion"]) | marked)]
    found = []
    # the same name in another account or region is another resource
    for (resource, _account, _region), rows in changed.groupby(["resource", "account", "region"], dropna=False):
        for allowed in (False, True):
            part = rows[rows.allowed_by.notna() == allowed]
            if len(part) and (signals := _signals(str(resource), part, sequences)):
                found.append(_subject(str(resource), part, signals, allowed))
    return sorted(found, key=lambda subject: (-score(subject.signals), subject.key))


def _signals(resource: str, rows: pd.DataFrame, sequences: pd.DataFrame) -> tuple[Signal, ...]:
    found = [*_novelty(rows), *_exposure(rows), *_tools(rows), *_evasion(rows), *_collectors(rows)]
    if rows.allowed_by.isna().all():
        found += _sequence(resource, rows, sequences)
    return tuple(sorted(found, key=lambda s: (s.kind, -s.weight, s.sentence)))


def _succeeded(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[rows.outcome == "success"]


def _records(rows: pd.DataFrame) -> tuple[str, ...]:
    """All records of these operations: that of the beginning, and those that tell how it ended."""
    both = zip(rows.ref, rows.further_refs, strict=True)
    return tuple(ref for first, later in both for ref in (first, *(later if later is not None else ())))


def _novelty(rows: pd.DataFrame) -> Iterator[Signal]:
    """Somebody did what they never did in the baseline."""
    new = _succeeded(rows)
    new = new[new.novelty.notna() & (new.novelty >= NOVELTY_FROM)]
    for principal, acts in new.groupby("principal", sort=True):
        top = acts.loc[acts.novelty.idxmax()]
        reasons = "; ".join(str(reason) for reason in top.reasons)
        operations = ", ".join(dict.fromkeys(acts.operation_base))
        sentence = f"{principal} called {operations}, unlike anything in the baseline: {reasons}."
        yield Signal("novelty", sentence, NOVELTY_WEIGHT * float(acts.novelty.max()), _records(acts))


def _exposure(rows: pd.DataFrame) -> Iterator[Signal]:
    for opened, acts in _succeeded(rows).groupby("exposure", sort=True):
        who = ", ".join(dict.fromkeys(acts.principal.dropna()))
        yield Signal("exposure", f"{who} opened it: {opened}.", EXPOSURE_WEIGHT, _records(acts))


def _tools(rows: pd.DataFrame) -> Iterator[Signal]:
    """User agents of known offensive tools; an exercise is labelled by them, not hidden."""
    traits = load_characteristics()
    for agent, acts in rows.groupby("user_agent", sort=True):
        for trait in traits.seen_in("http_request_user_agent", str(agent)):
            if trait.strength == "distinct":
                sentence = f"User agent “{str(agent)[:120]}” is that of {trait.tool}; an exercise has it too."
                yield Signal("tool", sentence, TOOL_WEIGHT, _records(acts))


def _evasion(rows: pd.DataFrame) -> Iterator[Signal]:
    acts = _succeeded(rows)
    acts = acts[acts.operation_base.isin(LOGGING_OPERATIONS)]
    for principal, done in acts.groupby("principal", sort=True):
        names = ", ".join(dict.fromkeys(done.operation_base))
        yield Signal("evasion", f"{principal} changed what is recorded: {names}.", EVASION_WEIGHT, _records(done))


def _collectors(rows: pd.DataFrame) -> Iterator[Signal]:
    """A mark of our own collection on what no collection does."""
    for (why, outcome), acts in rows.groupby(["collector", "outcome"], sort=True):
        names = ", ".join(dict.fromkeys(acts.operation_base))
        tried = "tried" if outcome == "failure" else "done"
        yield Signal("collector", f"{names} {tried}: {why}.".replace("?.", "?"), COLLECTOR_WEIGHT, _records(acts))


def _sequence(resource: str, rows: pd.DataFrame, sequences: pd.DataFrame) -> Iterator[Signal]:
    """Preparation, change, permission, run and evasion by one principal in one sitting."""
    mine = set(rows.principal.dropna())
    rising: Iterable[Any] = sequences.itertuples(index=False)
    for row in rising:
        if row.principal in mine and resource in row.resources and TELLING_STAGES & set(row.stages):
            span = f"{row.start:%Y-%m-%d %H:%M} to {row.end:%H:%M} UTC"
            sentence = f"{row.principal} went through {', '.join(row.stages)} from {span}."
            yield Signal("sequence", sentence, SEQUENCE_WEIGHT, tuple(row.refs))


def _subject(resource: str, rows: pd.DataFrame, signals: tuple[Signal, ...], allowed: bool) -> Subject:
    principals = sorted(set(rows.principal.dropna()))
    kinds = ", ".join(dict.fromkeys(rows.phase))
    attack: list[str] = sorted({str(technique) for ids in rows.attack for technique in ids} | {"T1648"})
    return Subject(
        hypothesis="B",
        key=_place(rows) + resource + (ALLOWED if allowed else ""),
        title=f"{_people(principals)} changed {_kind_of(rows)} {resource} ({kinds})",
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
        allowed_by="; ".join(dict.fromkeys(rows.allowed_by)) if allowed else None,
    )


def _place(rows: pd.DataFrame) -> str:
    """Provider, account and region, which tell two resources of one name apart."""
    first = rows.iloc[0]
    return "".join(f"{part}/" for part in (first.provider, first.account, first.region) if isinstance(part, str))


def _people(principals: list[str]) -> str:
    return principals[0] if len(principals) == 1 else f"{len(principals)} principals ({', '.join(principals[:3])})"


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
