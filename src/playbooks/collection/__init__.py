"""What to collect next, in order: from what this case saw, by what is lost first.

The moment against which days are counted is given or is the newest event in evidence, never the clock of the
machine: the same case gives the same list. What two people must know is in each row: what is lost, and when.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from playbooks.collection.blind_stages import blind_stages
from playbooks.collection.observed import ACCEPTED, WORTH_A_LOOK, Observed, observed
from playbooks.collection.states import (
    IN_EVIDENCE,
    IN_PART,
    NOT_COLLECTABLE,
    NOT_YET,
    Given,
    State,
    by_operation,
    state_of,
)
from playbooks.errors import UsageError
from playbooks.knowledge.volatility import Kind, Volatility, load_volatility
from playbooks.schema import EVENT_TABLES

NAMED = 25  # of one kind of evidence that have a row of their own; the others share one
LAST = 900  # order of what a blind spot asks for and the order of volatility does not hold
NEVER = "9999"
FIRST_TO_GO = 3
ACQUIRE = "playbooks acquire aws CASE"
# Names come from evidence: only a plain one goes into a command.
PLAIN_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,139}")
PLAIN_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-[0-9]")
Pair = tuple[Observed, dict[str, Any]]  # what was seen, and its row


def checklist(
    found: Mapping[str, Any],
    pairs: pd.DataFrame,
    activity: pd.DataFrame,
    coverage: Mapping[str, Any],
    given: Iterable[Given] = (),
    at: dt.datetime | None = None,
    roles: pd.DataFrame | None = None,
) -> dict[str, Any]:
    """What to collect next, in order of volatility.

    Parameters
    ----------
    found, coverage
        Content of `findings.json` and `coverage.json`.
    pairs, activity
        Rows of `schema.EGRESS_PAIRS` and `schema.CLOUD_ACTIVITY`.
    given
        Answers that were acquired.
    at
        The moment against which expiry is counted; without it the newest event in evidence.
    roles
        Rows of `schema.ROLE_LINKS`: the role of a function is as worth a look as the function.

    Returns
    -------
    dict
        JSON-ready: `at` and `at_is`, `words`, `rows` (one per kind of evidence and entity; `no, order, tier,
        kind, entity, refs, because, what, how, why_now, expires, overdue, state, evidence, lacking, confidence,
        sources`) and `version` of the knowledge. What is in evidence comes last.

    Raises
    ------
    UsageError
        `at` has no zone.
    """
    moment = _moment(at, coverage)
    known, spots, answers = load_volatility(), list(coverage["blind_spots"]), by_operation(given)
    seen = observed(found, pairs, activity, coverage, roles)
    rows = [
        (one, _row(kind, one, state_of(kind, one, answers, spots), moment))
        for one in seen
        for kind in known.of(one.entity, one.platform, one.part)
    ]
    listed = [*_grouped(rows), *_asked_for(spots, known, {row["kind"] for _, row in rows})]
    listed += blind_stages(found)
    listed.sort(key=_place)
    numbered = [{"no": number, **row} for number, row in enumerate(listed, start=1)]
    return {
        "at": moment.isoformat() if moment is not None else None,
        "at_is": "given" if at else "the newest event in evidence",
        "words": _words(numbered, seen, moment, given=at is not None),
        "rows": numbered,
        "version": known.version,
    }


def _place(row: Mapping[str, Any]) -> tuple[bool, int, int, str, str]:
    return row["state"] == IN_EVIDENCE, row["order"], row["tier"], row["expires"] or NEVER, row["entity"]


def _moment(at: dt.datetime | None, coverage: Mapping[str, Any]) -> pd.Timestamp | None:
    if at is not None:
        if at.tzinfo is None:
            raise UsageError(f"at {at.isoformat()}: a moment without a zone. Expected e.g. 2026-03-12T08:00:00Z.")
        return pd.Timestamp(at).tz_convert("UTC")
    lasts = [
        source["last"] for source in coverage["sources"] if set(source["tables"]) & set(EVENT_TABLES) and source["last"]
    ]
    return max((pd.Timestamp(last).tz_convert("UTC") for last in lasts), default=None)


def _row(kind: Kind, seen: Observed, state: State, moment: pd.Timestamp | None) -> dict[str, Any]:
    open_ = state.state in (NOT_YET, IN_PART)
    expires = (
        seen.last + pd.Timedelta(days=kind.retention_days) if open_ and kind.retention_days and seen.last else None
    )
    overdue = bool(expires is not None and moment is not None and expires <= moment)
    return {
        "order": kind.order,
        "tier": seen.tier,
        "kind": kind.id,
        "entity": seen.words(),
        "refs": list(seen.refs[:5]),
        "because": list(seen.because),
        "what": kind.what,
        "how": f"{_acquire(seen)}; or {kind.how}" if kind.acquired_by else kind.how,
        "why_now": _why_now(kind, seen, state, expires, moment),
        "expires": expires.isoformat() if expires is not None else None,
        "overdue": overdue,
        "state": state.state,
        "evidence": list(state.evidence),
        "lacking": list(state.lacking),
        "confidence": kind.confidence,
        "sources": list(kind.sources),
    }


def _acquire(seen: Observed) -> str:
    """The command of ours that collects it, with the function's name where that is a plain one."""
    region = f" --region {seen.region}" if seen.region and PLAIN_REGION.fullmatch(seen.region) else ""
    named = seen.part == "function" and PLAIN_NAME.fullmatch(seen.name)
    return f"{ACQUIRE}{f' --function {seen.name}' if named else ''}{region}"


