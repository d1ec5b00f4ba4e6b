"""Hypothesis B: which of our own resources carry independent signals of abuse by their control plane?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from playbooks.findings.cloud_signals import NOBODY, exercises, settled, signals_of, started
from playbooks.findings.cloud_table_signals import (
    about,
    alarms,
    chain_signals,
    credential_signals,
    placed,
    rule_signals,
)
from playbooks.findings.cloud_tables import OwnClouds
from playbooks.findings.cloud_words import next_steps, questions_of
from playbooks.findings.signal import ALLOWED, Signal, Subject, score
from playbooks.scoping.logging_effects import EFFECT, LOGGING, with_effect
from playbooks.scoping.logging_state import LESS, UNKNOWN

CHANGES = ("create", "modify-code", "modify-config", "permission", "trigger", LOGGING)
UNNAMED = "(unnamed)"  # a call that failed, or that names what it ends by an id of another kind
PLACE = ["resource", "account", "region"]
ROLE_KIND = "role"
T1648 = "T1648"


def cloud_subjects(activity: pd.DataFrame, own: OwnClouds | None = None) -> list[Subject]:
    """Resources with at least one signal, roles whose credentials look used elsewhere, and alarms of Sigma rules.

    Parameters
    ----------
    activity
        Rows of `schema.CLOUD_ACTIVITY`.
    own
        What other tables say of the same clouds.
    """
    own = own or OwnClouds()
    activity = with_effect(activity, own.logging_changes)
    activity = activity.assign(resource=activity.resource.fillna(UNNAMED), started=started(activity))
    matches = placed(own.sigma_matches, activity)
    matches = matches.assign(allowed_by=matches["row"].map(activity.allowed_by))
    places = activity.groupby(PLACE, dropna=False).ngroup()  # the same name in another account is another resource
    fitting = dict(iter(matches.groupby(matches["row"].map(places).fillna(-1))))
    chained = own.chains["resources"].explode().groupby(own.chains["resources"].explode()).groups
    found: list[Subject] = []
    told, used = pd.Series(False, index=matches.index), pd.Series(False, index=own.credentials_outside.index)
    changed = activity[_is_told(activity)]
    for place, rows in changed.groupby(places.loc[changed.index], sort=True):
        resource, account = str(rows.resource.iloc[0]), _text(rows.account.iloc[0])
        mine = about(own.credentials_outside, resource, account)
        fits = fitting.get(place, matches.head(0))
        chains = own.chains.loc[chained.get(resource, [])]
        for allowed in (False, True):
            part = rows[rows.allowed_by.notna() == allowed]
            beside = fits[_covered(fits["row"], activity, allowed, rows)]
            signals = _signals(resource, part, chains, own.credentials_outside[mine], beside) if len(part) else ()
            subject = _subject(resource, part, signals, allowed) if signals else None
            if subject and subject.is_lead:  # what rules alone say of it is told below, or not at all
                found.append(subject)
                told |= matches.index.isin(beside.index)
                used |= mine & (not allowed)
    found += _roles(own.credentials_outside[~used])
    found += _alarmed(matches[~told])
    return sorted(found, key=lambda subject: (-score(subject.signals), subject.key))


def _is_told(activity: pd.DataFrame) -> pd.Series[bool]:
    """Changes, what the control plane started, changes of logs, and whatever but a read bears our collection's mark."""
    changes = activity.phase.isin([*CHANGES, "identity", "defence-evasion"]) | activity[EFFECT].isin([LESS, UNKNOWN])
    marked = activity.collector.notna() & (activity.phase != "discovery")
    told: pd.Series[bool] = changes | activity.started | marked
    return told


def _covered(places: pd.Series[int], activity: pd.DataFrame, allowed: bool, rows: pd.DataFrame) -> pd.Series[bool]:
    """Which matches go with the part that the allow-list covers, or with the rest; with the only part there is, all."""
    if rows.allowed_by.notna().nunique() == 1:
        return pd.Series(rows.allowed_by.notna().iloc[0] == allowed, index=places.index, dtype=bool)
    covered = activity.allowed_by.notna()
    return places.map(covered).fillna(False).astype(bool) == allowed


def _signals(
    resource: str, rows: pd.DataFrame, chains: pd.DataFrame, credentials: pd.DataFrame, matches: pd.DataFrame
) -> tuple[Signal, ...]:
    found = signals_of(rows)
    if rows.allowed_by.isna().all():
        found += chain_signals(resource, rows, chains, {signal.kind for signal in found})
        found += credential_signals(credentials)
    cited = {ref for signal in found for ref in signal.refs}
    return settled([*found, *rule_signals(matches, cited)])


