"""One event model of the control plane: who did what to which resource, with what outcome.

Below the questions: it reads every operation that `knowledge` lists, over all records, and judges nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from playbooks import schema
from playbooks.case import Window
from playbooks.case_file import Own
from playbooks.engine import parked
from playbooks.knowledge.operations import Operation, load_operations
from playbooks.scoping.asked_once import ASKED, answers_of, asked_once, with_answers
from playbooks.scoping.clouds import ACTOR_COLUMNS, Call, Facts, cloud_of, principal_of
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
# Those of AWS, of Google (`google.rpc.Code`), Resource Manager and Microsoft Graph, and the status of HTTP that some
# logs state alone (10000 is Cloudflare's own "Authentication error").
REFUSALS = (
    r"access ?denied|unauthorized|not authorized|forbidden|invalidclienttokenid|signaturedoesnotmatch"
    r"|permission[ _]?denied|unauthenticated|authorizationfailed|authorization_requestdenied|insufficient privileges"
    r"|^(?:401|403|10000)(?:[^0-9]|$)"
)
CODE_IN_JSON = r'"code"\s*:\s*"([^"]+)"'  # an error of Resource Manager, where it is the whole of the detail
# Beside the columns of `schema.CLOUD_ACTIVITY`: ids of the functions that a change's request names, the role that a
# function was given or has, the one that the call itself gave it, kinds of triggers that it sets, and their times.
TOUCHED = "functions_touched"
ROLE = "role"
PASSED = "role_passed"
TRIGGERS = "triggers"
SCHEDULE = "schedule"
TOLD_PHASE = "phase_told"
TELLS_GRANTS = ("azure", "m365", "gcp")  # whose answers, or modified properties, tell what a grant gives
FUNCTION_LOG = "Microsoft.Web/sites/functions/log"
JUDGED = (  # what questions add
    *("allowed_by", "change_ref", "novelty", "reasons", "novelty_dimensions", "novelty_untold", "set_apart"),
    "collector",
)
BESIDE = (TOUCHED, ROLE, PASSED, TRIGGERS, SCHEDULE)
EVENT_COLUMNS = (*(name for name in schema.CLOUD_ACTIVITY.names if name not in JUDGED), *BESIDE)

TEXT, TEXTS = pa.string(), pa.list_(pa.string())
PRINCIPAL = {"principal": TEXT, "principal_type": TEXT, "via": TEXT, "by_user": pa.bool_()}
FACTS = {
    "resource": TEXT,
    "uid": TEXT,
    "exposure": TEXT,
    "endpoint": TEXT,
    TOUCHED: TEXTS,
    ROLE: TEXT,
    PASSED: TEXT,
    TRIGGERS: TEXTS,
    SCHEDULE: TEXT,
    TOLD_PHASE: TEXT,
}
FACT_NAMES = tuple(one.name for one in fields(Facts))
TOLD_BY = (
    *("place", "cloud_provider", "cloud_account_uid", "cloud_region", "resource_name", "resource_uid", "status"),
    *("detail", "request", "response"),
)
SAME = ("metadata_uid", "time", "api_operation", "actor_user_uid", "src_endpoint_ip")
ROLE_NAME = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)  # what IAM allows
AT_ONCE = 100  # names in one pattern
OF_A_RECORD = ("operation", "resource", "principal", "exposure")  # what orders several events of one record


def read_events(tables: Tables, own: Own) -> pd.DataFrame:
    """`control_plane` as a frame, in order of time and record: for small records, and tests."""
    return framed(control_plane(tables, own))


def control_plane(tables: Tables, own: Own) -> ir.Table:
    """Every catalogued operation, once.

    Returns
    -------
    ibis.expr.types.Table
        Columns of `schema.CLOUD_ACTIVITY` except those of `JUDGED`, with `TOUCHED`, `ROLE`, `PASSED`, `TRIGGERS` and
        `SCHEDULE`; rows in no promised order, see `in_order`.
    """
    rows = one_operation(_once(_catalogued(tables.api_activity)))
    rows = rows.mutate(detail=(rows.status == "failure").ifelse(rows.status_detail, None))
    rows = asked_once(rows, ACTOR_COLUMNS, _principal, PRINCIPAL)
    assumed = (rows.operation_base == "AssumeRole").fill_null(False)
    others = rows.filter(~assumed)
    told = answers_of(others, TOLD_BY, _facts_for(own), FACTS)
    roles = {short_name("iam", role) for role in told[ROLE].unique().to_pylist() if role}
    mine = _by_roles(rows.filter(assumed), roles)
    return _shaped(with_answers(others, TOLD_BY, told), roles).union(
        _shaped(asked_once(mine, TOLD_BY, _facts_for(own), FACTS), roles)
    )


def in_order(events: ir.Table) -> ir.Table:
    """Events in order of time and record."""
    return events.order_by(order_of(events))


def order_of(events: ir.Table) -> list[ir.Value]:
    """What events are ordered by: time, evidence item, record."""
    item = events.ref.re_extract(r"^[^0-9:]*([0-9]+)", 1).try_cast("int64").fill_null(0)
    number = events.ref.re_extract(r"([0-9]+)$", 1).try_cast("int64")
    return [events.time, item, number, *(events[name] for name in OF_A_RECORD if name in events.columns)]


def framed(events: ir.Table) -> pd.DataFrame:
    """Events as a frame, in order of time and record."""
    rows: pd.DataFrame = in_order(events).to_pyarrow().to_pandas()
    lists = [name for name, kind in events.schema().items() if kind.is_array()]
    held = {name: [None if value is None else list(value) for value in rows[name]] for name in lists}
    return plain(rows.assign(**{name: pd.Series(held[name], index=rows.index, dtype=object) for name in lists}))


def inside(rows: ir.Table, window: Window | None) -> ir.Table:
    """The rows that lie in `window`: start included, end excluded; without a window, all."""
    return rows.filter(rows.time >= window.start, rows.time < window.end) if window else rows


def _catalogued(events: ir.Table) -> ir.Table:
    """The records of operations that the catalogue holds, with its facts; no more of a record than is looked at."""
    import ibis

    known = _known_operations(events)
    names = sorted(set(known[f"{ASKED}api_operation"].to_pylist()))
    # the engine drops what no catalogued operation is called; the service is compared on what is left
    wanted = events.filter(events.api_operation.isin(names)).select(*READ_COLUMNS)
    rows = with_answers(wanted, OPERATION_COLUMNS, known)
    rows = rows.filter(rows.place.notnull())
    # answers of reads and runs differ each time and tell nothing here; refusals name the resource
    item = rows.evidence_id.re_extract(r"([0-9]+)", 1).try_cast("int64").fill_null(0)
    ref = rows.evidence_id.concat(":", rows.record_no.cast("string"))
    return parked(
        rows.mutate(response=rows.answer.ifelse(rows.response, ibis.null("string")), item=item, ref=ref).drop("answer")
    )


def _known_operations(events: ir.Table) -> pa.Table:
    """Spellings in the records that the catalogue holds, with what it says of each operation."""
    catalogue = load_operations()
    places = {operation: place for place, operation in enumerate(catalogue.operations)}

    def found(provider: str | None, service: str | None, logged: str | None, base: str | None) -> tuple[object, ...]:
        one = catalogue.find(provider, service, logged, base) if provider and logged else None
        if one is None:
            return (None,) * 6
        return places[one], one.phase, one.operation, one.resource_type, list(one.attack), _needs_response(one)

    facts = {"place": pa.int64(), "phase": TEXT, "operation_base": TEXT, "resource_type": TEXT, "attack": TEXTS}
    told = answers_of(events, OPERATION_COLUMNS, found, facts | {"answer": pa.bool_()})
    return told.filter(told["place"].is_valid())


def _once(rows: ir.Table) -> ir.Table:
    """Each event once although several items of evidence hold it: the first of them.

    The log's own event id decides, together with time, operation and actor: an id alone can be masked or
    forged, and a forged one must not hide another event.
    """
    import ibis

    uids = rows.group_by("metadata_uid").agg(copies=rows.count()).filter(lambda one: one.copies > 1)
    named = rows.semi_join(uids, "metadata_uid").select("evidence_id", "record_no", "item", *SAME)  # no null among them
    # one record of Workspace shares a file with several people, and is several events that are alike
    named = named.mutate(nth=ibis.row_number().over(group_by=("evidence_id", "record_no", *SAME)))
    again = named.mutate(copy=ibis.row_number().over(group_by=(*SAME, "nth"), order_by=["item", "record_no"]))
    again = again.filter(again.copy > 0).select("evidence_id", "record_no")
    found = again.to_pyarrow()
    return rows.anti_join(ibis.memtable(found), ["evidence_id", "record_no"]) if len(found) else rows


def _needs_response(operation: Operation) -> bool:
    in_response = any(path.startswith("responseElements") for path in operation.resource_keys)
    told_there = in_response or operation.platform in TELLS_GRANTS
    return operation.phase in CHANGING_PHASES or (operation.phase == "identity" and told_there)


def _principal(*actor: str | None) -> tuple[object, ...]:
    found = principal_of(*actor)
    return found.name, found.kind, found.via, found.is_user


def _facts_for(own: Own) -> Callable[..., tuple[object, ...]]:
    def facts(
        place: int, provider: str | None, account: str | None, region: str | None, name: str | None, uid: str | None,
        status: str | None, detail: str | None, request: str | None, response: str | None,
    ) -> tuple[object, ...]:  # fmt: skip
        operation, failed = load_operations().operations[place], status == "failure"
        asked, answered = json_record(request), json_record(response)
        call = Call(operation, asked, answered, account, region, name, uid, failed, detail, own)
        told = cloud_of(provider).facts(call)
        return tuple(getattr(told, name) for name in FACT_NAMES)

    return facts


def _by_roles(assumed: ir.Table, roles: Iterable[str]) -> ir.Table:
    """Calls that assume a role, without most of those that `_applies` would drop: their session is new each time.

    A text with an escape may hold any name.
    """
    parts = ("request", "response", "resource_name", "resource_uid", "detail")
    text = assumed.request.fill_null("").concat(*(assumed[name].fill_null("") for name in parts[1:]))
    perhaps = _by_function(assumed) | text.contains("\\")
    names = sorted(set(roles))
    plain_names = [re.escape(name) for name in names if ROLE_NAME.fullmatch(name)]
    for start in range(0, len(plain_names), AT_ONCE):
        perhaps |= text.re_search("|".join(plain_names[start : start + AT_ONCE]))
    for name in (name for name in names if not ROLE_NAME.fullmatch(name)):
        perhaps |= text.contains(name)
    return assumed.filter(perhaps)


def _by_function(rows: ir.Table) -> ir.BooleanValue:
    return (rows.actor_invoked_by == "lambda.amazonaws.com").fill_null(False)


def _applies(rows: ir.Table, roles: Iterable[str]) -> ir.BooleanValue:
    """Which rows meet the condition that the catalogue sets for their operation.

    Everybody assumes roles and asks who they are; it matters where a function, or the role of one, is in it.
    """
    mine = sorted(set(roles))
    assumed, asked_who = rows.operation_base == "AssumeRole", rows.operation_base == "GetCallerIdentity"
    of_role, by_role = (rows[name].isin(mine).fill_null(False) for name in ("resource", "principal"))
    # a function app's log holds every line that its host and its runs write
    not_of_a_run = (rows.operation_base == FUNCTION_LOG) & rows[CORRELATED].isnull()
    return (~assumed & ~asked_who & ~not_of_a_run) | (assumed & (_by_function(rows) | of_role)) | (asked_who & by_role)


def _shaped(rows: ir.Table, roles: Iterable[str]) -> ir.Table:
    rows = rows.filter(_applies(rows, roles)).drop("resource_uid")
    rows = rows.rename({new: old for old, new in RENAMED.items()})
    rows = _as_told(rows)
    detail = rows.status_detail
    code = detail.startswith("{").ifelse(detail.re_extract(CODE_IN_JSON, 1).nullif(""), None)
    return rows.mutate(outcome_detail=code.coalesce(detail.split(":")[0])).select(*EVENT_COLUMNS)


def _as_told(rows: ir.Table) -> ir.Table:
    """`rows` with the phase that the record shows; techniques of an operation hold only where its condition does."""
    import ibis

    other = rows[TOLD_PHASE].notnull()
    none = ibis.literal([], "array<string>")
    return rows.mutate(phase=rows[TOLD_PHASE].fill_null(rows.phase), attack=other.ifelse(none, rows.attack))


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
