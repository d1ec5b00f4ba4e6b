"""Which control-plane events of the case matter, who stands behind each, and what they opened.

Every catalogued operation in the case's window is a row; nothing is dropped because it is allowed or
ordinary. Changes of permissions and triggers by allow-listed principals are shown like any other, with the
entry that covers them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import pyarrow as pa

from playbooks import schema
from playbooks.case import Case
from playbooks.engine import parked
from playbooks.scoping.asked_once import asked_once
from playbooks.scoping.baseline_habits import baseline_warning
from playbooks.scoping.change_list import with_change_ref
from playbooks.scoping.control_plane import control_plane, framed, inside
from playbooks.scoping.footprint import NOTHING_APART, Footprint
from playbooks.scoping.novelty import with_novelty
from playbooks.scoping.question import Question

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from playbooks.engine import Tables

AUDIT_RECORDS = (("api_activity", "api_operation"),)

FUNCTION_CHANGES = Question(
    id="function_changes",
    hypothesis="B",
    title="Was a function created, changed or permitted by somebody unexpected?",
    needs=AUDIT_RECORDS,
    innocent_when=(
        "A deployment, a hotfix by hand or the first release of a new team explains the change; the change "
        "list or the pipeline's own log shows it.",
        "A person on call acted outside the pipeline and recorded it.",
    ),
    cannot_see=(
        "Code and environment values do not stand in audit records: what was changed inside is unknown.",
        "Accounts, projects, regions and times that no audit log in evidence covers.",
    ),
)
PUBLIC_EXPOSURE = Question(
    id="public_exposure",
    hypothesis="B",
    title="Was a function, API or role opened to strangers?",
    needs=AUDIT_RECORDS,
    innocent_when=(
        "The endpoint is meant to be public and checks its callers itself (web hooks, public sites).",
        "The account is a partner's or another of the house's that the case does not list.",
    ),
    cannot_see=(
        "Exposure that was set before the records begin, or in accounts whose audit log is not in evidence.",
        "Whether anybody used it: runs are logged only where data access is.",
    ),
)
LOGGING_TAMPERED = Question(
    id="logging_tampered",
    hypothesis="B",
    title="Was logging or detection switched off, redirected or cut short?",
    needs=AUDIT_RECORDS,
    innocent_when=(
        "A log, sink or setting was replaced by another in the same change, or an environment was taken down.",
    ),
    cannot_see=(
        "What happened while logging was off, and changes made where no log records them.",
        "Logs that never covered runs or access to data: their absence is no event.",
    ),
)


def cloud_activity(
    tables: Tables, case: Case, footprint: Footprint = NOTHING_APART, events: ir.Table | None = None
) -> pd.DataFrame:
    """`activity_table` as a frame, in order of time and record: for small records, and tests."""
    return framed(activity_table(tables, case, footprint, events))


def activity_table(
    tables: Tables, case: Case, footprint: Footprint = NOTHING_APART, events: ir.Table | None = None
) -> ir.Table:
    """Control-plane events of the case's window.

    Parameters
    ----------
    tables, case
        All events, and the case.
    footprint
        What our own collection wrote; its reads are rows with `set_apart` filled, and judged by nothing.
    events
        `control_plane` of the records without that footprint, where it is known already.

    Returns
    -------
    ibis.expr.types.Table
        Exactly the columns of `schema.CLOUD_ACTIVITY`. Records of the baseline serve comparison only; an
        event that several items of evidence hold is one row, with the first item's reference.
    """
    import ibis

    others = footprint.without(tables)
    history = parked(control_plane(others, case.config.estate.own)) if events is None else events
    rows = with_change_ref(_with_allowed(inside(history, case.config.window), case), case.config.changes)
    rows = with_novelty(rows, history, others, case)
    rows = _beside_refs(rows, "collector", footprint.marked).mutate(set_apart=ibis.null("string"))
    whole = rows.select(*schema.CLOUD_ACTIVITY.names)
    return whole.union(_apart(tables, case, footprint)) if len(footprint.apart) else whole


def _apart(tables: Tables, case: Case, footprint: Footprint) -> ir.Table:
    """Reads of our own collection in the window, with the words that say whose they are."""
    import ibis

    rows = inside(control_plane(footprint.only(tables), case.config.estate.own), case.config.window)
    whose = dict(zip(footprint.apart["ref"], footprint.apart["collector"], strict=True))
    rows = _beside_refs(rows, "set_apart", whose)
    text = ibis.null("string")
    none = ibis.literal([], "array<string>")
    return rows.mutate(
        collector=text, allowed_by=text, change_ref=text, novelty=ibis.null("float64"), reasons=none,
        novelty_dimensions=none, novelty_untold=ibis.null("array<string>"),
    ).select(*schema.CLOUD_ACTIVITY.names)  # fmt: skip


def _beside_refs(rows: ir.Table, column: str, words: Mapping[str, str]) -> ir.Table:
    """`rows` with what is said of single records in a column."""
    import ibis

    if not words:
        return rows.mutate(**{column: ibis.null("string")})
    said = ibis.memtable(pa.table({"said_of": list(words), column: list(words.values())}))
    return rows.left_join(said, rows.ref == said.said_of).drop("said_of")


def small_baseline(tables: Tables, case: Case, events: ir.Table | None = None) -> str | None:
    """Why the case's baseline is too small to lean on; null where it is large enough or there is none."""
    history = parked(control_plane(tables, case.config.estate.own)) if events is None else events
    return baseline_warning(case, history)


def _with_allowed(rows: ir.Table, case: Case) -> ir.Table:
    def covered(principal: str | None, phase: str, resource: str | None, day: dt.date) -> tuple[object, ...]:
        if principal is None:
            return (None,)
        entries = case.config.allow_list
        held = (one for one in entries if one.covers_action(principal, phase, resource or "", day))
        return (next((entry.words() for entry in held), None),)

    dated = rows.mutate(day=rows.time.date())
    return asked_once(dated, ("principal", "phase", "resource", "day"), covered, {"allowed_by": pa.string()}).drop(
        "day"
    )
