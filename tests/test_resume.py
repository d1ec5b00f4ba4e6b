"""A run that is repeated, broken off, or whose notebooks hang, grow or die: what is kept, what is said."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest
from tests.conftest import Said
from tests.small import LOG, small_case, small_notebooks, write_notebooks

from playbooks import evidence
from playbooks.audit import OF_THE_RUN, audit
from playbooks.case import Case, open_case
from playbooks.errors import CaseBusy, StepFailed
from playbooks.evidence import custody, verify
from playbooks.evidence.checks import State
from playbooks.nurseries import SHARED
from playbooks.runner import Limits, Plan, run
from playbooks.runner.alone import alone
from playbooks.steps import STEPS, parameters_of

pytestmark = pytest.mark.usefixtures("warm_kernels")


@pytest.fixture
def notebooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Six small notebooks in place of the kit's; a step can be given other code."""
    folder = write_notebooks(tmp_path / "notebooks")
    monkeypatch.setattr("playbooks.notebook_files._data_folder", lambda _packaged, _in_repository: folder)
    parameters_of.cache_clear()
    yield lambda **code: write_notebooks(folder, **code)
    parameters_of.cache_clear()


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return small_case(tmp_path / "case")


class Told(list[tuple[str, str]]):
    """What a run told, but for its beginnings."""

    def __call__(self, step: str, status: str, _seconds: float) -> None:
        if status != "running":
            self.append((step, status))

    @property
    def states(self) -> str:
        return " ".join(status for _, status in self)


def states(case: Case, **plan: Any) -> str:
    told = Told()
    run(case, plan=Plan(**plan), told=told)
    return told.states


ALL_DONE, ALL_KEPT = " ".join(["done"] * 6), " ".join(["kept"] * 6)


def test_a_run_over_the_same_inputs_runs_nothing_and_writes_nothing(notebooks: Callable[..., None], case: Case) -> None:
    assert states(case) == ALL_DONE
    before = case.run_record.read_bytes(), case.custody.read_bytes()
    assert states(case) == ALL_KEPT
    assert (case.run_record.read_bytes(), case.custody.read_bytes()) == before
    assert states(case, fresh=True) == ALL_DONE
    assert verify(case).intact


def of_the_run(case: Case) -> State:
    [check] = [check for check in audit(case).about_results if check.name == OF_THE_RUN]
    return check.state


def test_a_run_killed_after_its_last_step_is_closed_by_the_next_one(notebooks: Callable[..., None], case: Case) -> None:
    whole = run(case)
    *begun, ran = case.custody.read_bytes().splitlines(keepends=True)
    assert json.loads(ran)["activity"] == "ran"
    case.custody.write_bytes(b"".join(begun))  # all that a kill at that moment leaves behind
    case.run_record.write_text(json.dumps({name: whole[name] for name in whole if name not in ("finished", "files")}))
    assert of_the_run(case) is State.NOT_CHECKED  # broken off; run again
    assert states(case) == ALL_KEPT
    assert of_the_run(case) is State.VERIFIED
    last = custody.entries(case.custody)[-1]
    assert (last["activity"], last["run_id"]) == ("ran", whole["run_id"])
    assert json.loads(case.run_record.read_text())["files"] == whole["files"]
    before = case.run_record.read_bytes(), case.custody.read_bytes()
    case.run_record.write_bytes(before[0] + b" ")  # a record that was changed after its run is not pinned anew
    assert states(case) == ALL_KEPT
    assert of_the_run(case) is State.BROKEN and case.custody.read_bytes() == before[1]


def test_what_changed_runs_again_from_there_on(notebooks: Callable[..., None], case: Case, tmp_path: Path) -> None:
    run(case)
    notebooks(step4="print(many + 1)")
    assert states(case) == "kept kept kept done done done"
    (case.notebooks / "6_decide_and_report.ipynb").unlink()
    assert states(case) == "kept kept kept kept kept done"
    with case.path.joinpath("case.yaml").open("a") as file:
        file.write("# a comment\n")
    assert states(open_case(case.path)) == ALL_DONE
    more = tmp_path / "more.log"
    more.write_text(LOG * 2)
    evidence.add(case, [more])
    assert states(open_case(case.path)) == ALL_DONE
    told = Told()
    run(open_case(case.path), {"many": "3"}, told=told)
    assert told.states == ALL_DONE


