"""The history of code hashes and settings: changed, changed back, or changed where no record tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from tests.scoping import events
from tests.scoping.cloud_case import MALLORY, at, case_of, event
from tests.scoping.test_passed_roles import answer

from playbooks import schema
from playbooks.scoping.code_changes import code_changes

PLACE = {"api_service_name": "lambda", "cloud_region": "eu-central-1"}


def call(time: str, operation: str, request: dict[str, Any] | None = None, **response: Any) -> dict[str, Any]:
    return event(time, operation, {"functionName": "billing", **(request or {})}, MALLORY, response=response)


def acquired(time: str, **content: Any) -> dict[str, Any]:
    return answer("GetFunctionConfiguration", "billing", content, time=at(time), **PLACE)


def history(tmp_path: Path, records: list[dict[str, Any]], answers: list[dict[str, Any]] | None = None) -> pd.DataFrame:
    tables = events.tables(tmp_path / "events", acquired_answers=answers or [], api_activity=records)
    frame = code_changes(tables, case_of(tmp_path))
    assert tuple(frame.columns) == schema.CODE_CHANGES.names
    return frame


def told(frame: pd.DataFrame, *names: str, aspect: str = "code_sha256") -> list[tuple[Any, ...]]:
    return [tuple(row) for row in frame[frame.aspect == aspect][list(names)].itertuples(index=False, name=None)]


def test_a_hash_that_comes_back_is_a_round_trip(tmp_path: Path) -> None:
    records = [
        call("03-10 08:00", "CreateFunction20150331", codeSha256="good"),
        call("03-10 09:00", "UpdateFunctionCode20150331v2", codeSha256="bad"),
        call("03-10 09:10", "PublishVersion20150331", codeSha256="bad", version="7"),
        call("03-10 09:20", "UpdateFunctionCode20150331v2", codeSha256="good"),
    ]
    frame = history(tmp_path, records)
    assert told(frame, "change", "before", "after", "before_ref", "ref", "principal") == [
        ("first seen", None, "good", None, "E002:1", "mallory"),
        ("changed", "good", "bad", "E002:1", "E002:2", "mallory"),
        ("returned", "bad", "good", "E002:3", "E002:4", "mallory"),
    ]
    assert frame.sentence[2] == (
        "code sha256 of billing: returned to good, which it had in E002:1 before bad (2026-03-10 09:20 UTC)"
    )
    assert told(frame, "change", "after", aspect="version") == [("first seen", "7")]


def test_a_hash_that_changed_although_no_record_sets_it_is_unexplained(tmp_path: Path) -> None:
    records = [
        call("03-10 08:00", "UpdateFunctionCode", codeSha256="one"),
        call("03-10 09:00", "UpdateFunctionConfiguration", codeSha256="two"),
    ]
    answers = [acquired("03-12 09:00", CodeSha256="three")]
    assert told(history(tmp_path / "a", records, answers), "change", "before_ref", "ref", "principal") == [
        ("first seen", None, "E002:1", "mallory"),
        ("unexplained", "E002:1", "E002:2", "mallory"),
        ("unexplained", "E002:2", "E001:1", None),
    ]
    silent = call("03-11 09:00", "UpdateFunctionCode")  # its answer shows no hash
    assert [row[0] for row in told(history(tmp_path / "b", [*records, silent], answers), "change")][2] == "changed"
    dry = call("03-11 09:00", "UpdateFunctionCode", {"dryRun": True})
    assert [row[0] for row in told(history(tmp_path / "c", [*records, dry], answers), "change")][2] == "unexplained"


def test_layers_role_and_log_group_have_a_history_too(tmp_path: Path) -> None:
    layer = "arn:aws:lambda:eu-central-1:999999999999:layer:x:1"
    records = [
        call("03-10 08:00", "CreateFunction", codeSha256="x", role="arn:aws:iam::1:role/a"),
        call("03-10 09:00", "UpdateFunctionConfiguration", {"layers": [layer]}, role="arn:aws:iam::1:role/b"),
        call("03-10 10:00", "UpdateAlias", {"name": "live", "functionVersion": "3"}),
        call("03-10 11:00", "UpdateAlias",
             {"name": "live", "routingConfig": {"additionalVersionWeights": {"7": 0.5}}}, functionVersion="3"),
    ]  # fmt: skip
    frame = history(tmp_path, records)
    assert told(frame, "change", "after", aspect="layers") == [("first seen", "none"), ("changed", layer)]
    assert told(frame, "change", "after", aspect="role")[1] == ("changed", "arn:aws:iam::1:role/b")
    assert told(frame, "change", "after", aspect="alias live") == [("first seen", "3"), ("changed", "3 and 7 (0.5)")]


def test_other_versions_other_accounts_and_refusals_are_other_things(tmp_path: Path) -> None:
    records = [
        call("03-10 08:00", "UpdateFunctionCode", codeSha256="one"),
        {**call("03-10 09:00", "UpdateFunctionCode", codeSha256="two"), "cloud_account_uid": "999999999999"},
        {**call("03-10 10:00", "UpdateFunctionCode", codeSha256="two"), "status": "failure"},
    ]
    answers = [acquired("03-12 09:00", CodeSha256="old") | {"resource_name": "billing:3"}]
    assert told(history(tmp_path, records, answers), "change") == [("first seen",), ("first seen",)]


def test_hostile_answers_stop_nothing(tmp_path: Path) -> None:
    deep = "[" * 100_000
    shapes = [deep, "7", json.dumps({"layers": {"arn": [1]}, "codeSha256": ["\ud800"], "version": {}}),
              json.dumps({"routingConfig": {"additionalVersionWeights": {"a": {"b": []}}}, "name": 3})]  # fmt: skip
    names = ("CreateFunction", "UpdateFunctionCode", "PublishVersion", "UpdateAlias")
    records = [event("03-10 09:00", name, shape, response=shape) for name in names for shape in shapes]
    answers = [acquired("03-12 09:00") | {"response": shape} for shape in shapes]
    assert len(history(tmp_path, records, answers)) >= 0
