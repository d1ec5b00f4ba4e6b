"""The list and the footprint from real files: an acquisition in the bag, its reads in the audit log, one change."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pandas as pd
import pytest

from playbooks import guide
from playbooks.case import Case, new_case
from playbooks.errors import UsageError
from playbooks.evidence import add
from playbooks.evidence.acquire.answers import Answer, AnswerFile, Outcome, keep, private_folder
from playbooks.evidence.acquire.aws_client import USER_AGENT
from playbooks.guide.results import Results
from playbooks.scoping.collectors import collectors_of

ACCOUNT, REGION, KEY = "111122223333", "eu-central-1", "ASIAEXAMPLE"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/ir-reader/collect-1"
NOW = dt.datetime.now(dt.UTC)


def record(name: str, user: dict[str, Any], agent: str, request: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "eventVersion": "1.11",
        "userIdentity": user,
        "eventTime": NOW.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "lambda.amazonaws.com",
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.10",
        "userAgent": agent,
        "requestParameters": request or {"functionName": "billing"},
        "responseElements": None,
        "eventID": f"id-{name}-{user['arn'][-9:]}",
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "eventCategory": "Management",
        "recipientAccountId": ACCOUNT,
        **more,
    }


READER = {
    "type": "AssumedRole",
    "arn": SESSION,
    "accountId": ACCOUNT,
    "accessKeyId": KEY,
    "sessionContext": {"sessionIssuer": {"type": "Role", "userName": "ir-reader",
                                         "arn": f"arn:aws:iam::{ACCOUNT}:role/ir-reader"}},
}  # fmt: skip
MALLORY = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/mallory", "userName": "mallory",
           "accountId": ACCOUNT, "accessKeyId": "AKIAEXAMPLE"}  # fmt: skip
LOGGED = f"Boto3/1.40.1 md/Botocore#1.40.1 {USER_AGENT}"
RECORDS = [
    record("UpdateFunctionCode20150331v2", MALLORY, "aws-cli/2.15.0"),
    record("GetFunction20150331v2", READER, LOGGED),
    record("ListVersionsByFunction20150331", READER, LOGGED),
    record("GetFunction20150331v2", MALLORY, LOGGED),
    record("AddPermission20150331v2", READER, LOGGED),
]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("acquired")
    made = new_case(folder / "case", "T-1")
    log = folder / "cloudtrail.json"
    log.write_text(json.dumps({"Records": RECORDS}), encoding="utf-8")
    assert [added.refused for added in add(made, [log])] == [False]
    with private_folder(made) as place:
        with AnswerFile(place / "aws.jsonl") as answers:
            for operation, outcome in (
                ("GetFunction", Outcome.ANSWERED),
                ("ListVersionsByFunction", Outcome.ANSWERED),
                ("GetPolicy", Outcome.REFUSED),
            ):
                answers.write(
                    Answer("aws", "lambda", operation, {"FunctionName": "billing"}, NOW, NOW, outcome, region=REGION,
                           account=ACCOUNT, resource="billing", body=b"{}")
                )  # fmt: skip
        keep(made, answers, source="aws", collector={"arn": SESSION, "user_agent": USER_AGENT, "access_key_id": KEY})
    return made


def test_what_an_acquisition_recorded_of_itself_makes_it_known(case: Case) -> None:
    [collector] = collectors_of(case)
    assert (collector.principal, collector.access_key, collector.user_agent) == (SESSION, KEY, f"*{USER_AGENT}*")
    assert collector.since is not None and collector.until is not None
    assert collector.since < NOW < collector.until


def test_its_reads_in_the_log_are_set_apart_and_what_is_no_read_of_it_is_loud(case: Case) -> None:
    results = Results(case)
    assert list(results.footprint.apart.ref) == ["E001:2", "E001:3"]
    assert set(results.footprint.marked) == {"E001:4", "E001:5"}
    assert set(results.activity.ref) == {"E001:1", "E001:4", "E001:5"}
    kept = pd.read_parquet(case.results / "cloud_activity.parquet")
    assert set(kept[kept.set_apart.notna()].ref) == {"E001:2", "E001:3"}
    # who contains acts on what was changed: both are told, and no finding is made of them
    [lead] = [one for one in results.findings["leads"] if "billing" in one["subjects"]["resource"]]
    assert {signal["kind"]: signal["refs"] for signal in lead["signals"]} == {
        "change": ["E001:1"],
        "collector": ["E001:5"],
    }
    assert lead["context"] == ["A lead all the same: collector is weak here, or repeats what another signal says."]
    assert results.findings["findings"] == []
    assert results.findings["set_apart"]["events"] == 2
    assert any("2 events by our own collection, set apart" in word for word in guide.cloud(case).words)


def test_the_list_knows_what_the_acquisition_brought_and_what_it_was_refused(case: Case) -> None:
    rows = {row["kind"]: row for row in guide.checklist(case).data["rows"] if "billing" in row["entity"]}
    assert (rows["function-code"]["state"], rows["function-code"]["evidence"]) == ("in evidence", ["E002"])
    assert (rows["function-access"]["state"], rows["function-access"]["lacking"]) == (
        "not yet",
        ["GetPolicy: refused"],
    )
    assert rows["function-logs"]["state"] == "not yet"
    assert guide.checklist(case).data["at"] == NOW.replace(microsecond=0).isoformat()


def test_a_moment_that_is_none_is_refused_and_now_is_one(case: Case) -> None:
    with pytest.raises(UsageError, match="no moment"):
        guide.checklist(case, at="yesterday")
    with pytest.raises(UsageError, match="without a zone"):
        guide.checklist(case, at="2026-03-12T08:00:00")
    assert guide.checklist(case, at="now").data["at_is"] == "given"
    kept = json.loads((case.results / "checklist.json").read_text(encoding="utf-8"))
    assert kept["at_is"] == "the newest event in evidence", "a list counted from now is not kept"


def test_the_report_gives_the_count_and_the_list(case: Case) -> None:
    guide.report(case)
    page = (case.report / "report.html").read_text(encoding="utf-8")
    assert "2 events by our own collection, set apart" in page
    assert "What to collect next: in order of volatility" in page
    assert "Case links: from record to entity to decision" in page