def _why_now(
    kind: Kind, seen: Observed, state: State, expires: pd.Timestamp | None, moment: pd.Timestamp | None
) -> str:
    lacking = f"; lacking: {', '.join(state.lacking)}" if state.lacking else ""
    if state.state == IN_EVIDENCE:
        return "in evidence already"
    if state.state == NOT_COLLECTABLE:
        return f"it is lost {kind.lost}"
    if expires is None or moment is None or seen.last is None or seen.first is None:
        return f"it is lost {kind.lost}{lacking}"
    days = kind.retention_days
    basis = f"last seen {_day(seen.last)} + {days} days"
    begins = seen.first + pd.Timedelta(days=days or 0)
    if expires <= moment:
        return f"overdue: it ran out on {_day(expires)} ({basis}); try all the same, a house may keep more{lacking}"
    left = (expires - moment).days
    oldest = "ran out" if begins <= moment else "runs out"
    return (
        f"it runs out on {_day(expires)} ({basis}, {_days(left)} left); the oldest {oldest} on {_day(begins)}{lacking}"
    )


def _day(moment: pd.Timestamp) -> str:
    return moment.tz_convert("UTC").strftime("%Y-%m-%d %H:%M UTC")


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def _grouped(rows: Sequence[Pair]) -> list[dict[str, Any]]:
    """Rows of each kind: what stands in findings by itself, what is accepted or beyond `NAMED` together."""
    kinds: dict[str, list[Pair]] = {}
    for seen, row in rows:
        kinds.setdefault(row["kind"], []).append((seen, row))
    listed = []
    for same in kinds.values():
        ranked = sorted(same, key=lambda one: (one[0].tier, one[1]["expires"] or NEVER, one[1]["entity"]))
        named = sum(seen.tier < ACCEPTED for seen, _ in ranked[:NAMED])  # the accepted stand behind them
        listed += [row for _, row in ranked[:named]]
        others: dict[str, list[Pair]] = {}
        for seen, row in ranked[named:]:
            others.setdefault(row["state"], []).append((seen, row))
        listed += [_together(part) for part in others.values()]
    return listed


def _together(pairs: Sequence[Pair]) -> dict[str, Any]:
    """One row for entities of one kind and state: the first to expire stands for them."""
    rows = [row for _, row in pairs]
    first = min(rows, key=lambda row: (row["expires"] or NEVER, row["entity"]))
    if len(rows) == 1:
        return first
    why = "changed only as accepted" if all(seen.tier == ACCEPTED for seen, _ in pairs) else "as well"
    names = ", ".join(row["entity"] for row in rows[:3])
    return first | {
        "tier": ACCEPTED,
        "entity": f"{len(rows):,} more ({why}): {names}{', …' if len(rows) > 3 else ''}",
        "refs": [row["refs"][0] for row in rows if row["refs"]][:5],
        "evidence": list(dict.fromkeys(item for row in rows for item in row["evidence"]))[:5],
        "because": [],
    }


def _asked_for(spots: Iterable[Mapping[str, Any]], known: Volatility, present: set[str]) -> list[dict[str, Any]]:
    """A row for each blind spot that no row above would close."""
    rows = []
    for spot in spots:
        kinds = known.asked_by(str(spot["id"]))
        if str(spot["id"]).startswith("gap-") or present & {kind.id for kind in kinds}:
            continue
        kind = kinds[0] if kinds else None
        rows.append(
            {
                "order": kind.order if kind else LAST,
                "tier": WORTH_A_LOOK,
                "kind": kind.id if kind else str(spot["id"]),
                "entity": "the case",
                "refs": [],
                "because": [],
                "what": kind.what if kind else spot["missing"],
                "how": kind.how if kind else spot["recommend"],
                "why_now": f"a blind spot: {spot['missing']}; it forbids to conclude {spot['forbids']}",
                "expires": None,
                "overdue": False,
                "state": NOT_YET,
                "evidence": [],
                "lacking": [],
                "confidence": kind.confidence if kind else "high",
                "sources": list(kind.sources) if kind else ["blind-spot register of this case"],
            }
        )
    return rows


def _words(
    rows: Sequence[Mapping[str, Any]], seen: Iterable[Observed], moment: pd.Timestamp | None, given: bool
) -> list[str]:
    states = [row["state"] for row in rows]
    todo = sum(state in (NOT_YET, IN_PART) for state in states)
    said = [
        f"{todo:,} to collect, in order of volatility; {states.count(IN_EVIDENCE):,} in evidence already; "
        f"{states.count(NOT_COLLECTABLE):,} that nobody can collect."
    ]
    if moment is not None:
        said.append(f"Days are counted from {_day(moment)}, {'as given' if given else 'the newest event in evidence'}.")
    going = sorted((row for row in rows if row["expires"] and not row["overdue"]), key=lambda row: row["expires"])
    if going:
        said.append(f"First to run out: {'; '.join(map(_going, going[:FIRST_TO_GO]))}.")
    if late := sum(bool(row["overdue"]) for row in rows):
        said.append(f"{late:,} past the documented retention: ask all the same, a house may keep more.")
    if not any(one.entity != "source" for one in seen):
        said.append(
            "No record points at a host, a function or an account worth a look, so the list is short: it holds the "
            "logs of the house and what the blind spots ask for. Add logs and run it again."
        )
    return said


def _going(row: Mapping[str, Any]) -> str:
    return f"{row['kind'].replace('-', ' ')} of {row['entity'].partition(': ')[0]} on {row['expires'][:10]}"


__all__ = ["IN_EVIDENCE", "IN_PART", "NOT_COLLECTABLE", "NOT_YET", "Given", "checklist"]
