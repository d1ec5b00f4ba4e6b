"""An operation that writes several records counts once, with the outcome of its end and all its references."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from tests.scoping.cloud_case import case_of, event, tables_of

from playbooks.scoping.cloud_activity import cloud_activity

SITE = "/subscriptions/s/resourcegroups/g/providers/microsoft.web/sites/"
WRITE = "MICROSOFT.WEB/SITES/FUNCTIONS/WRITE"


def azure(time: str, status: str | None, app: str = "app", uid: str = "c-1", **facts: Any) -> dict[str, Any]:
    whole = {
        "cloud_provider": "Azure",
        "api_service_name": "Microsoft.Web",
        "format": "azure_activity",
        "cloud_account_uid": "s",
        "resource_name": None,
        "resource_uid": f"{SITE}{app}/functions/relay",
        "metadata_correlation_uid": uid,
        "status": status,
    }
    return event(time, WRITE, None, {"actor_user_name": "j.doe"}, **{**whole, **facts})


def rows_of(tmp_path: Path, records: list[dict[str, Any]]) -> pd.DataFrame:
    rows = cloud_activity(tables_of(tmp_path, records), case_of(tmp_path))
    assert list(rows["time"]) == sorted(rows["time"])
    return rows


def test_start_and_success_are_one_row_with_both_references(tmp_path: Path) -> None:
    [row] = rows_of(tmp_path, [azure("03-10 09:00", None), azure("03-10 09:02", "success")]).to_dict("records")
    assert (row["ref"], row["further_refs"], row["outcome"]) == ("E001:1", ["E001:2"], "success")


def test_a_failure_at_the_end_is_the_outcome_whatever_was_accepted(tmp_path: Path) -> None:
    records = [
        azure("03-10 09:00", None),
        azure("03-10 09:01", "success"),
        azure("03-10 09:02", "failure", status_detail="Conflict: it is in use"),
    ]
    [row] = rows_of(tmp_path, records).to_dict("records")
    assert (row["outcome"], row["outcome_detail"], row["further_refs"]) == ("failure", "Conflict", ["E001:2", "E001:3"])


def test_a_deployment_of_several_resources_under_one_id_is_an_operation_each(tmp_path: Path) -> None:
    records = [azure(f"03-10 09:0{n}", status, app) for n, (status, app) in enumerate(
        [(None, "one"), (None, "two"), ("success", "two"), ("success", "one")]
    )]  # fmt: skip
    rows = rows_of(tmp_path, records)
    assert list(rows["ref"]) == ["E001:1", "E001:2"]
    assert list(rows["further_refs"]) == [["E001:4"], ["E001:3"]]


def test_what_begins_again_after_its_end_is_another_operation(tmp_path: Path) -> None:
    again = [azure("03-10 10:00", None), azure("03-10 10:01", "failure")]
    rows = rows_of(tmp_path, [azure("03-10 09:00", None), azure("03-10 09:01", "success"), *again])
    assert list(rows["outcome"]) == ["success", "failure"]
    assert list(rows["ref"]) == ["E001:1", "E001:3"]


def test_records_without_an_id_stay_apart(tmp_path: Path) -> None:
    records = [azure("03-10 09:00", None, uid=None), azure("03-10 09:02", "success", uid=None)]  # type: ignore[arg-type]
    rows = rows_of(tmp_path, records)
    assert len(rows) == 2
    assert list(rows["further_refs"]) == [None, None]
