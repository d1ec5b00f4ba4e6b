"""Which change of the house's change list a control-plane change belongs to.

The list is the case's `change_list`: entries in `case.yaml`, or a CSV or YAML file beside it. A change belongs to an
entry where time, principal, resource and action all fit; what an entry does not name, it does not narrow.

Innocent when: a ticket was written afterwards, or names the service and not the function.
Cannot see: whether what was done is what the ticket says.
"""

from __future__ import annotations

import pandas as pd

from playbooks.change_list import Change
from playbooks.scoping.control_plane import plain

CHANGING = ("create", "modify-code", "modify-config", "permission", "trigger", "identity", "defence-evasion")
NEEDED = ["time", "phase", "principal", "operation_base", "resource", "account", "allowed_by", "ref"]


def with_change_ref(rows: pd.DataFrame, entries: list[Change]) -> pd.DataFrame:
    """`rows` with `change_ref`: the ids of all entries that cover a change; null where none does.

    Parameters
    ----------
    rows
        Events with `time`, `phase`, `operation_base`, `principal` and `resource`; reads and runs are no changes.
    """
    found: dict[object, list[str]] = {}
    changes = rows[rows["phase"].isin(CHANGING)]
    for entry in entries:
        during = changes
        if entry.since is not None:
            during = during[during["time"] >= entry.since]
        if entry.until is not None:
            during = during[during["time"] < entry.until]
        columns = ["principal", "resource", "phase", "operation_base"]
        named = during[columns].drop_duplicates()
        covered = {row for row in named.itertuples(index=False, name=None) if entry.covers(*row)}
        for index, row in zip(during.index, during[columns].itertuples(index=False, name=None), strict=True):
            if row in covered:
                found.setdefault(index, []).append(entry.words())
    told = [", ".join(dict.fromkeys(found[index])) if index in found else None for index in rows.index]
    return rows.assign(change_ref=pd.Series(told, index=rows.index, dtype=object))


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
