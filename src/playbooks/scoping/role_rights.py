"""What roles of Azure, Google Cloud and Entra leave open, and which grants of them no call used.

A grant is judged by the definition of its role: of the evidence, or as the provider publishes it. Where neither is
known, nothing is said of what it may do. Calls are compared by account: a call anywhere in the account counts as use.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from playbooks.knowledge.role_rights import Means, load_role_rights
from playbooks.scoping.clouds.grants import Definition, Grant, GrantReader
from playbooks.scoping.policy_documents import matches
from playbooks.scoping.role_grants import READERS, HeldGrant, HeldGrants, grants_in_evidence
from playbooks.scoping.used_rights import Calls

if TYPE_CHECKING:
    from playbooks.case_file import Own
    from playbooks.engine import Tables

MANY = 3  # actions named in a sentence
MAX_REFS = 20
WORDS: dict[Means, str] = {
    "code": "change code or triggers",
    "run": "run it",
    "rights": "give rights",
    "pass": "act as another identity",
    "logs": "end logs",
}
Found = tuple[str, str, str]  # kind, action, sentence
Row = dict[str, Any]


@dataclass(frozen=True)
class Compared:
    """A kind of the table with its action, sentence, holder and calls."""

    kind: str
    action: str
    sentence: str
    about: Row


def of_roles(tables: Tables, own: Own) -> Iterator[Compared]:
    """Every grant that leaves something open, then grants and calls beside each other, per holder."""
    held = grants_in_evidence(tables, own)
    for one in held.grants:
        definition = held.definition(one.reader, one.grant.role)
        about = _about(one, definition)
        for kind, action, sentence in _open(one, definition):
            yield Compared(kind, action, sentence, about)
    calls = _calls(tables, held) if held.grants else {}
    holders: dict[tuple[str, str], list[HeldGrant]] = defaultdict(list)
    for one in held.grants:
        if one.grant.anyone is None:
            holders[one.reader.platform, one.grant.holder].append(one)
    for (_, holder), grants in sorted(holders.items(), key=lambda entry: entry[0]):
        made = calls.get((grants[0].reader.platform, holder), {})
        yield from _compared(held, grants, made)


def _about(one: HeldGrant, definition: Definition | None) -> Row:
    refs = (*one.refs, *(definition.refs if definition else ()))
    return {
        "identity": one.grant.holder,
        "identity_type": one.grant.holder_type,
        "account": one.grant.account,
        "policy": definition.name if definition else one.grant.role,
        "policy_refs": list(dict.fromkeys(refs))[:MAX_REFS],
        "ended": one.ended,
    }


def _open(one: HeldGrant, definition: Definition | None) -> Iterator[Found]:
    grant = one.grant
    name = definition.name if definition else grant.role
    where = f"holds {name} on {grant.scope}{_if(grant)}"
    if grant.anyone:
        kind = "limited_anyone" if grant.condition else "anyone"
        yield kind, grant.role, f"{grant.anyone} {where}"
    if grant.foreign:
        yield "cross_account", grant.role, f"{grant.foreign} {where}"
    if grant.form != "role":
        kind = definition.kind if definition and definition.kind and grant.wide else grant.form
        by = "by itself, without a user" if grant.form == "app_role" else f"for {grant.scope}"
        yield kind, grant.role, f"holds {grant.role} {by}"
    elif definition is None:
        yield (
            "not_answerable",
            grant.role,
            f"{where}; what it may do is not answerable: its definition is not in evidence",
        )
    else:
        yield from _wide(one.reader, grant, definition, where)


def _wide(reader: GrantReader, grant: Grant, definition: Definition, where: str) -> Iterator[Found]:
    everything = "*" in definition.actions
    kind = definition.kind or (("not_action" if definition.not_actions else "all_actions") if everything else None)
    may = _telling(reader, definition)
    told = "; ".join(f"may {WORDS[means]} ({_some(actions)})" for means, actions in may.items() if means != "pass")
    if kind and grant.wide:
        yield kind, grant.role, f"{where}{f', and {told}' if told else ''}"
    elif told:
        yield "role_grant", grant.role, f"{where}: {told}"
    if may.get("pass"):
        wide = "pass_role_wide" if grant.wide else "pass_role"
        yield wide, may["pass"][0], f"{where}: may {WORDS['pass']} ({_some(may['pass'])})"


def _telling(reader: GrantReader, definition: Definition) -> dict[Means, list[str]]:
    found: dict[Means, list[str]] = defaultdict(list)
    for row in load_role_rights().telling:
        if row.platform == reader.platform and _covers(definition, row.action):
            found[row.means].append(row.action)
    return found


def _covers(definition: Definition, action: str) -> bool:
    granted = any(matches(pattern, action) for pattern in definition.actions)
    return granted and not any(matches(pattern, action) for pattern in definition.not_actions)


def _if(grant: Grant) -> str:
    if grant.condition is None:
        return ""
    return f", with condition {grant.condition[:100]!r}" if grant.condition else ", without condition"


def _some(actions: list[str]) -> str:
    more = f" and {len(actions) - MANY} more" if len(actions) > MANY else ""
    return ", ".join(actions[:MANY]) + more


ByAccount = dict[str | None, list[Calls]]


def _calls(tables: Tables, held: HeldGrants) -> dict[tuple[str, str], ByAccount]:
    """Successful calls of holders of a grant, by action and account; the first record of each."""
    api = tables.api_activity
    done = api.filter(api.status == "success", api.api_operation.notnull(), api.time.notnull())
    keys = ("cloud_provider", "cloud_account_uid", "actor_user_uid", "actor_user_name", "api_service_name")
    place = done.evidence_id + ":" + done.record_no.cast("string")
    wanted = done.filter(done.cloud_provider.isin(sorted({reader.provider for reader in READERS})))
    counted = wanted.mutate(place=place).group_by(*keys, "api_operation").agg(
        calls=ibis._.count(), first=ibis._.time.min(), last=ibis._.time.max(),
        place=ibis._.place.argmin(ibis._.time),
    )  # fmt: skip
    known = {(one.reader.platform, one.grant.holder) for one in held.grants}
    found: dict[tuple[str, str], ByAccount] = defaultdict(lambda: defaultdict(list))
    for row in counted.order_by(*keys, "api_operation").to_pyarrow().to_pylist():
        for reader in READERS:
            holder = reader.holder_of(row["actor_user_uid"], row["actor_user_name"])
            action = reader.action_of(row["api_service_name"] or "", row["api_operation"])
            if row["cloud_provider"] == reader.provider and action and (reader.platform, holder) in known:
                one = Calls(
                    action, row["calls"], pd.Timestamp(row["first"]), pd.Timestamp(row["last"]), (row["place"],)
                )
                found[reader.platform, str(holder)][row["cloud_account_uid"]].append(one)
    return found


def _compared(held: HeldGrants, grants: list[HeldGrant], made: ByAccount) -> Iterator[Compared]:
    reader, standing = grants[0].reader, [one for one in grants if one.ended is None]
    every = [call for calls in made.values() for call in calls]
    for one in standing:
        definition = held.definition(reader, one.grant.role)
        about, name = _about(one, definition), definition.name if definition else one.grant.role
        calls = made.get(one.grant.account, []) if one.grant.account else every
        why = _unanswerable(reader, definition, every)
        if why:
            yield Compared("not_answerable", one.grant.role, f"whether {name} was used is not answerable {why}", about)
        elif definition and not any(_covers(definition, call.action) for call in calls):
            span = f"{sum(call.calls for call in every)} successful calls of the holder that can be compared"
            yield Compared("unused", one.grant.role, f"{name} on {one.grant.scope}: used by none of {span}", about)
    yield from _ungranted(held, grants, made)


def _unanswerable(reader: GrantReader, definition: Definition | None, every: list[Calls]) -> str | None:
    if not reader.asked:
        return "because calls of Microsoft Graph stand in a log that is not read here"
    if definition is None:
        return "because its definition is not in evidence"
    if not every:
        return "because the records hold no successful call of the holder that can be compared"
    seen = {call.action for call in every}
    silent = {row.action for row in load_role_rights().unrecorded if row.platform == reader.platform} - seen
    if all(any(matches(pattern, action) for pattern in silent) for action in definition.actions):
        return "because the use of all that it grants leaves no record, or one in Data Access logs only"
    if hidden := sorted(silent & set(definition.actions)):
        return f"because the use of {_some(hidden)} leaves a record in Data Access logs only"
    return None


def _ungranted(held: HeldGrants, grants: list[HeldGrant], made: ByAccount) -> Iterator[Compared]:
    """Calls that no grant in evidence covers, where every grant of the account was asked for."""
    reader, holder = grants[0].reader, grants[0].grant.holder
    roles = [held.definition(reader, one.grant.role) for one in grants]
    lacking = sorted({one.grant.role for one, role in zip(grants, roles, strict=True) if role is None})
    for account, calls in sorted(made.items(), key=lambda entry: str(entry[0])):
        about: Row = {"identity": holder, "identity_type": grants[0].grant.holder_type, "account": account}
        listed = (reader.platform, (account or "").lower()) in held.listed
        without = [f"the definition of {role}" for role in lacking[:MANY]]
        without += [] if listed else [f"the list of all grants of {account}"]
        if without:
            words = f"not answerable because not in evidence: {', '.join(without)}"
            yield Compared("not_answerable", "ungranted rights", words, about)
            continue
        for call in calls:
            if not any(role and _covers(role, call.action) for role in roles):
                words = (
                    f"{call.calls} successful calls that no grant in evidence covers: through a group, by a grant "
                    "above the account, or by one that was given and taken away unrecorded"
                )
                span = {"first_seen": call.first, "last_seen": call.last, "calls": call.calls, "refs": list(call.refs)}
                yield Compared("ungranted", call.action, words, {**about, **span})
