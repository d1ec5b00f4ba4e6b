"""Runs and reads that are alike: the first of them stand as rows, and the last one stands for all the others.

What changes something is looked at one by one; runs, reads and assumed roles come in millions and are asked only who,
how often, from when to when. So a frame holds every change and what those questions need.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from playbooks.knowledge.operations import load_operations
from playbooks.scoping.control_plane import order_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

STANDS_FOR = "stands_for"  # how many events a row stands for, itself included
FIRST = 20  # of those alike, as many rows as any answer names references
ALIKE = (
    *("provider", "service", "operation_base", "phase", "principal", "resource_type", "resource", "resource_uid"),
    *("account", "region", "outcome"),
)
OF_ACTS = ("source_ip", "user_agent")
USES = ("invoke", "discovery")
WORTH_A_LOOK = 0.5  # novelty from which on an act is told by itself


def number_of(activity: pd.DataFrame) -> int:
    """How many events rows stand for."""
    return int(activity[STANDS_FOR].sum()) if STANDS_FOR in activity else len(activity)


def is_use(events: ir.Table) -> ir.BooleanValue:
    """Whether an event uses what is there, and nothing about it is judged by itself.

    A run that the control plane started, or a role assumed, is one where a role, app or service succeeded as before.
    """
    acts = _is_act(events)
    usual = events.novelty.fill_null(0.0) < WORTH_A_LOOK if "novelty" in events.columns else events.ref.notnull()
    quiet = ~events.by_user.fill_null(True) & events.exposure.isnull() & (events.outcome == "success").fill_null(False)
    return (events.phase.isin(USES) | acts) & (~acts | (quiet & usual))


def _is_act(events: ir.Table) -> ir.BooleanValue:
    runs = sorted(
        one.operation for one in load_operations().operations if one.phase == "invoke" and one.log_class == "management"
    )
    named = events.operation_base
    return (named.startswith("AssumeRole") | named.isin(runs)).fill_null(False)


def thinned(
    events: ir.Table, alike: Sequence[str] = ALIKE, minutes: int = 0, kept: ir.BooleanValue | None = None
) -> ir.Table:
    """`events` with every change, and of uses that are alike the first ones and the last.

    Parameters
    ----------
    events
        As `control_plane` gives them, or rows of `schema.CLOUD_ACTIVITY`.
    alike
        Columns in which uses are alike.
    minutes
        Uses that lie so near to a change by the same principal stay too: their order matters.
    kept
        Which events stay besides.

    Returns
    -------
    ibis.expr.types.Table
        With `STANDS_FOR`; summed up it is the number of `events`.
    """
    import ibis

    use = is_use(events) if kept is None else is_use(events) & ~kept
    changes = events.filter(~use).mutate(**{STANDS_FOR: ibis.literal(1, "int64")})
    uses = events.filter(use)
    alike = [*alike, *OF_ACTS]
    order = {f"by_{place}": value for place, value in enumerate(order_of(uses))}
    acts = _is_act(uses)  # an act is told with address and client, a run in millions is not
    told = {name: acts.ifelse(uses[name], ibis.null("string")) for name in OF_ACTS}
    placed = uses.select("ref", *(name for name in alike if name not in OF_ACTS), **told, **order)
    group = ibis.window(group_by=alike, order_by=list(order))
    placed = placed.mutate(place=ibis.row_number().over(group), last=placed.ref.lead().over(group).isnull())
    stays = (placed.place < FIRST) | placed["last"] | placed.ref.isin(_of_items(uses).ref)
    if minutes:
        stays |= placed.ref.isin(_near(uses, changes, minutes).ref)
    held = placed.filter(stays).mutate(nth=ibis.row_number().over(group))
    stood = held["last"].ifelse(held.place - held.nth + 1, 1).cast("int64")  # and those before that do not stay
    side = held.select(stays_ref=held.ref, **{STANDS_FOR: stood})
    return changes.union(uses.inner_join(side, uses.ref == side.stays_ref).drop("stays_ref"))


def _of_items(uses: ir.Table) -> ir.Table:
    """One use of each account in each evidence item: which items speak of an account is told too."""
    item = uses.ref.split(":")[0]
    return uses.group_by("provider", "account", item=item).agg(ref=uses.ref.min()).select("ref")


def _near(uses: ir.Table, changes: ir.Table, minutes: int) -> ir.Table:
    """Uses within so many minutes of a change by the same principal, before or after."""
    import ibis

    span = ibis.interval(minutes=minutes)
    made = changes.filter(changes.principal.notnull()).select("principal", "time")
    asking = uses.select("ref", "principal", "time").semi_join(made, "principal").mutate(made=0)
    both = asking.union(made.select(ref=ibis.null("string"), principal=made.principal, time=made.time, made=1))
    around = ibis.range_window(preceding=span, following=span, group_by="principal", order_by="time")
    near = both.mutate(near=both.made.sum().over(around))
    return near.filter(near.ref.notnull(), near.near > 0).select("ref")
