"""Whether runs of functions stand in the records; and where they do not, why nothing can be said of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from playbooks.knowledge.operations import Operation, load_operations
from playbooks.knowledge.resource_types import load_resource_types, runs_of
from playbooks.scoping.clouds import cloud_of
from playbooks.scoping.control_plane import plain
from playbooks.scoping.question import Question

if TYPE_CHECKING:
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
Place = tuple[str, str | None, str | None]  # service, account, region or what stands for it


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


def data_events_by_place(tables: Tables) -> dict[Place, DataEvents]:
    """The same per service (as `service_key` gives it), account and place: a trail and its selectors cover no more."""
    counts = _counts(tables)
    told = zip(counts["cloud_provider"], counts["cloud_region"], strict=True)
    places = [cloud_of(provider).place(_known(region), None) for provider, region in told]
    counts = counts.assign(
        service=counts["api_service_name"].map(service_key),
        place=pd.Series(places, index=counts.index, dtype=object),
    )
    groups = counts.groupby(["service", "cloud_account_uid", "place"], dropna=False, sort=True)
    return {(str(key[0]), _known(key[1]), _known(key[2])): _data_events(group) for key, group in groups}


def service_key(service: object) -> str:
    """A service by one name, however a log or the catalogue writes it."""
    return str(service).strip().lower().removesuffix(".amazonaws.com")


def _counts(tables: Tables) -> pd.DataFrame:
    """Events per service, account, region, operation and class, with first and last."""
    named = tables.api_activity.filter(tables.api_activity.api_service_name.notnull())
    told_by = ["cloud_provider", "api_service_name", "api_operation", "api_operation_base"]
    counts = named.group_by(
        *told_by, "cloud_account_uid", "cloud_region", data=named.metadata_event_code.lower() == "data"
    ).agg(events=named.count(), first=named.time.min(), last=named.time.max())
    rows = plain(counts.execute())
    asked = rows[[*told_by, "data"]].itertuples(index=False, name=None)
    return rows.assign(data=[_needs_selector(*row) for row in asked])


def _needs_selector(provider: str | None, service: str, operation: str | None, base: str | None, data: object) -> bool:
    known = load_operations().find(provider, service, operation, base) if provider and operation else None
    listed = known is not None and known.log_class == "data"
    if listed and known is not None and known.logged_by_default:
        return False
    return listed or (not pd.isna(data) and bool(data))  # type: ignore[call-overload]


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


def _known(value: object) -> str | None:
    return value if isinstance(value, str) else None


def why_blind_to_runs(tables: Tables) -> str | None:
    """Why `FUNCTION_RUNS` has no answer, in a sentence; null where runs of some function are recorded."""
    if any(one.data for one in data_events_seen(tables).values()):
        return None
    return (
        "The audit records hold no data events. Runs are logged only where a data-event selector was set, so "
        "nothing can be said about who ran a function."
    )


def why_not_run(provider: str | None, kind: str, services: Iterable[str], seen: Iterable[DataEvents]) -> str | None:
    """Why no record of a run says nothing, for a resource of a type; null where it says that there was none.

    Parameters
    ----------
    services
        Services that its records name, as `service_key` gives them.
    seen
        What the records hold of these services, in its account and place.
    """
    known = load_resource_types().types.get(kind)
    if known is not None and known.runs:
        return known.runs
    runs = _of_services(runs_of(provider, kind), set(services))
    if not runs:
        return f"no audit record is known by which a {kind} of {provider or 'this provider'} is seen to run"
    unlogged = [one.condition for one in runs if one.log_class == "none" and one.condition]
    if unlogged:
        return unlogged[0]
    if any(one.log_class == "data" for one in runs):
        return _without_data([one for one in seen if one.data])
    if any(one.logged_by_default is None for one in runs):
        return f"no source says whether each run of a {kind} is logged, and none is recorded"
    if not any(one.management for one in seen):
        return "the records hold no management events of this service"
    return None


def _of_services(runs: tuple[Operation, ...], services: set[str]) -> tuple[Operation, ...]:
    """Those of its own services; all, where it is known only from records of others."""
    own = tuple(one for one in runs if service_key(one.service) in services)
    return own or runs


def _without_data(data: list[DataEvents]) -> str:
    if not data:
        return "the records hold no data events of this service: runs leave no other"
    first = min(one.first_data for one in data if one.first_data is not None)
    last = max(one.last_data for one in data if one.last_data is not None)
    return (
        f"data events of other functions are recorded ({moment(first)} to {moment(last)}) and none of this one; "
        "whether a selector covered it is not known"
    )


def moment(time: pd.Timestamp) -> str:
    """A time to the minute, in words."""
    return time.strftime("%Y-%m-%d %H:%M UTC")
