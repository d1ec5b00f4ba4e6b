"""The four questions per function, and why one cannot be answered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.scoping.cloud_case import HOME, MALLORY, case_of, event, tables_of

from playbooks import schema
from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.function_lifecycle import resources
from playbooks.scoping.function_runs import data_events_seen, why_blind_to_runs

ARN = f"arn:aws:lambda:eu-central-1:{HOME}:function"
BILLING = {"functionName": "billing"}


def rows_of(tmp_path: Path, records: list[dict[str, Any]]) -> Any:
    tables, case = tables_of(tmp_path, records), case_of(tmp_path)
    table = resources(cloud_activity(tables, case), tables, case)
    assert tuple(table.columns) == schema.RESOURCES.names
    return table


def test_the_history_of_a_function_answers_who_did_what_and_when(tmp_path: Path) -> None:
    url = {"functionUrl": "https://abc.lambda-url.eu-central-1.on.aws/"}
    [row] = rows_of(
        tmp_path,
        [
            event("03-02 09:00", "CreateFunction20150331", BILLING, response={"functionArn": f"{ARN}:billing"}),
            event("03-10 09:00", "UpdateFunctionCode20150331v2", {"functionName": f"{ARN}:billing:live"}),
            event("03-11 02:14", "UpdateFunctionCode20150331v2", BILLING, MALLORY),
            event("03-11 02:15", "CreateFunctionUrlConfig", BILLING, MALLORY, response=url),
            event("03-11 02:16", "InvokeFunctionUrl", BILLING, MALLORY),
            event("03-11 02:17", "InvokeFunctionUrl", BILLING, MALLORY),
        ],
    ).to_dict("records")
    assert row == {
        "resource": "billing",
        "resource_type": "function",
        "resource_uid": f"{ARN}:billing",
        "account": HOME,
        "region": "eu-central-1",
        "first_seen": row["first_seen"],
        "last_seen": row["last_seen"],
        "created_by": "ci-deployer: CreateFunction 2026-03-02 09:00 UTC (E001:1)",
        "modified_by": "ci-deployer: UpdateFunctionCode 2026-03-10 09:00 UTC (E001:2); "
        "mallory: UpdateFunctionCode 2026-03-11 02:14 UTC (E001:3)",
        "permitted_by": "mallory: CreateFunctionUrlConfig 2026-03-11 02:15 UTC (E001:4)",
        "triggered_by": "none recorded from 2026-03-02 09:00 UTC to 2026-03-11 02:17 UTC",
        "invoked_by": "mallory: InvokeFunctionUrl 2 times, 2026-03-11 02:16 UTC to 2026-03-11 02:17 UTC "
        "(E001:5, E001:6)",
        "endpoints": ["abc.lambda-url.eu-central-1.on.aws"],
        "events": 6,
        "refs": ["E001:1", "E001:2", "E001:3", "E001:4", "E001:5", "E001:6"],
    }
    assert str(row["first_seen"]) == "2026-03-02 09:00:00+00:00"
    assert str(row["last_seen"]) == "2026-03-11 02:17:00+00:00"


def test_questions_without_records_say_why_they_have_no_answer(tmp_path: Path) -> None:
    [row] = rows_of(tmp_path, [event("03-10 09:00", "UpdateFunctionCode", BILLING)]).to_dict("records")
    assert row["created_by"] == (
        "not answerable because no record from 2026-03-10 09:00 UTC to 2026-03-10 09:00 UTC creates it: it was "
        "created before, or where no trail recorded it"
    )
    assert row["invoked_by"] == (
        "not answerable because the records hold no data events of this service: runs leave no other"
    )


def test_runs_of_other_functions_do_not_say_that_this_one_did_not_run(tmp_path: Path) -> None:
    records = [
        event("03-10 09:00", "UpdateFunctionCode", BILLING),
        event("03-10 10:00", "Invoke", {"functionName": "other"}),
    ]
    rows = rows_of(tmp_path, records).set_index("resource")
    assert rows.loc["billing", "invoked_by"] == (
        "not answerable because data events of other functions are recorded (2026-03-10 10:00 UTC to 2026-03-10 "
        "10:00 UTC) and none of this one; whether a selector covered it is not known"
    )
    assert rows.loc["other", "invoked_by"] == "ci-deployer: Invoke 2026-03-10 10:00 UTC (E001:2)"


def test_records_of_runs_alone_do_not_answer_who_changed_it(tmp_path: Path) -> None:
    [row] = rows_of(tmp_path, [event("03-10 10:00", "Invoke", BILLING)]).to_dict("records")
    assert row["modified_by"] == "not answerable because the records hold no management events of this service"


def test_failed_calls_are_attempts_and_create_nothing(tmp_path: Path) -> None:
    denied = {"denied": "AccessDenied: no"}
    records = [
        event("03-11 02:00", "CreateFunction20150331", BILLING, MALLORY, **denied),
        event("03-11 02:01", "UpdateFunctionCode20150331v2", BILLING, MALLORY, **denied),
    ]
    [row] = rows_of(tmp_path, records).to_dict("records")
    assert row["created_by"] == (
        "not answerable because every call to create it failed (mallory: CreateFunction 2026-03-11 02:00 UTC (E001:1))"
    )
    assert row["modified_by"] == (
        "none recorded from 2026-03-11 02:00 UTC to 2026-03-11 02:01 UTC; failed attempts: mallory: "
        "UpdateFunctionCode 2026-03-11 02:01 UTC (E001:2)"
    )


def test_a_rule_that_targets_a_function_is_a_trigger_of_both(tmp_path: Path) -> None:
    targets = {"rule": "nightly", "targets": [{"id": "1", "arn": f"{ARN}:billing:live"}]}
    rows = rows_of(tmp_path, [event("03-10 09:00", "PutTargets", targets, MALLORY)]).set_index("resource")
    answer = "mallory: PutTargets 2026-03-10 09:00 UTC (E001:1)"
    assert dict(rows["triggered_by"]) == {"billing": answer, "nightly": answer}
    assert dict(rows["resource_type"]) == {"billing": "function", "nightly": "rule"}


def test_namesakes_in_other_regions_and_accounts_are_other_functions(tmp_path: Path) -> None:
    records = [
        event("03-10 09:00", "UpdateFunctionCode", BILLING),
        event("03-10 09:00", "UpdateFunctionCode", BILLING, cloud_region="us-east-1"),
        event("03-10 09:00", "UpdateFunctionCode", BILLING, cloud_account_uid=None),
    ]
    rows = rows_of(tmp_path, records)
    assert sorted(map(str, zip(rows["account"], rows["region"], strict=True))) == [
        "('111111111111', 'eu-central-1')",
        "('111111111111', 'us-east-1')",
        "(None, 'eu-central-1')",
    ]


def test_what_the_window_touched_comes_first(tmp_path: Path) -> None:
    records = [
        event("03-02 09:00", "UpdateFunctionCode", {"functionName": "old"}),
        event("03-11 09:00", "UpdateFunctionCode", {"functionName": "touched"}),
        event("03-11 09:00", "ListFunctions20150331"),
        event("03-11 09:00", "CreateRole", {"roleName": "not-a-function"}),
    ]
    assert list(rows_of(tmp_path, records)["resource"]) == ["touched", "old"]


def test_data_events_are_counted_where_a_selector_had_to_be_set(tmp_path: Path) -> None:
    quiet = [event("03-10 09:00", "GetFunction", BILLING), event("03-10 09:01", "LambdaESMDisabled", BILLING)]
    quiet[1]["metadata_event_code"] = "Data"
    without = tables_of(tmp_path / "without", quiet)
    with_runs = tables_of(tmp_path / "with", [*quiet, event("03-10 09:02", "Invoke", BILLING)])
    seen = data_events_seen(without)["lambda.amazonaws.com"]
    assert (seen.management, seen.data, seen.first_data) == (2, 0, None)
    seen = data_events_seen(with_runs)["lambda.amazonaws.com"]
    assert (seen.management, seen.data, str(seen.first_data)) == (2, 1, "2026-03-10 09:02:00+00:00")
    assert why_blind_to_runs(with_runs) is None
    assert "no data events" in (why_blind_to_runs(without) or "")
    assert data_events_seen(tables_of(tmp_path / "none", [])) == {}


@pytest.mark.parametrize("records", [[], [event("03-10 09:00", "ListBuckets")]])
def test_without_functions_there_are_no_rows(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    assert rows_of(tmp_path, records).empty