def test_a_list_that_lies_beside_the_case_file_is_an_input_too(notebooks: Callable[..., None], case: Case) -> None:
    changes = case.path / "changes.csv"
    changes.write_text("id,from,until,resource\nCHG-1,2026-03-10T08:00:00Z,2026-03-10T10:00:00Z,billing-*\n")
    text = case.path.joinpath("case.yaml").read_text()
    case.path.joinpath("case.yaml").write_text(
        "\n".join("change_list: changes.csv" if line.startswith("change_list") else line for line in text.splitlines())
    )
    assert states(open_case(case.path)) == ALL_DONE
    assert states(open_case(case.path)) == ALL_KEPT
    changes.write_text(changes.read_text().replace("billing-*", "invoice-*"))
    assert states(open_case(case.path)) == ALL_DONE


def test_one_step_runs_alone_and_the_record_still_tells_of_the_others(
    notebooks: Callable[..., None], case: Case
) -> None:
    first = run(case)
    second = run(case, plan=Plan(("5_enrich",), fresh=True))
    assert [step["name"] for step in second["steps"]] == list(STEPS)
    assert [step["run_id"] == second["run_id"] for step in second["steps"]] == [False] * 4 + [True, False]
    assert second["run_id"] != first["run_id"] and "finished" in second


def test_after_a_cell_that_failed_later_steps_run_and_the_next_run_goes_on_there(
    notebooks: Callable[..., None], case: Case
) -> None:
    notebooks(step3="raise ValueError('<script>alert(1)</script>')")
    told = Told()
    with pytest.raises(StepFailed, match=r"3_scope_egress: ValueError: .*\n.*3_scope_egress\.ipynb"):
        run(case, told=told)
    assert told.states == "done done failed done done done"
    record = json.loads(case.run_record.read_text())
    assert "finished" not in record and record["started"] <= record["stopped"]
    assert "Traceback" in (case.notebooks / "3_scope_egress.ipynb").read_text()
    assert "ValueError" in (case.report / "3_scope_egress.html").read_text()
    assert verify(case).intact
    notebooks()
    assert states(case) == "kept kept done done done done"


def test_when_the_last_step_fails_a_page_says_what_is_missing(notebooks: Callable[..., None], case: Case) -> None:
    notebooks(step6="raise ValueError('<script>alert(1)</script>')")
    with pytest.raises(StepFailed):
        run(case)
    page = (case.report / "report.html").read_text()
    assert "Partial case report" in page and "never the same as nothing found" in page
    assert "Is the question of 6_decide_and_report answered?" in page
    assert "<script>alert" not in page and "ValueError" in page
    exported = [entry for entry in custody.entries(case.custody) if entry["activity"] == "exported"]
    assert exported[-1]["files"] == {
        "report/report.html": json.loads(case.run_record.read_text())["files"]["report/report.html"]
    }


@pytest.mark.parametrize(
    ("code", "limits", "words"),
    [
        ("import time\ntime.sleep(600)", Limits(total_s=2), "stopped after 2 s. Give it more time with --step-timeout"),
        ("while True: pass", Limits(silence_s=2), "no cell began, ended or showed anything for 2 s"),
        (
            "import signal, time\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: time.sleep(1)",
            Limits(total_s=2),
            "stopped after 2 s",
        ),
        (
            "import time\nwaste = [b'x' * (1 << 20) for _ in range(3000)]\ntime.sleep(600)",
            Limits(memory_bytes=1 << 30),
            "GiB of memory, more than the 1.0 it may use. Give it more with --memory",
        ),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", Limits(), "the kernel died"),
        ("import os\nos._exit(3)", Limits(), "the kernel died"),
    ],
)
def test_a_step_that_hangs_grows_or_dies_is_stopped_and_named_and_nothing_after_it_runs(
    notebooks: Callable[..., None], case: Case, code: str, limits: Limits, words: str
) -> None:
    notebooks(step2=code)
    told = Told()
    began = time.monotonic()
    with pytest.raises(StepFailed, match=words.replace(".", r"\.").replace("(", r"\(")):
        run(case, plan=Plan(limits=limits), told=told)
    assert told.states == "done failed"
    assert time.monotonic() - began < 100
    page = (case.report / "report.html").read_text()
    assert page.count("the run ended before it") == 4
    assert nurseries() == []
    notebooks()
    assert states(case) == "kept done done done done done"


def test_the_engine_of_a_kernel_spills_before_the_kernel_is_stopped(notebooks: Callable[..., None], case: Case) -> None:
    asked = "from playbooks.engine import connect\nprint(connect().sql(\"SELECT current_setting('memory_limit')\"))"
    notebooks(step2=asked)
    run(case, plan=Plan(limits=Limits(memory_bytes=1 << 30)))
    assert "307.0 MiB" in (case.notebooks / f"{STEPS[1]}.ipynb").read_text()


