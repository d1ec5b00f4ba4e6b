"""Rights: what policies in evidence leave wide open, which rights were used, and which were granted and not used.

Three reports in one table. Weaknesses of role and resource policies, and of grants of roles in Azure, Google Cloud and
Entra. Serverless rights that somebody used in the window. Grants compared with all calls in the records, as far as
every policy, definition and list is in evidence: otherwise the row says what is lacking. Conditions and resources of
statements are not evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks import schema
from playbooks.scoping.clouds.aws_exposure import House
from playbooks.scoping.control_plane import plain
from playbooks.scoping.granted import Identity, identities
from playbooks.scoping.policies_in_evidence import Document, policies_in_evidence
from playbooks.scoping.policy_documents import ALLOW, matches, verdict
from playbooks.scoping.policy_weaknesses import Weakness, of_identity, of_resource
from playbooks.scoping.role_rights import of_roles
from playbooks.scoping.used_rights import Calls, action_of, calls_of_roles, leaves_no_record

if TYPE_CHECKING:
    from playbooks.case import Case
    from playbooks.engine import Tables

USED, UNUSED, UNGRANTED, UNKNOWN = "used", "unused", "ungranted", "not_answerable"
MAX_REFS = 20
KINDS = (
    *("all_actions", "anyone", "service_wildcard", "pass_role_wide", "not_action", "not_resource", "cross_account"),
    *("condition_gap", "action_wildcard", "wildcard_resource", "pass_role", "limited_anyone", "unreadable"),
    *("role_grant", "app_role", "consent"),
    *(UNGRANTED, UNUSED, UNKNOWN, USED),
)
"""Kinds in the order of the table: widest first."""


def rights(activity: pd.DataFrame, tables: Tables, case: Case) -> pd.DataFrame:
    """Weak policies, grants compared with calls, and used serverless rights.

    Parameters
    ----------
    activity
        Rows of `schema.CLOUD_ACTIVITY` of the window: who used which right.
    tables, case
        All records and acquired answers; the accounts of the house.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.RIGHTS`, by kind (widest first), identity and right.
    """
    held = policies_in_evidence(tables)
    known = identities(held)
    rows = [
        *(row for one in known for row in _of_identity(one)),
        *(row for one in held.documents for row in _of_document(one, frozenset(case.config.estate.own.aws_accounts))),
        *_compared(known, tables),
        *(_row(one.kind, one.action, one.sentence, **one.about) for one in of_roles(tables, case.config.estate.own)),
        *_used(activity),
    ]
    table = pd.DataFrame(_joined(rows), columns=list(schema.RIGHTS.names))
    order = {kind: place for place, kind in enumerate(KINDS)}
    table = table.assign(place=table["kind"].map(order))
    table = table.sort_values(["place", "identity", "action", "sentence"], kind="stable", ignore_index=True)
    return plain(table)[list(schema.RIGHTS.names)]


def _row(kind: str, action: str, sentence: str, **more: Any) -> dict[str, Any]:
    empty = dict.fromkeys(schema.RIGHTS.names)
    return {
        **empty,
        "calls": 0,
        "refs": [],
        "policy_refs": [],
        "kind": kind,
        "action": action,
        "sentence": sentence,
        **more,
    }


def _joined(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same said of the same identity by several documents is one row with all of their references."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("identity", "identity_type", "account", "kind", "action", "sentence"))
        held = found.setdefault(key, row)
        if held is not row:
            held["policy_refs"] = list(dict.fromkeys([*held["policy_refs"], *row["policy_refs"]]))[:MAX_REFS]
            held["ended"] = held["ended"] if row["ended"] else None
    return list(found.values())


def _about(one: Document) -> dict[str, Any]:
    return {
        "identity": one.owner,
        "identity_type": one.owner_type,
        "identity_uid": one.uid,
        "account": one.account,
        "policy": one.name,
        "policy_refs": list(one.refs[:MAX_REFS]),
        "ended": one.ended,
    }


def _said(weakness: Weakness, about: Mapping[str, Any]) -> dict[str, Any]:
    return _row(weakness.kind, weakness.right, weakness.sentence, denied=weakness.denied, **about)


def _of_identity(one: Identity) -> Iterator[dict[str, Any]]:
    """Weaknesses of a role's or user's policies, each judged beside the Deny statements of the others."""
    for document in one.documents:
        about = {**_about(document), "identity": one.name, "identity_type": one.kind, "account": one.account}
        about["policy"] = f"{document.owner} {document.name}" if document.owner != one.name else document.name
        others = [held for other in one.documents if other.ended is None for held in other.policy.statements]
        mine = [*document.policy.statements, *(held for held in others if held.effect != ALLOW)]
        yield from (_said(weakness, about) for weakness in of_identity(mine))


def _of_document(one: Document, own: frozenset[str]) -> Iterator[dict[str, Any]]:
    about = _about(one)
    if one.policy.fault:
        yield _row("unreadable", "", f"a policy that could not be read whole: {one.policy.fault}", **about)
    if one.use != "identity":
        house = House(one.account, own)
        found = of_resource(one.policy.statements, house, one.use == "trust")
        yield from (_said(weakness, about) for weakness in found)
    elif one.owner_type in ("policy", "group"):
        yield from (_said(weakness, about) for weakness in of_identity(one.policy.statements))


def _compared(known: Iterable[Identity], tables: Tables) -> Iterator[dict[str, Any]]:
    """Per role: grants that no call used, calls that no grant covers; or why neither can be said."""
    roles = [one for one in known if one.kind == "role"]
    calls = calls_of_roles(tables, [one.name for one in roles]) if roles else {}
    seen = _recorded_actions(tables) if roles else frozenset()
    for one in roles:
        about: dict[str, Any] = {"identity": one.name, "identity_type": one.kind, "identity_uid": one.uid}
        about |= {"account": one.account, "policy_refs": list(one.refs[:MAX_REFS])}
        made = calls.get((one.account, one.name), [])
        if one.lacking:
            why = f"not answerable because not in evidence: {', '.join(one.lacking[:5])}"
            yield _row(UNKNOWN, "unused and ungranted rights", why, **about)
        elif not made:
            why = "not answerable because the records hold no successful call of the role"
            yield _row(UNKNOWN, "unused and ungranted rights", why, **about)
        else:
            yield from _unused(one, made, seen, about)
            yield from _ungranted(one, made, about)


def _recorded_actions(tables: Tables) -> frozenset[str]:
    api = tables.api_activity
    rows = api.filter(api.cloud_provider == "AWS", api.api_service_name.notnull(), api.api_operation.notnull())
    names = rows.select("api_service_name", "api_operation").distinct().to_pyarrow().to_pylist()
    found = (action_of(row["api_service_name"], row["api_operation"]) for row in names)
    return frozenset(action for action in found if action)


def _unused(one: Identity, made: list[Calls], seen: frozenset[str], about: dict[str, Any]) -> Iterator[dict[str, Any]]:
    granted = dict.fromkeys(
        pattern for held in one.statements if held.effect == ALLOW for pattern in held.actions
    )  # fmt: skip
    total = sum(call.calls for call in made)
    span = (
        f"{total} successful calls of the role, {_day(min(c.first for c in made))} to {_day(max(c.last for c in made))}"
    )
    for pattern in granted:
        if any(matches(pattern, call.action) for call in made):
            continue
        if leaves_no_record(pattern, seen):
            why = f"whether {pattern} was used is not answerable because its use leaves no record without data events"
            yield _row(UNKNOWN, pattern, why, **about)
        else:
            yield _row(UNUSED, pattern, f"granted and used by none of {span}", **about)


def _ungranted(one: Identity, made: list[Calls], about: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for call in made:
        if not verdict(one.statements, call.action).allowed:
            words = (
                f"{call.calls} successful calls that no policy of the role in evidence grants now: by a policy of the "
                "resource, by a policy that the role had then, or under another name of the action"
            )
            span = {"first_seen": call.first, "last_seen": call.last, "calls": call.calls, "refs": list(call.refs)}
            yield _row(UNGRANTED, call.action, words, **about, **span)


def _used(activity: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Who used which serverless right in the window: every catalogued operation, reads included."""
    keys = ["principal", "principal_type", "provider", "service", "operation_base", "account"]
    for key, group in activity.groupby(keys, dropna=False, sort=True) if len(activity) else ():
        principal, kind, provider, service, operation, account = (one if isinstance(one, str) else None for one in key)
        action = action_of(service or "", operation or "") if provider == "AWS" else operation
        failed = int((group["outcome"] == "failure").sum())
        on = sorted({text for text in group["resource"] if isinstance(text, str)})
        where = f" on {', '.join(on[:5])}{f' and {len(on) - 5} more' if len(on) > 5 else ''}" if on else ""
        yield _row(
            USED,
            action or f"{service}:{operation}",
            f"{(done := len(group) - failed)} {'call' if done == 1 else 'calls'} succeeded, {failed} failed{where}",
            identity=principal,
            identity_type=kind,
            account=account,
            first_seen=group["time"].min(),
            last_seen=group["time"].max(),
            calls=len(group),
            refs=list(group["ref"].head(MAX_REFS)),
        )


def _day(time: pd.Timestamp) -> str:
    return time.strftime("%Y-%m-%d")
