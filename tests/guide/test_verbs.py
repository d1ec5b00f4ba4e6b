"""The verbs of the notebooks, on the sample incident: each answers, shows itself, and may be run again."""

from __future__ import annotations

import inspect
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from tests.conftest import SampleRun

from playbooks import guide
from playbooks.case import Case, new_case
from playbooks.errors import CaseError, EvidenceChanged, NotFound, UsageError
from playbooks.report import View

BEACON = ("10.20.3.17", "assets-sync.bluefern-4417.workers.dev")
PLOTLY = "application/vnd.plotly.v1+json"


@pytest.fixture(scope="module")
def shell() -> Iterator[None]:
    """What a kernel has, and a plain interpreter has not: somebody who shows what is displayed."""
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()


@pytest.fixture(scope="module")
def case(incident: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return guide.open_case(str(incident.copy(tmp_path_factory.mktemp("guide") / "case")))


def shown(view: View) -> list[dict[str, Any]]:
    with capture_output() as said:
        view._ipython_display_()
    return [output.data for output in said.outputs]


VERBS: dict[str, Callable[[Case], View]] = {
    "add": lambda case: guide.add(case, str(case.evidence / "data")),
    "acquire_capture": guide.acquire_capture,
    "evidence": guide.evidence,
    "require_intact": guide.require_intact,
    "verify": guide.verify,
    "custody": lambda case: guide.custody(case, last=5),
    "checklist": guide.checklist,
    "normalise": guide.normalise,
    "unread": guide.unread,
    "coverage": guide.coverage,
    "clocks": guide.clocks,
    "fields": guide.fields,
    "deciding_fields": guide.deciding_fields,
    "blind_spots": guide.blind_spots,
    "egress": guide.egress,
    "checkins": guide.checkins,
    "channels": guide.channels,
    "records": guide.records,
    "cloud": guide.cloud,
    "functions": guide.functions,
    "identities": lambda case: guide.identities(case, principal="j.doe"),
    "chains": guide.chains,
    "role_activity": guide.role_activity,
    "function_egress": guide.function_egress,
    "sigma": guide.sigma,
    "rights": guide.rights,
    "logging_state": guide.logging_state,
    "own_endpoints": guide.own_endpoints,
    "code_changes": guide.code_changes,
    "lifecycle": guide.lifecycle,
    "scope": guide.scope,
    "enrich": guide.enrich,
    "intelligence": guide.intelligence,
    "addresses": guide.addresses,
    "names": guide.names,
    "enrich_value": lambda case: guide.enrich_value(case, BEACON[1]),
    "draft_inventory": guide.draft_inventory,
    "review_allow_list": guide.review_allow_list,
    "lookup_plan": guide.lookup_plan,
    "lookup": guide.lookup,
    "findings": guide.findings,
    "argument": guide.argument,
    "containment": lambda case: guide.containment(case, worst(case)),
    "links": guide.links,
    "decide": lambda case: guide.decide(case, worst(case), "needs more", "ask the owner", "j.doe"),
    "decide_form": guide.decide_form,
    "decisions": guide.decisions,
    "queries": guide.queries,
    "diff": lambda case: guide.diff(case, str(case.path)),
    "show": lambda case: guide.show(case, "E005:1"),
    "report": guide.report,
    "export": lambda case: guide.export(case, "stix"),
    "questions": lambda case: guide.questions(),
}


def worst(case: Case) -> str:
    found: dict[str, Any] = guide.findings(case).data
    return str(found["findings"][0]["id"])


def test_every_verb_of_the_guide_is_tried_here() -> None:
    public = [
        name
        for name, verb in inspect.getmembers(guide, inspect.isfunction)
        if verb.__module__.startswith(guide.__name__) and not name.startswith("_")
    ]
    # those that ask others: test_keeping.py, test_taxii.py, test_lake_case.py
    assert set(public) == {*VERBS, "open_case", "acquire_aws", "acquire_lake", "acquire_query", "acquire_taxii"}


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_says_in_its_docstring_what_it_does_and_how_to_call_it(name: str) -> None:
    words = inspect.getdoc(getattr(guide, name)) or ""
    assert re.search(rf"Example: `(\w+ = )?guide\.{name}\(", words), words


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_shows_itself_as_markup_and_as_plain_text(name: str, case: Case, shell: None) -> None:
    view = VERBS[name](case)
    assert view.words or view.tables
    outputs = shown(view)
    assert outputs and all(output.get("text/plain") for output in outputs)
    first = outputs[0]
    assert first["text/plain"] == str(view)
    assert first["text/html"].count("<caption>") == len(view.tables)
    drawn = [picture for picture in view.pictures if picture.figure is not None]
    assert sum(PLOTLY in output for output in outputs) == len(drawn)
    assert sum("text/html" in output for output in outputs) == 1 + len(view.pictures)


def test_a_destination_known_by_its_address_alone_is_named_by_a_range_and_said_to_be(tmp_path: Path) -> None:
    """From the file of a provider to the words beside the table; the plain list is used once the case says whose."""
    far = {"198.51.100.7": "10.20.3.17", "203.0.113.9": "10.20.3.18"}
    seen = {"ts": 1773133200, "proto": "tcp", "conn_state": "SF"}
    flows = [seen | {"uid": dst, "id.orig_h": src, "id.resp_h": dst} for dst, src in far.items()]
    (tmp_path / "conn.json").write_text("".join(json.dumps(flow) + "\n" for flow in flows))
    prefix = {"ip_prefix": "198.51.100.0/24", "region": "eu-central-1", "service": "EC2"}
    (tmp_path / "ip-ranges.json").write_text(json.dumps({"prefixes": [prefix], "ipv6_prefixes": []}))
    (tmp_path / "ips-v4").write_text("203.0.113.0/24\n")
    case = new_case(tmp_path / "case", "T-1")
    guide.add(case, *(str(tmp_path / name) for name in ("conn.json", "ip-ranges.json", "ips-v4")))
    guide.normalise(case)
    view = guide.egress(case)
    row = view.data.set_index("dst").loc["198.51.100.7"]
    assert (row.provider, row.service, row.region) == ("AWS", "EC2", "eu-central-1")
    assert (row.matched_by, row.catalogue_id, row.tenant) == ("address", None, None)
    assert view.words[1].startswith("1 pair without a name: ") and "low confidence" in view.words[1]
    assert list(view.tables[0].rows.matched_by) == ["address", None]
    stated = (case.path / "case.yaml").read_text(encoding="utf-8")
    whose = "address_ranges: [{evidence: E003, provider: Cloudflare}] #"
    (case.path / "case.yaml").write_text(stated.replace("address_ranges: []  #", whose), encoding="utf-8")
    again = guide.egress(guide.open_case(str(case.path)))
    assert again.data.set_index("dst").provider.to_dict() == {"198.51.100.7": "AWS", "203.0.113.9": "Cloudflare"}


def test_the_verbs_tell_what_was_planted(case: Case) -> None:
    assert guide.evidence(case).words[1] == "Evidence is intact: every byte is as it was when it was added."
    assert guide.normalise(case).words == ("11,341 records = 11,331 events + 6 unread + 4 blank.",)
    assert len(guide.unread(case).data) == 6
    assert guide.coverage(case).words[0].startswith("6 of 6 questions can be asked of this evidence")
    pairs = guide.egress(case).data
    assert {BEACON} <= set(zip(pairs.src, pairs.dst, strict=True))
    assert guide.checkins(case).words == (f"{BEACON[0]} → {BEACON[1]}",)
    assert len(guide.checkins(case, *BEACON).data) > 1677
    assert "j.doe" in set(guide.cloud(case).data.principal)
    row = guide.functions(case, "invoice-export").data.set_index("resource").loc["invoice-export"]
    assert "j.doe: " in row.modified_by and "j.doe: " in row.permitted_by
    heads, steps = guide.chains(case).data
    assert list(heads.iloc[0].principals) == ["j.doe"] and heads.iloc[0].score > 0.8
    assert set(steps[steps.chain == heads.iloc[0].chain].stage) >= {"change", "permission or trigger", "run", "evasion"}
    assert guide.identities(case, "j.doe").words[0].startswith("1 principal in the window, 1 with calls that attackers")
    found = guide.findings(case)
    assert found.words == ("4 findings, 4 leads, 1 set aside.",)
    assert [o["outcome"] for o in found.data["outcomes"].values()] == ["found"] * 6


def test_patterns_narrow_chains_and_are_said_and_findings_stay(case: Case) -> None:
    before = guide.findings(case).data
    narrowed = guide.chains(case, user_context="j.*, nobody", trigger_types="PutRule", window_minutes=30)
    assert narrowed.words[0] == (
        "1 chain of steps at most 30 minutes apart. Narrowed by UserContext j.*, nobody; TriggerTypes PutRule."
    )
    assert [list(names) for names in narrowed.data[0].principals] == [["terraform-provisioner"]]
    nobody = guide.chains(case, user_context="J.*,terraform*", trigger_types="PutRule")
    assert len(nobody.data[0]) == 0
    assert nobody.pictures[0].figure is None and nobody.pictures[0].summary.startswith("No picture: ")
    assert len(guide.chains(case).data[0]) == 2, "what was narrowed is kept nowhere"
    assert guide.findings(case).data == before
    with pytest.raises(TypeError):
        guide.chains(case, no_such_scope="x")  # type: ignore[call-arg]


def test_what_functions_did_is_not_answerable_where_no_record_could_say_so(case: Case) -> None:
    [told] = guide.role_activity(case, function="invoice-export").words
    assert told.startswith("Not answerable because no audit record of the window is a call by one of the 6 known")
    egress = guide.function_egress(case)
    assert egress.words[0] == "0 of 6 functions can be seen leaving."
    assert egress.data.reason.notna().all()


def test_a_record_is_shown_as_it_stands_in_the_evidence(case: Case) -> None:
    record = guide.show(case, "E005:1").data["E005:1"]
    assert record.text.startswith("assets-sync.bluefern-4417.workers.dev,domain,CERT example,80,")
    for wrong in ("E005:0", "E005:99999", "E099:1", "E005", "E005:1:2", "", "E005:-1", "E005:١"):
        with pytest.raises(NotFound):
            guide.show(case, wrong)


def test_a_case_is_found_from_any_folder_below_it(case: Case, tmp_path: Path) -> None:
    assert guide.open_case(str(case.path / "notebooks")).path == case.path
    with pytest.raises(CaseError, match=r"no case\.yaml here or above.*playbooks new FOLDER --case-id ID"):
        guide.open_case(str(tmp_path))


def files(case: Case) -> dict[str, bytes]:
    """Every byte of the case but the custody chain, which records acts and so grows."""
    return {
        str(file.relative_to(case.path)): file.read_bytes()
        for file in case.path.rglob("*")
        if file.is_file() and file != case.custody
    }


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_run_twice_changes_nothing_but_the_chain_of_acts(name: str, case: Case) -> None:
    VERBS[name](case)
    before = files(case)
    VERBS[name](case)
    after = files(case)
    assert sorted(set(before) ^ set(after)) == []
    assert [file for file in before if before[file] != after[file]] == []


def test_a_decision_needs_a_finding_that_exists(case: Case) -> None:
    with pytest.raises(NotFound, match=r"'A-00000000': no such finding in this case\. Known: A-.*B-"):
        guide.decide(case, "A-00000000", "benign", "why", "j.doe")
    with pytest.raises(UsageError, match="verdict 'fine': expected one of"):
        guide.decide(case, worst(case), "fine", "why", "j.doe")


def test_a_decision_is_honoured_by_the_next_look_and_by_the_report(incident: SampleRun, tmp_path: Path) -> None:
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    name = worst(case)
    guide.decide(case, name, "benign", "exercise of the red team, ticket 4711", "j.doe")
    found = guide.findings(case).data
    assert name not in [finding["id"] for finding in found["findings"]]
    assert [row["allowed_by"].partition(": ")[2] for row in found["suppressed"] if row["id"] == name] == [
        "exercise of the red team, ticket 4711"
    ]
    guide.report(case)
    assert "exercise of the red team, ticket 4711" in (case.report / "report.html").read_text(encoding="utf-8")


def test_results_follow_the_case_file_there_and_back(incident: SampleRun, tmp_path: Path) -> None:
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    file = case.path / "case.yaml"
    original = file.read_text(encoding="utf-8")
    everything = guide.findings(case).data
    entry = '  - {kind: destination, value: "*.bluefern-4417.workers.dev", owner: SRE, expires: 2026-12-31}\n'
    file.write_text(original.replace("allow_list:", f"allow_list:\n{entry}#", 1), encoding="utf-8")
    assert guide.egress(case).data.beacon_score.notna().any()
    pairs = guide.enrich(case).data.set_index(["src", "dst"])
    assert pairs.loc[BEACON].priority == 0
    fewer = guide.findings(case).data
    assert len(fewer["findings"]) == len(everything["findings"]) - 1
    assert any("bluefern-4417" in row["subject"] for row in fewer["suppressed"])
    file.write_text(original, encoding="utf-8")
    assert guide.findings(case).data == everything


def test_a_notebook_that_ran_under_another_case_file_leaves_nothing_behind(incident: SampleRun, tmp_path: Path) -> None:
    """Scoping under a narrow window, and then the old case file again: its results must not be the narrow ones."""
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    file = case.path / "case.yaml"
    original = file.read_text(encoding="utf-8")
    before = guide.enrich(case).data
    file.write_text(original.replace("window: {start: 2026-03-10T", "window: {start: 2026-03-11T", 1), encoding="utf-8")
    assert len(guide.egress(case).data) < len(before)
    file.write_text(original, encoding="utf-8")
    pd.testing.assert_frame_equal(guide.enrich(case).data, before)


@pytest.mark.parametrize(
    "gone", ["results", "results/*", "results/egress_pairs.parquet", "unread", "events", "events/dns_activity"]
)
def test_what_was_deleted_is_made_again(incident: SampleRun, tmp_path: Path, gone: str) -> None:
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    before = guide.findings(case).data
    pairs = guide.enrich(case).data
    for file in sorted(case.path.glob(gone)):
        os.system(f"rm -rf '{file}'")  # hidden files of results/ stay, as they do for a person
    os.utime(case.path / "case.yaml")  # a new session knows nothing of the old one
    assert len(guide.unread(case).data) == 6
    pd.testing.assert_frame_equal(guide.enrich(case).data, pairs)
    assert guide.findings(case).data == before
    assert json.loads((case.results / "findings.json").read_text(encoding="utf-8")) == before


def test_changed_evidence_stops_the_notebook_and_is_told(incident: SampleRun, tmp_path: Path) -> None:
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    file = next((case.evidence / "data").iterdir())
    file.chmod(0o644)
    file.write_bytes(file.read_bytes()[:-1])
    told = "\n".join(guide.evidence(case).words)
    assert "NOT INTACT" in told and f"evidence/data/{file.name}: changed" in told
    with pytest.raises(EvidenceChanged, match=re.escape(file.name)):
        guide.require_intact(case)


def test_a_case_without_evidence_answers_every_verb(tmp_path: Path) -> None:
    from playbooks.case import new_case

    case = new_case(tmp_path / "case", "EMPTY")
    assert "No evidence yet" in "\n".join(guide.evidence(case).words)
    assert guide.normalise(case).words == ("0 records = 0 events + 0 unread + 0 blank.",)
    outcomes = guide.findings(case).data["outcomes"]
    assert {outcome["outcome"] for outcome in outcomes.values()} == {"blind"}
    for name in ("unread", "coverage", "blind_spots", "egress", "checkins", "records", "cloud", "functions", "chains",
                 "identities", "role_activity", "function_egress", "enrich", "custody", "decisions",
                 "report"):  # fmt: skip
        assert VERBS[name](case).words
