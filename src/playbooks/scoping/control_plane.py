"""One event model of the control plane: who did what to which resource, with what outcome.

Below the questions: it reads every operation that `knowledge` lists, over all records, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks import schema
from playbooks.case import Window
from playbooks.case_file import Own
from playbooks.knowledge.operations import Operation, load_operations
from playbooks.scoping.clouds import ACTOR_COLUMNS, Call, cloud_of, principal_of
from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.clouds.cloud import CHANGING_PHASES
from playbooks.scoping.clouds.record_json import json_record
from playbooks.scoping.one_operation import CORRELATED, one_operation

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine import Tables

OPERATION_COLUMNS = ("cloud_provider", "api_service_name", "api_operation", "api_operation_base")
DETAIL_COLUMNS = ("resource_name", "resource_uid", "status", "status_detail", "request", "response")
READ_COLUMNS = (
    "evidence_id",
    "record_no",
    "time",
    *OPERATION_COLUMNS,
    *ACTOR_COLUMNS[1:],
    *DETAIL_COLUMNS,
    "cloud_region",
    "src_endpoint_ip",
    "http_request_user_agent",
    "metadata_uid",
    CORRELATED,
)
RENAMED = {
    "cloud_provider": "provider",
    "api_service_name": "service",
    "api_operation": "operation",
    "cloud_account_uid": "account",
    "cloud_region": "region",
    "status": "outcome",
    "uid": "resource_uid",
    "src_endpoint_ip": "source_ip",
    "http_request_user_agent": "user_agent",
}
# Error codes and messages, in lower case, of calls refused for want of rights; other failures are faults of use.
REFUSALS = "accessdenied|unauthorized|not authorized|forbidden|invalidclienttokenid|signaturedoesnotmatch"
# Beside the columns of `schema.CLOUD_ACTIVITY`: ARNs of the functions that a change's request names, the role
# that a function was given or has, and the one that the call itself gave it.
TOUCHED = "functions_touched"
ROLE = "role"
PASSED = "role_passed"
TELLS_GRANTS = ("azure", "m365")  # whose answers, or modified properties, tell what a consent or a delegation gives
FUNCTION_LOG = "Microsoft.Web/sites/functions/log"
JUDGED = ("allowed_by", "change_ref", "novelty", "reasons", "set_apart", "collector")  # what questions add
EVENT_COLUMNS = (*(name for name in schema.CLOUD_ACTIVITY.names if name not in JUDGED), TOUCHED, ROLE, PASSED)


def read_events(tables: Tables, own: Own) -> pd.DataFrame:
    """Every catalogued operation, once, in order of time and record.

    Returns
    -------
    pandas.DataFrame
        Columns of `schema.CLOUD_ACTIVITY` except those of `JUDGED`, with `TOUCHED`, `ROLE` and
        `PASSED`.
    """
    known = _known_operations(tables.api_activity)
    if known.empty:
        return _none()
    # The engine drops what no catalogued operation is called; the service is compared on what is left.
    events, bases = tables.api_activity, sorted(set(known["api_operation_base"].dropna()))
    named = events.api_operation.isin(sorted(set(known["api_operation"])))
    wanted = events.filter(named, events.api_operation_base.isin(bases) | events.api_operation_base.isnull())
    rows = plain(wanted.select(*READ_COLUMNS).execute()).merge(known, on=list(OPERATION_COLUMNS))
    rows = _with_operations(one_operation(once(rows)))
    rows = each_distinct(rows, ACTOR_COLUMNS, _principal, ("principal", "principal_type", "via", "by_user"))
    rows = _with_resources(rows, own)
    return _shaped(rows[_applies(rows)].reset_index(drop=True))


def _known_operations(api_activity: ir.Table) -> pd.DataFrame:
    """Spellings in the records that the catalogue holds, with the place of each operation in it."""
    catalogue = load_operations()
    places = {operation: place for place, operation in enumerate(catalogue.operations)}
    spellings = plain(api_activity.select(*OPERATION_COLUMNS).distinct().execute())
    rows = []
    for provider, service, logged, base in spellings.itertuples(index=False, name=None):
        found = catalogue.find(provider, service, logged, base) if provider and logged else None
        if found is not None:
            rows.append((provider, service, logged, base, places[found]))
    return pd.DataFrame(rows, columns=[*OPERATION_COLUMNS, "place"])


def once(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` in order of time and record, each event once although several items of evidence hold it.

    The log's own event id decides, together with time, operation and actor: an id alone can be masked or
    forged, and a forged one must not hide another event.
    """
    item = rows["evidence_id"].str.extract(r"(\d+)", expand=False)
    rows = rows.assign(item=pd.to_numeric(item, errors="coerce").fillna(0))
    rows = rows.sort_values(["time", "item", "record_no"], kind="stable")
    same = ["metadata_uid", "time", "api_operation", "actor_user_uid", "src_endpoint_ip"]
    rows["nth"] = _nth_of_its_record(rows)
    repeated = rows["metadata_uid"].notna() & rows.duplicated([*same, "nth"])
    return rows[~repeated].drop(columns=["item", "nth"]).reset_index(drop=True)


def _nth_of_its_record(rows: pd.DataFrame) -> pd.Series[int]:
    """0 for the first event of a record, 1 for the next: one record of Workspace shares a file with several people."""
    goes_on = rows["record_no"].diff() == 0
    if goes_on.any():
        goes_on &= rows["evidence_id"] == rows["evidence_id"].shift()
    return goes_on.astype("int64").groupby((~goes_on).cumsum()).cumsum() if goes_on.any() else goes_on.astype("int64")


