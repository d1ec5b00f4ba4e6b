"""How unusual an event is against the baseline span, from 0 to 1, with the reasons in words.

Weights add up, to 1 at most. For a new principal everything is new; that is counted once. New is not bad:
hires, releases and moves are new as well. Without a baseline nothing can be called new, and the only reason
given is the one that needs none: refused calls just before.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from playbooks.case import Case, Window
from playbooks.engine import parked
from playbooks.scoping.asked_once import asked_once
from playbooks.scoping.clouds import ACTOR_COLUMNS, principal_of
from playbooks.scoping.clouds.aws_principals import PERSON_ROLE
from playbooks.scoping.control_plane import REFUSALS
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
NEW_ADDRESS = 0.15
NEW_RESOURCE = 0.1
# What happens once in 30 events is missing from 100 by chance in 3 of 100 cases, from 30 in 36.
BASELINE_EVENTS = 100
BASELINE_DAYS = 7  # weekly jobs and days off: a shorter baseline calls each of them new
REFUSED_MINUTES = 60  # trying rights and then using one that works is one sitting
# Tools that name themselves behind the SDK they are built on.
TOOLS = re.compile(r"\b(terraform|pulumi|aws-cdk|aws-sam-cli|serverless|ansible)\b(?:/v?([0-9]+))?", re.IGNORECASE)
PRODUCT = re.compile(r"\[?([A-Za-z][\w.-]{0,60})(?:/v?([0-9]+))?", re.ASCII)
RUN_ID = re.compile(r"_[0-9a-f]{8}-[0-9a-f-]{27}$")


@dataclass(frozen=True)
class Habits:
    """What the baseline span holds; pairs start with the principal."""

    events: int
    first: pd.Timestamp | None
    last: pd.Timestamp | None
    resources: frozenset[tuple[object, ...]]
    phases: frozenset[tuple[object, ...]]
    principals: frozenset[object]
    addresses: frozenset[tuple[object, ...]]
    user_agents: frozenset[tuple[object, ...]]
    regions: frozenset[object]
    refused: frozenset[object]


def with_novelty(rows: ir.Table, events: ir.Table, tables: Tables, case: Case) -> ir.Table:
    """`rows` with columns `novelty` (0 to 1; null without baseline) and `reasons`.

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
        found = _news(habits, *event) if habits else []
        return (sum(weight for weight, _ in found), [words for _, words in found])

    rows = asked_once(rows, RESOURCE + BEHAVIOUR, news, {"weight": pa.float64(), "told": pa.list_(pa.string())})
    rows = _with_refusals(rows, tables, habits)
    score = rows.weight + (rows.refusals > 0).ifelse(REFUSED_BEFORE, 0.0)
    words = rows.refusals.cast("string").concat(
        f" refused call(s) by the same principal in the {REFUSED_MINUTES} minutes before"
    )
    return rows.mutate(
        novelty=ibis.least(score, 1.0).round(2) if habits else ibis.null("float64"),
        reasons=(rows.refusals > 0).ifelse(rows.told.concat(ibis.array([words])), rows.told),
    ).drop("weight", "told", "refusals")


RESOURCE = ("resource_type", "resource", "account")
BEHAVIOUR = ("principal", "phase", "source_ip", "user_agent", "region")


def _news(
    habits: Habits,
    resource_type: object,
    resource: object,
    account: object,
    principal: object,
    phase: object,
    source_ip: object,
    user_agent: object,
    region: object,
) -> list[tuple[float, str]]:
    family = user_agent_family(user_agent)
    new_principal = principal is not None and principal not in habits.principals
    known = principal is not None and not new_principal
    address_new = is_address(source_ip) and (principal, source_ip) not in habits.addresses
    news = (
        (new_principal, NEW_PRINCIPAL, f"{principal} makes no call in the baseline"),
        (known and (principal, phase) not in habits.phases, NEW_PHASE, f"{principal} did no {phase} before"),
        (
            region is not None and region not in habits.regions,
            NEW_REGION,
            f"region {region} was not used before",
        ),
        (
            known and family is not None and (principal, family) not in habits.user_agents,
            NEW_USER_AGENT,
            f"client {family} is new for {principal}",
        ),
        (known and address_new, NEW_ADDRESS, f"address {source_ip} is new for {principal}"),
        (
            resource is not None and (resource_type, resource, account) not in habits.resources,
            NEW_RESOURCE,
            f"{resource_type} {resource} is not in the baseline",
        ),
    )
    return [(weight, words) for holds, weight, words in news if holds]


