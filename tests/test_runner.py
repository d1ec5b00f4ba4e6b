"""A case headless: parameters, failures, the record of a run, and the same findings every time."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from tests.conftest import SampleRun, started

from playbooks.case import Case, open_case
from playbooks.errors import EvidenceChanged, StepFailed, UsageError
from playbooks.evidence import verify
from playbooks.runner import Plan, run
from playbooks.steps import (
    STEPS,
    Parameter,
    _typed,
    check_parameters,
    notebooks_folder,
    parameters_of,
    samples_folder,
)

FROM_SCRATCH = ("case.yaml", "evidence", "custody.jsonl")  # and decisions.jsonl, where there is one
DERIVED = ("events", "unread", "results", "notebooks", "report")


def fresh(incident: SampleRun, folder: Path) -> Case:
    """The sample as it stands before its first run."""
    folder.mkdir(parents=True)
    for name in FROM_SCRATCH:
        source = incident.case / name
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / name)
    return open_case(folder)


def findings(case: Path) -> bytes:
    return (case / "results" / "findings.json").read_bytes()


# parameters, before any kernel starts


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"windowminutes": "60"}, r"parameter 'windowminutes': no notebook has it\. Known: .*window_minutes \(int\)"),
        ({"window_minutes": "an hour"}, "parameter window_minutes: expected a value of type int, found 'an hour'"),
        ({"window_minutes": "60.0"}, "expected a value of type int"),
        ({"window_minutes": ""}, "expected a value of type int"),
        ({"case_dir": "/elsewhere"}, "parameter 'case_dir': no notebook has it"),
        ({"": "1"}, "parameter '': no notebook has it"),
    ],
)
def test_an_unknown_or_mistyped_parameter_stops_before_anything_starts(
    incident: SampleRun, tmp_path: Path, given: dict[str, str], message: str
) -> None:
    case = fresh(incident, tmp_path / "case")
    before = sorted(path.name for path in case.path.iterdir()), case.custody.read_bytes()
    with pytest.raises(UsageError, match=message):
        run(case, given)
    assert (sorted(path.name for path in case.path.iterdir()), case.custody.read_bytes()) == before


@pytest.mark.parametrize(
    ("type_", "text", "value"),
    [
        ("bool", "true", True),
        ("bool", "False", False),
        ("bool", "yes", None),
        ("bool", "1", None),
        ("bool", "", None),
        ("int", "-3", -3),
        ("int", "3.0", None),
        ("float", "0.5", 0.5),
        ("float", "half", None),
        ("str", "012345678901", "012345678901"),  # an account keeps its zero
        ("str", "", ""),
    ],
)
def test_a_text_becomes_a_value_of_the_declared_type_or_is_refused(type_: str, text: str, value: object) -> None:
    known = {"it": Parameter("it", type_, None, "")}
    if value is None:
        with pytest.raises(UsageError, match="parameter it: expected"):
            _typed(known, "it", text)
    else:
        typed = _typed(known, "it", text)
        assert (typed, type(typed)) == (value, type(value))


def test_a_parameter_reaches_every_notebook_that_has_it_and_no_other() -> None:
    steps = check_parameters({"window_minutes": "120", "src": "10.0.0.9"})
    assert {name: given for name, given in steps.items() if given} == {
        "3_scope_egress": {"src": "10.0.0.9"},
        "4_scope_cloud": {"window_minutes": 120},
        "6_decide_and_report": {"window_minutes": 120},
    }
    with pytest.raises(UsageError, match="no notebook has it"):
        check_parameters({"src": "10.0.0.9"}, ("1_preserve_evidence",))


@pytest.mark.parametrize("step", STEPS)
def test_every_parameter_has_a_type_a_default_of_it_and_a_word_of_help(step: str) -> None:
    parameters = parameters_of(step)
    assert parameters[0].name == "case_dir"
    for parameter in parameters:
        assert type(parameter.default).__name__ == parameter.type
        assert len(parameter.help) > 10


# what a run leaves behind


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_run_record_tells_what_ran_on_what_with_what(incident: SampleRun) -> None:
    record = json.loads((incident.case / "run.json").read_text(encoding="utf-8"))
    chain = [json.loads(line) for line in (incident.case / "custody.jsonl").read_text().splitlines()]
    before = chain[: [entry["activity"] for entry in chain].index("read")]
    assert record["case_id"] == "SAMPLE-INCIDENT"
    assert record["evidence"] == {
        "files": 15,
        "custody_entries": len(before),
        "custody_head": before[-1]["fingerprint"],
    }
    acts = [(entry["activity"], entry["run_id"]) for entry in chain if "run_id" in entry]
    assert acts == [(activity, record["run_id"]) for activity in ("read", "exported", "ran")]
    assert {"playbooks", "python", "duckdb", "msticpy", "plotly", "papermill"} <= set(record["versions"])
    assert record["started"] <= record["finished"]
    assert [step["name"] for step in record["steps"]] == list(STEPS)
    for step in record["steps"]:
        assert (step["status"], step["error"], step["parameters"]) == ("done", "", {})
        assert step["run_id"] == record["run_id"]
        assert step["notebook"] == digest(incident.case / "notebooks" / f"{step['name']}.ipynb")
        assert step["seconds"] > 0
        assert step["notebook_sha256"] == digest(notebooks_folder() / f"{step['name']}.ipynb")
        inputs = ("case.yaml", "evidence/tagmanifest-sha256.txt")
        beside = {"case.yaml with the lists it names", "Sigma rules"}
        assert {name: sha for name, sha in step["inputs"].items() if name not in beside} == {
            name: digest(incident.case / name) for name in inputs
        }
        assert beside < set(step["inputs"])
    outputs = record["steps"][-1]["outputs"]
    assert outputs == {
        f"results/{file.name}": digest(file)
        for file in (incident.case / "results").iterdir()
        if not file.name.startswith(".")
    }
    assert {f"results/{name}" for name in RESULTS} <= set(outputs)


RESULTS = (
    "coverage.json",
    "egress_pairs.parquet",
    "cloud_activity.parquet",
    "resources.parquet",
    "enrichment.parquet",
    "timeline.parquet",
    "findings.json",
)


def test_a_run_leaves_notebooks_and_pages_and_no_path_of_this_machine_in_them(incident: SampleRun) -> None:
    for step in STEPS:
        text = (incident.case / "notebooks" / f"{step}.ipynb").read_text(encoding="utf-8")
        page = (incident.case / "report" / f"{step}.html").read_text(encoding="utf-8")
        for told in (text, page):
            assert str(incident.case) not in told
        cells = json.loads(text)["cells"]
        assert [c for c in cells for o in c.get("outputs", ()) if o["output_type"] == "error"] == []
    left = {path.name for path in incident.case.iterdir()} - {*FROM_SCRATCH, *DERIVED, "run.json", ".lock", ".run.lock"}
    assert left <= {".staging"}, "files that no page of the docs names"


# the same findings, whoever runs it, when and where


def kernels() -> list[psutil.Process]:
    """The kernels that this process has started and that still run, and the process that they are forked from."""
    found = []
    for child in psutil.Process().children(recursive=True):
        try:
            if "playbooks.nursery" in child.cmdline():
                found.append(child)
        except psutil.Error:
            continue
    return found


class Watcher:
    """Looks at the kernels of a run while it runs: how they are spoken to, and what they open."""

    def __init__(self) -> None:
        self.spoken_to: set[str] = set()
        self.listening: set[tuple[int, str, int]] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._over.wait(0.3):
            for kernel in kernels():
                try:
                    self.spoken_to |= {str(socket.laddr) for socket in kernel.net_connections("unix") if socket.laddr}
                    self.listening |= {(kernel.pid, *socket.laddr) for socket in kernel.net_connections("inet")}
                except (psutil.Error, OSError):  # gone in between
                    continue

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def test_a_moved_case_rebuilt_from_its_evidence_gives_the_same_in_another_zone(
    incident: SampleRun, tmp_path: Path
) -> None:
    case = fresh(incident, tmp_path / "moved to" / "another place")
    said = started("run", case.path, cwd=tmp_path, TZ="America/New_York", PYTHONHASHSEED="1", LC_ALL="C")
    assert said.code == 0, said.err
    assert findings(case.path) == findings(incident.case)
    for name in RESULTS:
        assert digest(case.results / name) == digest(incident.case / "results" / name), name
    assert verify(case).intact


def test_a_decision_survives_the_rebuild(incident: SampleRun, tmp_path: Path) -> None:
    """From case.yaml, evidence and decisions alone."""
    from playbooks import guide

    case = open_case(incident.copy(tmp_path / "case"))
    guide.decide(case, incident.found["findings"][0]["id"], "benign", "exercise, ticket 4711", "j.doe")
    guide.findings(case)
    decided = findings(case.path)
    for name in DERIVED:
        shutil.rmtree(case.path / name)
    os.utime(case.path / "case.yaml")  # a new session, which knows nothing of this one
    guide.findings(case)
    assert findings(case.path) == decided != findings(incident.case)


@pytest.mark.parametrize("step", STEPS)
def test_each_notebook_runs_alone_over_files_and_says_what_it_says_in_order(
    incident: SampleRun, tmp_path: Path, step: str, capfd: pytest.CaptureFixture[str]
) -> None:
    case = fresh(incident, tmp_path / "case")
    told: list[tuple[str, str]] = []
    with Watcher() as seen:
        record = run(case, plan=Plan((step,)), told=lambda step, status, _: told.append((step, status)))
    assert [one["status"] for one in record["steps"]] == ["done"]
    assert told == [(step, "running"), (step, "done")]
    if step != "1_preserve_evidence":  # it shows the chain of acts, which is longer in the finished case
        assert plain(case.path, step) == plain(incident.case, step)
    assert any("kernels-" in name for name in seen.spoken_to), "files of this user, not ports"
    # the one port is ipykernel's own pipe for what programs print; it takes only what carries its secret
    assert {address for _, address, _ in seen.listening} <= {"127.0.0.1"}
    assert len(seen.listening) <= 1
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", ""), "only the command line speaks"
    assert [path for path in case.path.iterdir() if path.is_socket() or path.name.startswith("kernel")] == []
    assert kernels() == []


def plain(case: Path, step: str) -> list[str]:
    """What the cells of an executed notebook show, as plain text."""
    cells = json.loads((case / "notebooks" / f"{step}.ipynb").read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return ["".join(output["data"]["text/plain"]) for output in outputs]


# what fails


def test_changed_evidence_stops_before_anything_starts(incident: SampleRun, tmp_path: Path) -> None:
    case = fresh(incident, tmp_path / "case")
    file = next((case.evidence / "data").iterdir())
    file.chmod(0o644)
    file.write_bytes(file.read_bytes() + b"\n")
    with pytest.raises(EvidenceChanged, match=file.name):
        run(case)
    assert not case.run_record.exists()
    assert not case.notebooks.exists()


def stopped(case: Case, when: str, act: Callable[[], object], steps: tuple[str, ...]) -> dict[str, Any]:
    """Run, and do something as soon as a step begins; give the record that is left."""

    def told(step: str, status: str, _: float) -> None:
        if (step, status) == (when, "running"):
            act()

    with pytest.raises(StepFailed) as failed:
        run(case, plan=Plan(steps), told=told)
    record: dict[str, Any] = json.loads(case.run_record.read_text(encoding="utf-8"))
    return record | {"message": str(failed.value)}


def test_evidence_that_changes_while_the_run_goes_on_stops_the_first_notebook(
    incident: SampleRun, tmp_path: Path
) -> None:
    case = fresh(incident, tmp_path / "case")
    file = next((case.evidence / "data").iterdir())
    record = stopped(case, STEPS[0], file.unlink, STEPS[:2])
    assert record["steps"][0]["error"].startswith("EvidenceChanged: ")
    assert f"{file.name}: missing" in record["message"]


def test_a_kernel_that_dies_is_a_failed_step_and_not_a_run_that_hangs(incident: SampleRun, tmp_path: Path) -> None:
    case = fresh(incident, tmp_path / "case")

    def kill() -> None:
        executed = case.notebooks / "2_check_coverage.ipynb"
        while not executed.exists():
            time.sleep(0.05)
        for kernel in kernels():
            if kernel.ppid() != os.getpid():  # not what they are forked from
                kernel.kill()

    steps = ("2_check_coverage",)
    record = stopped(case, steps[0], threading.Thread(target=kill).start, steps)
    assert record["steps"][0]["status"] == "failed"
    assert "kernel died" in record["message"]


def test_a_page_that_cannot_be_written_is_an_error_though_later_steps_went_on(
    incident: SampleRun, tmp_path: Path
) -> None:
    case = fresh(incident, tmp_path / "case")
    (case.report / f"{STEPS[0]}.html" / "in the way").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        run(case, plan=Plan(STEPS[:2]))


def test_notebooks_and_samples_lie_where_the_repository_has_them() -> None:
    root = Path(__file__).resolve().parents[1]
    assert (notebooks_folder(), samples_folder()) == (root / "notebooks", root / "data" / "samples")
