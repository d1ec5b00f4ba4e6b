"""One chain from raw record to report sentence: whatever link is changed, the audit names it and says what it was."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SampleRun

from playbooks import guide
from playbooks.audit import audit
from playbooks.case import open_case
from playbooks.evidence import State, add, custody
from playbooks.evidence.custody import canonical, fingerprint

Said = dict[str, tuple[str, str]]


def said(case: Path) -> Said:
    """Check → state, and the detail or, where it is broken, all of its faults."""
    checks = audit(open_case(case)).checks
    return {c.name: (str(c.state), "; ".join(f"{f.where}: {f.what}" for f in c.faults) or c.detail) for c in checks}


def states(case: Path) -> dict[str, str]:
    return {name: state for name, (state, _) in said(case).items()}


AFTER_A_RUN = {
    "custody chain": "verified",
    "bag": "verified",
    "decisions": "not present",
    "seal": "not present",
    "time stamp": "not present",
    "CloudTrail digest files": "not present",
    "run record": "verified",
    "up to date": "verified",
    "results": "verified",
    "report": "verified",
    "cited records": "verified",
}


def test_after_a_run_every_link_is_verified_and_what_is_not_there_is_said(incident: SampleRun) -> None:
    found = said(incident.case)
    assert {name: state for name, (state, _) in found.items()} == AFTER_A_RUN
    shown = json.loads((incident.case / "results/cited_records.json").read_text())["records"]
    entries = [entry for kind in ("findings", "leads", "suppressed") for entry in incident.found[kind]]
    told = [
        s for entry in entries for s in (*entry.get("signals", ()), *(entry.get("lifecycle") or {}).get("stages", ()))
    ]
    readings = [one for entry in entries for one in (entry.get("argument") or {}).get("readings", ())]
    told += [fact for one in readings for side in ("for", "against") for fact in one[side]]
    cited = {ref for one in told for ref in one["refs"]}
    report = (incident.case / "report/report.html").read_text(encoding="utf-8")
    assert found["cited records"][1] == (
        f"{len(cited)} records are cited, all there; {len(shown)} are shown, each as it stands"
    )
    linked = {ref for ref in shown if f'href="#{ref.replace(":", "-")}"' in report}
    assert set(shown) <= cited | linked, "shown, and cited nowhere"
    assert len(shown) > 100


def test_auditing_changes_nothing(incident: SampleRun) -> None:
    def state() -> dict[str, tuple[bytes, int]]:
        files = (file for file in incident.case.rglob("*") if file.is_file())
        return {str(file): (file.read_bytes(), file.stat().st_mtime_ns) for file in files}

    before = state()
    audit(open_case(incident.case))
    assert state() == before


def append_to(name: str, text: bytes = b" ") -> Callable[[Path], object]:
    return lambda case: (case / name).write_bytes((case / name).read_bytes() + text)


def edit(name: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """Change a JSON file and write it as this kit does."""

    def apply(case: Path) -> None:
        found = json.loads((case / name).read_text(encoding="utf-8"))
        change(found)
        (case / name).write_text(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n")

    return apply


def delete(name: str) -> Callable[[Path], object]:
    return lambda case: shutil.rmtree(case / name) if (case / name).is_dir() else (case / name).unlink()


def rerecord(activity: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    """Rewrite the chain from the last entry of an activity on, as somebody would who knows how it is made."""

    def apply(case: Path) -> None:
        lines = custody.entries(case / "custody.jsonl")
        at = max(place for place, entry in enumerate(lines) if entry["activity"] == activity)
        change(lines[at])
        for place in range(at, len(lines)):
            lines[place]["prev_event"] = lines[place - 1]["fingerprint"]
            lines[place]["fingerprint"] = fingerprint(lines[place])
        (case / "custody.jsonl").write_bytes(b"".join(canonical(line) + b"\n" for line in lines))

    return apply


def first_finding(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    return edit("results/findings.json", lambda found: change(found["findings"][0]))


def forged_reference(ref: str) -> Callable[[Path], object]:
    """A finding that cites a record of its own invention, with the digest put right in the chain."""

    def apply(case: Path) -> None:
        first_finding(lambda finding: finding["signals"][0]["refs"].append(ref))(case)
        digest = hashlib.sha256((case / "results/findings.json").read_bytes()).hexdigest()
        rerecord("exported", lambda entry: entry["files"].update({"results/findings.json": digest}))(case)

    return apply


def other_record(case: Path) -> None:
    """A report that says it shows other records than the evidence holds, with the digest put right in the chain."""
    edit("results/cited_records.json", lambda found: found["records"].update({"E001:9": "0" * 64}))(case)
    digest = hashlib.sha256((case / "results/cited_records.json").read_bytes()).hexdigest()
    rerecord("exported", lambda entry: entry["files"].update({"results/cited_records.json": digest}))(case)


# what is changed → the checks that are no longer verified: state, and a part of what is said
TAMPERED: dict[str, tuple[Callable[[Path], object], dict[str, tuple[str, str]]]] = {
    "a sentence of the report": (
        append_to("report/report.html", b"<p>nothing was found</p>"),
        {"report": ("broken", "report/report.html: changed: SHA-256 was ")},
    ),
    "a page of a step": (
        append_to("report/3_scope_egress.html"),
        {"results": ("broken", "report/3_scope_egress.html: changed: SHA-256 was ")},
    ),
    "a finding": (
        first_finding(lambda finding: finding.update(title="nothing to see")),
        {"report": ("broken", "results/findings.json: changed: SHA-256 was ")},
    ),
    "a finding taken out": (
        edit("results/findings.json", lambda found: found["findings"].pop()),
        {"report": ("broken", "results/findings.json: changed: SHA-256 was ")},
    ),
    "a result behind the findings": (
        append_to("results/egress_pairs.parquet"),
        {"results": ("broken", "results/egress_pairs.parquet: changed: SHA-256 was ")},
    ),
    "an executed notebook": (
        append_to("notebooks/4_scope_cloud.ipynb"),
        {"results": ("broken", "notebooks/4_scope_cloud.ipynb: changed: SHA-256 was ")},
    ),
    "how the evidence was read": (
        append_to("events/readings.json"),
        {"results": ("broken", "events/readings.json: changed: SHA-256 was ")},
    ),
    "a parameter in the run record": (
        edit("run.json", lambda run: run["steps"][0]["parameters"].update(window_minutes=5)),
        {"run record": ("broken", "run.json: changed: SHA-256 was ")},
    ),
    "the run record deleted": (
        delete("run.json"),
        {"run record": ("broken", "run.json: changed: SHA-256 was "), "up to date": ("not present", "no run to")},
    ),
    "the run record of another run": (
        rerecord("ran", lambda entry: entry.update(run_record_sha256="0" * 64)),
        {"run record": ("broken", f"run.json: changed: SHA-256 was {'0' * 64}")},
    ),
    "the chain before the run": (
        rerecord("added", lambda entry: entry["actor"].update(user="somebody else")),
        {"run record": ("broken", "custody.jsonl: entry 15 is not the one that the run saw: it was ")},
    ),
    "a finding that cites an item that is not there": (
        forged_reference("E099:1"),
        {"cited records": ("broken", "E099:1: no such item of evidence")},
    ),
    "a finding that cites a record beyond the end": (
        forged_reference("E001:99999999"),
        {"cited records": ("broken", "E001:99999999: no such record: the item has ")},
    ),
    "a finding that cites what is no record": (
        forged_reference("E001:-1"),
        {"cited records": ("broken", "E001:-1: no reference to a record")},
    ),
    "a record that the report shows": (
        other_record,
        {"cited records": ("broken", "E001:9: no longer the record that the report shows")},
    ),
    "case.yaml": (
        append_to("case.yaml", b"\n# a remark\n"),
        {"up to date": ("not checked", "results are of an earlier state: case.yaml was changed since. Run again")},
    ),
    "report and results deleted": (
        lambda case: [delete(name)(case) for name in ("report", "results", "notebooks", "events", "unread")],
        {
            "results": ("not present", " files are gone, "),
            "report": ("not present", "3 of 3 files are gone, "),
            "cited records": ("not present", "no findings were written, so none cites a record"),
        },
    ),
}


@pytest.mark.parametrize("what", TAMPERED)
def test_whatever_is_changed_is_named_and_nothing_else(what: str, incident: SampleRun, tmp_path: Path) -> None:
    tamper, expected = TAMPERED[what]
    case = incident.copy(tmp_path / "case")
    tamper(case)
    found = said(case)
    assert {name: state for name, (state, _) in found.items()} == AFTER_A_RUN | {
        name: state for name, (state, _) in expected.items()
    }
    for name, (_, words) in expected.items():
        assert words in found[name][1]


def test_evidence_added_after_the_run_is_told(incident: SampleRun, tmp_path: Path) -> None:
    case = incident.copy(tmp_path / "case")
    (tmp_path / "late.log").write_text("late\n")
    add(open_case(case), [tmp_path / "late.log"])
    found = said(case)
    assert found["up to date"][0] == "not checked"
    assert "1 items were added since (E016 first)" in found["up to date"][1]
    assert found["bag"][0] == found["run record"][0] == "verified"


def test_a_case_that_was_never_run_has_no_broken_link(tmp_path: Path, playbooks: Callable[..., Any]) -> None:
    playbooks("new", tmp_path / "ir", "--case-id", "IR-1")
    assert states(tmp_path / "ir") == {
        **dict.fromkeys(AFTER_A_RUN, "not present"),
        "custody chain": "verified",
    }


def test_a_case_that_was_moved_is_verified_where_it_is_now(incident: SampleRun, tmp_path: Path) -> None:
    case = incident.copy(tmp_path / "elsewhere" / "archived")
    assert states(case) == AFTER_A_RUN


def test_a_report_written_by_hand_in_a_notebook_is_recorded(incident: SampleRun, tmp_path: Path) -> None:
    """A decision changes findings and report; both are recorded with it, so nothing is broken."""
    path = incident.copy(tmp_path / "case")
    case = open_case(path)
    guide.decide(case, incident.found["findings"][0]["id"], "confirmed", "seen on the host", "J. Doe")
    between = said(path)
    assert (between["report"][0], between["results"][0]) == ("not checked", "verified")
    assert between["report"][1] == (
        "1 decisions were taken since; these follow them: results/findings.json. Write the report again: playbooks run"
    )
    guide.report(case)
    found = said(path)
    assert {name: state for name, (state, _) in found.items() if name not in ("decisions",)} == {
        name: state for name, state in AFTER_A_RUN.items() if name != "decisions"
    }
    assert found["decisions"] == ("verified", "1 decisions, each as the chain records it")
    assert found["report"][1] == "report, findings and cited records as exported by hand, in a notebook"
    [exported] = [e for e in custody.entries(case.custody) if e["activity"] == "exported"][-1:]
    assert exported["run_id"] is None


RUN_AND_DIE = """
import os, signal, sys
from pathlib import Path
from playbooks import runner
from playbooks.case import open_case
kill = lambda step, status, seconds: status == "done" and os.kill(0, signal.SIGKILL)
runner.run(open_case(Path(sys.argv[1])), plan=runner.Plan(("6_decide_and_report",), fresh=True), told=kill)
"""


def test_a_run_that_was_killed_is_told_and_the_next_one_mends_it(
    incident: SampleRun, tmp_path: Path, playbooks: Callable[..., Any]
) -> None:
    case = incident.copy(tmp_path / "case")
    killed = subprocess.run([sys.executable, "-c", RUN_AND_DIE, case], start_new_session=True, check=False)
    assert killed.returncode == -signal.SIGKILL
    state, words = said(case)["run record"]
    assert (state, words.partition(" of ")[0]) == ("not checked", "the run")
    assert words.endswith("was broken off; run again: playbooks run")
    assert playbooks("run", case, "--only", "6").code == 0
    assert states(case) == AFTER_A_RUN


def test_the_acts_of_a_case_are_in_the_chain_in_their_order(incident: SampleRun) -> None:
    entries = custody.entries(incident.case / "custody.jsonl")
    acts = [entry["activity"] for entry in entries]
    assert acts == ["added"] * 15 + ["read", "exported", "ran"]
    read, exported, ran = entries[-3:]
    run = json.loads((incident.case / "run.json").read_text())
    assert read["run_id"] == exported["run_id"] == ran["run_id"] == run["run_id"]
    assert (read["items"], read["head"]) == (15, entries[14]["fingerprint"])
    results = {file.relative_to(incident.case).as_posix() for file in (incident.case / "results").glob("[!.]*")}
    assert set(exported["files"]) == {"report/report.html"} | results
    assert set(run["files"]) > set(exported["files"])
    assert ran["steps"] == {step["name"]: "done" for step in run["steps"]}


def test_what_a_hostile_run_record_says_leads_nowhere(incident: SampleRun, tmp_path: Path) -> None:
    case = incident.copy(tmp_path / "case")
    for text in (b"[]", b"{", b'{"files": {"../../etc/passwd": "x"}, "steps": [{}]}', b"[" * 100_000):
        (case / "run.json").write_bytes(text)
        assert states(case)["run record"] == State.BROKEN
