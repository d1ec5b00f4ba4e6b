"""What the baseline span holds of principals and resources, counted in the engine: what novelty is told against.

Principals, addresses, clients, regions, accounts, services and hours come from every audit record, catalogued or not:
who only read objects before is not new. Records that also lie in the window do not count as baseline.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from playbooks.case import Case
from playbooks.engine import parked
from playbooks.scoping.actors import in_baseline, without_sessions
from playbooks.scoping.asked_once import asked_once
from playbooks.scoping.clouds import ACTOR_COLUMNS, cloud_of, principal_of
from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.control_plane import PASSED, REFUSALS, ROLE, SCHEDULE, TOUCHED, TRIGGERS
from playbooks.scoping.role_activity import FUNCTIONS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

# What happens once in 30 events is missing from 100 by chance in 3 of 100 cases, from 30 in 36.
BASELINE_EVENTS = 100
BASELINE_DAYS = 7  # weekly jobs and days off: a shorter baseline calls each of them new
# Hours with records of one principal, or of one resource: what one in seven of them holds is missing from 20 by
# chance in 5 of 100 cases. A burst is one hour: its records say the same a hundred times.
ENOUGH_HOURS = 20
# Hours that one day alone held, as a share of all hours with records: about the chance that the next is at an hour
# never seen (Good 1953, "The population frequencies of species").
MOST_UNSEEN = 0.05
# Tools that name themselves behind the SDK they are built on.
TOOLS = re.compile(r"\b(terraform|pulumi|aws-cdk|aws-sam-cli|serverless|ansible)\b(?:/v?([0-9]+))?", re.IGNORECASE)
PRODUCT = re.compile(r"\[?([A-Za-z][\w.-]{0,60})(?:/v?([0-9]+))?", re.ASCII)
RUN_ID = re.compile(r"_[0-9a-f]{8}-[0-9a-f-]{27}$")
RESOURCE = ("resource_type", "resource", "account")
LAMBDA = "lambda.amazonaws.com"
Key = tuple[object, ...]
Held = Mapping[object, frozenset[object]]


@dataclass(frozen=True)
class Hours:
    """Hours of the day, UTC, with records, and whether these are enough to call another one new."""

    seen: frozenset[int]
    enough: bool
    number: int  # hours with records, over all days


NO_HOURS = Hours(frozenset(), False, 0)


@dataclass(frozen=True)
class Habits:
    """What the baseline span holds, by principal, or by resource (values of `RESOURCE`, in lower case where said)."""

    resources: frozenset[Key]
    hours_with: Mapping[Key, int]  # hours with control-plane events of a resource (lower)
    created: frozenset[Key]  # (lower)
    triggers: Held  # kinds of triggers set for a resource (lower)
    schedules: Held  # times set for it (lower)
    run_hours: Mapping[Key, Hours]
    phases: Held
    addresses: Held
    user_agents: Held
    accounts: Held
    services: Held
    hours: Mapping[Key, Hours]  # of calls; the key is the principal alone
    regions: frozenset[object]
    refused: frozenset[object]
    roles: frozenset[object]  # of functions, over all records


def read_habits(events: ir.Table, tables: Tables, case: Case) -> Habits | None:
    """What the baseline span holds; null where the case names no baseline.

    Parameters
    ----------
    events
        `control_plane` of all records.
    """
    if case.config.baseline is None:
        return None
    before = events.filter(in_baseline(events, case.config))
    seen = tables.api_activity.filter(in_baseline(tables.api_activity, case.config))
    return Habits(**_of_resources(before), **_of_principals(seen, before), roles=_roles_of_functions(events))


def _of_resources(before: ir.Table) -> dict[str, Any]:
    hour = before.time.truncate("h")
    rows = _rows(
        before.group_by(RESOURCE).agg(
            hours=hour.nunique(), made=((before.phase == "create") & (before.outcome != "failure")).any()
        )
    )
    with_events: dict[Key, int] = defaultdict(int)
    for *key, hours, _ in rows:
        with_events[lowered(key)] += int(hours)
    started = _rows(
        before.filter(before[TRIGGERS].length() > 0, before.outcome != "failure")
        .select("provider", *RESOURCE, TOUCHED, TRIGGERS)
        .distinct()
    )
    times = before.filter(before[SCHEDULE].notnull(), before.outcome != "failure").select(*RESOURCE, SCHEDULE)
    return {
        "resources": frozenset(row[:3] for row in rows),
        "hours_with": dict(with_events),
        "created": frozenset(lowered(row[:3]) for row in rows if row[4]),
        "triggers": _held((key, kind) for *told, kinds in started for key in starts_of(*told) for kind in kinds),
        "schedules": _held((lowered(key), when) for *key, when in _rows(times.distinct())),
        "run_hours": _hours(before.filter(before.phase == "invoke"), RESOURCE),
    }


def _of_principals(seen: ir.Table, before: ir.Table) -> dict[str, Any]:
    columns = ("src_endpoint_ip", "http_request_user_agent", "cloud_region", "api_service_name")
    known = without_sessions(seen)
    callers = parked(_with_principal(known.select(*ACTOR_COLUMNS, *columns).distinct()))

    def pairs(column: str) -> list[Key]:
        return _rows(callers.select("principal", column).distinct())

    slots = known.mutate(time=known.time.truncate("h")).select(*ACTOR_COLUMNS, "time").distinct()
    return {
        "phases": _held(_rows(before.select("principal", "phase").distinct())),
        "addresses": _held(pairs("src_endpoint_ip")),
        "user_agents": _held((who, user_agent_family(agent)) for who, agent in pairs("http_request_user_agent")),
        "accounts": _held(pairs("cloud_account_uid")),
        "services": _held(pairs("api_service_name")),
        "hours": _hours(_with_principal(slots), ("principal",)),
        "regions": frozenset(region for _, region in pairs("cloud_region")),
        "refused": frozenset(who for (who,) in _rows(refused_calls(seen).select("principal").distinct())),
    }


def _hours(events: ir.Table, by: Sequence[str]) -> dict[Key, Hours]:
    """Hours of the day at which there were events, by the columns `by`; a day counts once for each."""
    slots = events.mutate(slot=events.time.truncate("h")).select(*by, "slot").distinct()
    found = slots.group_by(by).agg(hours=slots.slot.hour().collect(), days=slots.slot.date().nunique())
    return {tuple(key): _judged(hours, days) for *key, hours, days in _rows(found)}


def _judged(hours: Sequence[int], days: int) -> Hours:
    counts = Counter(hours)
    unseen = sum(days_held == 1 for days_held in counts.values()) / len(hours)
    return Hours(frozenset(counts), days >= BASELINE_DAYS and unseen <= MOST_UNSEEN, len(hours))


def _roles_of_functions(events: ir.Table) -> frozenset[object]:
    """Roles that functions were given, or that Lambda took for one, by their short names as principals have them."""
    given = events.filter(events.resource_type.isin(sorted(FUNCTIONS)), events.outcome != "failure")
    named = [name for column in (ROLE, PASSED) for (name,) in _rows(given.select(column).distinct())]
    taken = events.filter(events.operation_base == "AssumeRole", events.principal == LAMBDA)
    named += [name for (name,) in _rows(taken.select("resource").distinct())]
    return frozenset(short_name("iam", name) for name in named if isinstance(name, str))


def starts_of(
    provider: object, resource_type: object, resource: object, account: object, touched: object
) -> frozenset[Key]:
    """What a change's trigger starts, as lower keys: the functions that its request names, else the resource itself."""
    ids = [uid for uid in touched if isinstance(uid, str)] if isinstance(touched, list) else []
    targets = [cloud_of(str(provider)).target(uid) for uid in ids]
    found = {lowered((one.resource_type, one.resource, one.account or account)) for one in targets if one}
    return frozenset(found) if found else frozenset({lowered((resource_type, resource, account))})


