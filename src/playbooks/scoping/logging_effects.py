"""Events of the control plane with what they did to a log: less, more or the same is recorded, or nobody can tell."""

from __future__ import annotations

from typing import Any

import pandas as pd

from playbooks.scoping.control_plane import plain
from playbooks.scoping.logging_state import LESS
from playbooks.scoping.uses import STANDS_FOR

EFFECT, SAID, UNTIL = "logging_effect", "logging_said", "logging_until"
LOGGING = "logging"  # phase of a change of a log that the catalogue of operations does not hold
CARRIED = ("ref", "time", "provider", "operation", "principal", "resource", "account", "region", "outcome")


def with_effect(activity: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """`activity` in order of time, with what each event did to a log; null where it changed none.

    Parameters
    ----------
    activity
        Rows of `schema.CLOUD_ACTIVITY`.
    changes
        Rows of `schema.LOGGING_CHANGES`. One after which less is recorded, and which no row of `activity` is about,
        is a row of its own, with phase `LOGGING`.

    Returns
    -------
    pandas.DataFrame
        With columns `EFFECT`, `SAID` (the sentence of the change) and `UNTIL` (when as much was recorded again).
    """
    told = changes.drop_duplicates("ref").set_index("ref")
    place = _places(activity, set(told.index))
    by_row = pd.Series(place, dtype=object).reindex(activity.index)
    whole = activity.assign(
        **{name: by_row.map(told[column]) for name, column in ((EFFECT, "effect"), (SAID, "sentence"))},
        **{UNTIL: pd.to_datetime(by_row.map(told["until"]), utc=True)},
    )
    rest = changes[(changes["effect"] == LESS) & ~changes["ref"].isin(list(place.values()))]
    return whole if rest.empty else _joined(whole, rest)


def _places(activity: pd.DataFrame, refs: set[str]) -> dict[int, str]:
    """Row → the change that it, or a later record of the same operation, is about."""
    found: dict[int, str] = {}
    for row, ref, further in zip(activity.index, activity["ref"], activity["further_refs"], strict=True):
        mine = [one for one in (ref, *(further if further is not None else ())) if one in refs]
        if mine:
            found[row] = mine[0]
    return found


def _joined(activity: pd.DataFrame, rest: pd.DataFrame) -> pd.DataFrame:
    nothing: pd.Series[Any] = pd.Series([[]] * len(rest), index=rest.index, dtype=object)
    rows = rest[list(CARRIED)].assign(
        **{EFFECT: rest["effect"], SAID: rest["sentence"], UNTIL: rest["until"]},
        operation_base=rest["operation"],
        phase=LOGGING,
        attack=nothing,
        reasons=nothing,
    )
    rows = rows.reindex(columns=activity.columns)
    rows = rows.assign(**{STANDS_FOR: 1}) if STANDS_FOR in rows.columns else rows
    kinds = {name: kind for name, kind in activity.dtypes.items() if kind.kind in "fM"}
    whole = pd.concat([activity, rows.astype(kinds)], ignore_index=True)
    return plain(whole.sort_values("time", kind="stable", ignore_index=True))
