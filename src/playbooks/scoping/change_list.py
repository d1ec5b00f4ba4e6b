"""Which change of the house's change list a control-plane change belongs to.

The list is the case's `change_list`: entries in `case.yaml`, or a CSV or YAML file beside it. A change belongs to an
entry where time, principal, resource and action all fit; what an entry does not name, it does not narrow.

Innocent when: a ticket was written afterwards, or names the service and not the function.
Cannot see: whether what was done is what the ticket says.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from playbooks.change_list import Change
from playbooks.scoping.asked_once import asked_once
from playbooks.scoping.control_plane import plain

if TYPE_CHECKING:
    import ibis.expr.types as ir

CHANGING = ("create", "modify-code", "modify-config", "permission", "trigger", "identity", "defence-evasion")
NEEDED = ["time", "phase", "principal", "operation_base", "resource", "account", "allowed_by", "ref"]


def with_change_ref(rows: ir.Table, entries: list[Change]) -> ir.Table:
    """`rows` with `change_ref`: the ids of all entries that cover a change; null where none does.

    Parameters
    ----------
    rows
        Events with `time`, `phase`, `operation_base`, `principal` and `resource`; reads and runs are no changes.
    """
    import ibis

    if not entries:
        return rows.mutate(change_ref=ibis.null("string"))

    def covering(
        moment: dt.datetime | None, principal: str | None, resource: str | None, phase: str, operation: str
    ) -> tuple[object, ...]:
        if moment is None:
            return (None,)
        during = (one for one in entries if one.since is None or moment >= one.since)
        during = (one for one in during if one.until is None or moment < one.until)
        found = [one.words() for one in during if one.covers(principal, resource, phase, operation)]
        return (", ".join(dict.fromkeys(found)) or None,)

    # what reads and runs are asked for is nothing, and the same for all of them
    rows = rows.mutate(changed_at=rows.phase.isin(CHANGING).ifelse(rows.time, ibis.null(rows.time.type())))
    told_by = ("changed_at", "principal", "resource", "phase", "operation_base")
    return asked_once(rows, told_by, covering, {"change_ref": pa.string()}).drop("changed_at")


def without_change(activity: pd.DataFrame, entries: list[Change]) -> pd.DataFrame | None:
    """Successful changes that no entry of the list covers; null where the case has no list.

    Parameters
    ----------
    activity
        Rows of `schema.CLOUD_ACTIVITY`.
    """
    if not entries:
        return None
    done = activity[activity["phase"].isin(CHANGING) & (activity["outcome"] != "failure")]
    return plain(done.loc[done["change_ref"].isna(), NEEDED].reset_index(drop=True))
