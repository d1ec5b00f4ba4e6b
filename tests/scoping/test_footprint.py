"""What our own collection wrote is set apart; the near miss beside it is shown, and what only looks like ours too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.scoping.cloud_case import BASELINE, HOME, MALLORY, at, by_role, case_of, event, tables_of

from playbooks.case import Case
from playbooks.case_file import CaseFile
from playbooks.evidence import custody
from playbooks.findings.cloud import cloud_subjects
from playbooks.scoping import footprint as footprints
from playbooks.scoping.cloud_activity import cloud_activity
from playbooks.scoping.footprint import Footprint, own_collection
from playbooks.scoping.function_lifecycle import resources

SESSION = f"arn:aws:sts::{HOME}:assumed-role/ir-reader/collect-1"
AGENT = "playbooks-acquire/0.1.0"
LOGGED = f"{AGENT} Boto3/1.40.1 md/Botocore#1.40.1"
KEY = "ASIAEXAMPLEKEY1"
READER = {**by_role("ir-reader", "collect-1"), "http_request_user_agent": LOGGED, "actor_session_uid": KEY}
BILLING = {"functionName": "billing"}


def reads(time: str = "03-11 10:00", operation: str = "GetFunction20150331v2", **facts: Any) -> dict[str, Any]:
    """One read as our own acquisition makes it."""
    return event(time, operation, BILLING, READER, **facts)


def recorded(tmp_path: Path, *times: str, **fields: Any) -> Case:
    """A case whose custody chain records acquisitions at these times, each begun five minutes before."""
    case = case_of(tmp_path, **fields)
    for time in times or ("03-11 10:05",):
        entry = custody.append(
            case.custody,
            "T-1",
            "acquired",
            collector={"arn": SESSION, "user_agent": f"{AGENT} run/1", "access_key_id": KEY},
        )
        _moved(case.custody, entry["time"], at(time).isoformat(timespec="microseconds"))
    return case


def _moved(chain: Path, was: str, becomes: str) -> None:
    """Put an act into the time of the sample; nothing here verifies the chain."""
    chain.write_text(chain.read_text(encoding="utf-8").replace(was, becomes), encoding="utf-8")


def stated(tmp_path: Path, **collector: Any) -> Case:
    """A case whose file names a collector."""
    return case_of(tmp_path, collectors=[{"principal": "ir-reader", "owner": "IR team", **collector}])


def found(tmp_path: Path, case: Case, *records: dict[str, Any]) -> Footprint:
    return own_collection(tables_of(tmp_path, list(records)), case)


def test_a_read_of_the_recorded_identity_is_set_apart_and_no_near_miss_of_it_is(tmp_path: Path) -> None:
    other_key = {**READER, "actor_session_uid": "ASIAEXAMPLEKEY2"}
    records = [
        reads(),
        reads(http_request_user_agent=f"[{LOGGED}]"),
        reads(operation="DescribeLogGroups", api_service_name="logs.amazonaws.com"),
        reads(http_request_user_agent="aws-cli/2.15.0"),  # the same identity with another program
        reads("03-11 10:21"),  # after the collection
        reads("03-11 09:49"),  # before it
        event("03-11 10:00", "GetFunction20150331v2", BILLING, other_key),  # with another key
        event("03-11 10:00", "GetFunction20150331v2", BILLING, READER | by_role("ir-reader", "collect-2")),
        event("03-11 10:00", "GetFunction20150331v2", BILLING, READER | MALLORY),  # user agent alone
        reads(http_request_user_agent="playbooks-acquire/0.1.9"),
    ]
    said = found(tmp_path, recorded(tmp_path), *records)
    assert list(said.apart["ref"]) == ["E001:1", "E001:2", "E001:3"]
    assert (said.events, said.collectors) == (3, 1)
    # a user agent that claims to be ours and is not ours is named
    assert list(said.marked) == ["E001:6", "E001:7", "E001:8", "E001:9", "E001:10", "E001:5"]
    assert said.marked["E001:5"].startswith(
        "the user agent is that of our collection, but ir-reader outside its recorded times"
    )
    assert "mallory is no collector that this case knows" in said.marked["E001:9"]


@pytest.mark.parametrize(
    "operation",
    ["CreateFunction20150331", "UpdateFunctionCode20150331v2", "AddPermission20150331v2", "Invoke", "DeleteFunction"],
)
def test_what_is_no_read_is_never_set_apart_and_told_loudly(operation: str, tmp_path: Path) -> None:
    case = recorded(tmp_path)
    tables = tables_of(tmp_path, [reads(), reads("03-11 10:01", operation)])
    said = own_collection(tables, case)
    assert list(said.apart["ref"]) == ["E001:1"]
    assert list(said.marked) == ["E001:2"]
    activity = cloud_activity(tables, case, said)
    [subject] = cloud_subjects(activity[activity.set_apart.isna()])
    [signal] = [one for one in subject.signals if one.kind == "collector"]
    assert signal.refs == ("E001:2",)
    assert "ir-reader is the identity that collected evidence" in signal.sentence
    assert subject.is_lead


def test_reads_that_hand_out_secrets_are_not_set_apart(tmp_path: Path) -> None:
    records = [
        reads(operation="GetSecretValue", api_service_name="secretsmanager.amazonaws.com"),
        reads(operation="GetParameter", api_service_name="ssm.amazonaws.com"),
        reads(operation="ListSecrets", api_service_name="secretsmanager.amazonaws.com"),
    ]
    said = found(tmp_path, recorded(tmp_path), *records)
    assert list(said.apart["ref"]) == ["E001:3"]
    assert set(said.marked) == {"E001:1", "E001:2"}


def test_what_the_identity_did_before_it_collected_is_ordinary(tmp_path: Path) -> None:
    """A person of the house who deployed on Monday and collected on Wednesday."""
    deployed = event("03-10 09:00", "UpdateFunctionCode", BILLING, READER, http_request_user_agent="aws-cli/2.15.0")
    contained = event("03-11 12:00", "PutFunctionConcurrency20171031", BILLING, READER | {"actor_session_uid": None})
    said = found(tmp_path, recorded(tmp_path), deployed, contained)
    assert (list(said.apart["ref"]), list(said.marked)) == ([], ["E001:2"])


def test_two_collections_of_one_identity_leave_the_days_between_to_be_looked_at(tmp_path: Path) -> None:
    case = recorded(tmp_path, "03-10 10:05", "03-11 10:05")
    said = found(tmp_path, case, reads("03-10 10:00"), reads("03-10 23:00"), reads("03-11 10:00"))
    assert (list(said.apart["ref"]), said.collectors) == (["E001:1", "E001:3"], 2)


def test_a_collector_of_the_case_file_needs_every_mark_that_is_stated(tmp_path: Path) -> None:
    times = {"since": at("03-11 09:00"), "until": at("03-11 11:00")}
    case = stated(tmp_path, user_agent="aws-cli/*", source_ip="192.0.2.10", **times)
    ours = {**by_role("ir-reader", "anybody"), "http_request_user_agent": "aws-cli/2.15.0"}
    records = [
        event("03-11 10:00", "ListFunctions20150331", None, ours),
        event("03-11 11:00", "ListFunctions20150331", None, ours),
        event("03-11 10:00", "ListFunctions20150331", None, ours, src_endpoint_ip="198.51.100.7"),
        event("03-11 10:00", "ListFunctions20150331", None, ours | {"http_request_user_agent": "Boto3/1.40"}),
        event("03-11 10:00", "ListFunctions20150331", None, ours | MALLORY),
        event("03-11 10:00", "ListFunctions20150331", None, ours | by_role("ir-reader", "x", "999999999999")),
    ]
    said = found(tmp_path, case, *records)
    assert list(said.apart["ref"]) == ["E001:1"]
    assert list(said.apart["collector"]) == ["IR team (case.yaml)"]
    assert said.marked == {}  # aws-cli marks nobody: half the house uses it


@pytest.mark.parametrize(
    ("collector", "fault"),
    [
        ({"principal": "*", "user_agent": "x/1"}, "wildcards alone"),
        ({"principal": "ir", "user_agent": "*"}, "wildcards alone"),
        ({"principal": "ir"}, "needs a user_agent, or since and until"),
        ({"principal": "ir", "since": at("03-11 10:00")}, "needs a user_agent, or since and until"),
        ({"principal": "ir", "since": at("03-11 10:00"), "until": at("03-11 09:00")}, "must lie before"),
        ({"principal": "ir", "user_agent": "x/1", "since": "2026-03-11T10:00:00"}, "timezone"),
    ],
)
def test_a_collector_that_would_cover_strangers_is_refused(collector: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        CaseFile.model_validate({"case_id": "T-1", "collectors": [{"owner": "IR", **collector}]})


def test_set_apart_reads_stay_in_the_table_and_count_nowhere(tmp_path: Path) -> None:
    change = event("03-11 10:02", "UpdateFunctionCode", BILLING, MALLORY)
    case = recorded(tmp_path, baseline=BASELINE)
    before = [event("03-05 10:00", "UpdateFunctionCode", BILLING, MALLORY)]
    tables = tables_of(tmp_path, [*before, reads(), change, reads("03-11 10:03", "GetPolicy20150331v2")])
    said = own_collection(tables, case)
    rows = cloud_activity(tables, case, said)
    assert list(zip(rows.ref, rows.set_apart.notna(), rows.novelty.isna(), strict=True)) == [
        ("E001:2", True, True),
        ("E001:3", False, False),
        ("E001:4", True, True),
    ]
    [billing] = resources(rows[rows.set_apart.isna()], said.without(tables), case).to_dict("records")
    assert list(billing["refs"]) == ["E001:1", "E001:3"]


def test_refused_reads_of_our_collection_make_no_change_of_its_principal_look_prepared(tmp_path: Path) -> None:
    denied = {"denied": "AccessDenied: not authorized"}
    case = recorded(tmp_path)
    tables = tables_of(tmp_path, [reads(**denied), reads("03-11 10:01", **denied), reads("03-11 10:02", "CreateAlias")])
    [alias] = cloud_activity(tables, case, own_collection(tables, case)).query("set_apart.isna()").to_dict("records")
    [without] = cloud_activity(tables, case).query("phase != 'discovery'").to_dict("records")
    assert list(alias["reasons"]) == []
    assert list(without["reasons"]) == ["2 refused call(s) by the same principal in the 60 minutes before"]


def test_an_event_that_two_items_hold_is_one_event_and_both_records_are_set_apart(tmp_path: Path) -> None:
    one = reads(metadata_uid="m1")
    tables = tables_of(tmp_path, [one, {**one, "evidence_id": "E002"}])
    said = own_collection(tables, recorded(tmp_path))
    assert (list(said.apart["ref"]), said.events) == (["E001:1", "E002:1"], 1)
    assert said.without(tables).api_activity.count().execute() == 0
    assert said.only(tables).api_activity.count().execute() == 2


def test_the_sentence_of_the_report_counts_and_names(tmp_path: Path) -> None:
    said = found(tmp_path, recorded(tmp_path), reads(), reads("03-11 10:01", "Invoke"))
    [who] = set(said.apart["collector"])
    assert said.sentence() == (
        f"1 event by our own collection, set apart: {who}. 1 record bears a mark of it and is not set apart."
    )
    assert said.as_json()["refs"] == ["E001:1"]
    assert said.as_json()["not_set_apart_refs"] == ["E001:2"]


def test_without_any_collector_nothing_is_set_apart_and_that_is_said(tmp_path: Path) -> None:
    plain_read = event("03-11 10:00", "GetFunction20150331v2", BILLING, MALLORY)
    said = found(tmp_path, case_of(tmp_path), plain_read)
    assert (said.events, said.marked, len(said.apart)) == (0, {}, 0)
    assert said.sentence() == "No collection of our own is known to this case, so no audit record is set apart."
    assert footprints.NOTHING_APART.events == 0


def test_an_entry_that_is_no_acquisition_of_ours_makes_no_collector(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    marks = {"arn": SESSION, "user_agent": AGENT, "access_key_id": KEY}
    for activity, collector in (
        ("added", marks),
        ("acquired", marks | {"user_agent": "aws-cli/2"}),
        ("acquired", marks | {"arn": None}),
        ("acquired", None),
    ):
        custody.append(case.custody, "T-1", activity, collector=collector)
    assert own_collection(tables_of(tmp_path, [reads()]), case).collectors == 0