def plain(rows: pd.DataFrame) -> pd.DataFrame:
    """`rows` with None, never NaN, where a text is missing."""
    missing = {name: rows[name].isna() for name in rows.columns if rows[name].dtype == object}
    return rows.assign(**{name: kept_where(~gaps, rows[name]) for name, gaps in missing.items() if gaps.any()})


def kept_where(keep: pd.Series[bool], values: pd.Series[Any]) -> pd.Series[Any]:
    """`values` where `keep` holds, None elsewhere."""
    kept = values.to_numpy(dtype=object, copy=True)
    kept[~keep.to_numpy(dtype=bool)] = None
    return pd.Series(kept, index=values.index, dtype=object)


def within(rows: pd.DataFrame, window: Window | None) -> pd.Series[bool]:
    """Which rows lie in `window`: start included, end excluded; without a window, all."""
    if window is None:
        return pd.Series(True, index=rows.index, dtype=bool)
    inside: pd.Series[bool] = (rows["time"] >= window.start) & (rows["time"] < window.end)
    return inside


def each_distinct(
    rows: pd.DataFrame, columns: Iterable[str], work: Callable[..., tuple[object, ...]], names: Iterable[str]
) -> pd.DataFrame:
    """`rows` with columns `names`: what `work` gives for `columns`, asked once per distinct combination.

    A million calls of one function differ in little more than their time; their JSON is read once.
    """
    columns, names = list(columns), list(names)
    group = rows.groupby(columns, dropna=False, sort=False).ngroup()
    first = plain(rows.loc[~group.duplicated(), columns])
    results = [work(*values) for values in first.itertuples(index=False, name=None)]
    added = {
        name: pd.Series([one[at] for one in results], dtype=object).reindex(group.to_numpy()).to_numpy()
        for at, name in enumerate(names)
    }
    return rows.assign(**added)


def _none() -> pd.DataFrame:
    empty = pd.DataFrame({name: pd.Series(dtype=object) for name in EVENT_COLUMNS})
    return empty.assign(time=pd.Series(dtype="datetime64[us, UTC]"))


def _shaped(rows: pd.DataFrame) -> pd.DataFrame:
    if rows.empty:
        return _none()
    rows = rows.drop(columns=["resource_uid"]).rename(columns=RENAMED)
    rows["ref"] = rows["evidence_id"] + ":" + rows["record_no"].astype("int64").astype(str)
    rows["time"] = rows["time"].dt.as_unit("us")
    rows["outcome_detail"] = rows["status_detail"].str.split(":", n=1).str[0]
    return plain(rows)[list(EVENT_COLUMNS)]


def _principal(*actor: str | None) -> tuple[object, ...]:
    found = principal_of(*actor)
    return found.name, found.kind, found.via, found.is_user


def _with_operations(rows: pd.DataFrame) -> pd.DataFrame:
    known = {place: load_operations().operations[place] for place in rows["place"].unique()}

    def told(say: Callable[[Operation], object]) -> pd.Series[Any]:
        return rows["place"].map({place: say(one) for place, one in known.items()})

    return rows.assign(
        phase=told(lambda one: one.phase),
        operation_base=told(lambda one: one.operation),
        resource_type=told(lambda one: one.resource_type),
        attack=told(lambda one: list(one.attack)),
        # Answers of reads and runs differ each time and tell nothing here; refusals name the resource.
        response=kept_where(told(_needs_response), rows["response"]),
        detail=kept_where(rows["status"] == "failure", rows["status_detail"]),
    )


def _needs_response(operation: Operation) -> bool:
    in_response = any(path.startswith("responseElements") for path in operation.resource_keys)
    # what a grant added to a policy stands in Google's answer
    told_there = in_response or operation.platform in (*TELLS_GRANTS, "gcp")
    return operation.phase in CHANGING_PHASES or (operation.phase == "identity" and told_there)


def _with_resources(rows: pd.DataFrame, own: Own) -> pd.DataFrame:
    def facts(
        place: int, provider: str | None, account: str | None, region: str | None, name: str | None, uid: str | None,
        status: str | None, detail: str | None, request: str | None, response: str | None,
    ) -> tuple[object, ...]:  # fmt: skip
        operation, failed = load_operations().operations[place], status == "failure"
        asked, answered = json_record(request), json_record(response)
        call = Call(operation, asked, answered, account, region, name, uid, failed, detail, own)
        return astuple(cloud_of(provider).facts(call))

    told_by = (
        *("place", "cloud_provider", "cloud_account_uid", "cloud_region", "resource_name", "resource_uid", "status"),
        *("detail", "request", "response"),
    )
    return each_distinct(rows, told_by, facts, ("resource", "uid", "exposure", "endpoint", TOUCHED, ROLE, PASSED))


def _applies(rows: pd.DataFrame) -> pd.Series[bool]:
    """Which rows meet the condition that the catalogue sets for their operation.

    Everybody assumes roles and asks who they are; it matters where a function, or the role of one, is in it.
    """
    roles = {short_name("iam", role) for role in rows[ROLE].dropna()}
    by_function = rows["actor_invoked_by"] == "lambda.amazonaws.com"
    assumed = rows["operation_base"] == "AssumeRole"
    asked_who = rows["operation_base"] == "GetCallerIdentity"
    # a function app's log holds every line that its host and its runs write
    not_of_a_run = (rows["operation_base"] == FUNCTION_LOG) & rows[CORRELATED].isna()
    applies: pd.Series[bool] = ~assumed & ~asked_who & ~not_of_a_run
    applies |= assumed & (by_function | rows["resource"].isin(roles))
    applies |= asked_who & rows["principal"].isin(roles)
    return applies
