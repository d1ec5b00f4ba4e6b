"""Which control-plane events of the case matter, who stands behind each, and what they opened.

Every catalogued operation in the case's window is a row; nothing is dropped because it is allowed or
ordinary. Changes of permissions and triggers by allow-listed principals are shown like any other, with the
entry that covers them.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from playbooks import schema
from playbooks.case import Case
from playbooks.scoping.change_list import with_change_ref
from playbooks.scoping.control_plane import each_distinct, read_events, within
from playbooks.scoping.footprint import NOTHING_APART, Footprint
from playbooks.scoping.novelty import baseline_warning, with_novelty
from playbooks.scoping.question import Question

if TYPE_CHECKING:
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
        "Function code and environment values never stand in CloudTrail: what was changed inside is unknown.",
        "Accounts, regions and times that no trail in evidence covers.",
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
        "Exposure that was set before the records begin, or in accounts whose trail is not in evidence.",
        "Whether anybody used it: runs are logged only where data events are.",
    ),
)
LOGGING_TAMPERED = Question(
    id="logging_tampered",
    hypothesis="B",
    title="Was logging or detection switched off, redirected or cut short?",
    needs=AUDIT_RECORDS,
    innocent_when=(
        "A trail or log group was replaced by another in the same change, or an environment was taken down.",
    ),
    cannot_see=(
        "What happened while logging was off, and changes made where no trail records them.",
        "Selectors that never covered runs: their absence is no event.",
    ),
)
# Operations that end, weaken or redirect a record of what happens; compared with `operation_base`.
LOGGING_OPERATIONS = frozenset(
    {
        "StopLogging",
        "DeleteTrail",
        "UpdateTrail",
        "PutEventSelectors",
        "DeleteFlowLogs",
        "DeleteLogGroup",
        "DeleteLogStream",
        "PutRetentionPolicy",
        "DeleteResolverQueryLogConfig",
        "DisassociateResolverQueryLogConfig",
        "DeleteDetector",
        "UpdateDetector",
    }
)


def cloud_activity(tables: Tables, case: Case, footprint: Footprint = NOTHING_APART) -> pd.DataFrame:
    """Control-plane events of the case's window, in order of time and record.

    Parameters
    ----------
    tables, case
        All events, and the case.
    footprint
        What our own collection wrote; its reads are rows with `set_apart` filled, and judged by nothing.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.CLOUD_ACTIVITY`. Records of the baseline serve comparison only; an
        event that several items of evidence hold is one row, with the first item's reference.
    """
    others = footprint.without(tables)
    history = read_events(others, case.config.estate.own)
    rows = history[within(history, case.config.window)].reset_index(drop=True)
    rows = with_change_ref(_with_allowed(rows, case), case.config.changes)
    rows = with_novelty(rows, history, others, case)
    marked = [footprint.marked.get(ref) for ref in rows["ref"]]
    rows = rows.assign(set_apart=None, collector=pd.Series(marked, index=rows.index, dtype=object))
    whole = _together(rows, _apart(tables, case, footprint)) if len(footprint.apart) else rows
    return whole[list(schema.CLOUD_ACTIVITY.names)]


def _apart(tables: Tables, case: Case, footprint: Footprint) -> pd.DataFrame:
    """Reads of our own collection in the window, with the words that say whose they are."""
    rows = read_events(footprint.only(tables), case.config.estate.own)
    rows = rows[within(rows, case.config.window)].reset_index(drop=True)
    whose = dict(zip(footprint.apart["ref"], footprint.apart["collector"], strict=True))
    return rows.assign(
        set_apart=[whose[ref] for ref in rows["ref"]],
        collector=None,
        allowed_by=None,
        change_ref=None,
        novelty=float("nan"),
        reasons=pd.Series([[]] * len(rows), index=rows.index, dtype=object),
    )


def _together(rows: pd.DataFrame, apart: pd.DataFrame) -> pd.DataFrame:
    if apart.empty or rows.empty:
        return apart if rows.empty else rows
    return pd.concat([rows, apart]).sort_values("time", kind="stable", ignore_index=True)


def small_baseline(tables: Tables, case: Case) -> str | None:
    """Why the case's baseline is too small to lean on; null where it is large enough or there is none."""
    return baseline_warning(tables, case, read_events(tables, case.config.estate.own))


def _with_allowed(rows: pd.DataFrame, case: Case) -> pd.DataFrame:
    def covered(principal: str | None, phase: str, resource: str | None, day: dt.date) -> tuple[object, ...]:
        if principal is None:
            return (None,)
        entries = case.config.allow_list
        held = (one for one in entries if one.covers_action(principal, phase, resource or "", day))
        return (next((entry.words() for entry in held), None),)

    dated = rows.assign(day=rows["time"].dt.date)
    return each_distinct(dated, ("principal", "phase", "resource", "day"), covered, ("allowed_by",)).drop(columns="day")