def _subject(resource: str, rows: pd.DataFrame, signals: tuple[Signal, ...], allowed: bool) -> Subject:
    principals = sorted(set(rows.principal.dropna()))
    phases = ", ".join(dict.fromkeys(rows.phase))
    kind = _kind_of(rows)
    attack: list[str] = sorted({str(technique) for ids in rows.attack for technique in ids} | {T1648})
    asked = questions_of(kind, {signal.kind for signal in signals})
    return Subject(
        hypothesis="B",
        key=_place(rows) + resource + (ALLOWED if allowed else ""),
        title=f"{_people(principals)} {_did(rows)} {kind} {resource} ({phases})",
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
        not_observable=_each(question.cannot_see for question in asked),
        innocent_if=_each(question.innocent_when for question in asked),
        next_steps=next_steps(kind, resource, ", ".join(principals[:3]) or "the principal"),
        context=exercises(rows),
        at_most_a_lead=_held_down(rows, signals),
        allowed_by="; ".join(dict.fromkeys(rows.allowed_by)) if allowed else None,
    )


def _each(sentences: Iterator[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(sentence for several in sentences for sentence in several))


def _held_down(rows: pd.DataFrame, signals: tuple[Signal, ...]) -> str | None:
    """Why an identity's change alone is no finding: it prepares something, or it is a new colleague."""
    telling = ("exposure", "collector", "credentials")
    if (rows.phase != "identity").any() or any(one.kind in telling and one.decides for one in signals):
        return None
    return "Only an identity was changed, and opened to nobody outside: what it was used for decides."


def _roles(credentials: pd.DataFrame) -> Iterator[Subject]:
    """Roles of functions whose credentials look used elsewhere, and that nobody changed."""
    for (role, account), rows in credentials.groupby(["role", "account"], dropna=False, sort=True):
        asked = questions_of(ROLE_KIND, ())
        yield Subject(
            hypothesis="B",
            key=f"credentials/{_text(account) or ''}/{role}",
            title=f"Credentials of role {role} outside its functions ({', '.join(sorted(set(rows.verdict)))})",
            subjects={
                "resource": [str(role)],
                "account": [one for one in (_text(account),) if one],
                "principal": [str(role)],
                "src": sorted(set(rows.address.dropna())),
            },
            first_seen=rows.first_seen.min().isoformat(),
            last_seen=rows.last_seen.max().isoformat(),
            signals=settled(credential_signals(rows)),
            attack=("T1078.004", T1648),
            not_observable=_each(question.cannot_see for question in asked),
            innocent_if=("Somebody tests the function's role by hand, or runs its code elsewhere on purpose.",),
            next_steps=next_steps(ROLE_KIND, str(role), f"who uses {role}"),
        )


def _alarmed(matches: pd.DataFrame) -> Iterator[Subject]:
    """Matches of rules of high or critical level that belong to no resource with a signal, by whom they are about."""
    grouped: dict[tuple[str, str, str], list[Any]] = {}
    for entry, rows in matches.groupby(matches["allowed_by"].fillna("").astype(str), sort=True):
        for one, signal in alarms(rows):
            grouped.setdefault((one.principal or "", one.resource or "", str(entry)), []).append((one, signal))
    for (principal, resource, entry), several in sorted(grouped.items()):
        refs = {ref for _, signal in several for ref in signal.refs}
        times = matches.loc[matches["ref"].isin(refs), "time"]
        about_what = resource or "what the records do not name"
        yield Subject(
            hypothesis="B",
            key=f"sigma/{principal}/{resource}{ALLOWED if entry else ''}",
            title=f"Rules of level high or critical fit what {principal or NOBODY.lower()} did to {about_what}",
            subjects={"resource": _given(resource), "account": [], "principal": _given(principal), "src": []},
            first_seen=times.min().isoformat(),
            last_seen=times.max().isoformat(),
            signals=tuple(signal for _, signal in several),
            attack=tuple(sorted({technique for one, _ in several for technique in one.attack})),
            not_observable=("What a rule's author did not ask for.",),
            innocent_if=("The rule's author lists innocent readings under falsepositives; read them.",),
            next_steps=next_steps("", about_what, principal or "the principal"),
            allowed_by=entry or None,
        )


def _place(rows: pd.DataFrame) -> str:
    """Provider, account and region, which tell two resources of one name apart."""
    first = rows.iloc[0]
    return "".join(f"{part}/" for part in (first.provider, first.account, first.region) if isinstance(part, str))


def _given(name: str) -> list[str]:
    return [name] if name else []


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _people(principals: list[str]) -> str:
    if len(principals) == 1:
        return principals[0]
    return f"{len(principals)} principals ({', '.join(principals[:3])})" if principals else NOBODY


def _did(rows: pd.DataFrame) -> str:
    done = "ran" if (rows.phase == "invoke").all() else "changed"
    return done if (rows.outcome == "success").any() else f"tried to {'run' if done == 'ran' else 'change'}"


def _kind_of(rows: pd.DataFrame) -> str:
    return next((kind for kind in rows.resource_type if isinstance(kind, str)), "resource")
