"""One case headless: the notebooks through papermill, each step recorded in `run.json`.

Parameters are checked against the notebooks before a kernel starts. Papermill stores them in plain text
in the executed notebook, so none of them may be a secret.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import platform
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playbooks import __version__
from playbooks.case import CASE_FILE, Case, write_json, write_text
from playbooks.errors import StepFailed
from playbooks.evidence import Verdict, custody, finish, require_intact
from playbooks.evidence.captures import derive_new
from playbooks.kernels import Kernels
from playbooks.normalise.own_formats import digests_of, formats_of
from playbooks.steps import OWN_PARAMETER, STEPS, check_parameters, notebooks_folder

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

VERSIONS_OF = ("duckdb", "ibis-framework", "msticpy", "nbconvert", "pandas", "papermill", "plotly", "pyarrow")
INPUTS = (CASE_FILE, "decisions.jsonl", "evidence/tagmanifest-sha256.txt")  # the last one pins every item
STEP_TIMEOUT_S = 3600

Told = Callable[[str, str, float], None]


@dataclass
class Step:
    """One executed notebook."""

    name: str
    status: str
    notebook_sha256: str
    parameters: dict[str, Any]
    started: str
    seconds: float = 0.0
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    error: str = ""


def _settled(case: Case, told: Told) -> Verdict:
    """The evidence, intact and complete before the first step: what a run reads does not change under it."""
    finish(case)  # what an addition that was broken off had left to do
    verdict = require_intact(case)
    return require_intact(case) if derive_new(case, lambda words: told(words, "running", 0.0)) else verdict


def run(
    case: Case,
    given: Mapping[str, str] | None = None,
    steps: tuple[str, ...] = STEPS,
    told: Told = lambda _step, _status, _seconds: None,
) -> dict[str, Any]:
    """Run the notebooks of a case in order.

    Parameters
    ----------
    case
        The case.
    given
        Notebook parameters, name → text.
    steps
        Which notebooks; all by default.
    told
        Called with step, status (running, done, failed) and seconds.

    Returns
    -------
    dict
        The run record, as written to `run.json`.

    Raises
    ------
    UsageError
        Wrong parameters; nothing was started.
    EvidenceChanged
        The evidence is not intact; nothing was started.
    CaseError
        An own format of the case is not valid; nothing was started.
    StepFailed
        A notebook failed; the executed notebook holds the traceback.
    """
    typed = check_parameters(given or {}, steps)
    own = {form.name: form.sha256 for form in formats_of(case)}
    verdict = _settled(case, told)
    record: dict[str, Any] = {
        "run_id": str(uuid.uuid4()),
        "case_id": case.config.case_id,
        "started": _now(),
        "versions": versions(),
        "evidence": {"files": verdict.files, "custody_entries": verdict.entries, "custody_head": verdict.head},
        "own_formats": own,
        "steps": [],
    }
    write_json(case.run_record, record)  # notebook 6 states the run in the report
    facts = {"steps": list(steps), "items": verdict.files, "head": verdict.head}
    _record(case, "read", run_id=record["run_id"], **facts, **({"own_formats": own} if own else {}))
    kernels = Kernels(case.path, len(steps))
    pages = ThreadPoolExecutor(1, thread_name_prefix="pages")  # a page is written while the next step runs
    written: list[Future[None]] = []
    try:
        for name in steps:
            told(name, "running", 0.0)
            step = _run_step(case, name, typed[name], kernels)
            record["steps"].append(asdict(step))
            write_json(case.run_record, record)
            told(name, step.status, step.seconds)
            written.append(pages.submit(_write_page, case, name))
            if step.status == "failed":
                raise StepFailed(
                    f"{name}: {step.error}\nThe notebook with its traceback is {case.notebooks / name}.ipynb; "
                    "steps before it are done. Correct the cause and run again."
                )
        for page in written:
            page.result()  # a page that could not be written must not just be missing
    finally:
        kernels.close()
        pages.shutdown()
        _close(case, record)
    return record


def _close(case: Case, record: dict[str, Any]) -> None:
    """Write down what the run left behind, and pin the run record in the custody chain."""
    record["files"] = _digests(case, _made(case))
    done = all(step["status"] == "done" for step in record["steps"])
    record["finished" if done else "stopped"] = _now()
    write_json(case.run_record, record)
    _record(
        case,
        "ran",
        run_id=record["run_id"],
        steps={step["name"]: step["status"] for step in record["steps"]},
        run_record_sha256=_digest(case.run_record),
    )


def _record(case: Case, activity: str, **facts: Any) -> None:
    custody.append(case.custody, case.config.case_id, activity, **facts)


def _made(case: Case) -> tuple[str, ...]:
    """What a run makes for readers: results, executed notebooks, pages, and how the evidence was read."""
    patterns = ("results/[!.]*", "notebooks/*.ipynb", "report/*.html", "events/readings.json")
    return tuple(sorted(p.relative_to(case.path).as_posix() for pattern in patterns for p in case.path.glob(pattern)))


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Versions that can change a result."""
    found = {name: importlib.metadata.version(name) for name in VERSIONS_OF}
    return {"playbooks": __version__, "python": platform.python_version(), **found}


def _run_step(case: Case, name: str, parameters: dict[str, Any], kernels: Kernels) -> Step:
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    source = notebooks_folder() / f"{name}.ipynb"
    step = Step(name, "running", _digest(source), parameters, _now(), inputs=_digests(case, INPUTS) | digests_of(case))
    before = time.perf_counter()
    try:
        with kernels.one() as kernel:
            _execute(source, case.notebooks / f"{name}.ipynb", parameters, kernel)
        step.status = "done"
    except PapermillExecutionError as error:
        step.status, step.error = "failed", f"{error.ename}: {error.evalue}"
    except (DeadKernelError, TimeoutError, RuntimeError) as error:
        step.status, step.error = "failed", f"the kernel died or did not answer: {error}"
    step.seconds = round(time.perf_counter() - before, 2)
    step.outputs = _digests(
        case, tuple(sorted(p.relative_to(case.path).as_posix() for p in case.results.glob("[!.]*")))
    )
    return step


def _execute(source: Path, target: Path, parameters: dict[str, Any], kernel: AsyncKernelManager) -> None:
    import papermill

    target.parent.mkdir(parents=True, exist_ok=True)
    papermill.execute_notebook(
        str(source),
        str(target),
        parameters={OWN_PARAMETER: ".", **parameters},
        kernel_name="python3",
        progress_bar=False,
        log_output=False,
        execution_timeout=STEP_TIMEOUT_S,
        km=kernel,
    )


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _digests(case: Case, names: tuple[str, ...]) -> dict[str, str]:
    return {name: _digest(case.path / name) for name in names if (case.path / name).is_file()}


def _write_page(case: Case, name: str) -> None:
    """The executed notebook as a page of the report, for readers without Jupyter."""
    import nbformat

    from playbooks.report import notebook_to_html

    file = case.notebooks / f"{name}.ipynb"
    if file.is_file():
        notebook = nbformat.read(file, as_version=4)
        for path in ("input_path", "output_path"):  # of this machine; papermill writes them down
            notebook.metadata.get("papermill", {}).pop(path, None)
        write_text(file, nbformat.writes(notebook))
        title = f"{case.config.case_id} · {name.replace('_', ' ')}"
        write_text(case.report / f"{name}.html", notebook_to_html(notebook, title, f"TLP:{case.config.tlp}"))
