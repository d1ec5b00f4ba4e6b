"""CloudTrail as it was acquired: which trails there are, whether they write, and what their selectors record.

Answers are untrusted text: one that is not shaped as AWS shapes it gives fewer facts, never an error.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from playbooks.engine import Tables

FUNCTION_TYPE, OBJECT_TYPE = "AWS::Lambda::Function", "AWS::S3::Object"
EVERY = {FUNCTION_TYPE: ("arn:aws:lambda",), OBJECT_TYPE: ("arn:aws:s3", "arn:aws:s3:::")}
ASKED = ("DescribeTrails", "GetEventSelectors", "GetTrailStatus")
ALL, SOME, NONE = "all", "some", "none"


@dataclass(frozen=True)
class Told:
    """One answer: what was asked of which trail or region, and its content."""

    ref: str
    operation: str
    account: str
    region: str
    trail: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Trail:
    """A trail; what was not asked or not answered is null. `proof` are the answers that say so."""

    name: str
    arn: str
    account: str
    home: str
    multi_region: bool
    validated: bool
    logging: bool | None
    runs: str | None
    objects: str | None
    proof: tuple[str, ...]

    def covers(self, region: str | None) -> bool:
        """Whether the trail records a region."""
        return self.multi_region or self.home == region


def trails_of(tables: Tables) -> list[Trail]:
    """The trails that acquired answers tell of, each once, the newest answer about it."""
    told = list(_answers(tables))
    selectors = _by_trail(told, "GetEventSelectors")
    statuses = _by_trail(told, "GetTrailStatus")
    trails: dict[str, Trail] = {}
    for answer in told:
        for one in _mappings(answer.content.get("trailList")) if answer.operation == "DescribeTrails" else ():
            name, arn = str(one.get("Name") or ""), str(one.get("TrailARN") or "")
            selector = selectors.get((answer.account, arn)) or selectors.get((answer.account, name))
            status = statuses.get((answer.account, arn)) or statuses.get((answer.account, name))
            proof = [answer.ref, *(found.ref for found in (selector, status) if found)]
            trails[arn or name] = Trail(
                name,
                arn,
                answer.account,
                str(one.get("HomeRegion") or answer.region),
                one.get("IsMultiRegionTrail") is True,
                one.get("LogFileValidationEnabled") is True,
                _flag(status.content.get("IsLogging")) if status else None,
                _recorded(selector.content, FUNCTION_TYPE) if selector else None,
                _recorded(selector.content, OBJECT_TYPE) if selector else None,
                tuple(proof),
            )
    return [trails[key] for key in sorted(trails)]


def _answers(tables: Tables) -> Iterator[Told]:
    """Answers about trails in the order in which they were asked; what is unchanged, with the content it repeats."""
    asked = tables.acquired_answers
    columns = ("api_operation", "cloud_account_uid", "cloud_region", "resource_name", "status", "response", "same_as")
    rows = asked.filter(asked.api_operation.isin(ASKED)).select("evidence_id", "record_no", "time", *columns)
    ordered = rows.order_by("time", "evidence_id", "record_no").to_pyarrow().to_pylist()
    content = {f"{row['evidence_id']}:{row['record_no']}": row["response"] for row in ordered}
    for row in ordered:
        ref = f"{row['evidence_id']}:{row['record_no']}"
        held = row["response"] if row["status"] == "answered" else content.get(row["same_as"] or "")
        if row["status"] in ("answered", "unchanged") and held:
            place = (row["cloud_account_uid"] or "", row["cloud_region"] or "", row["resource_name"] or "")
            yield Told(ref, row["api_operation"], *place, _json(held))


def _by_trail(told: Iterable[Told], operation: str) -> dict[tuple[str, str], Told]:
    return {(one.account, one.trail): one for one in told if one.operation == operation}


def _json(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _recorded(content: Mapping[str, Any], kind: str) -> str | None:
    """Of which resources of a kind the selectors record data events; null where the answer holds no selectors."""
    if not any(isinstance(content.get(name), list) for name in ("EventSelectors", "AdvancedEventSelectors")):
        return None
    found = [_of_resources(one, kind) for one in _mappings(content.get("EventSelectors"))]
    found += [_of_fields(one, kind) for one in _mappings(content.get("AdvancedEventSelectors"))]
    return ALL if ALL in found else SOME if SOME in found else NONE


def _of_resources(selector: Mapping[str, Any], kind: str) -> str:
    half = selector.get("ReadWriteType") in ("ReadOnly", "WriteOnly")
    if selector.get("ReadWriteType") == "ReadOnly" and kind == FUNCTION_TYPE:  # running a function is a write
        return NONE
    values = [
        value
        for one in _mappings(selector.get("DataResources"))
        if one.get("Type") == kind and isinstance(one.get("Values"), list)
        for value in one["Values"]
    ]
    every = set(EVERY[kind]) & {str(value) for value in values} and (kind == FUNCTION_TYPE or not half)
    return ALL if every else SOME if values else NONE


def _of_fields(selector: Mapping[str, Any], kind: str) -> str:
    """An advanced selector: all of its conditions hold at once; further ones narrow it."""
    fields = {str(one.get("Field")): one for one in _mappings(selector.get("FieldSelectors"))}
    category, types = fields.get("eventCategory", {}), fields.get("resources.type", {})
    if category.get("Equals") != ["Data"] or types.get("Equals") != [kind]:
        return NONE
    if fields.get("readOnly", {}).get("Equals") == ["true"]:
        return NONE if kind == FUNCTION_TYPE else SOME
    narrowing = {"eventCategory", "resources.type"} | ({"readOnly"} if kind == FUNCTION_TYPE else set())
    return SOME if set(fields) - narrowing else ALL
