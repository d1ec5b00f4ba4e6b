"""What is new against the baseline, and what is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.scoping.cloud_case import BASELINE, CI, MALLORY, by_role, by_user, case_of, event, tables_of

from playbooks.scoping.baseline_habits import user_agent_family
from playbooks.scoping.cloud_activity import cloud_activity, small_baseline

USUAL = {"functionName": "billing"}
READER = by_user("reader")
HABIT = [
    event("03-03 09:00", "UpdateFunctionCode20150331v2", USUAL),
    event("03-04 10:00", "ListBuckets", who=READER),
]


def judged(tmp_path: Path, *records: dict[str, Any]) -> list[tuple[float, list[str]]]:
    tables = tables_of(tmp_path, [*HABIT, *records])
    rows = cloud_activity(tables, case_of(tmp_path, baseline=BASELINE))
    return list(zip(rows["novelty"], rows["reasons"], strict=True))


def test_what_the_pipeline_does_every_week_is_not_new(tmp_path: Path) -> None:
    later_session = by_role("ci-deployer", "build-9000")
    newer_client = {"http_request_user_agent": "aws-cli/2.16.1 md/command#lambda"}
    routine = event("03-10 09:00", "UpdateFunctionCode20150331v2", USUAL, later_session, **newer_client)
    assert judged(tmp_path, routine) == [(0.0, [])]


@pytest.mark.parametrize(
    ("record", "novelty", "reasons"),
    [
        (
            event("03-11 02:14", "UpdateFunctionCode20150331v2", USUAL, MALLORY),
            0.5,
            ["identity mallory makes no call in the baseline"],
        ),
        (
            event("03-11 02:14", "UpdateFunctionCode20150331v2", USUAL, READER),
            0.35,
            ["identity reader did no modify-code before (baseline: none)"],
        ),
        (
            event("03-11 02:14", "UpdateFunctionCode20150331v2", {"functionName": "relay"}),
            0.1,
            ["resource relay (function) is not in the baseline"],
        ),
        (
            event("03-11 02:14", "UpdateFunctionCode20150331v2", USUAL, src_endpoint_ip="198.51.100.9"),
            0.15,
            ["address 198.51.100.9 is new for ci-deployer (baseline: 192.0.2.10)"],
        ),
        (
            event("03-11 02:14", "UpdateFunctionCode20150331v2", USUAL, src_endpoint_ip="cloudformation.amazonaws.com"),
            0.0,
            [],
        ),
        (
            event("03-11 02:14", "UpdateFunctionCode20150331v2", USUAL, http_request_user_agent="Boto3/1.34 x"),
            0.2,
            ["client Boto3/1 is new for ci-deployer (baseline: aws-cli/2)"],
        ),
        (
            event("03-11 02:14", "UpdateFunctionCode20150331v2", USUAL, cloud_region="ap-south-1"),
            0.25,
            ["region ap-south-1 was not used before (baseline: eu-central-1)"],
        ),
    ],
)
def test_each_kind_of_news_has_its_weight_and_reason(
    tmp_path: Path, record: dict[str, Any], novelty: float, reasons: list[str]
) -> None:
    assert judged(tmp_path, record) == [(novelty, reasons)]


def test_refused_calls_in_the_hour_before_count_and_errors_of_use_do_not(tmp_path: Path) -> None:
    denied = {"denied": "AccessDenied: User is not authorized"}
    records = [
        event("03-11 02:00", "ListBuckets", who=MALLORY, **denied),
        event("03-11 02:05", "ListBuckets", who=CI, denied="InvalidParameterValueException: role cannot be assumed"),
        event("03-11 02:10", "UpdateFunctionCode20150331v2", USUAL, MALLORY),
        event("03-11 02:11", "UpdateFunctionCode20150331v2", USUAL, CI),
        event("03-11 03:01", "UpdateFunctionCode20150331v2", USUAL, MALLORY),
    ]
    new = "identity mallory makes no call in the baseline"
    refused = "1 refused call(s) by the same principal in the 60 minutes before"
    assert judged(tmp_path, *records) == [(0.7, [new, refused]), (0.0, []), (0.5, [new])]


def test_a_principal_that_is_refused_every_week_is_not_told_apart_by_it(tmp_path: Path) -> None:
    denied = {"who": CI, "denied": "AccessDenied: User is not authorized"}
    records = [
        event("03-04 09:00", "ListBuckets", **denied),
        event("03-11 02:00", "ListBuckets", **denied),
        event("03-11 02:10", "UpdateFunctionCode20150331v2", USUAL),
    ]
    assert judged(tmp_path, *records) == [(0.0, [])]


def test_without_a_baseline_nothing_is_called_new(tmp_path: Path) -> None:
    denied = event("03-11 02:00", "ListBuckets", who=MALLORY, denied="AccessDenied")
    change = event("03-11 02:10", "UpdateFunctionCode20150331v2", USUAL, MALLORY)
    rows = cloud_activity(tables_of(tmp_path, [*HABIT, denied, change]), case_of(tmp_path))
    assert rows["novelty"].isna().all()
    assert list(rows["reasons"]) == [["1 refused call(s) by the same principal in the 60 minutes before"]]


def test_records_of_the_window_are_no_baseline_where_both_overlap(tmp_path: Path) -> None:
    overlapping = {"start": BASELINE["start"], "end": case_of(tmp_path).config.window.end}  # type: ignore[union-attr]
    change = event("03-11 02:10", "UpdateFunctionCode20150331v2", USUAL, MALLORY)
    rows = cloud_activity(tables_of(tmp_path, [*HABIT, change]), case_of(tmp_path, baseline=overlapping))
    assert list(rows["novelty"]) == [0.5]


def test_a_small_baseline_is_said_to_be_small(tmp_path: Path) -> None:
    few = tables_of(tmp_path / "few", HABIT)
    many = [event(f"03-0{1 + n % 9} 09:{n // 9:02d}", "UpdateFunctionCode20150331v2", USUAL) for n in range(120)]
    assert small_baseline(few, case_of(tmp_path, baseline=BASELINE)) == (
        "Small baseline (2026-03-01 00:00 UTC to 2026-03-10 00:00 UTC): 1 control-plane events over 0.0 days, "
        "fewer than 100 events or 7 days. Ordinary actions may be called new."
    )
    assert small_baseline(tables_of(tmp_path / "many", many), case_of(tmp_path, baseline=BASELINE)) is None
    assert small_baseline(few, case_of(tmp_path)) is None


@pytest.mark.parametrize(
    ("user_agent", "family"),
    [
        ("aws-cli/2.17.32 md/awscrt#0.21.2 ua/2.0 os/linux", "aws-cli/2"),
        ("[aws-cli/1.16 Python/3]", "aws-cli/1"),
        ("APN/1.0 HashiCorp/1.0 Terraform/1.1.2 (+https://www.terraform.io) x/3", "Terraform/1"),
        ("tool-name_1222242e-efe2-4641-a881-346fa54f41e1", "tool-name"),
        ("cloudformation.amazonaws.com", "cloudformation.amazonaws.com"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5"),
        ("", None),
        ("\x00", None),
        (None, None),
    ],
)
def test_user_agents_are_compared_by_tool_and_major_version(user_agent: str | None, family: str | None) -> None:
    assert user_agent_family(user_agent) == family
