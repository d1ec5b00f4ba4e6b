"""Which role was passed to which function, by whom; and whether the role's policies are in evidence.

A role in the request of a call was *passed* by its caller (iam:PassRole leaves no record of its own). A role that
only an answer shows (of a call in the records, or acquired) is *held*, and one that Lambda took for a function is
*used*: who passed it, no record in evidence says. What the role may do stands in its policies, and these are in
evidence only where they were acquired.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from playbooks import schema
from playbooks.scoping.asked_once import asked_once
from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.clouds.aws_principals import arn_account
from playbooks.scoping.clouds.record_json import json_object, text_at, texts_at
from playbooks.scoping.control_plane import PASSED, ROLE, control_plane, framed, order_of, plain

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.case import Case
    from playbooks.engine import Tables

PASSED_BY, TRIED, HELD, USED = "passed", "tried", "held", "used"
ABOUT_ROLE = ("GetRole", "ListAttachedRolePolicies", "ListRolePolicies")  # what must be there to read a role
ABOUT_POLICIES = ("GetRolePolicy", "GetPolicy", "GetPolicyVersion", "ListPolicyVersions")
SETTINGS = {"GetFunctionConfiguration": "Role", "GetFunction": "Configuration.Role"}  # where the role stands
LAMBDA = "lambda.amazonaws.com"
THERE = ("answered", "unchanged", "absent")
MAX_REFS = 20
GIVEN = ("ref", "time", "principal", "resource", "resource_type", "account", "region", "outcome", ROLE, PASSED)
KEY = ["principal", "relation", "role", "resource", "resource_type", "account", "region"]


def role_links(tables: Tables, case: Case, events: ir.Table | None = None) -> pd.DataFrame:
    """Principal → role → function, with the answers about the role that are in evidence.

    Parameters
    ----------
    tables, case
        All records, and the case.
    events
        `control_plane` of these records, where it is known already.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.ROLE_LINKS`, in order of first seen; over all records, baseline included.
    """
    asked = _answers(tables)
    known = control_plane(tables, case.config.estate.own) if events is None else events
    given = framed(known.filter(known[ROLE].notnull() | known[PASSED].notnull()).select(*GIVEN))
    parts = [part for part in (_passed(given), _shown(given), _used(tables), _held(asked)) if len(part)]
    rows = pd.concat(parts) if parts else _passed(given)
    about = asked[asked.operation.isin([*ABOUT_ROLE, *ABOUT_POLICIES]) & asked.status.isin(THERE)]
    found = [_row(key, group, about) for key, group in rows.groupby(KEY, dropna=False, sort=True)]
    table = pd.DataFrame(found, columns=list(schema.ROLE_LINKS.names))
    return plain(table.sort_values(["first_seen", "role", "resource"], kind="stable", ignore_index=True))


def _passed(events: pd.DataFrame) -> pd.DataFrame:
    rows = events[events[PASSED].notna() & events["resource"].notna()]
    relation = rows["outcome"].map(lambda outcome: TRIED if outcome == "failure" else PASSED_BY).astype(object)
    return _named(rows.assign(role_uid=rows[PASSED], relation=relation))


def _shown(events: pd.DataFrame) -> pd.DataFrame:
    """Roles in the answers of calls that did not set them."""
    rows = events[events[ROLE].notna() & events[PASSED].isna() & (events["resource_type"] == "function")]
    return _named(rows.assign(role_uid=rows[ROLE], relation=HELD, principal=None))


def _used(tables: Tables) -> pd.DataFrame:
    """Roles that Lambda took for a function, first and last times; it names the session after the function."""
    import ibis

    events = tables.api_activity
    taken = events.filter(
        events.api_operation == "AssumeRole", events.actor_invoked_by == LAMBDA, events.status == "success"
    )
    named = taken.select("time", "request", account="cloud_account_uid", region="cloud_region", ref=_ref(taken))
    named = asked_once(named, ["request"], _taken, {"role_uid": pa.string(), "resource": pa.string()})
    named = named.filter(named.role_uid.notnull(), named.resource.notnull()).drop("request")
    alike = ["role_uid", "resource", "account", "region"]
    placed = named.mutate(
        place=ibis.row_number().over(group_by=alike, order_by=order_of(named)),
        number=named.ref.count().over(group_by=alike),
    )
    ends = placed.filter((placed.place < MAX_REFS) | (placed.place == placed.number - 1)).drop("place", "number")
    return _named(framed(ends).assign(principal=None, relation=USED, resource_type="function"))


def _taken(request: str | None) -> tuple[object, ...]:
    asked = json_object(request)
    return text_at(asked, "roleArn"), text_at(asked, "roleSessionName")


def _ref(records: ir.Table) -> ir.StringValue:
    ref: ir.StringValue = records.evidence_id.concat(":", records.record_no.cast("string"))
    return ref


def _named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(role=[short_name("iam", text) for text in rows["role_uid"]])[[*KEY, "role_uid", "time", "ref"]]


def _answers(tables: Tables) -> pd.DataFrame:
    """Acquired answers that may speak of roles, in the order of the evidence."""
    asked = tables.acquired_answers
    wanted = asked.filter(asked.api_operation.isin([*SETTINGS, *ABOUT_ROLE, *ABOUT_POLICIES]))
    rows = wanted.select(
        "evidence_id", "record_no", "time", "status", "response", operation="api_operation", name="resource_name",
        account="cloud_account_uid", region="cloud_region", service="api_service_name",
    ).order_by("evidence_id", "record_no").execute()  # fmt: skip
    rows = plain(rows)
    # GetPolicy of Lambda is the policy of a function, not of a role
    rows = rows[rows.operation.isin(list(SETTINGS)) | (rows.service == "iam")]
    return rows.assign(ref=rows.evidence_id + ":" + rows.record_no.astype("int64").astype(str))


def _held(asked: pd.DataFrame) -> pd.DataFrame:
    rows = list(_roles_in(asked[asked.operation.isin(list(SETTINGS)) & (asked.status == "answered")]))
    return pd.DataFrame(rows, columns=[*KEY, "role_uid", "time", "ref"])


def _roles_in(asked: pd.DataFrame) -> Iterator[tuple[object, ...]]:
    for answer in asked.itertuples(index=False):
        arn = text_at(json_object(answer.response), SETTINGS[str(answer.operation)])
        if arn and answer.name:
            name, role = short_name("lambda", str(answer.name)), short_name("iam", arn)
            yield None, HELD, role, name, "function", answer.account, answer.region, arn, answer.time, answer.ref


def _row(key: Any, rows: pd.DataFrame, about: pd.DataFrame) -> dict[str, object]:
    named = dict(zip(KEY, (part if isinstance(part, str) else None for part in key), strict=True))
    uid = next((one for one in rows["role_uid"] if str(one).startswith("arn:")), None)
    refs, lacking = _policies(named["role"], arn_account(uid) or named["account"], about)
    ordered = rows.sort_values("time", kind="stable")
    return {
        **named,
        "role_uid": uid,
        "first_seen": ordered["time"].min(),
        "last_seen": ordered["time"].max(),
        "refs": list(ordered["ref"].head(MAX_REFS)),
        "policy_refs": refs[:MAX_REFS],
        "lacking": lacking,
    }


def _policies(role: str | None, account: str | None, about: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Answers about a role and all of its policies, and which are lacking."""
    home = about[about.account.isna() | (about.account == account)] if account else about
    mine = home[[_is_of(name, role, "/") for name in home.name]] if len(home) else home
    whole = mine[mine.name == role]
    lacking = [name for name in ABOUT_ROLE if name not in set(whole.operation)]
    refs = list(mine.ref)
    for arn in _attached(whole):
        policy = home[[_is_of(name, arn, ":") for name in home.name]]
        refs += list(policy.ref)
        if "GetPolicyVersion" not in set(policy.operation):
            lacking.append(f"GetPolicyVersion of {arn}")
    return refs, lacking


def _is_of(name: str | None, owner: str | None, mark: str) -> bool:
    """Whether an answer is about something itself, or about a part of it: `role/policy`, `policy:version`."""
    return name is not None and owner is not None and (name == owner or name.startswith(f"{owner}{mark}"))


def _attached(answers: pd.DataFrame) -> list[str]:
    """ARNs of the managed policies that answers about one role list."""
    listed = answers[answers.operation == "ListAttachedRolePolicies"].response
    return sorted({arn for text in listed for arn in texts_at(json_object(text), "AttachedPolicies[].PolicyArn")})