def read_habits(events: ir.Table, tables: Tables, case: Case) -> Habits | None:
    """What the baseline span holds; null where the case names no baseline.

    Principals, addresses, clients and regions come from every audit record, catalogued or not: who only
    read objects before is not new. Records that also lie in the window do not count as baseline.
    """
    baseline, window = case.config.baseline, case.config.window
    if baseline is None:
        return None
    before, seen = _in_baseline(events, baseline, window), _in_baseline(tables.api_activity, baseline, window)
    [span] = (
        before.aggregate(events=before.count(), first=before.time.min(), last=before.time.max())
        .to_pyarrow()
        .to_pylist()
    )
    addresses = _callers(seen, "src_endpoint_ip")
    agents = _callers(seen, "http_request_user_agent")
    return Habits(
        events=span["events"],
        first=pd.Timestamp(span["first"]) if span["events"] else None,
        last=pd.Timestamp(span["last"]) if span["events"] else None,
        resources=_tuples(before, *RESOURCE),
        phases=_tuples(before, "principal", "phase"),
        principals=frozenset(principal for principal, _ in addresses),
        addresses=addresses,
        user_agents=frozenset((principal, user_agent_family(agent)) for principal, agent in agents),
        regions=frozenset(region for (region,) in _tuples(seen, "cloud_region")),
        refused=frozenset(principal for (principal,) in _tuples(_refused_calls(seen), "principal")),
    )


def _tuples(rows: ir.Table, *columns: str) -> frozenset[tuple[object, ...]]:
    found = rows.select(*columns).distinct().to_pyarrow()
    return frozenset(zip(*(column.to_pylist() for column in found.columns), strict=True))


def _in_baseline(events: ir.Table, baseline: Window, window: Window | None) -> ir.Table:
    before = events.filter(events.time >= baseline.start, events.time < baseline.end)
    return before.filter((before.time < window.start) | (before.time >= window.end)) if window else before


def _callers(events: ir.Table, column: str) -> frozenset[tuple[object, ...]]:
    """Who called, and what `column` says of it; each combination once."""
    return _tuples(
        _with_principal(_without_sessions(events).select(*ACTOR_COLUMNS, column).distinct()), "principal", column
    )


def _refused_calls(events: ir.Table) -> ir.Table:
    """Calls that were refused for want of rights, each event once, with the principal."""
    failed = events.filter(events.status == "failure", events.status_detail.lower().re_search(REFUSALS))
    columns = (*ACTOR_COLUMNS, "time", "api_operation", "metadata_uid")
    return _with_principal(_without_sessions(failed).select(*columns).distinct())


def _without_sessions(events: ir.Table) -> ir.Table:
    """`events` without the session names of roles, which name no principal and can be new with every call."""
    issuer = events.actor_session_issuer
    nameless = (events.actor_user_type == "AssumedRole") & issuer.startswith("arn:") & ~issuer.contains(PERSON_ROLE)
    return events.mutate(actor_user_uid=nameless.fill_null(False).ifelse(None, events.actor_user_uid))


def _with_principal(rows: ir.Table) -> ir.Table:
    def name(*actor: str | None) -> tuple[object, ...]:
        return (principal_of(*actor).name,)

    return asked_once(rows, ACTOR_COLUMNS, name, {"principal": pa.string()})


def _with_refusals(rows: ir.Table, tables: Tables, habits: Habits | None) -> ir.Table:
    """`rows` with `refusals`: refused calls of their principal in the hour before; none where those are a habit."""
    import ibis

    span = ibis.interval(minutes=REFUSED_MINUTES)
    [ends] = rows.aggregate(first=rows.time.min(), last=rows.time.max()).to_pyarrow().to_pylist()
    events = tables.api_activity
    near = events.filter(
        events.time >= ibis.literal(ends["first"], events.time.type()) - span, events.time <= ends["last"]
    )
    usual = sorted(who for who in habits.refused if isinstance(who, str)) if habits else []
    refused = _refused_calls(near) if ends["first"] else _refused_calls(events.limit(0))
    refused = parked(
        refused.filter(refused.principal.notnull(), ~refused.principal.isin(usual)).select("principal", "time")
    )
    if not has_rows(refused):
        return rows.mutate(refusals=ibis.literal(0, "int64"))
    asking = rows.select("ref", "principal", "time").semi_join(refused, "principal").mutate(refused=0)
    both = asking.union(
        refused.select(ref=ibis.null("string"), principal=refused.principal, time=refused.time, refused=1)
    )
    before = ibis.range_window(preceding=(span, ibis.interval(microseconds=1)), group_by="principal", order_by="time")
    counted = both.mutate(refusals=both.refused.sum().over(before)).filter(lambda one: one.ref.notnull())
    side = counted.select(counted_ref=counted.ref, refusals=counted.refusals.fill_null(0).cast("int64"))
    joined = rows.left_join(side, rows.ref == side.counted_ref).drop("counted_ref")
    return joined.mutate(refusals=joined.refusals.fill_null(0))


def baseline_warning(tables: Tables, case: Case, events: ir.Table) -> str | None:
    """Why the baseline is too small to lean on, in a sentence; null where it is large enough or absent."""
    habits = read_habits(events, tables, case)
    if habits is None or case.config.baseline is None:
        return None
    days = (habits.last - habits.first) / pd.Timedelta(days=1) if habits.first and habits.last else 0.0
    if habits.events >= BASELINE_EVENTS and days >= BASELINE_DAYS:
        return None
    return (
        f"Small baseline ({case.config.baseline.words()}): {habits.events} control-plane events over "
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


def is_address(text: object) -> bool:
    """Whether a caller's address is one; AWS writes service names in the same field."""
    try:
        ipaddress.ip_address(str(text))
    except ValueError:
        return False
    return True
