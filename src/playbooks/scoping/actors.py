"""Audit records by who made them, added up in the engine: principals, first and last records, window and baseline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import pandas as pd

from playbooks.scoping.clouds import ACTOR_COLUMNS, principal_of
from playbooks.scoping.clouds.aws_principals import PERSON_ROLE
from playbooks.scoping.control_plane import REFUSALS, each_distinct, plain

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.case import CaseFile
    from playbooks.case_file import Window

WHOLE = ("calls", "failed", "refused", "before")  # counts that `counted` gives
PLACED = ("first_seen", "last_seen", "first_ref", "last_ref")


def without_sessions(events: ir.Table) -> ir.Table:
    """`events` without the session names of roles, which name no principal and can be new with every call."""
    issuer = events.actor_session_issuer
    nameless = (events.actor_user_type == "AssumedRole") & issuer.startswith("arn:") & ~issuer.contains(PERSON_ROLE)
    return events.mutate(actor_user_uid=nameless.fill_null(False).ifelse(None, events.actor_user_uid))


def with_principal(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows`, which hold `ACTOR_COLUMNS`, with `principal` and `principal_type`."""

    def name(*actor: str | None) -> tuple[object, ...]:
        found = principal_of(*actor)
        return found.name, found.kind

    return plain(each_distinct(plain(rows), ACTOR_COLUMNS, name, ("principal", "principal_type")))


def lies_in(events: ir.Table, window: Window | None) -> ir.BooleanValue:
    """Whether a record lies in a window: start included, end excluded; without a window, all do."""
    if window is None:
        return ibis.literal(True)
    return (events.time >= window.start) & (events.time < window.end)


def in_baseline(events: ir.Table, case: CaseFile) -> ir.BooleanValue:
    """Whether a record lies in the baseline and not in the window; without a baseline, none does."""
    if case.baseline is None:
        return ibis.literal(False)
    before = lies_in(events, case.baseline)
    return before & ~lies_in(events, case.window) if case.window else before


def counted(events: ir.Table, case: CaseFile, *by: str) -> pd.DataFrame:
    """Calls in the window by actor and the columns `by`, an event that several items hold once.

    Returns
    -------
    pandas.DataFrame
        `ACTOR_COLUMNS`, `principal`, `principal_type`, those of `by`, `calls`, `failed`, `refused` (for want of
        rights), `first_seen`, `last_seen`, `first_ref`, `last_ref`, and `before`: records of the baseline. Groups
        without a call in the window have `calls` 0 and no times.
    """
    known = without_sessions(events)
    own = known.evidence_id.concat(":", known.record_no.cast("string"))
    known = known.mutate(
        ref=own,
        event=known.metadata_uid.fill_null(own),
        here=lies_in(known, case.window),
        earlier=in_baseline(known, case).cast("int64"),
    )
    here = known.here
    failed = here & (known.status == "failure").fill_null(False)
    place = ibis.struct({"time": known.time, "item": known.evidence_id, "record": known.record_no, "ref": known.ref})
    groups = known.group_by(*ACTOR_COLUMNS, *by).agg(
        calls=known.event.nunique(where=here),
        failed=known.event.nunique(where=failed),
        refused=known.event.nunique(where=failed & known.status_detail.lower().re_search(REFUSALS)),
        before=known.earlier.sum(),
        first=place.min(where=here),
        last=place.max(where=here),
    )
    told = groups.mutate(
        first_seen=groups["first"]["time"],
        last_seen=groups["last"]["time"],
        first_ref=groups["first"]["ref"],
        last_ref=groups["last"]["ref"],
    ).drop("first", "last")
    return with_principal(told.execute())


def together(rows: pd.DataFrame, *by: str) -> pd.DataFrame:
    """Rows of `counted` added up by fewer columns, in their order."""
    ordered = rows.sort_values(["first_seen", "first_ref"], kind="stable", na_position="last")
    ends = rows.sort_values(["last_seen", "last_ref"], kind="stable", na_position="first")
    groups = ordered.groupby(list(by), dropna=False, sort=True)
    whole = groups.agg(
        **{name: (name, "sum") for name in WHOLE},
        first_seen=("first_seen", "first"),
        first_ref=("first_ref", "first"),
    )
    last = ends.groupby(list(by), dropna=False, sort=True).agg(
        last_seen=("last_seen", "last"), last_ref=("last_ref", "last")
    )
    return plain(whole.join(last).reset_index())
