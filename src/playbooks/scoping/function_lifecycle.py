"""Who created, changed, permitted, triggered and ran each function; or why that cannot be answered.

An answer comes from records, never from their absence: where none is there, the sentence says which records
were looked at and what they could not show. History covers all records, baseline included.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from playbooks import schema
from playbooks.case import Case, Window
from playbooks.knowledge.operations import load_operations
from playbooks.scoping.control_plane import TOUCHED, control_plane, framed, plain
from playbooks.scoping.question import Question
from playbooks.scoping.uses import ALIKE, STANDS_FOR, number_of, thinned

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

FUNCTION_RUNS = Question(
    id="function_runs",
    hypothesis="B",
    title="Who ran the functions?",
    needs=(("api_activity", "metadata_event_code"),),
    innocent_when=("The caller is the trigger or the application for which the function was made.",),
    cannot_see=(
        "Runs of functions that no data-event selector covers: they leave no audit record at all.",
        "What a run did; its own log group and the calls of its role may tell.",
    ),
)

FUNCTION_LIKE = frozenset(
    {
        *("function", "edge-function", "layer", "api", "rule", "schedule", "api-destination", "state-machine"),
        *("function-app", "workflow", "app", "runbook", "webhook", "service", "job", "trigger", "flow", "script"),
    }
)
MODIFYING = ("modify-code", "modify-config")
MAX_REFS = 20
SHOWN_REFS = 5  # of one principal's operation inside an answer; `refs` of the row holds more
SHOWN_ACTORS = 10  # inside one answer
Place = tuple[str, str | None, str | None]  # service, account, region
KEY = ("provider", "resource_type", "resource", "account", "region")
DEED = ("principal", "operation_base", "time", "ref", STANDS_FOR)
Deed = tuple[str | None, str, pd.Timestamp, str, int]
TOLD = (*KEY, *DEED[:-1], "service", "phase", "outcome", "resource_uid", "endpoint")


@dataclass(frozen=True)
class DataEvents:
    """Management and data events of one service in the records, with the span of each."""

    management: int
    data: int
    first: pd.Timestamp
    last: pd.Timestamp
    first_data: pd.Timestamp | None
    last_data: pd.Timestamp | None


def data_events_seen(tables: Tables) -> dict[str, DataEvents]:
    """Per service name (`lambda.amazonaws.com`), how many management and data events the records hold.

    A data event is what the log calls one. Data events that AWS writes without any selector do not count:
    they would make runs look recorded where they are not.
    """
    counts = _counts(tables)
    return {str(service): _data_events(group) for service, group in counts.groupby("api_service_name", sort=True)}


def _counts(tables: Tables) -> pd.DataFrame:
    """Events per service, account, region, operation and class, with first and last."""
    named = tables.api_activity.filter(tables.api_activity.api_service_name.notnull())
    groups = ("api_service_name", "cloud_account_uid", "cloud_region", "api_operation", "cloud_provider")
    counts = named.group_by(*groups, data=named.metadata_event_code.lower() == "data").agg(
        events=named.count(), first=named.time.min(), last=named.time.max()
    )
    rows = plain(counts.execute())
    told_by = rows[["cloud_provider", "api_service_name", "api_operation", "data"]]
    return rows.assign(data=[_needs_selector(*row) for row in told_by.itertuples(index=False, name=None)])


def _counts_by_place(tables: Tables) -> dict[Place, DataEvents]:
    """The same per service, account and region: a trail and its selectors cover no more than that."""
    places = ["api_service_name", "cloud_account_uid", "cloud_region"]
    groups = _counts(tables).groupby(places, dropna=False, sort=True)
    return {(str(key[0]), _known(key[1]), _known(key[2])): _data_events(group) for key, group in groups}


def _needs_selector(provider: str | None, service: str, operation: str | None, data: object) -> bool:
    known = load_operations().find(provider, service, operation) if provider and operation else None
    listed = known is not None and known.log_class == "data"
    if listed and known is not None and known.logged_by_default:
        return False
    return listed or (data is not None and bool(data))


def _data_events(rows: pd.DataFrame) -> DataEvents:
    data = rows[rows["data"]]
    return DataEvents(
        management=int(rows["events"].sum() - data["events"].sum()),
        data=int(data["events"].sum()),
        first=rows["first"].min(),
        last=rows["last"].max(),
        first_data=data["first"].min() if len(data) else None,
        last_data=data["last"].max() if len(data) else None,
    )


def why_blind_to_runs(tables: Tables) -> str | None:
    """Why `FUNCTION_RUNS` has no answer, in a sentence; null where runs of some function are recorded."""
    if any(one.data for one in data_events_seen(tables).values()):
        return None
    return (
        "The audit records hold no data events. Runs are logged only where a data-event selector was set, so "
        "nothing can be said about who ran a function."
    )


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
    history = _with_touched(framed(_told(known, case.config.window)))
    seen = _counts_by_place(tables)
    in_window = set(activity["ref"])
    rows = [
        (not in_window.isdisjoint(group["ref"]), _row(key, group, seen))
        for key, group in history.groupby(list(KEY), dropna=False, sort=True)
        if isinstance(key, tuple)
    ]
    rows.sort(key=lambda row: (not row[0], row[1]["first_seen"]))
    columns = list(schema.RESOURCES.names)
    table = pd.DataFrame([row for _, row in rows], columns=columns)
    return plain(table)


def _told(events: ir.Table, window: Window | None) -> ir.Table:
    """What tells of function-like resources: every change, and the first and last of runs and reads that are alike."""
    touching = events.filter(
        (events.resource_type.isin(sorted(FUNCTION_LIKE)) & events.resource.notnull()) | (events[TOUCHED].length() > 0)
    )
    # those in the window apart, as `Results.activity` holds them
    dated = touching.mutate(in_window=_is_in(touching, window))
    return thinned(dated, (*ALIKE, "in_window")).select(*TOLD, TOUCHED, STANDS_FOR)


def _is_in(events: ir.Table, window: Window | None) -> ir.BooleanValue:
    import ibis

    return (events.time >= window.start) & (events.time < window.end) if window else ibis.literal(True)


def _with_touched(history: pd.DataFrame) -> pd.DataFrame:
    """Events of function-like resources; a trigger that names a function counts for that function too."""
    own = history[history["resource_type"].isin(FUNCTION_LIKE) & history["resource"].notna()]
    touching = history[history[TOUCHED].map(bool).astype(bool)].explode(TOUCHED)
    arn = touching[TOUCHED].astype(str).str.split(":", expand=True).reindex(columns=range(7))
    # the change of a rule, a route or a filter is a trigger for the function that it names
    as_function = touching.assign(
        resource=arn[6],
        resource_type="function",
        resource_uid=touching[TOUCHED],
        account=arn[4],
        region=arn[3],
        phase="trigger",
        endpoint=None,
    )
    as_function = as_function[as_function["resource"] != touching["resource"]]
    return pd.concat([own, as_function]).sort_index(kind="stable")


def _row(key: tuple[Hashable, ...], events: pd.DataFrame, seen: Mapping[Place, DataEvents]) -> dict[str, object]:
    _, resource_type, resource, account, region = key
    answer = _Answers(events, seen)
    return {
        "resource": resource,
        "resource_type": resource_type,
        "resource_uid": _first(events["resource_uid"]),
        "account": _known(account),
        "region": _known(region),
        "first_seen": events["time"].min(),
        "last_seen": events["time"].max(),
        "created_by": answer.created(),
        "modified_by": answer.changed(MODIFYING),
        "permitted_by": answer.changed(("permission",)),
        "triggered_by": answer.changed(("trigger",)),
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


@dataclass(frozen=True)
class _Answers:
    """The questions about one resource, over its events in order of time."""

    events: pd.DataFrame
    seen: Mapping[Place, DataEvents]

    def created(self) -> str:
        done, refused = self._named(lambda events: events["phase"] == "create")
        if done:
            return _joined(done, refused)
        if refused:
            return f"not answerable because every call to create it failed ({refused})"
        return (
            f"not answerable because no record {self._span()} creates it: it was created before, or where "
            "no trail recorded it"
        )

    def changed(self, phases: Iterable[str]) -> str:
        done, refused = self._named(lambda events: events["phase"].isin(list(phases)))
        if done:
            return _joined(done, refused)
        if not self._management():
            return "not answerable because the records hold no management events of this service"
        return _joined(f"none recorded {self._span()}", refused)

    def invoked(self) -> str:
        done, refused = self._named(lambda events: events["phase"] == "invoke")
        if done:
            return _joined(done, refused)
        return _joined(self._not_run(), refused)

    def _not_run(self) -> str:
        kind = self.events["resource_type"].iloc[0]
        if kind in ("api", "edge-function"):
            return "not answerable because requests to it are in no audit log, only in its own access log"
        if kind == "layer":
            return "not answerable because a layer runs only inside the functions that use it"
        if kind != "function":
            return f"none recorded {self._span()}"
        data = [one for one in self._services() if one.data]
        if not data:
            return "not answerable because the records hold no data events of this service: runs leave no other"
        first = min(one.first_data for one in data if one.first_data is not None)
        last = max(one.last_data for one in data if one.last_data is not None)
        return (
            f"not answerable because data events of other functions are recorded ({_moment(first)} to "
            f"{_moment(last)}) and none of this one; whether a selector covered it is not known"
        )

    def _services(self) -> list[DataEvents]:
        # a function may be known only from the trigger that names it, which belongs to another service
        names = set(self.events["service"].dropna())
        if self.events["resource_type"].iloc[0] == "function" and (self.events["provider"] == "AWS").all():
            names.add("lambda.amazonaws.com")
        account, region = (_known(self.events[name].iloc[0]) for name in ("account", "region"))
        places = [(name, account, region) for name in sorted(names)]
        return [self.seen[place] for place in places if place in self.seen]

    def _management(self) -> bool:
        return any(one.management for one in self._services())

    def _span(self) -> str:
        services = self._services()
        first = min([one.first for one in services], default=self.events["time"].min())
        last = max([one.last for one in services], default=self.events["time"].max())
        return f"from {_moment(first)} to {_moment(last)}"

    def _named(self, choose: Callable[[pd.DataFrame], pd.Series[bool]]) -> tuple[str, str]:
        """Who did it and who tried, in words; empty where nobody did."""
        chosen = self.events[choose(self.events)]
        failed = chosen["outcome"] == "failure"
        return _actors(chosen[~failed]), _actors(chosen[failed])


def _joined(done: str, refused: str) -> str:
    return f"{done}; failed attempts: {refused}" if refused else done


def _actors(events: pd.DataFrame) -> str:
    """`ci-deployer: UpdateFunctionCode 3 times, 2026-03-03 09:12 to … UTC (E001:4, …)`; by first time."""
    deeds: dict[tuple[str, str], list[Deed]] = {}
    for deed in zip(*(events[name] for name in DEED), strict=True):
        deeds.setdefault((deed[0] or "a principal the record does not name", deed[1]), []).append(deed)
    groups = [_deed(*who, done) for who, done in deeds.items()]
    more = f"; and {len(groups) - SHOWN_ACTORS} more" if len(groups) > SHOWN_ACTORS else ""
    return "; ".join(groups[:SHOWN_ACTORS]) + more


def _deed(principal: str, operation: str, done: list[Deed]) -> str:
    first, last = done[0][2], done[-1][2]
    count = sum(number for *_, number in done)
    refs = ", ".join(ref for *_, ref, _ in done[:SHOWN_REFS]) + (", …" if count > SHOWN_REFS else "")
    when = _moment(first)
    if count > 1:
        when = f"{count} times, {when} to {_moment(last)}"
    return f"{principal}: {operation} {when} ({refs})"


def _moment(time: pd.Timestamp) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC")
