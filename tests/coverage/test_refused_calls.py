"""A call of our own collection that was refused is a blind spot, until the same question is answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.coverage.test_coverage import WINDOW, reading
from tests.scoping.events import at, tables

from playbooks.case import Case, CaseFile
from playbooks.coverage import coverage


def asked(seconds: float, status: str, operation: str = "GetPolicy", **more: object) -> dict[str, object]:
    row = {"time": at(seconds), "format": "acquired_answers", "source": "aws", "cloud_region": "eu-central-1"}
    return {**row, "api_service_name": "lambda", "api_operation": operation, "status": status, **more}


def refused_spots(folder: Path, *rows: dict[str, object]) -> list[dict[str, Any]]:
    case = Case(folder, CaseFile.model_validate({"case_id": "COV-1"}))
    found = coverage(case, [], tables(folder / "events", acquired_answers=list(rows)), ())
    return [spot for spot in found["blind_spots"] if spot["id"].startswith("refused-")]


def test_refused_and_failed_calls_are_named_with_their_records(tmp_path: Path) -> None:
    (spot,) = refused_spots(
        tmp_path,
        asked(0, "answered"),
        asked(1, "refused", "ListTags", request='{"Resource":"a"}'),
        asked(2, "failed", "ListTags", request='{"Resource":"b"}'),
        asked(3, "refused", "GetAccountSettings"),
        asked(4, "absent", "GetFunctionUrlConfig"),
    )
    assert spot == {
        "id": "refused-aws",
        "missing": "answers to 3 calls of our own collection: lambda ListTags (2), lambda GetAccountSettings (1)",
        "forbids": "that there is nothing where these calls would have looked",
        "how_established": "refused or failed, with the reason, in E001:2, E001:3, E001:4",
        "recommend": "Give the collector these rights, or have somebody ask who holds them; then acquire again.",
        "questions": (),
    }


def test_a_later_answer_settles_it_and_an_earlier_one_does_not(tmp_path: Path) -> None:
    assert refused_spots(tmp_path / "a", asked(0, "refused"), asked(1, "unchanged")) == []
    assert len(refused_spots(tmp_path / "b", asked(0, "answered"), asked(1, "refused"))) == 1
    other = asked(1, "answered", cloud_region="eu-west-1")
    assert len(refused_spots(tmp_path / "c", asked(0, "refused"), other)) == 1


def test_each_source_is_a_spot_of_its_own(tmp_path: Path) -> None:
    rows = [asked(0, "refused"), asked(1, "failed", source="siem", cloud_region=None)]
    assert [spot["id"] for spot in refused_spots(tmp_path, *rows)] == ["refused-aws", "refused-siem"]


def test_many_refusals_stay_one_sentence(tmp_path: Path) -> None:
    (spot,) = refused_spots(tmp_path, *(asked(n, "refused", f"GetThing{n:02d}") for n in range(25)))
    assert spot["missing"].startswith("answers to 25 calls of our own collection: ")
    assert spot["missing"].endswith(" and 15 more kinds")
    assert spot["how_established"].endswith("E001:10, …")


def test_acquired_answers_have_no_silent_hours(tmp_path: Path) -> None:
    case = Case(tmp_path, CaseFile.model_validate({"case_id": "COV-1", "window": WINDOW}))
    read = [
        reading(1, "aws.jsonl", "acquired_answers", "acquired_answers", 1),
        reading(2, "conn.log", "zeek_conn", "network_activity", 1),
    ]
    found = coverage(case, read, tables(tmp_path / "events", acquired_answers=[asked(0, "answered")]), ())
    assert [spot["id"] for spot in found["blind_spots"] if spot["id"].startswith(("gap-", "quiet-"))] == [
        "quiet-zeek_conn-network_activity"
    ]
