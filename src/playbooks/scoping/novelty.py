"""How unusual an event is against the baseline span, from 0 to 1, on which dimensions, with the reasons in words.

Weights add up, to 1 at most. For a new principal everything is new; that is counted once. New is not bad:
hires, releases and moves are new as well. Without a baseline nothing can be called new, and the only reason
given is the one that needs none: refused calls just before.

Identity, resource, region, address and client are new where the baseline lacks them; how far that can be leant on is
said once for the whole (`baseline_habits.baseline_warning`). What follows is called new only where enough of its own
baseline is there, and is else named as not compared:

- trigger: the resource was created or given one in the baseline, or has `ENOUGH_HOURS` hours with changes or runs;
- schedule, its times: the baseline holds earlier ones of the same resource; its runs, like hour: see there;
- account and downstream service: the principal has `ENOUGH_HOURS` hours with records, and the account any;
- hour: records on `BASELINE_DAYS` days, and hardly an hour that only one day held (`MOST_UNSEEN`).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from playbooks.case import Case
from playbooks.engine import parked
from playbooks.scoping.asked_once import asked_once
from playbooks.scoping.baseline_habits import (
    ENOUGH_HOURS,
    NO_HOURS,
    RESOURCE,
    Habits,
    Hours,
    lowered,
    read_habits,
    refused_calls,
    starts_of,
    user_agent_family,
)
from playbooks.scoping.control_plane import SCHEDULE, TOUCHED, TRIGGERS
from playbooks.scoping.joins import has_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

# What each kind of news weighs. Who acts, and what they never did before, say most: DET0374 asks for
# identities that do not normally administer. Addresses and clients change for ordinary reasons.
NEW_PRINCIPAL = 0.5
NEW_PHASE = 0.35
NEW_REGION = 0.25
REFUSED_BEFORE = 0.2
NEW_USER_AGENT = 0.2
NEW_TRIGGER = 0.2
NEW_ADDRESS = 0.15
NEW_ACCOUNT = 0.15
NEW_RESOURCE = 0.1
NEW_SCHEDULE = 0.1
# What work late or a release brings every week: shown, and by itself no reason to call an act unusual.
NEW_HOUR = 0.01
NEW_RUN_HOUR = 0.01
NEW_DOWNSTREAM = 0.01
SLIGHT = 0.03  # those three together; all other weights are multiples of 0.05, so that these lift nothing over a limit
REFUSED_MINUTES = 60  # trying rights and then using one that works is one sitting
MOST_NAMED = 3  # values of the baseline that a reason names
MOST_LETTERS = 120  # of such a value
IDENTITY, OF_RESOURCE, TRIGGER, SCHEDULED = "identity", "resource", "trigger", "schedule"
REGION, ACCOUNT, DOWNSTREAM = "region", "account", "downstream service"
ADDRESS, CLIENT, HOUR, REFUSED = "address", "client", "hour", "refused calls"

BEHAVIOUR = ("principal", "phase", "source_ip", "user_agent", "region")
AROUND = ("provider", "service", TRIGGERS, SCHEDULE, TOUCHED)
News = tuple[float, str, str]  # weight, dimension, words
TEXTS = pa.list_(pa.string())
TOLD = {"weight": pa.float64(), "told": TEXTS, "dimensions": TEXTS, "untold": TEXTS}
OF_HOURS = {"seen": pa.list_(pa.int64()), "enough": pa.bool_(), "there": pa.string()}


class Act(NamedTuple):
    """What an event is compared by, apart from its hour."""

    resource_type: object
    resource: object
    account: object
    principal: object
    phase: object
    source_ip: object
    user_agent: object
    region: object
    provider: object
    service: object
    triggers: object
    schedule: object
    touched: object


def with_novelty(rows: ir.Table, events: ir.Table, tables: Tables, case: Case) -> ir.Table:
    """`rows` with `novelty` (0 to 1; null without baseline), `reasons`, `novelty_dimensions` and `novelty_untold`.

    Parameters
    ----------
    rows
        Events to judge, as `control_plane.control_plane` gives them.
    events
        The same over all records; the baseline span is taken from it.
    """
    import ibis

    habits = read_habits(events, tables, case)

    def news(*event: object) -> tuple[object, ...]:
        found, untold = _compared(habits, Act(*event)) if habits else ([], [])
        return sum(one[0] for one in found), [one[2] for one in found], [one[1] for one in found], untold

    rows = asked_once(rows, RESOURCE + BEHAVIOUR + AROUND, news, TOLD)
    rows = _with_hours(rows, habits) if habits else rows
    rows = _with_refusals(rows, tables, habits)
    words = rows.refusals.cast("string").concat(
        f" refused call(s) by the same principal in the {REFUSED_MINUTES} minutes before"
    )
    rows = _also(rows, rows.refusals > 0, REFUSED_BEFORE, REFUSED, words)
    return rows.mutate(
        novelty=ibis.least(rows.weight, 1.0).round(2) if habits else ibis.null("float64"),
        reasons=rows.told,
        novelty_dimensions=rows.dimensions.unique().sort(),
        novelty_untold=rows.untold.unique().sort() if habits else ibis.null("array<string>"),
    ).drop(*TOLD, "refusals")


def _also(rows: ir.Table, holds: ir.BooleanValue, weight: float, dimension: str, words: ir.StringValue) -> ir.Table:
    """`rows` with one more piece of news where it holds."""
    import ibis

    holds = holds.fill_null(False)
    return rows.mutate(
        weight=rows.weight + holds.ifelse(weight, 0.0),
        told=holds.ifelse(rows.told.concat(ibis.array([words])), rows.told),
        dimensions=holds.ifelse(rows.dimensions.concat([dimension]), rows.dimensions),
    )


def _compared(habits: Habits, act: Act) -> tuple[list[News], list[str]]:
    """What is new in an act, and dimensions that could not be compared."""
    known = act.principal is not None and act.principal in habits.addresses
    news = [*_of_who(habits, act, known), *_of_what(habits, act)]
    asked = [_trigger(habits, act), _schedule(habits, act)]
    asked += [_account(habits, act), _downstream(habits, act)] if known else []
    return [*news, *(one for one in asked if isinstance(one, tuple))], [one for one in asked if isinstance(one, str)]


def _of_who(habits: Habits, act: Act, known: bool) -> Iterator[News]:
    who = act.principal
    if who is not None and not known:
        yield NEW_PRINCIPAL, IDENTITY, f"identity {who} makes no call in the baseline"
    if not known:
        return
    phases, family = habits.phases.get(who, frozenset()), user_agent_family(act.user_agent)
    if act.phase not in phases:
        yield NEW_PHASE, IDENTITY, f"identity {who} did no {act.phase} before {_there(phases)}"
    families, addresses = habits.user_agents[who], habits.addresses[who]
    if family is not None and family not in families:
        yield NEW_USER_AGENT, CLIENT, f"client {family} is new for {who} {_there(families)}"
    if is_address(act.source_ip) and act.source_ip not in addresses:
        yield NEW_ADDRESS, ADDRESS, f"address {act.source_ip} is new for {who} {_there(addresses)}"


def _of_what(habits: Habits, act: Act) -> Iterator[News]:
    if act.region is not None and act.region not in habits.regions:
        yield NEW_REGION, REGION, f"region {act.region} was not used before {_there(habits.regions)}"
    if act.resource is not None and act[:3] not in habits.resources:
        yield NEW_RESOURCE, OF_RESOURCE, f"resource {act.resource} ({act.resource_type}) is not in the baseline"


def _trigger(habits: Habits, act: Act) -> News | str | None:
    """A kind of trigger that a resource of the baseline did not have; the dimension alone where that cannot be told."""
    kinds = [kind for kind in act.triggers if isinstance(kind, str)] if isinstance(act.triggers, list) else []
    untold = None
    for key in sorted(starts_of(act.provider, *act[:3], act.touched) if kinds else (), key=str):
        had = habits.triggers.get(key, frozenset())
        new = [kind for kind in kinds if kind not in had]
        if not new or key not in habits.hours_with:
            continue
        if had or key in habits.created or habits.hours_with[key] >= ENOUGH_HOURS:
            kind = ", ".join(map(_cut, new[:MOST_NAMED]))
            return NEW_TRIGGER, TRIGGER, f"trigger {kind} is new for {key[0]} {key[1]} {_there(had)}"
        untold = TRIGGER
    return untold


def _schedule(habits: Habits, act: Act) -> News | str | None:
    """Other times than those that the baseline holds of the same schedule."""
    key = lowered(act[:3])
    had = habits.schedules.get(key, frozenset())
    if act.schedule is None or act.schedule in had or key not in habits.hours_with:
        return None
    if not had:
        return SCHEDULED
    words = f"schedule {_cut(act.schedule)} is new for {act.resource_type} {act.resource} {_there(had)}"
    return NEW_SCHEDULE, SCHEDULED, words


def _account(habits: Habits, act: Act) -> News | str | None:
    """An account, project, subscription or tenant in which a principal never acted, though others did."""
    accounts = habits.accounts[act.principal]
    if act.account is None or act.account in accounts:
        return None
    others = any(act.account in held for held in habits.accounts.values())
    if not others or _records(habits, act).number < ENOUGH_HOURS:
        return ACCOUNT
    return NEW_ACCOUNT, ACCOUNT, f"account {act.account} is new for {act.principal} {_there(accounts)}"


def _downstream(habits: Habits, act: Act) -> News | str | None:
    """A service that the role of a function did not call."""
    services = habits.services[act.principal]
    if act.principal not in habits.roles or act.service is None or act.service in services:
        return None
    if _records(habits, act).number < ENOUGH_HOURS:
        return DOWNSTREAM
    words = f"downstream service {act.service} is new for the function's role {act.principal} {_there(services)}"
    return NEW_DOWNSTREAM, DOWNSTREAM, words


def _records(habits: Habits, act: Act) -> Hours:
    return habits.hours.get((act.principal,), NO_HOURS)


def _there(values: frozenset[object]) -> str:
    held = sorted(_cut(value) for value in values if value is not None)
    more = [f"{len(held) - MOST_NAMED} more"] if len(held) > MOST_NAMED else []
    return f"(baseline: {', '.join([*held[:MOST_NAMED], *more]) or 'none'})"


def _cut(value: object) -> str:
    text = str(value)
    return text if len(text) <= MOST_LETTERS else f"{text[:MOST_LETTERS]}…"


def _with_hours(rows: ir.Table, habits: Habits) -> ir.Table:
    """`rows` with news of the hour: of who acts, and of runs of the resource."""

    def hours(held: Hours | None) -> tuple[object, ...]:
        there = ", ".join(f"{hour:02d}" for hour in sorted(held.seen)) if held else None
        return (sorted(held.seen), held.enough, there) if held else (None, None, None)

    rows = asked_once(rows, ("principal",), lambda who: hours(habits.hours.get((who,))), OF_HOURS)
    rows = _at_hours(rows, NEW_HOUR, HOUR, rows.principal.concat(" made no call"))
    of_runs = asked_once(
        rows,
        (*RESOURCE, "phase"),
        lambda *key: hours(habits.run_hours.get(key[:3]) if key[3] == "invoke" else None),
        OF_HOURS,
    )
    return _at_hours(of_runs, NEW_RUN_HOUR, SCHEDULED, of_runs.resource.concat(" did not run"))


def _at_hours(rows: ir.Table, weight: float, dimension: str, words: ir.StringValue) -> ir.Table:
    hour = rows.time.hour()
    other = (rows.seen.notnull() & ~rows.seen.contains(hour)).fill_null(False)
    clock = hour.cast("string").lpad(2, "0")
    words = words.concat(" in the hour from ", clock, ":00 UTC (baseline: hours ", rows.there, ")")
    found = _also(rows, other & rows.enough, weight, dimension, words)
    untold = (other & ~rows.enough).ifelse(found.untold.concat([dimension]), found.untold)
    return found.mutate(untold=untold).drop(*OF_HOURS)


def _with_refusals(rows: ir.Table, tables: Tables, habits: Habits | None) -> ir.Table:
    """`rows` with `refusals`: refused calls of their principal in the hour before; none where those are a habit."""
    import ibis

    span = ibis.interval(minutes=REFUSED_MINUTES)
    [seen] = rows.aggregate(first=rows.time.min(), last=rows.time.max()).to_pyarrow().to_pylist()
    events = tables.api_activity
    near = events.filter(
        events.time >= ibis.literal(seen["first"], events.time.type()) - span, events.time <= seen["last"]
    )
    usual = sorted(who for who in habits.refused if isinstance(who, str)) if habits else []
    refused = refused_calls(near) if seen["first"] else refused_calls(events.limit(0))
    refused = parked(
        refused.filter(refused.principal.notnull(), ~refused.principal.isin(usual)).select("principal", "time")
    )
    if not has_rows(refused):
        return rows.mutate(refusals=ibis.literal(0, "int64"))
    asking = rows.select("ref", "principal", "time").semi_join(refused, "principal").mutate(refused=0)
    both = asking.union(
        refused.select(ref=ibis.null("string"), principal=refused.principal, time=refused.time, refused=1)
    )
    # both ends in one unit: some engines take no other frame
    ends = (ibis.interval(microseconds=REFUSED_MINUTES * 60_000_000), ibis.interval(microseconds=1))
    before = ibis.range_window(preceding=ends, group_by="principal", order_by="time")
    counted = both.mutate(refusals=both.refused.sum().over(before)).filter(lambda one: one.ref.notnull())
    side = counted.select(counted_ref=counted.ref, refusals=counted.refusals.fill_null(0).cast("int64"))
    joined = rows.left_join(side, rows.ref == side.counted_ref).drop("counted_ref")
    return joined.mutate(refusals=joined.refusals.fill_null(0))


def is_address(text: object) -> bool:
    """Whether a caller's address is one; AWS writes service names in the same field."""
    try:
        ipaddress.ip_address(str(text))
    except ValueError:
        return False
    return True
