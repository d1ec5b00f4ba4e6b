"""An operation that writes several records (started, accepted, ended) is one row, with the outcome of its end.

Azure Activity writes them under one correlation id, which a whole deployment shares: what is done and to what belongs
to the key. Google's long-running operations have an id of their own. A start that follows an end begins another one.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

CORRELATED = "metadata_correlation_uid"
FURTHER = "further_refs"
OF_THE_END = ("status", "status_detail", "response")  # the last record that says it
OF_THE_START = ("request", "resource_name", "resource_uid", "src_endpoint_ip", "http_request_user_agent")


def one_operation(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows`, in order of time, each operation once.

    Parameters
    ----------
    rows
        `control_plane.READ_COLUMNS` with `place`, the operation's place in the catalogue.

    Returns
    -------
    pandas.DataFrame
        The first record of each operation, with what its later ones add, and `FURTHER`: the references of those, null
        where there are none.
    """
    rows = rows.assign(**{FURTHER: pd.Series([None] * len(rows), index=rows.index, dtype=object)})
    what = rows["resource_uid"].fillna(rows["resource_name"]).str.lower()
    key = rows[["cloud_provider", "cloud_account_uid", CORRELATED, "place"]].assign(what=what)
    several = rows[CORRELATED].notna() & key.duplicated(keep=False)
    if not several.any():
        return rows
    groups = key[several].groupby(list(key.columns), dropna=False, sort=False).ngroup()
    parts = rows[several]
    number = _runs(parts["status"], groups)
    by_operation = parts.groupby(number, sort=False)
    later = number.duplicated()
    merged = parts[~later].copy()
    for names, said in ((OF_THE_START, by_operation.first()), (OF_THE_END, by_operation.last())):
        for name in names:  # the first, or last, that is no null
            merged[name] = said[name].reindex(number[~later]).to_numpy()
    refs = (parts["evidence_id"] + ":" + parts["record_no"].astype("int64").astype(str))[later]
    merged[FURTHER] = refs.groupby(number[later]).agg(list).reindex(number[~later]).to_numpy()
    return pd.concat([rows[~several], merged]).sort_index().reset_index(drop=True)


def _runs(status: pd.Series[Any], groups: pd.Series[int]) -> pd.Series[int]:
    """For each record the number of its operation: its group, and how many operations of it ended before."""
    ended = status.notna()
    before = ended.groupby(groups).shift(fill_value=False)
    begins = (~ended & before).groupby(groups).cumsum()
    return pd.DataFrame({"group": groups, "run": begins}).groupby(["group", "run"], sort=False).ngroup()
