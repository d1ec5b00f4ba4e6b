"""The labelled CloudTrail cases: every attack event appears with its phase and principal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from playbooks.case import new_case
from playbooks.engine import open_tables
from playbooks.evidence.preserve import add
from playbooks.normalise import normalise
from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.function_lifecycle import resources

LOGS = Path(__file__).resolve().parents[3] / "shared" / "logs"

pytestmark = pytest.mark.skipif(not LOGS.is_dir(), reason="the labelled logs are not beside this repository")


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    case = new_case(tmp_path_factory.mktemp("labelled") / "case", "LABELLED")
    folders = ("invictus/cloudtrail_records", "stratus/cloudtrail_detonations", "traildiscover/cloudtrail_serverless")
    files = [file for name in folders for file in (LOGS / name).glob("*.json") if file.name != "expected.json"]
    add(case, sorted(files))
    normalise(case)
    tables = open_tables(case.events)
    activity = cloud_activity(tables, case)
    return activity, resources(activity, tables, case)


PUBLIC = "anyone may invoke (principal *)"
NO_LOGIN = "its URL asks for no authentication (authType NONE)"  # asked for, and refused


@pytest.mark.parametrize(
    ("label", "base", "phase", "exposure"),
    [
        ("GT01", "AddPermission", "permission", PUBLIC),
        ("GT02", "UpdateFunctionCode", "modify-code", None),
        ("GT03", "AddPermission", "permission", PUBLIC),
        ("GT04", "UpdateFunctionCode", "modify-code", None),
        ("GT06", "CreateFunctionUrlConfig", "permission", NO_LOGIN),
        ("GT07", "CreateApi", "create", None),
    ],
)
def test_each_labelled_event_has_its_phase_and_principal(
    results: tuple[Any, Any], label: str, base: str, phase: str, exposure: str | None
) -> None:
    truth = {entry["id"]: entry for entry in json.loads((LOGS / "ground_truth.json").read_text())}[label]
    text = json.loads((LOGS / truth["file"]).read_text())
    records = [
        one
        for one in (text.get("Records", [text]) if isinstance(text, dict) else text)
        if all(one[key] == value for key, value in truth["select"].items())
    ]
    activity = results[0]
    for record in records:
        identity = record["userIdentity"]
        person = identity["userName"] if identity["type"] == "IAMUser" else identity["arn"].rsplit("/", 1)[1]
        rows = activity[(activity["operation"] == record["eventName"]) & (activity["account"] == identity["accountId"])]
        rows = rows[rows["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ") == record["eventTime"]]
        [row] = rows[["operation_base", "phase", "principal", "exposure", "outcome"]].to_dict("records")
        failed = "failure" if record.get("errorCode") else "success"
        assert list(row.values()) == [base, phase, person, exposure, failed]
    assert records


def test_the_history_of_the_overwritten_function_tells_who_created_and_changed_it(
    results: tuple[Any, Any],
) -> None:
    by_name = results[1].set_index("resource")
    row = by_name.loc["stratus-red-team-olc-func-xhfgzaowxc"]
    assert row["created_by"].startswith("bert-jan: CreateFunction 2023-07-10 12:26 UTC (E")
    assert "failed attempts: bert-jan: CreateFunction 4 times" in row["created_by"]
    assert "bert-jan: UpdateFunctionCode 2 times" in row["modified_by"]
    assert row["invoked_by"].startswith("not answerable because the records hold no data events")


def test_the_api_that_was_created_has_its_host(results: tuple[Any, Any]) -> None:
    assert "5614585pm4.execute-api.ca-centralsouth-1r.amazonaws.com" in set(results[0]["endpoint"])
