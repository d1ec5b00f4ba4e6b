"""Logging settings as they were acquired: states at the moment of asking, for comparing with later changes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from playbooks.scoping.clouds.aws_names import short_name
from playbooks.scoping.clouds.record_json import json_object, text_at
from playbooks.scoping.logging_requests import WRITES, flag, selectors
from playbooks.scoping.logging_state import Days, Facet, Flag, Place, State

if TYPE_CHECKING:
    from playbooks.engine import Tables

ASKED = ("DescribeTrails", "GetTrailStatus", "GetEventSelectors", "DescribeLogGroups", "GetFunctionConfiguration")


@dataclass(frozen=True)
class Observed:
    """The state of one thing as an answer tells it; `key` as in `logging_changes`."""

    time: pd.Timestamp
    ref: str
    key: tuple[str, str | None, str | None, str, str]
    state: State


def observed(tables: Tables) -> Iterator[Observed]:
    """Every acquired answer that tells what was logged when it was asked."""
    asked = tables.acquired_answers
    rows = asked.filter(asked.api_operation.isin(ASKED), asked.status == "answered", asked.time.notnull())
    columns = ("api_operation", "cloud_account_uid", "cloud_region", "resource_name", "response")
    found = rows.select("evidence_id", "record_no", "time", *columns).order_by("evidence_id", "record_no").execute()
    for row in found.itertuples(index=False):
        content, ref = json_object(row.response), f"{row.evidence_id}:{row.record_no}"
        for kind, name, state in _states(row, content):
            region = None if kind == "trail" else _text(row.cloud_region)
            if state:
                yield Observed(row.time, ref, ("AWS", _text(row.cloud_account_uid), region, kind, name), state)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _states(row: Any, content: dict[str, object]) -> Iterator[tuple[str, str, State]]:
    asked_of = _text(row.resource_name) or ""
    if row.api_operation == "DescribeTrails":
        for one in _objects(content, "trailList"):
            yield "trail", text_at(one, "Name") or "", _trail(one)
    elif row.api_operation == "GetTrailStatus":
        on = flag(content.get("IsLogging"))
        yield "trail", short_name("cloudtrail", asked_of), {WRITES: Flag(on)} if on is not None else {}
    elif row.api_operation == "GetEventSelectors":
        yield "trail", short_name("cloudtrail", asked_of), selectors(content)
    elif row.api_operation == "DescribeLogGroups":
        for one in _objects(content, "logGroups"):
            yield "log group", text_at(one, "logGroupName") or "", _group(one)
    else:
        group = text_at(content, "LoggingConfig.LogGroup")
        name = short_name("lambda", asked_of)
        yield "function", name, {"log group": Place(group)} if group else {}


def _objects(content: Mapping[str, object], name: str) -> list[dict[str, object]]:
    listed = content.get(name)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def _trail(one: dict[str, object]) -> State:
    switches = {"all regions": "IsMultiRegionTrail", "digest files": "LogFileValidationEnabled"}
    state: dict[str, Facet] = {
        words: Flag(value) for words, path in switches.items() if (value := flag(one.get(path))) is not None
    }
    places = {"bucket": "S3BucketName", "log group": "CloudWatchLogsLogGroupArn"}
    return state | {words: Place(where) for words, path in places.items() if (where := text_at(one, path))}


def _group(one: dict[str, object]) -> State:
    days = text_at(one, "retentionInDays")
    number = float(days) if days and days.isascii() and days.isdigit() and len(days) < 9 else math.inf
    return {WRITES: Flag(True), "retention": Days(number)}
