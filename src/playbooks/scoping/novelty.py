"""How unusual an event is against the baseline span, from 0 to 1, with the reasons in words.

Weights add up, to 1 at most. For a new principal everything is new; that is counted once. New is not bad:
hires, releases and moves are new as well. Without a baseline nothing can be called new, and the only reason
given is the one that needs none: refused calls just before.
"""

from __future__ import annotations

import bisect
import datetime as dt
import ipaddress
import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from playbooks.case import Case, Window
from playbooks.scoping.clouds import ACTOR_COLUMNS, principal_of
from playbooks.scoping.clouds.aws_principals import PERSON_ROLE
from playbooks.scoping.control_plane import REFUSALS, each_distinct, plain, within

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


def with_novelty(rows: pd.DataFrame, history: pd.DataFrame, tables: Tables, case: Case) -> pd.DataFrame:
    """`rows` with columns `novelty` (0 to 1; null without baseline) and `reasons`.

    Parameters
    ----------
    rows
        Events to judge, as `control_plane.read_events` gives them.
    history
        The same over all records; the baseline span is taken from it.
    """
    habits = read_habits(history, tables, case)

    def news(*event: object) -> tuple[object, ...]:
        found = _news(habits, *event) if habits else []
        return (sum(weight for weight, _ in found), [words for _, words in found])

    rows = each_distinct(rows, RESOURCE + BEHAVIOUR, news, ("weight", "reasons"))
    refused = _refusals_before(rows, tables, habits)
    scores = rows["weight"].astype("float64") + (refused > 0) * REFUSED_BEFORE
    return rows.drop(columns="weight").assign(
        novelty=scores.clip(upper=1.0).round(2) if habits else pd.Series(float("nan"), index=rows.index),
        reasons=pd.Series(
            [_with_refusals(reasons, count) for reasons, count in zip(rows["reasons"], refused, strict=True)],
            index=rows.index,
            dtype=object,
        ),
    )


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


def _with_refusals(reasons: list[str], count: int) -> list[str]:
    if not count:
        return reasons
    return [
        *reasons,
        f"{count} refused call(s) by the same principal in the {REFUSED_MINUTES} minutes before",
    ]


def read_habits(history: pd.DataFrame, tables: Tables, case: Case) -> Habits | None:
    """What the baseline span holds; null where the case names no baseline.

    Principals, addresses, clients and regions come from every audit record, catalogued or not: who only
    read objects before is not new. Records that also lie in the window do not count as baseline.
    """
    baseline, window = case.config.baseline, case.config.window
    if baseline is None:
        return None
    before = history[within(history, baseline) & ~(within(history, window) & (window is not None))]
    seen = _callers(_in_baseline(tables.api_activity, baseline, window))
    seen["family"] = seen["http_request_user_agent"].map(user_agent_family)
    refused = _refused_calls(_in_baseline(tables.api_activity, baseline, window))
    return Habits(
        events=len(before),
        first=before["time"].min() if len(before) else None,
        last=before["time"].max() if len(before) else None,
        resources=_tuples(before, *RESOURCE[:2], "account"),
        phases=_tuples(before, "principal", "phase"),
        principals=frozenset(seen["principal"]),
        addresses=_tuples(seen, "principal", "src_endpoint_ip"),
        user_agents=_tuples(seen, "principal", "family"),
        regions=frozenset(seen["cloud_region"]),
        refused=frozenset(refused["principal"]),
    )


def _tuples(rows: pd.DataFrame, *columns: str) -> frozenset[tuple[object, ...]]:
    return frozenset(rows[list(columns)].drop_duplicates().itertuples(index=False, name=None))


def _in_baseline(events: ir.Table, baseline: Window, window: Window | None) -> ir.Table:
    before = events.filter(events.time >= baseline.start, events.time < baseline.end)
    return before.filter((before.time < window.start) | (before.time >= window.end)) if window else before


def _callers(events: ir.Table) -> pd.DataFrame:
    """Who called from where with what, each combination once."""
    told_by = ("src_endpoint_ip", "http_request_user_agent", "cloud_region")
    return _with_principal(_without_sessions(events).select(*ACTOR_COLUMNS, *told_by).distinct().execute())


def _refused_calls(events: ir.Table) -> pd.DataFrame:
    """Calls that were refused for want of rights, each event once."""
    failed = events.filter(events.status == "failure", events.status_detail.lower().re_search(REFUSALS))
    columns = (*ACTOR_COLUMNS, "time", "api_operation", "metadata_uid")
    return _with_principal(_without_sessions(failed).select(*columns).distinct().execute())


def _without_sessions(events: ir.Table) -> ir.Table:
    """`events` without the session names of roles, which name no principal and can be new with every call."""
    issuer = events.actor_session_issuer
    nameless = (events.actor_user_type == "AssumedRole") & issuer.startswith("arn:") & ~issuer.contains(PERSON_ROLE)
    return events.mutate(actor_user_uid=nameless.fill_null(False).ifelse(None, events.actor_user_uid))


def _with_principal(rows: pd.DataFrame) -> pd.DataFrame:
    def name(*actor: str | None) -> tuple[object, ...]:
        return (principal_of(*actor).name,)

    return plain(each_distinct(plain(rows), ACTOR_COLUMNS, name, ("principal",)))


def _refusals_before(rows: pd.DataFrame, tables: Tables, habits: Habits | None) -> pd.Series[int]:
    """Refused calls of each row's principal in the hour before it; none for those refused as a habit."""
    if rows.empty:
        return pd.Series(0, index=rows.index, dtype="int64")
    span = dt.timedelta(minutes=REFUSED_MINUTES)
    events = tables.api_activity
    near = events.filter(events.time >= rows["time"].min() - span, events.time <= rows["time"].max())
    times: dict[object, list[pd.Timestamp]] = defaultdict(list)
    for principal, time in _refused_calls(near)[["principal", "time"]].itertuples(index=False, name=None):
        times[principal].append(time)
    usual = habits.refused if habits else frozenset()
    sorted_times = {who: sorted(held) for who, held in times.items() if who is not None and who not in usual}
    pairs = zip(rows["principal"], rows["time"], strict=True)
    return pd.Series([_count_before(sorted_times, who, time, span) for who, time in pairs], index=rows.index)


def _count_before(
    times: Mapping[object, list[pd.Timestamp]], who: object, time: pd.Timestamp, span: dt.timedelta
) -> int:
    held = times.get(who)
    return bisect.bisect_left(held, time) - bisect.bisect_left(held, time - span) if held else 0


def baseline_warning(tables: Tables, case: Case, history: pd.DataFrame) -> str | None:
    """Why the baseline is too small to lean on, in a sentence; null where it is large enough or absent."""
    habits = read_habits(history, tables, case)
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