def test_what_kernels_put_aside_goes_with_them(notebooks: Callable[..., None], case: Case) -> None:
    """A kernel is killed when its step is done: nothing cleans up in it."""
    put = "import pathlib, tempfile\nfrom playbooks.engine import open_tables, parked\n"
    put += "parked(open_tables(pathlib.Path('events')).dns_activity)\n"
    put += "print('aside:', *pathlib.Path(tempfile.gettempdir()).iterdir(), ';')"
    notebooks(step2=put)
    assert states(case) == ALL_DONE
    told = re.search(r"aside: (\S+)", (case.notebooks / f"{STEPS[1]}.ipynb").read_text())
    assert told is not None and "/spilled/playbooks-" in told[1]
    assert not Path(told[1]).exists()


def nurseries() -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if "playbooks.nursery" in (one.info["cmdline"] or ())
            and one.environ().get("PYTEST_CURRENT_TEST") == os.environ["PYTEST_CURRENT_TEST"]]  # fmt: skip


def test_two_runs_of_one_case_are_not_at_work_at_once(
    notebooks: Callable[..., None], case: Case, playbooks: Callable[..., Said]
) -> None:
    before = case.custody.read_bytes()
    with alone(case):
        with pytest.raises(CaseBusy, match=rf"another run is at work here \(process {os.getpid()}\)"):
            run(case)
        assert playbooks("run", case.path).code == 11
    assert case.custody.read_bytes() == before
    assert states(case) == ALL_DONE


def test_a_notebook_worked_on_by_hand_is_kept_when_a_run_writes_its_own(
    notebooks: Callable[..., None], case: Case
) -> None:
    run(case)
    assert not (case.notebooks / "by-hand").exists()
    file = case.notebooks / "3_scope_egress.ipynb"
    note = nbformat.read(file, as_version=4)
    note.cells.append(nbformat.v4.new_markdown_cell("what I saw"))
    nbformat.write(note, file)
    assert states(case) == "kept kept done done done done"
    assert "what I saw" in (case.notebooks / "by-hand" / "3_scope_egress-1.ipynb").read_text()
    file.write_text("no notebook at all")
    run(case)
    assert (case.notebooks / "by-hand" / "3_scope_egress-2.ipynb").read_text() == "no notebook at all"


def _listens_to_ctrl_c() -> None:
    """A shell that starts the tests in the background lets everything below them ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def begun(case: Case, **environment: str) -> subprocess.Popen[bytes]:
    """A run as a program of its own, kernels too, over the small notebooks, once it is in its second step."""
    program = subprocess.Popen(
        [sys.executable, "-m", "playbooks.cli", "run", str(case.path)],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env={**os.environ, **small_notebooks(case.path.parent / "notebooks"), SHARED: "", **environment},
        start_new_session=True, preexec_fn=_listens_to_ctrl_c,
    )  # fmt: skip
    for _ in range(600):
        if (case.notebooks / "2_check_coverage.ipynb").is_file() and '"name": "1_' in case.run_record.read_text():
            return program
        time.sleep(0.1)
    raise TimeoutError("the second step did not begin")


@pytest.mark.parametrize("how", ["ctrl-c", "kill", "supervisor"])
def test_a_run_that_is_stopped_leaves_no_kernel_and_goes_on_where_it_was(
    notebooks: Callable[..., None], case: Case, how: str
) -> None:
    notebooks(step2="import time\ntime.sleep(600)")
    program = begun(case, **({"PLAYBOOKS_SUPERVISED": "1"} if how == "supervisor" else {}))
    below = psutil.Process(program.pid).children(recursive=True)
    assert len(below) >= 2
    assert program.stdin is not None
    if how == "ctrl-c":
        program.send_signal(signal.SIGINT)
    elif how == "kill":
        program.kill()
    else:
        program.stdin.close()
    code = program.wait(60)
    gone, left = psutil.wait_procs(below, timeout=20)
    assert left == [] and len(gone) == len(below)
    assert code == (130 if how == "ctrl-c" else -signal.SIGKILL)
    if how == "ctrl-c":
        record = json.loads(case.run_record.read_text())
        assert [step["status"] for step in record["steps"]] == ["done", "interrupted"] and "stopped" in record
    notebooks()
    assert states(open_case(case.path)) == "kept done done done done done"
    assert verify(case).intact
