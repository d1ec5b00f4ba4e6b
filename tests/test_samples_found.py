"""On the incident the planted facts, and only they, are found; on its quiet twin nothing is."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tests.conftest import SAMPLES, SampleRun
from tests.findings.test_wording import report_text

TWINS = ("incident", "quiet")


def truth(twin: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLES / twin / "truth.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(params=TWINS)
def twin(request: pytest.FixtureRequest) -> tuple[str, SampleRun]:
    run: SampleRun = request.getfixturevalue(request.param)
    return request.param, run


def evidence_ids(run: SampleRun) -> dict[str, str]:
    """Name of each sample file → id of its evidence item."""
    chain = [json.loads(line) for line in (run.case / "custody.jsonl").read_text(encoding="utf-8").splitlines()]
    added = [entry["item"] for entry in chain if entry["activity"] == "added"]
    return {item["source"].rpartition("/")[2]: item["evidence_id"] for item in added}


def planted_refs(run: SampleRun, fact: dict[str, Any]) -> set[str]:
    ids = evidence_ids(run)
    return {f"{ids[place['file']]}:{number}" for place in fact["records"] for number in place["records"]}


def refs(finding: dict[str, Any]) -> set[str]:
    return {ref for signal in finding["signals"] for ref in signal["refs"]}


def about(run: SampleRun) -> dict[str, list[dict[str, Any]]]:
    """Planted fact → the findings all of whose records were planted for it (or are indicators)."""
    indicators = evidence_ids(run)["indicators.csv"] + ":"
    facts = truth("incident")["planted"]
    return {
        fact["id"]: [
            finding
            for finding in run.found["findings"]
            if {ref for ref in refs(finding) if not ref.startswith(indicators)} <= planted_refs(run, fact)
        ]
        for fact in facts
    }


def test_every_planted_fact_is_found_and_no_finding_rests_on_another_record(incident: SampleRun) -> None:
    told = about(incident)
    assert {fact: bool(findings) for fact, findings in told.items()} == {"A1": True, "A2": True, "B1": True}
    counted = [finding["id"] for findings in told.values() for finding in findings]
    assert sorted(counted) == sorted(finding["id"] for finding in incident.found["findings"])


def test_the_worker_is_found_with_its_rhythm_its_indicator_and_its_one_client(incident: SampleRun) -> None:
    [finding] = about(incident)["A1"]
    assert {"rhythm", "rarity", "intelligence"} <= {signal["kind"] for signal in finding["signals"]}
    assert finding["subjects"] == {
        "src": ["10.20.3.17"],
        "dst": ["assets-sync.bluefern-4417.workers.dev"],
        "tenant": ["bluefern-4417"],
    }
    assert (finding["first_seen"][:19], finding["last_seen"][:19]) == ("2026-03-10T09:41:12", "2026-03-11T23:58:48")
    said = {signal["kind"]: signal["sentence"] for signal in finding["signals"]}
    assert "(valid, confidence 80)" in said["intelligence"]
    assert "and none did in the baseline" in said["rarity"]


def test_the_function_url_is_found_without_any_indicator_and_with_its_alias(incident: SampleRun) -> None:
    [finding] = about(incident)["A2"]
    assert {"rhythm", "rarity"} <= {signal["kind"] for signal in finding["signals"]}
    assert "intelligence" not in {signal["kind"] for signal in finding["signals"]}
    assert finding["subjects"]["src"] == ["10.20.5.44"]
    assert set(finding["subjects"]["dst"]) == {
        "q7m2xw5tkd4hzv6nacr3ybe5ju0sfgpl.lambda-url.eu-north-1.on.aws",
        "cdn-assets.example-partner.test",
    }


def test_the_modified_function_is_found_with_who_opened_it_and_who_ended_its_records(incident: SampleRun) -> None:
    findings = about(incident)["B1"]
    assert {finding["subjects"]["principal"][0] for finding in findings} == {"j.doe"}
    kinds = {signal["kind"] for finding in findings for signal in finding["signals"]}
    assert {"novelty", "exposure", "chain", "evasion"} <= kinds
    sentences = " ".join(signal["sentence"] for finding in findings for signal in finding["signals"])
    for expected in (
        "address 198.51.100.23 is new for j.doe",
        "j.doe did no",
        "refused call(s) by the same principal",
        "anyone may",
        "PutEventSelectors",
    ):
        assert expected in sentences


def test_a_pipeline_that_changed_the_same_function_is_in_no_finding(incident: SampleRun) -> None:
    people = {name for finding in incident.found["findings"] for name in finding["subjects"].get("principal", ())}
    assert people == {"j.doe"}


def test_all_six_questions_are_found_on_the_incident(incident: SampleRun) -> None:
    assert {name: outcome["outcome"] for name, outcome in incident.found["outcomes"].items()} == dict.fromkeys(
        ("egress_rhythm", "known_indicators", "function_changes", "public_exposure", "logging_tampered",
         "function_runs"),
        "found",
    )  # fmt: skip


def test_nothing_is_found_on_the_quiet_twin_and_clear_says_over_what(quiet: SampleRun) -> None:
    assert quiet.found["findings"] == []
    outcomes = quiet.found["outcomes"].values()
    assert {outcome["outcome"] for outcome in outcomes} == {"clear"}
    for outcome in outcomes:
        assert re.search(r"\d of \w+_activity from 2026-03-0\d\S+ to 2026-03-11\S+", outcome["reason"])
        assert "within the window 2026-03-10" in outcome["reason"]


def test_heavy_benign_use_is_a_lead_at_most_and_never_for_its_provider(twin: tuple[str, SampleRun]) -> None:
    name, run = twin
    whole = [*run.found["leads"], *run.found["suppressed"]]
    people = {who for one in whole if one["hypothesis"] == "B" for who in one["subjects"]["principal"]}
    assert people == ({"j.doe"} if name == "incident" else set()), "what the intruder did, and no more"
    told = [one for one in whole if one["hypothesis"] == "A"]
    assert {tuple(sorted({signal["kind"] for signal in one["signals"]})) for one in told} == {("rhythm",)}
    assert all(one.get("score", 0) <= 0.25 for one in told)
    assert not [lead for lead in run.found["leads"] if any("is a host of" in line for line in lead["context"])]


def test_what_the_house_accepted_is_set_aside_with_owner_and_expiry(twin: tuple[str, SampleRun]) -> None:
    _, run = twin
    [aside] = run.found["suppressed"]
    assert aside["subject"] == "prod-42.westeurope.logic.azure.com"
    assert aside["allowed_by"] == "prod-42.westeurope.logic.azure.com (owner ERP team, expires 2026-09-30)"


def test_an_expired_indicator_is_told_and_does_not_count(quiet: SampleRun) -> None:
    reason = quiet.found["outcomes"]["known_indicators"]["reason"]
    assert re.search(r"No finding of the kind in the searched records: .* not counted \(expired\)\.$", reason)


def test_the_counts_add_up_and_are_those_of_the_truth(twin: tuple[str, SampleRun]) -> None:
    name, run = twin
    coverage = json.loads((run.case / "results" / "coverage.json").read_text(encoding="utf-8"))
    ids = evidence_ids(run)
    told = {item["evidence_id"]: item for item in coverage["items"]}
    unread = truth(name)["unread"]
    assert set(told) == set(ids.values())
    for file in truth(name)["files"]:
        item = told[ids[file["file"]]]
        left = sum(row["file"] == file["file"] for row in unread)
        assert item["records"] == item["events"] + item["unread"] + item["blank"]
        assert (item["records"] - item["blank"], item["unread"]) == (file["records"], left), file["file"]
    total = {key: sum(item[key] for item in told.values()) for key in ("records", "events", "unread", "blank")}
    assert "All: {records:,} records = {events:,} events + {unread:,} unread + {blank:,} blank".format(**total) in (
        run.said.out
    )


def test_the_damaged_records_and_only_they_are_unread(twin: tuple[str, SampleRun]) -> None:
    import pyarrow.parquet as pq

    name, run = twin
    ids = evidence_ids(run)
    kept = [row for file in sorted((run.case / "unread").glob("*.parquet")) for row in pq.read_table(file).to_pylist()]
    assert sorted((row["evidence_id"], row["record_no"], row["kind"]) for row in kept) == sorted(
        (ids[row["file"]], row["record"], row["kind"]) for row in truth(name)["unread"]
    )


def test_the_report_tells_findings_questions_counts_and_limits(twin: tuple[str, SampleRun]) -> None:
    _, run = twin
    text = report_text(run.case)
    for finding in run.found["findings"]:
        assert finding["id"] in text
        for subject in (*finding["subjects"]["src"], *finding["subjects"].get("principal", ())):
            assert subject in text
        for host in finding["subjects"].get("dst", ()):
            assert "[.]".join(host.rsplit(".", 1)) in text, "defanged"
    for outcome in run.found["outcomes"].values():
        assert outcome["title"] in text
    for limit in run.found["limits"]:
        assert limit.split(" – ")[0] in text
    coverage = json.loads((run.case / "results" / "coverage.json").read_text(encoding="utf-8"))
    for item in coverage["items"]:
        assert item["evidence_id"] in text


def test_the_planted_script_is_text_in_the_report(incident: SampleRun) -> None:
    page = (incident.case / "report" / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
