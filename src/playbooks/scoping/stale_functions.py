"""Functions that nobody touched for long: by their own answers (`LastModified`), and by no record of a change or run.

What nobody maintains is what an intruder likes: nobody misses it, nobody looks. An old function is no sign of misuse,
and one without a recorded run may run every hour where runs are not recorded.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks import schema
from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.clouds.record_json import json_object, text_at
from playbooks.scoping.control_plane import plain

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.case import Case
    from playbooks.engine import Tables

STALE_DAYS = 180  # two quarters: longer than most release cycles and leaves of absence
WHERE = {"ListFunctions": "Functions", "GetFunctionConfiguration": "", "GetFunction": "Configuration"}
CHANGES = ("create", "modify-code", "modify-config", "permission", "trigger")
Key = tuple[str, str | None, str | None]  # function, account, region


@dataclass(frozen=True)
class Listed:
    """One function as an answer shows it."""

    modified: pd.Timestamp
    asked: pd.Timestamp
    runtime: str | None
    ref: str


def stale_functions(tables: Tables, events: ir.Table, case: Case) -> pd.DataFrame:
    """Functions whose last change lies `STALE_DAYS` or more before the window, and that no record shows in use.

    Parameters
    ----------
    tables
        The events of the case; acquired answers are read.
    events
        Control-plane events over all time (`control_plane`).
    case
        Its window; without one, the time of the answer counts.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.STALE_FUNCTIONS`, the longest untouched first.
    """
    used = _last_acts(events)
    start = pd.Timestamp(case.config.window.start) if case.config.window else None
    rows = [_row(key, one, used, start) for key, one in sorted(_listed(tables).items(), key=lambda item: str(item[0]))]
    frame = pd.DataFrame([row for row in rows if row], columns=list(schema.STALE_FUNCTIONS.names))
    frame["last_modified"] = pd.to_datetime(frame["last_modified"], utc=True)
    return plain(frame.sort_values(["days", "function"], ascending=[False, True], kind="stable", ignore_index=True))


def functions_listed(tables: Tables) -> int:
    """How many functions the answers in evidence tell the last change of."""
    return len(_listed(tables))


def _listed(tables: Tables) -> dict[Key, Listed]:
    """The newest answer on each function."""
    asked = tables.acquired_answers
    wanted = asked.filter(asked.api_operation.isin(list(WHERE)), asked.status == "answered", asked.time.notnull())
    columns = ("api_operation", "cloud_account_uid", "cloud_region", "response")
    found = wanted.select("evidence_id", "record_no", "time", *columns).order_by("evidence_id", "record_no").execute()
    newest: dict[Key, Listed] = {}
    rows: Iterator[Any] = plain(found).itertuples(index=False)
    for row in rows:
        for told in _told(json_object(row.response), WHERE[row.api_operation]):
            name, modified = text_at(told, "FunctionName"), _moment(text_at(told, "LastModified"))
            if name and modified is not None:
                key = (short_name("lambda", name), row.cloud_account_uid, row.cloud_region)
                ref = f"{row.evidence_id}:{row.record_no}"
                one = Listed(modified, row.time, text_at(told, "Runtime"), ref)
                newest[key] = max(newest.get(key, one), one, key=lambda each: each.modified)
    return newest


def _told(answer: Mapping[str, object], where: str) -> list[dict[str, Any]]:
    value = answer.get(where) if where else answer
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, dict)]


def _moment(text: str | None) -> pd.Timestamp | None:
    """The time of `LastModified`; what is no time is nothing."""
    moment = pd.to_datetime(text, utc=True, errors="coerce") if text else pd.NaT
    return None if pd.isna(moment) else moment


def _last_acts(events: ir.Table) -> dict[str, dict[str, tuple[pd.Timestamp, str]]]:
    """Function → "changed" and "ran" → the last time, with its record."""
    wanted = events.filter(
        events.resource.notnull(), events.phase.isin([*CHANGES, "invoke"]), events.outcome != "failure"
    )
    rows = wanted.select("resource", "phase", "time", "ref").order_by("time", "ref").execute()
    last: dict[str, dict[str, tuple[pd.Timestamp, str]]] = defaultdict(dict)
    for resource, phase, time, ref in rows.itertuples(index=False, name=None):
        last[short_name("lambda", str(resource))]["ran" if phase == "invoke" else "changed"] = (time, str(ref))
    return last


def _row(
    key: Key, one: Listed, used: Mapping[str, Mapping[str, tuple[pd.Timestamp, str]]], start: pd.Timestamp | None
) -> dict[str, Any] | None:
    """Its row; none where it was changed, or is in use by a record."""
    until = start if start is not None else one.asked
    days = (until - one.modified).days
    acts = used.get(key[0], {})
    if days < STALE_DAYS or "ran" in acts or "changed" in acts:
        return None
    return {
        "function": key[0],
        "account": key[1],
        "region": key[2],
        "runtime": one.runtime,
        "last_modified": one.modified,
        "days": days,
        "sentence": (
            f"last changed {one.modified:%Y-%m-%d}, {days:,} days before "
            f"{'the window' if start is not None else 'it was asked'}; no change and no run of it is in the records"
        ),
        "refs": [one.ref],
    }
