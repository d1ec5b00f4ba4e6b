"""What other tables say of a resource: chains of steps, credentials used elsewhere, and rules of others."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import pandas as pd

from playbooks.findings.signal import Signal
from playbooks.scoping.chains import CHAIN_FROM
from playbooks.scoping.outside_credentials import OUTSIDE
from playbooks.sigma import SigmaSignal, sigma_signals

CHAIN_WEIGHT = 0.45  # times the score of the chain, less what other signals of the resource say as well
CHAIN_LEAD_FROM = 0.2  # three stages; what the baseline knows step by step stays below
OWN_REFS = 10  # of the resource itself, before those of the whole chain
CHAINS_NAMED = 3  # of one resource, those that weigh most
OUTSIDE_WEIGHT = 0.4  # a name, agent or published range that no function has: somebody took the credentials, or tests
UNCLEAR_WEIGHT = 0.15  # an address that only the role's own habit speaks against: functions change theirs
ALARMING = 0.3  # weight of a rule of level high: a match that belongs to no resource is told from here on
RULE_FROM = 0.2  # weight of a rule of level medium: what is expected in daily work is no second kind
TOLD_ELSEWHERE = {"exposure": "exposure_part", "evasion": "evasion_part", "novelty": "novelty_part"}


def chain_signals(resource: str, rows: pd.DataFrame, chains: pd.DataFrame, kinds: Collection[str]) -> list[Signal]:
    """Chains that a resource's events are steps of, the heaviest first.

    Exposure, evasion and novelty count once: what a chain has of them is taken off where the resource has such a
    signal of its own. What is left decides from `CHAIN_FROM` on; below it leads.

    Parameters
    ----------
    rows
        The resource's rows of `schema.CLOUD_ACTIVITY`.
    chains
        Rows of `schema.CHAINS`.
    kinds
        Kinds of signal that the resource has besides.
    """
    found = []
    for row in _each(chains[chains["score"] >= CHAIN_LEAD_FROM]):
        mine = _steps_of(rows, row)
        if isinstance(row.allowed_by, str) or resource not in row.resources or not mine:
            continue
        twice = sum(float(getattr(row, part)) for kind, part in TOLD_ELSEWHERE.items() if kind in kinds)
        rest = round(max(0.0, float(row.score) - twice), 2)
        sentence = (
            f"{_names(row.principals)} went through {', '.join(row.stages)} from {row.start:%Y-%m-%d %H:%M} to "
            f"{row.end:%H:%M} UTC ({row.chain}, {row.score:.2f}): {'; '.join(row.reasons)}."
        )
        refs = tuple(dict.fromkeys([*mine[:OWN_REFS], *row.refs]))
        found.append(Signal("chain", sentence, CHAIN_WEIGHT * rest, refs, decides=rest >= CHAIN_FROM))
    return sorted(found, key=lambda one: (-one.weight, one.sentence))[:CHAINS_NAMED]


def _each(rows: pd.DataFrame) -> Iterator[Any]:
    return iter(rows.itertuples(index=False))


def _steps_of(rows: pd.DataFrame, chain: Any) -> list[str]:
    """Records of a resource that lie in the chain: its own are cited first."""
    then = (rows["time"] >= chain.start) & (rows["time"] <= chain.end)
    return list(rows.loc[then & rows["principal"].isin(list(chain.principals)), "ref"])


def _names(principals: Collection[str]) -> str:
    named = list(principals)
    return ", ".join(named[:3]) + (f" and {len(named) - 3} more" if len(named) > 3 else "")


def credential_signals(rows: pd.DataFrame) -> Iterator[Signal]:
    """Credentials of a function's role that look used elsewhere (rows of `schema.CREDENTIALS_OUTSIDE`)."""
    for row in _each(rows):
        certain = row.verdict == OUTSIDE
        of = ", ".join(list(row.functions)[:3]) or "no function that is known"
        calls = "1 call" if row.calls == 1 else f"{row.calls:,} calls"
        what = f"{calls} ({', '.join(list(row.operations)[:5])}) from {row.address or 'an address that is not told'}"
        told = "were used outside" if certain else "may have been used outside"
        sentence = f"Credentials of {row.role} {told} {of}: {'; '.join(row.reasons)}; {what}."
        weight = OUTSIDE_WEIGHT if certain else UNCLEAR_WEIGHT
        yield Signal("credentials", sentence, weight, tuple(row.refs), decides=certain)


def about(credentials: pd.DataFrame, resource: str, account: str | None) -> pd.Series[bool]:
    """Which rows of `schema.CREDENTIALS_OUTSIDE` are about this role or function."""
    named = [resource in (role, *of) for role, of in zip(credentials["role"], credentials["functions"], strict=True)]
    here = credentials["account"].isna() | (credentials["account"] == account)
    return pd.Series(named, index=credentials.index, dtype=bool) & here


def placed(matches: pd.DataFrame, activity: pd.DataFrame) -> pd.DataFrame:
    """Matches of Sigma rules with the row of `activity` that their record is, or that names their resource; else -1."""
    by_ref: dict[str, int] = {}
    for row, first, further in zip(activity.index, activity["ref"], activity["further_refs"], strict=True):
        for ref in (first, *(further if further is not None else ())):
            by_ref.setdefault(ref, row)
    by_name: dict[str, int] = {}
    for row, *names in zip(activity.index, activity["resource_uid"], activity["resource"], strict=True):
        for name in names:
            by_name.setdefault(str(name), row)
    rows = [
        next((by_ref[one] for one in (ref, *more) if one in by_ref), by_name.get(str(resource), -1))
        for ref, more, resource in zip(matches["ref"], matches["refs"], matches["resource"], strict=True)
    ]
    return matches.assign(row=pd.Series(rows, index=matches.index, dtype="int64"))


def rule_signals(matches: pd.DataFrame, cited: Collection[str]) -> Iterator[Signal]:
    """Matches of rules on one resource; a second kind from level medium on, for records that no other signal cites."""
    for one in sigma_signals(matches):
        yield _of_rule(one, decides=one.weight >= RULE_FROM and not set(one.refs) <= set(cited))


def alarms(matches: pd.DataFrame) -> Iterator[tuple[SigmaSignal, Signal]]:
    """Matches of rules of level high or critical that belong to no resource, as leads."""
    for one in sigma_signals(matches):
        if one.weight >= ALARMING:
            yield one, _of_rule(one, decides=False, leads=True)


def _of_rule(one: SigmaSignal, **stands: bool) -> Signal:
    who = f" for {one.principal}" if one.principal else ""
    return Signal(
        "sigma", f"{one.sentence}{who}: what its author thinks of such records.", one.weight, one.refs, **stands
    )
