"""Which steps of one principal follow each other as an abuse of serverless code would.

preparation (identity change or refused call) → change → permission or trigger → run → evasion, within a
window (tunable TimeWindow of AN1053). A deployment alone shows change and permission, two stages; three in
rising order within the window make a row.

Innocent when: the first release of a service creates its role, its function and its permission in one go.
Cannot see: runs without data events, and steps divided among principals or spread over more time.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from playbooks.scoping.control_plane import REFUSALS
from playbooks.scoping.stages import joined, rising

STAGES = ("preparation", "change", "permission or trigger", "run", "evasion")
STAGE_OF_PHASE = {
    "identity": 0,
    "create": 1,
    "modify-code": 1,
    "modify-config": 1,
    "permission": 2,
    "trigger": 2,
    "invoke": 3,
    "defence-evasion": 4,
}
WINDOW_MINUTES = 60  # one sitting; TimeWindow of AN1053 has no official value
MIN_STAGES = 3  # two are every deployment
MAX_REFS = 20
COLUMNS = ("principal", "resources", "stages", "start", "end", "refs")


def sequences(activity: pd.DataFrame, window_minutes: int = WINDOW_MINUTES) -> pd.DataFrame:
    """Stages that follow each other per principal, overlapping ones joined, in order of start.

    Parameters
    ----------
    activity
        Rows of `schema.CLOUD_ACTIVITY` in order of time.

    Returns
    -------
    pandas.DataFrame
        Columns `COLUMNS`; `resources`, `stages` and `refs` are lists.
    """
    events = activity.assign(stage=_stages(activity))
    events = events[events["stage"].notna() & events["principal"].notna()]
    window = pd.Timedelta(minutes=window_minutes)
    found = [
        _row(str(principal), group[(group["time"] >= start) & (group["time"] <= end)])
        for principal, group in events.groupby("principal", sort=True)
        if group["stage"].nunique() >= MIN_STAGES
        for start, end in joined(rising(group["time"], group["stage"], window, MIN_STAGES))
    ]
    rows = pd.DataFrame(found, columns=list(COLUMNS))
    return rows.sort_values(["start", "principal"], kind="stable").reset_index(drop=True)


def _stages(activity: pd.DataFrame) -> pd.Series[float]:
    stage = activity["phase"].map(STAGE_OF_PHASE).astype("float64")
    failed = activity["outcome"] == "failure"
    refused = failed & activity["outcome_detail"].astype(str).str.lower().str.contains(REFUSALS)
    # a refused change is preparation, whatever it tried; a fault of use, as tools make and retry, is no stage
    return stage.mask(failed & ~refused).mask(refused & stage.notna(), 0.0)


def _row(principal: str, events: pd.DataFrame) -> tuple[object, ...]:
    return (
        principal,
        sorted(set(events["resource"].dropna())),
        [STAGES[int(stage)] for stage in sorted(set(events["stage"]))],
        events["time"].min(),
        events["time"].max(),
        _refs(events),
    )


def _refs(events: pd.DataFrame) -> Sequence[str]:
    """At most `MAX_REFS` records in order of time, the first of each stage among them."""
    firsts = events[~events["stage"].duplicated()]
    rest = events[events["stage"].duplicated()].head(MAX_REFS - len(firsts))
    return list(pd.concat([firsts, rest]).sort_index()["ref"])
