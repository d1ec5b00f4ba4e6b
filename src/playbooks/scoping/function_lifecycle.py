"""Who created, changed, permitted, triggered and ran each function; or why that cannot be answered.

History covers all records, baseline included. What is a function or its like, `knowledge` says; what tells namesakes
apart, and which resource the change of another one names, each cloud's own module.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

import pandas as pd

from playbooks import schema
from playbooks.case import Case, Window
from playbooks.knowledge.resource_types import load_resource_types
from playbooks.scoping.clouds import cloud_of
from playbooks.scoping.control_plane import SCHEDULE, TOUCHED, TRIGGERS, control_plane, framed, plain
from playbooks.scoping.function_answers import DEED, MODIFYING, Answers
from playbooks.scoping.function_runs import DataEvents, Place, data_events_by_place
from playbooks.scoping.uses import ALIKE, STANDS_FOR, number_of, thinned

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

MAX_REFS = 20
WHERE = "place"
NAMESAKES = ["provider", "resource_type", "resource", "account"]
KEY = [*NAMESAKES, WHERE]
TOLD = (
    *(*NAMESAKES, "region", *(name for name in DEED if name not in (STANDS_FOR, SCHEDULE))),
    *("service", "phase", "outcome", "resource_uid", "endpoint", TOUCHED, TRIGGERS, SCHEDULE),
)
HOST = "https://"  # before a touched resource that is known by its address


def resources(activity: pd.DataFrame, tables: Tables, case: Case, events: ir.Table | None = None) -> pd.DataFrame:
    """One row per function-like resource of all records, those touched in the window first.

    Parameters
    ----------
    activity
        Rows of `schema.CLOUD_ACTIVITY` of the case's window; they decide the order.
    tables
        All records of the case; the history comes from them.
    events
        `control_plane` of these records, where it is known already.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.RESOURCES`. Each answer names principals with operations, times and
        references, or starts with "none recorded" or "not answerable because".
    """
    known = control_plane(tables, case.config.estate.own) if events is None else events
    history = _placed(_with_touched(framed(_told(known, case.config.window))))
    seen = data_events_by_place(tables)
    in_window = set(activity["ref"])
    rows = [
        (not in_window.isdisjoint(group["ref"]), _row(key, group, seen))
        for key, group in history.groupby(KEY, dropna=False, sort=True)
        if isinstance(key, tuple)
    ]
    rows.sort(key=lambda row: (not row[0], row[1]["first_seen"]))
    columns = list(schema.RESOURCES.names)
    table = pd.DataFrame([row for _, row in rows], columns=columns)
    return plain(table)


def _told(events: ir.Table, window: Window | None) -> ir.Table:
    """What tells of function-like resources: every change, and the first and last of runs and reads that are alike."""
    like = load_resource_types().function_like()
    touching = events.filter((events.resource_type.isin(like) & events.resource.notnull()) | _touches(events))
    # those in the window apart, as `Results.activity` holds them
    dated = touching.mutate(in_window=_is_in(touching, window))
    return thinned(dated, (*ALIKE, "in_window")).select(*TOLD, STANDS_FOR)


def _touches(events: ir.Table) -> ir.BooleanValue:
    named: ir.BooleanValue = (events[TOUCHED].length() > 0).fill_null(False)
    return named


def _is_in(events: ir.Table, window: Window | None) -> ir.BooleanValue:
    import ibis

    return (events.time >= window.start) & (events.time < window.end) if window else ibis.literal(True)


def _with_touched(history: pd.DataFrame) -> pd.DataFrame:
    """Events of function-like resources; a trigger that names a function counts for that function too."""
    types = load_resource_types()
    pairs = history[["provider", "resource_type"]].drop_duplicates().itertuples(index=False, name=None)
    like = {pair for pair in pairs if isinstance(pair[1], str) and types.is_function_like(*pair)}
    mine = [pair in like for pair in zip(history["provider"], history["resource_type"], strict=True)]
    own = history[pd.Series(mine, index=history.index, dtype=bool) & history["resource"].notna()]
    told = zip(own["provider"], own["region"], own["resource_uid"], strict=True)
    own = own.assign(**{WHERE: pd.Series([cloud_of(a).place(b, c) for a, b, c in told], own.index, dtype=object)})
    hosts = own[own["endpoint"].notna()].drop_duplicates("endpoint", keep="last").set_index("endpoint")
    touching = _touching(history)
    named = zip(touching.index, (_as_target(row, hosts) for row in touching.to_dict("records")), strict=True)
    found = {place: one for place, one in enumerate(named) if one[1]}
    if not found:
        return own
    index = [at for at, _ in found.values()]
    rows = pd.DataFrame([one for _, one in found.values()], index=index, columns=own.columns)
    return pd.concat([own, rows]).sort_index(kind="stable")


def _touching(history: pd.DataFrame) -> pd.DataFrame:
    """Changes that name other resources, one row for each of those."""
    return history[history[TOUCHED].map(lambda ids: isinstance(ids, list) and bool(ids)).astype(bool)].explode(TOUCHED)


def _as_target(row: dict[Hashable, object], hosts: pd.DataFrame) -> dict[Hashable, object] | None:
    """The same change as one of the resource that it names; null where that is itself, or not known by its address."""
    uid = str(row[TOUCHED])
    if uid.startswith(HOST):
        host = uid.removeprefix(HOST)
        if host not in hosts.index:
            return None
        known = hosts.loc[host]
        same: dict[Hashable, object] = {name: known[name] for name in (*NAMESAKES, WHERE, "region", "resource_uid")}
    else:
        target = cloud_of(str(row["provider"])).target(uid)
        if target is None:
            return None
        same = {"resource_type": target.resource_type, "resource": target.resource, "account": target.account}
        same |= {WHERE: target.place, "resource_uid": uid}
        same |= {"region": target.place if cloud_of(str(row["provider"])).place(target.place, None) else None}
    if (same["resource_type"], same["resource"]) == (row["resource_type"], row["resource"]):
        return None
    return {**row, **same, "phase": "trigger", "endpoint": None}


def _placed(history: pd.DataFrame) -> pd.DataFrame:
    """A record that does not tell where its resource stands is one of the only namesake there is."""
    if history.empty:
        return history
    places = history.groupby(NAMESAKES, dropna=False)[WHERE]
    only = places.transform("first").where(places.transform("nunique") == 1)
    return plain(history.assign(**{WHERE: history[WHERE].where(history[WHERE].notna(), only)}))


def _row(key: tuple[Hashable, ...], events: pd.DataFrame, seen: Mapping[Place, DataEvents]) -> dict[str, object]:
    _, resource_type, resource, account, _ = key
    answer = Answers(events, seen)
    return {
        "resource": resource,
        "resource_type": resource_type,
        "resource_uid": _first(events["resource_uid"]),
        "account": _known(account),
        "region": _first(events["region"]),
        "first_seen": events["time"].min(),
        "last_seen": events["time"].max(),
        "created_by": answer.created(),
        "modified_by": answer.changed(MODIFYING),
        "permitted_by": answer.changed(("permission",)),
        "triggered_by": answer.triggered(),
        "invoked_by": answer.invoked(),
        "endpoints": sorted(set(events["endpoint"].dropna())),
        "events": number_of(events),
        "refs": list(events["ref"].head(MAX_REFS)),
    }


def _first(values: pd.Series[str]) -> str | None:
    held = values.dropna()
    return held.iloc[0] if len(held) else None


def _known(value: object) -> str | None:
    return value if isinstance(value, str) else None
