"""What the roles of functions called after a run, and whether their credentials were used outside the function.

A role belongs to a function where a record says so (`schema.ROLE_LINKS`). Its calls are those of its sessions on
AWS, and those under its own name where a cloud has no sessions (service accounts, managed identities). Lambda
names the session after the function, so calls of a role that several functions share still find their own.

Innocent when: a release adds a call; somebody tests the role by hand; a function stands in a network of the house.
Cannot see: calls that no trail records (data events of stores, DNS, plain web requests), and code that runs elsewhere
in the same provider's ranges.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import ibis
import pandas as pd

from playbooks import schema
from playbooks.scoping.actors import counted, in_baseline, lies_in
from playbooks.scoping.control_plane import plain
from playbooks.scoping.outside_credentials import SESSION, credentials_outside

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.case import CaseFile
    from playbooks.engine import Tables

MAX_REFS = 5
MAX_LISTED = 10
FUNCTIONS = frozenset({"function", "function-app", "service", "job", "app"})  # what runs code under a role


def role_activity(tables: Tables, links: pd.DataFrame, case: CaseFile) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Calls of functions' roles in the window, and sessions that look used outside the function.

    Parameters
    ----------
    links
        Rows of `schema.ROLE_LINKS`: which function has which role.

    Returns
    -------
    tuple of pandas.DataFrame
        Exactly the columns of `schema.ROLE_ACTIVITY`, by function and first call, and those of
        `schema.CREDENTIALS_OUTSIDE`, `outside` before `unclear`.
    """
    functions = _functions_of(links)
    calls = _calls(tables, case, functions)
    used = calls[calls["calls"] > 0]
    return _by_function(used, calls, functions, case), credentials_outside(calls, functions, tables, case)


def _functions_of(links: pd.DataFrame) -> dict[str, list[str]]:
    """Role → functions that have it, in order of their names."""
    held = links[links["role"].notna() & (links["relation"] != "tried") & links["resource_type"].isin(FUNCTIONS)]
    return {str(role): sorted(set(rows["resource"].dropna())) for role, rows in held.groupby("role", sort=True)}


def _calls(tables: Tables, case: CaseFile, functions: Mapping[str, list[str]]) -> pd.DataFrame:
    events = tables.api_activity
    named = events.mutate(
        role=role_of(events),
        session=events.actor_user_uid.re_extract(":assumed-role/[^/]+/(.+)$", 1).nullif(""),
        account=events.cloud_account_uid,
        address=events.src_endpoint_ip,
        agent=events.http_request_user_agent,
        service=events.api_service_name,
        operation=events.api_operation_base.fill_null(events.api_operation),
    )
    mine = named.filter(named.role.isin(list(functions) or [""]))
    found = counted(mine, case, *SESSION, "service", "operation")
    return found.assign(function=_function_of(found, functions))


def role_of(events: ir.Table) -> ir.StringValue:
    """The role of a session by its short name; else the principal's own name, or id where it has none."""
    issuer = events.actor_session_issuer.re_extract("([^/]+)$", 1).nullif("")
    in_uid = events.actor_user_uid.re_extract(":assumed-role/([^/]+)/", 1).nullif("")
    name: ir.StringValue = ibis.coalesce(issuer, in_uid, events.actor_user_name, events.actor_user_uid)
    return name


def _function_of(calls: pd.DataFrame, functions: Mapping[str, list[str]]) -> pd.Series[str]:
    """The function behind each session: the one it is named after, else the role's only one, else null."""

    def one(role: str, session: str | None) -> str | None:
        mine = functions[role]
        return session if session in mine else mine[0] if len(mine) == 1 and session is None else None

    told = [one(role, session) for role, session in zip(calls["role"], calls["session"], strict=True)]
    return pd.Series(told, index=calls.index, dtype=object)


def _by_function(
    used: pd.DataFrame, calls: pd.DataFrame, functions: Mapping[str, list[str]], case: CaseFile
) -> pd.DataFrame:
    before = calls[calls["before"] > 0]
    known = set(zip(before["role"], before["service"], before["operation"], strict=True))
    services = set(zip(before["role"], before["service"], strict=True))
    seen = set(before["role"])
    by = ["function", "role", "account", "service", "operation"]
    rows = []
    for key, group in used.groupby(by, dropna=False, sort=True):
        told = dict(zip(by, (part if isinstance(part, str) else None for part in key), strict=True))
        is_new = (told["role"], told["service"], told["operation"]) not in known if case.baseline else None
        service_new = (told["role"], told["service"]) not in services if case.baseline else None
        ordered = group.sort_values(["first_seen", "first_ref"], kind="stable")
        shared = functions[str(told["role"])] if told["function"] is None else []
        rows.append(
            told
            | {
                "functions": shared,
                "calls": int(group["calls"].sum()),
                "failed": int(group["failed"].sum()),
                "refused": int(group["refused"].sum()),
                "addresses": sorted(set(group["address"].dropna()))[:MAX_LISTED],
                "new": is_new,
                "reason": _news(told, is_new, service_new, told["role"] in seen),
                "first_seen": group["first_seen"].min(),
                "last_seen": group["last_seen"].max(),
                "refs": list(dict.fromkeys([*ordered["first_ref"], *ordered["last_ref"]]))[:MAX_REFS],
            }
        )
    table = pd.DataFrame(rows, columns=list(schema.ROLE_ACTIVITY.names))
    return plain(table.sort_values(["role", "function", "first_seen"], kind="stable", ignore_index=True))


def _news(told: Mapping[str, str | None], is_new: bool | None, service_new: bool | None, known: bool) -> str | None:
    if not is_new:
        return None
    if not known:
        return f"role {told['role']} makes no call in the baseline"
    if service_new:
        return f"role {told['role']} did not call {told['service']} before"
    return f"role {told['role']} did not call {told['operation']} before"


def calls_by_hour(tables: Tables, links: pd.DataFrame, case: CaseFile) -> pd.DataFrame:
    """The first call of each role, operation and hour of the window, for chains.

    Returns
    -------
    pandas.DataFrame
        `role`, `service`, `operation`, `source_ip`, `time`, `ref`, and `new`: the role made calls in the baseline, and
        none like this.
    """
    functions = _functions_of(links)
    named = tables.api_activity.mutate(
        role=role_of(tables.api_activity),
        service=tables.api_activity.api_service_name,
        operation=tables.api_activity.api_operation_base.fill_null(tables.api_activity.api_operation),
    )
    mine = named.filter(named.role.isin(list(functions) or [""]))
    call = ["role", "service", "operation"]
    earlier = mine.filter(in_baseline(mine, case)).select(*call).distinct().execute()
    here = mine.filter(lies_in(mine, case.window)).mutate(hour=mine.time.truncate("h"))
    place = ibis.struct(
        {"time": here.time, "item": here.evidence_id, "record": here.record_no, "address": here.src_endpoint_ip}
    )
    groups = here.group_by(*call, "hour").agg(place=place.min())
    told = groups.mutate(
        time=groups.place["time"],
        source_ip=groups.place["address"],
        ref=groups.place["item"].concat(":", groups.place["record"].cast("string")),
    )
    rows = plain(told.drop("place", "hour").execute())
    known = set(earlier.itertuples(index=False, name=None))
    roles = set(earlier["role"])
    new = [row[0] in roles and row not in known for row in rows[call].itertuples(index=False, name=None)]
    return rows.assign(new=pd.Series(new, index=rows.index, dtype=bool)).sort_values(["time", "ref"], ignore_index=True)