def lowered(key: Iterable[object]) -> Key:
    """`key` in lower case: ids in requests are written in another case than names in answers."""
    return tuple(part.lower() if isinstance(part, str) else part for part in key)


def _rows(rows: ir.Table) -> list[tuple[Any, ...]]:
    found = rows.to_pyarrow()
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


def _held(pairs: Iterable[Key]) -> Held:
    found: dict[object, set[object]] = defaultdict(set)
    for key, value in pairs:
        found[key].add(value)
    return {key: frozenset(values) for key, values in found.items()}


def refused_calls(events: ir.Table) -> ir.Table:
    """Calls that were refused for want of rights, each event once, with the principal."""
    failed = events.filter(events.status == "failure", events.status_detail.lower().re_search(REFUSALS))
    columns = (*ACTOR_COLUMNS, "time", "api_operation", "metadata_uid")
    return _with_principal(without_sessions(failed).select(*columns).distinct())


def _with_principal(rows: ir.Table) -> ir.Table:
    def name(*actor: str | None) -> tuple[object, ...]:
        return (principal_of(*actor).name,)

    return asked_once(rows, ACTOR_COLUMNS, name, {"principal": pa.string()})


def baseline_warning(case: Case, events: ir.Table) -> str | None:
    """Why the baseline is too small to lean on, in a sentence; null where it is large enough or absent."""
    if case.config.baseline is None:
        return None
    before = events.filter(in_baseline(events, case.config))
    [(number, first, last)] = _rows(before.aggregate(number=before.count(), a=before.time.min(), b=before.time.max()))
    days = (pd.Timestamp(last) - pd.Timestamp(first)) / pd.Timedelta(days=1) if number else 0.0
    if number >= BASELINE_EVENTS and days >= BASELINE_DAYS:
        return None
    return (
        f"Small baseline ({case.config.baseline.words()}): {number} control-plane events over "
        f"{days:.1f} days, fewer than {BASELINE_EVENTS} events or {BASELINE_DAYS} days. Ordinary actions may "
        "be called new."
    )


def user_agent_family(user_agent: object) -> str | None:
    """Tool and major version behind a user agent: `aws-cli/2`, `Terraform/1`; ids of single runs dropped."""
    if not isinstance(user_agent, str):
        return None
    found = TOOLS.search(user_agent[:1000]) or PRODUCT.match(user_agent)
    if found is None:
        return None
    name = RUN_ID.sub("", found[1])
    return f"{name}/{found[2]}" if found[2] else name
