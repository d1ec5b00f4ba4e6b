"""What each principal did in the baseline, on which kinds of resource, and what it opened by it.

A release that a pipeline makes every day has the stages of an abuse in their order. What tells them apart is that
nothing in it is new: not who, not which call on which kind of thing, not what it opened, not that it failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from playbooks.scoping.actors import in_baseline
from playbooks.scoping.novelty import NEW_RESOURCE, SLIGHT

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.case import CaseFile

ACT = ("principal", "operation_base", "resource_type", "exposure", "outcome")
Acts = frozenset[tuple[object, ...]]


def known_acts(events: ir.Table, case: CaseFile) -> Acts:
    """Values of `ACT` in the baseline; none without a baseline.

    Parameters
    ----------
    events
        As `control_plane` gives them, over all records.
    """
    found = events.filter(in_baseline(events, case)).select(*ACT).distinct().to_pyarrow()
    return frozenset(zip(*(column.to_pylist() for column in found.columns), strict=True))


def is_known(activity: pd.DataFrame, acts: Acts) -> pd.Series[bool]:
    """Which rows of `schema.CLOUD_ACTIVITY` are such acts, new at most in the resource's name and what is slight."""
    told = activity[list(ACT)].itertuples(index=False, name=None)
    held = pd.Series([tuple(_plain(one)) in acts for one in told], index=activity.index, dtype=bool)
    return held & (activity["novelty"] <= round(NEW_RESOURCE + SLIGHT, 2))


def _plain(values: tuple[object, ...]) -> list[object]:
    return [value if isinstance(value, str) else None for value in values]
