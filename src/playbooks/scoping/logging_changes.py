"""Changes of what is logged or watched: each compared with the state before, and with when it was undone.

A call that adds to what is recorded is no tampering; one that takes away is, whatever it is called. The state before
comes from earlier records (baseline included) and from answers acquired before the change; where neither tells it, the
effect is *unknown* unless the call itself ends something.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import ibis
import pandas as pd

from playbooks import schema
from playbooks.knowledge.operations import base_name
from playbooks.scoping.clouds import ACTOR_COLUMNS, principal_of
from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.clouds.record_json import json_object, plain_text, text_at
from playbooks.scoping.control_plane import once, plain, within
from playbooks.scoping.logging_elsewhere import PARTS, elsewhere
from playbooks.scoping.logging_observed import observed
from playbooks.scoping.logging_requests import ACTS
from playbooks.scoping.logging_state import LESS, MORE, SAME, UNKNOWN, Difference, Facet, Flag, compare, covers, said
from playbooks.scoping.logging_told import LogRecord, Told
from playbooks.scoping.one_operation import FURTHER, one_operation

if TYPE_CHECKING:
    from playbooks.case import Case
    from playbooks.engine import Tables

CREATING = ("create", "google.logging.v2.configservicev2.create")  # how operations begin that set something up
COLUMNS = (
    *("evidence_id", "record_no", "time", "api_operation", "api_service_name", *ACTOR_COLUMNS, "cloud_region"),
    *("resource_name", "resource_uid", "status", "status_detail", "request", "response", "metadata_uid"),
    *("metadata_correlation_uid", "src_endpoint_ip", "http_request_user_agent"),
)
Key = tuple[str, str | None, str | None, str, str]  # provider, account, region, kind, name


@dataclass
class Thing:
    """What is known of one thing at a moment: its facets, each with the record that tells it."""

    state: dict[str, Facet] = field(default_factory=dict)
    told_by: dict[str, str] = field(default_factory=dict)
    open: list[tuple[dict[str, Any], dict[str, Facet]]] = field(default_factory=list)  # rows with what they lost


def logging_changes(tables: Tables, case: Case) -> pd.DataFrame:
    """Every change of a log in the window, judged with all records before and after it.

    Returns
    -------
    pandas.DataFrame
        Exactly the columns of `schema.LOGGING_CHANGES`, in order of time and record.
    """
    frame = all_logging_changes(tables)
    return frame[within(frame, case.config.window)].reset_index(drop=True)


def all_logging_changes(tables: Tables) -> pd.DataFrame:
    """The same over all records, also those outside the window: what was stopped before it may still be."""
    things: dict[Key, Thing] = defaultdict(Thing)
    rows = [row for step in _steps(tables) for row in _walked(step, things)]
    frame = pd.DataFrame(rows, columns=list(schema.LOGGING_CHANGES.names))
    for name in ("time", "until"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return plain(frame)


@dataclass(frozen=True)
class Step:
    """One record or acquired answer, and what it sets of which thing."""

    time: pd.Timestamp
    ref: str
    key: Key
    told: Told
    record: dict[str, Any] | None


def _steps(tables: Tables) -> list[Step]:
    seen = observed(tables)
    answers = [Step(one.time, one.ref, one.key, Told(one.key[3], one.key[4], one.state), None) for one in seen]
    return sorted([*_recorded(tables), *answers], key=lambda step: step.time)


def _recorded(tables: Tables) -> Iterator[Step]:
    api = tables.api_activity
    base = api.api_operation.re_replace(r"20[0-9]{6}(v[0-9]+)?$", "")
    names = sorted({name.partition(":")[2] for name in ACTS})
    lower = api.api_operation.lower() + " " + api.api_service_name.fill_null("").lower()
    maybe = (api.cloud_provider == "AWS") & base.isin(names)
    for provider, parts in PARTS.items():
        maybe |= (api.cloud_provider == provider) & ibis.or_(*map(lower.contains, parts))
    wanted = api.filter(maybe)
    item = api.evidence_id.re_extract(r"(\d+)", 1).try_cast("int64").fill_null(0)
    ref = api.evidence_id + ":" + api.record_no.cast("string")
    rows = one_operation(wanted.select(*COLUMNS, place=api.api_operation.lower(), item=item, ref=ref)).drop(FURTHER)
    found: list[dict[str, Any]] = once(plain(rows.execute())).to_dict("records")  # type: ignore[assignment]
    for row in found:
        told = _told(row)
        if told is not None:
            region = None if told.kind == "trail" else row["cloud_region"]
            key = (row["cloud_provider"], row["cloud_account_uid"], region, told.kind, told.name or "")
            yield Step(row["time"], row["ref"], key, told, row)


def _told(row: dict[str, Any]) -> Told | None:
    if row["cloud_provider"] != "AWS":
        service, of = row["api_service_name"] or "", plain_text(row["resource_name"])
        asked = LogRecord(row["api_operation"].lower(), row["request"], row["response"], of, service)
        return elsewhere(row["cloud_provider"] or "", asked)
    service = str(row["api_service_name"] or "").removesuffix(".amazonaws.com")
    act = ACTS.get(f"{service}:{base_name(row['api_operation'])}")
    if act is None:
        return None
    request = json_object(row["request"])
    name = text_at(request, *act.name) or text_at(json_object(row["response"]), "detectorId", "name")
    short = short_name(service, name or plain_text(row["resource_name"]) or "")
    sets = act.sets(request)
    return Told(act.kind, short, sets, act.word) if sets else None


def _walked(step: Step, things: dict[Key, Thing]) -> Iterator[dict[str, Any]]:
    """Apply one step to what is known; a record of a change gives a row."""
    thing = things[step.key]
    if step.record is None:
        _learn(thing, step)
        return
    compared = {name: compare(name, thing.state.get(name), value) for name, value in step.told.sets.items()}
    new = base_name(step.record["api_operation"]).lower().startswith(CREATING) and step.told.word is None
    effect, change = (MORE, "set up") if new else _summed(list(compared.values()), step.told.word)
    if step.record["status"] == "failure":
        if effect not in (MORE, SAME):
            yield _row(step, SAME, "attempted", f"attempt that failed: {_sentence(step, change, compared)}", thing)
        return
    if new and step.told.kind == "function":  # what a function is created with is a state, no change
        _learn(thing, step)
        return
    row = _row(step, effect, change, _sentence(step, change, compared), thing)
    lost = {name: _lost(thing, name, step.told.sets[name]) for name, one in compared.items() if one.effect == LESS}
    _learn(thing, step)
    back = _restored(thing, step)
    if back:  # a place to which records go again is no loss
        lost = {name: value for name, value in lost.items() if name not in back}
        row |= {"change": "restored", "effect": LESS if lost else MORE}
    if row["effect"] == LESS and (held := {name: value for name, value in lost.items() if value is not None}):
        thing.open.append((row, held))
    yield row


def _sentence(step: Step, change: str, compared: dict[str, Difference]) -> str:
    words = "; ".join(one.words for one in compared.values() if one.effect != SAME) or "nothing changes"
    if change == "set up":
        words = ", ".join(f"{name} {said(value)}" for name, value in step.told.sets.items())
    return f"{_named(step)} {change}: {words}"


def _lost(thing: Thing, name: str, after: Facet) -> Facet | None:
    """What must come back before as much is recorded again; null where nobody knows."""
    return thing.state.get(name) or (Flag(True) if isinstance(after, Flag) else None)


def _learn(thing: Thing, step: Step) -> None:
    thing.state |= step.told.sets
    thing.told_by |= dict.fromkeys(step.told.sets, step.ref)


def _restored(thing: Thing, step: Step) -> set[str]:
    """Close what earlier rows lost and this step brings back; the facets that came back."""
    back: set[str] = set()
    still = []
    for earlier, lost in thing.open:
        if all(covers(thing.state.get(name), value) for name, value in lost.items()):
            earlier |= {"until": step.time, "until_ref": step.ref}
            back |= set(lost)
        else:
            still.append((earlier, lost))
    thing.open = still
    return back


def _summed(parts: list[Difference], word: str | None) -> tuple[str, str]:
    """One effect of a call that sets several things: less outweighs unknown, and unknown outweighs more."""
    for effect in (LESS, UNKNOWN, MORE):
        found = [one for one in parts if one.effect == effect]
        if found:
            return effect, word if effect == LESS and word else found[0].change
    return SAME, "unchanged"


def _named(step: Step) -> str:
    return f"{step.told.kind} {step.told.name}" if step.told.name else step.told.kind


def _row(step: Step, effect: str, change: str, sentence: str, thing: Thing) -> dict[str, Any]:
    record = step.record or {}
    before = {name: thing.state[name] for name in step.told.sets if name in thing.state}
    told_by = sorted({thing.told_by[name] for name in before})
    return {
        "ref": step.ref,
        "time": step.time,
        "provider": record.get("cloud_provider"),
        "operation": base_name(str(record.get("api_operation"))),
        "principal": principal_of(*(record.get(name) for name in ACTOR_COLUMNS)).name,
        "resource": step.told.name or None,
        "account": record.get("cloud_account_uid"),
        "region": record.get("cloud_region"),
        "outcome": record.get("status"),
        "effect": effect,
        "change": change,
        "sentence": sentence,
        "before": "; ".join(f"{name} {said(value)}" for name, value in before.items()) or None,
        "before_ref": told_by[0] if told_by else None,
        "after": "; ".join(f"{name} {said(value)}" for name, value in step.told.sets.items()),
        "until": None,
        "until_ref": None,
    }
