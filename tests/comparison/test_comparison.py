"""Two results compared by their files: each difference with its reason, and what could not be compared."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Said

from playbooks import guide
from playbooks.case import Case, new_case, open_case, write_json
from playbooks.comparison import Change, Comparison, compare
from playbooks.errors import CaseError, CasesDiffer
from playbooks.evidence.items import sha256_of

Playbooks = Callable[..., Said]
SPANS = (
    "window: {start: 2026-03-10T00:00:00Z, end: 2026-03-12T00:00:00Z}\n"
    "baseline: {start: 2026-03-03T00:00:00Z, end: 2026-03-10T00:00:00Z}\n"
)


def call(name: str, time: str, user: str, **parameters: Any) -> str:
    """One CloudTrail record of Lambda as a line."""
    record = {
        "eventVersion": "1.08",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::111122223333:user/{user}", "userName": user},
        "eventTime": time,
        "eventSource": "lambda.amazonaws.com",
        "eventName": name,
        "awsRegion": "eu-central-1",
        "sourceIPAddress": "198.51.100.23",
        "userAgent": "aws-cli/2.15.0",
        "requestParameters": {"functionName": "invoice-export"} | parameters,
        "responseElements": None,
        "eventID": str(uuid.uuid5(uuid.NAMESPACE_OID, name + time)),
        "recipientAccountId": "111122223333",
    }
    return json.dumps(record) + "\n"


QUIET = "".join(call("UpdateFunctionCode", f"2026-03-0{day}T09:00:00Z", "deployer") for day in range(4, 9))
LOUD = call("UpdateFunctionCode", "2026-03-10T02:00:00Z", "j.doe") + call(
    "AddPermission20150331v2", "2026-03-10T02:05:00Z", "j.doe", principal="*", action="lambda:InvokeFunctionUrl"
)


def made(folder: Path, *logs: str, more: str = "") -> Case:
    """A case with these CloudTrail logs, its results made by the kit."""
    new_case(folder, "T-1")
    stated = (folder / "case.yaml").read_text(encoding="utf-8")
    for field in (line.partition(":")[0] for line in (SPANS + more).splitlines()):
        stated = stated.replace(f"\n{field}:", f"\n# {field}:")
    (folder / "case.yaml").write_text(stated + SPANS + more, encoding="utf-8")
    case = open_case(folder)
    for log in logs:
        file = folder.parent / f"trail_{'quiet' if log == QUIET else 'loud'}.jsonl"
        file.write_text(log, encoding="utf-8")
        guide.add(case, str(file))
    guide.findings(case)
    return open_case(folder)


def ran(case: Case, run_id: str, parameters: dict[str, Any] | None = None, duckdb: str = "1.5.6") -> Case:
    """The same case with the record of a run."""
    inputs = {"case.yaml": sha256_of(case.path / "case.yaml")}
    step = {"name": "5_enrich", "notebook_sha256": "0" * 64, "parameters": parameters or {}, "inputs": inputs}
    record = {"run_id": run_id, "started": f"2026-03-12T00:00:0{run_id}+00:00", "versions": {"duckdb": duckdb}}
    write_json(case.run_record, {**record, "steps": [step]})
    return case


def copied(case: Case, to: Path) -> Case:
    shutil.copytree(case.path, to)
    return open_case(to)


def edited(case: Case, edit: Callable[[dict[str, Any]], object]) -> Case:
    file = case.results / "findings.json"
    found = json.loads(file.read_text(encoding="utf-8"))
    edit(found)
    file.write_text(json.dumps(found), encoding="utf-8")
    return case


def of(found: Comparison, part: str, change: str = "") -> list[Change]:
    return [one for one in found.changes if one.part == part and change in ("", one.change)]


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return made(tmp_path_factory.mktemp("quiet") / "case", QUIET)


@pytest.fixture(scope="module")
def loud(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return made(tmp_path_factory.mktemp("loud") / "case", QUIET, LOUD)


def first_finding(case: Case) -> dict[str, Any]:
    found = json.loads((case.results / "findings.json").read_text(encoding="utf-8"))
    first: dict[str, Any] = found["findings"][0]
    return first


# differences, and none


def test_two_runs_of_one_case_differ_in_nothing_but_the_stamp_of_the_run(
    loud: Case, tmp_path: Path, playbooks: Playbooks
) -> None:
    one, other = ran(copied(loud, tmp_path / "one"), "1"), ran(copied(loud, tmp_path / "other"), "2")
    found = compare(one, other)
    assert (found.changes, found.not_compared, found.notes) == ((), (), ())
    assert found.verdict == "No difference."
    said = playbooks("diff", one.path, other.path, "--exit-code")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "No difference."


def test_evidence_that_was_added_is_told_with_the_finding_that_cites_it(quiet: Case, loud: Case) -> None:
    found = compare(quiet, loud)
    [item] = of(found, "evidence")
    assert (item.subject.partition("-")[0], item.change) == ("E002", "added")
    assert found.same_items == 1
    new = first_finding(loud)
    [appeared] = [one for one in of(found, "finding", "appeared") if one.subject == new["id"]]
    assert appeared.second == f"finding: {new['title']}, score {new['score']:g}"
    assert appeared.why == f"cites {item.subject}, which the other side does not hold"
    assert appeared.refs[0].startswith("E002:")
    assert {one.subject for one in of(found, "outcome", "answer")} >= {"public_exposure"}
    assert found.verdict.endswith("The one before them is the only cause that these files name.")
    back = compare(loud, quiet)
    assert [one.change for one in back.changes if one.subject in (item.subject, new["id"])] == ["removed", "gone"]


def test_the_same_items_in_another_order_change_names_and_no_result(loud: Case, tmp_path: Path) -> None:
    found = compare(loud, made(tmp_path / "case", LOUD, QUIET))
    assert found.same_items == 2
    assert {one.change for one in of(found, "evidence")} == {"other name, same bytes"}
    assert of(found, "finding") == of(found, "outcome") == of(found, "limit") == []


def test_an_entry_of_the_allow_list_is_the_reason_why_a_finding_is_set_aside(loud: Case, tmp_path: Path) -> None:
    entry = "allow_list: [{kind: principal, value: j.doe, owner: Red team, expires: 2026-12-31}]\n"
    found = compare(loud, made(tmp_path / "case", QUIET, LOUD, more=entry))
    [field] = of(found, "case.yaml")
    assert (field.subject, field.change) == ("allow_list", "added")
    assert '"owner": "Red team"' in str(field.second)
    moved = of(found, "finding", "moved") + of(found, "finding", "appeared")
    assert any("Red team" in one.why or "set aside" in str(one.second) for one in moved)
    assert found.verdict.endswith("only cause that these files name.")


def test_a_decision_and_what_it_moved_stand_beside_each_other(loud: Case, tmp_path: Path) -> None:
    later = copied(loud, tmp_path / "later")
    name = first_finding(later)["id"]
    guide.decide(later, name, "benign", "ticket 4711", "J. Doe")
    found = compare(loud, open_case(later.path))
    [decided] = of(found, "decision")
    assert (decided.subject, decided.change) == (name, "added")
    [moved] = of(found, "finding", "moved")
    assert (moved.subject, moved.first, moved.second) == (name, "finding", "set aside")
    assert moved.why.startswith("set aside: decided benign by J. Doe") and "ticket 4711" in moved.why


def test_a_field_of_the_case_file_is_told_by_its_path(loud: Case, tmp_path: Path) -> None:
    other = copied(loud, tmp_path / "case")
    file = other.path / "case.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("end: 2026-03-12T", "end: 2026-03-13T"), encoding="utf-8")
    [field] = of(compare(loud, open_case(other.path)), "case.yaml")
    assert field == Change("case.yaml", "window.end", "changed", "2026-03-12T00:00:00Z", "2026-03-13T00:00:00Z")


def test_scores_signals_and_confidence_are_told_one_by_one(loud: Case, tmp_path: Path) -> None:
    def edit(found: dict[str, Any]) -> None:
        entry = found["findings"][0]
        entry["score"] = 0.123
        entry["argument"]["confidence"]["word"] = "certain"
        entry["signals"][0]["weight"] = 0.01
        entry["signals"][1] |= {"sentence": "It was told otherwise.", "refs": ["E001:1"]}
        entry["next_steps"] = ["Sleep."]

    before = first_finding(loud)
    found = compare(loud, edited(copied(loud, tmp_path / "case"), edit))
    told = {one.change: (one.first, one.second, one.refs) for one in of(found, "finding")}
    old = before["signals"][1]
    assert told["score"] == (str(before["score"]), "0.123", ())
    assert told["confidence"][1] == "certain"
    assert told["signal weighs"][1] == f"{before['signals'][0]['kind']} 0.01: {before['signals'][0]['sentence']}"
    gone = f"{old['kind']} {old['weight']:g}: {old['sentence']}"
    assert told["signal removed"] == (gone, None, tuple(old["refs"]))
    assert told["signal added"] == (None, f"{old['kind']} {old['weight']:g}: It was told otherwise.", ("E001:1",))
    assert "also differs in argument, next_steps" in told
    assert "These files name no cause." in found.verdict


def test_versions_and_parameters_of_the_runs_are_causes(loud: Case, tmp_path: Path) -> None:
    one = ran(copied(loud, tmp_path / "one"), "1")
    other = ran(copied(loud, tmp_path / "other"), "2", {"rows": 5}, "2.0.0")
    found = compare(one, other)
    assert of(found, "version") == [Change("version", "duckdb", "changed", "1.5.6", "2.0.0")]
    assert of(found, "parameter") == [Change("parameter", "5_enrich.rows", "added", None, "5")]
    assert found.verdict == "2 differences before the results, 0 differences in them. The results are the same."


# what cannot be compared


def test_without_a_run_on_record_no_difference_is_not_said_of_everything(loud: Case, tmp_path: Path) -> None:
    found = compare(loud, ran(copied(loud, tmp_path / "case"), "1"))
    assert found.verdict == "No difference in what could be compared."
    assert found.not_compared == (
        "The first case has no run.json (never run headless): versions of packages, notebooks, own formats and "
        "parameters are not compared.",
    )


def test_without_a_manifest_evidence_is_not_called_the_same(loud: Case, tmp_path: Path) -> None:
    bare = copied(loud, tmp_path / "bare")
    (bare.evidence / "manifest-sha256.txt").unlink()
    found = compare(loud, bare)
    assert found.same_items is None and of(found, "evidence") == []
    words = "The second case has no evidence/manifest-sha256.txt: items of evidence are not compared."
    assert words in found.not_compared


def test_leads_beyond_the_list_are_not_called_gone_for_good(loud: Case, tmp_path: Path) -> None:
    def edit(found: dict[str, Any]) -> None:
        found["leads"].append(found["findings"][0] | {"id": "B-00000001"})
        found["leads_total"] += 1

    def cut(found: dict[str, Any]) -> None:
        found["leads_total"] += 1

    full = edited(copied(loud, tmp_path / "full"), edit)
    [gone] = of(compare(full, edited(copied(loud, tmp_path / "cut"), cut)), "finding", "gone")
    assert gone.subject == "B-00000001" and " leads" in gone.why and "the other side lists " in gone.why


def test_results_older_than_their_case_file_are_said_to_be(loud: Case, tmp_path: Path) -> None:
    one = ran(copied(loud, tmp_path / "case"), "1")
    with (one.path / "case.yaml").open("a", encoding="utf-8") as file:
        file.write("# later\n")
    [note] = compare(open_case(one.path), ran(copied(loud, tmp_path / "other"), "2")).notes
    assert note == ("The first case: case.yaml changed after its last run; its results may not know of it yet.")


BROKEN = {
    "no JSON": "{",
    "a list": "[]",
    "no findings": '{"outcomes": {}}',
    "a word for a score": '{"outcomes": {}, "findings": [{"id": "A-1", "score": "x"}], "leads": [], "suppressed": [], '
    '"leads_total": 0}',
    "no number": '{"outcomes": {}, "findings": [{"id": "A-1", "score": NaN}], "leads": [], "suppressed": [], '
    '"leads_total": 0}',
    "deep": "[" * 100_000,
    "bytes": "\udcff",
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_broken_results_stop_with_file_fault_and_way_out(
    loud: Case, tmp_path: Path, playbooks: Playbooks, text: str
) -> None:
    other = copied(loud, tmp_path / "case")
    (other.results / "findings.json").write_text(text, encoding="utf-8", errors="surrogateescape")
    said = playbooks("diff", loud.path, other.path)
    assert (said.code, said.out) == (CaseError.exit_code, "")
    words = " ".join(said.err.split())
    assert f"{other.path}/results/findings.json is not what a run writes:" in words
    assert f"playbooks run {other.path}" in words and "Traceback" not in words


def test_without_results_the_way_to_make_them_is_told(tmp_path: Path, loud: Case) -> None:
    empty = new_case(tmp_path / "case", "T-2")
    with pytest.raises(CaseError, match=r"results/findings\.json: not there\..*playbooks run "):
        compare(empty, loud)
    decided = copied(loud, tmp_path / "decided")
    decided.decisions.write_text("no decision\n", encoding="utf-8")
    with pytest.raises(CaseError, match=r"decided: decisions\.jsonl, line 1"):
        compare(loud, decided)


# the command


def test_the_exit_code_is_asked_for(quiet: Case, loud: Case, playbooks: Playbooks) -> None:
    assert playbooks("diff", quiet.path, loud.path).code == 0
    assert playbooks("diff", quiet.path, loud.path, "--exit-code").code == CasesDiffer.exit_code
    said = playbooks("diff", quiet.path, loud.path, "--format", "json")
    told = json.loads(said.out)
    assert told["differs"] is True
    assert told["changes"][0]["part"] == "evidence"
    assert {"part", "subject", "change", "first", "second", "refs", "why"} == set(told["changes"][0])


HOSTILE = "x\x1b]0;owned\x07\x1b[2J\u202e\n  finding  A-00000000  gone\r[bold]<script>"


def test_a_hostile_title_moves_no_cursor_and_makes_no_line_of_its_own(
    loud: Case, tmp_path: Path, playbooks: Playbooks
) -> None:
    def edit(found: dict[str, Any]) -> None:
        entry = found["findings"][0]
        entry["title"] = entry["signals"][0]["sentence"] = HOSTILE
        entry["signals"][0]["refs"] = [HOSTILE]
        found["findings"].append(entry | {"id": HOSTILE})

    other = edited(copied(loud, tmp_path / "case"), edit)
    said = playbooks("diff", loud.path, other.path)
    assert said.code == 0
    assert not {"\x1b", "\x07", "\r", "\u202e"} & set(said.out)
    assert "‹U+001B›" in said.out and "[bold]<script>" in said.out
    assert not [line for line in said.out.splitlines() if line.startswith("  finding  A-00000000")]
    assert playbooks("diff", loud.path, other.path, "--format", "json").out.isascii()
    assert "\x1b" not in str(guide.diff(loud, str(other.path)))


def test_the_guide_tells_the_same_as_the_command(quiet: Case, loud: Case) -> None:
    view = guide.diff(quiet, loud)
    assert view.words[-1] == compare(quiet, loud).verdict
    assert [table.caption for table in view.tables] == ["Before the results", "In the results"]
    assert len(view.tables[0].rows) + len(view.tables[1].rows) == len(view.data.changes)
