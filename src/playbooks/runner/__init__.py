"""One case headless: the notebooks through papermill, each step recorded in `run.json`.

A step whose inputs did not change is kept, a run that was broken off goes on where it was. Parameters are checked
against the notebooks before a kernel starts. Papermill stores them in plain text in the executed notebook, so none
of them may be a secret.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from playbooks.case import Case
from playbooks.errors import StepFailed
from playbooks.evidence import Verdict, custody, finish, require_intact
from playbooks.evidence.captures import derive_new
from playbooks.kernels import Kernels
from playbooks.normalise.own_formats import formats_of
from playbooks.runner.alone import alone
from playbooks.runner.pages import keep_hand_work, page_of, write_page, write_partial_report
from playbooks.runner.record import (
    DONE,
    FAILED,
    INTERRUPTED,
    Step,
    digest,
    digests,
    executed,
    kept_steps,
    last_record,
    made,
    now,
    planned,
    results,
    steps_of,
    valid_steps,
    versions,
    write_record,
)
from playbooks.runner.watch import Failure, Limits, execute
from playbooks.steps import STEPS, check_parameters, notebooks_folder

Told = Callable[[str, str, float], None]


def _silent(_step: str, _status: str, _seconds: float) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class Plan:
    """Which notebooks to run, and how.

    Attributes
    ----------
    steps
        The notebooks meant; those before the first of them are left as they are.
    fresh
        Whether to run also what would be kept.
    limits
        What one step may use.
    """

    steps: tuple[str, ...] = STEPS
    fresh: bool = False
    limits: Limits = field(default_factory=Limits)


def run(
    case: Case, given: Mapping[str, str] | None = None, plan: Plan | None = None, told: Told = _silent
) -> dict[str, Any]:
    """Run the notebooks of a case in order; what holds from the last run is kept.

    After a cell that failed, later notebooks still run: each asks its own question. After a kernel that died or
    passed a limit they do not, for they would meet the same.

    Parameters
    ----------
    case
        The case.
    given
        Notebook parameters, name → text.
    plan
        Which notebooks, and how; all that do not hold by default.
    told
        Called with step, status (running, kept, done, failed) and seconds.

    Returns
    -------
    dict
        The run record, as written to `run.json`; that of the last run where every step was kept.

    Raises
    ------
    UsageError
        Wrong parameters; nothing was started.
    CaseBusy
        Another run is at work on this case; nothing was started.
    EvidenceChanged
        The evidence is not intact; nothing was started.
    CaseError
        An own format of the case is not valid; nothing was started.
    StepFailed
        A notebook failed; the executed notebook holds the traceback, the report says what is missing.
    """
    plan = plan or Plan()
    typed = check_parameters(given or {}, plan.steps)
    own = {form.name: form.sha256 for form in formats_of(case)}
    with alone(case):
        verdict = _settled(case, told)
        started = _Run(case, plan, typed, told)
        if not started.left:
            return started.unchanged()
        started.open(verdict, own)
        return started.go()


def _settled(case: Case, told: Told) -> Verdict:
    """The evidence, intact and complete before the first step: what a run reads does not change under it."""
    finish(case)  # what an addition that was broken off had left to do
    verdict = require_intact(case)
    return require_intact(case) if derive_new(case, lambda words: told(words, "running", 0.0)) else verdict


class _Run:
    """A run from its plan to its closed record."""

    def __init__(self, case: Case, plan: Plan, typed: Mapping[str, dict[str, Any]], told: Told) -> None:
        self._case, self._plan, self._told = case, plan, told
        self._id = str(uuid.uuid4())
        steps = [planned(case, name, typed.get(name, {}), self._id) for name in STEPS]
        asked = [step for step in steps if step.name in plan.steps]
        kept = [] if plan.fresh else kept_steps(case, asked)
        others = [step for step in valid_steps(case, steps) if step.name not in plan.steps]
        self._steps = {step.name: step for step in (*others, *kept)}
        self.left = [step for step in asked if step.name not in self._steps]
        self._kept = [step.name for step in kept]
        self._before = {step.name: step for step in steps_of(last_record(case))}
        self._record: dict[str, Any] = {}

    def unchanged(self) -> dict[str, Any]:
        """Nothing to do: the record of the run that stands, closed now where that run was killed before it could."""
        self._tell_kept()
        self._record = last_record(self._case)
        left_open = _left_open(custody.entries(self._case.custody))
        if left_open:
            self._id = left_open
            self._close()
        return self._record

    def open(self, verdict: Verdict, own: Mapping[str, str]) -> None:
        """Write down what is about to run on what."""
        evidence = {"files": verdict.files, "custody_entries": verdict.entries, "custody_head": verdict.head}
        self._record = {
            "run_id": self._id,
            "case_id": self._case.config.case_id,
            "started": now(),
            "versions": versions(),
            "evidence": evidence,
            "own_formats": dict(own),
        }
        self._write()  # notebook 6 states the run in the report
        facts = {"steps": [step.name for step in self.left], "items": verdict.files, "head": verdict.head}
        told = {**facts, **({"kept": self._kept} if self._kept else {}), **({"own_formats": own} if own else {})}
        self._note("read", **told)

    def go(self) -> dict[str, Any]:
        """Run what is left, and close the record however it ends.

        Raises
        ------
        StepFailed
            A notebook failed.
        """
        self._tell_kept()
        failed: list[tuple[Step, Failure]] = []
        try:
            with _page_writer() as later, closing(self._kernels()) as kernels:
                for step in self.left:
                    failure = self._execute(step, kernels)
                    later(write_page, self._case, step.name)
                    if failure:
                        failed.append((step, failure))
                    if failure and not failure.in_cell:
                        break
            if failed and STEPS[-1] in self._plan.steps and not self._reported():
                self._report_what_is_missing()
        finally:
            self._close()
        if failed:
            raise StepFailed(self._words(failed))
        return self._record

    def _tell_kept(self) -> None:
        """Say what is kept; a page that a run which was killed did not come to is made up for."""
        for name in self._kept:
            if not page_of(self._case, name).is_file():
                write_page(self._case, name)
            self._told(name, "kept", 0.0)

    def _kernels(self) -> Kernels:
        return Kernels(self._case.path, len(self.left), self._plan.limits.memory)

    def _execute(self, step: Step, kernels: Kernels) -> Failure | None:
        """Run one step and write down how it ended."""
        case = self._case
        self._told(step.name, "running", 0.0)
        keep_hand_work(case, step.name, self._before.get(step.name))
        self._steps[step.name] = step
        step.started, step.status, step.error = now(), INTERRUPTED, "stopped by hand"  # unless it comes to its end
        source, target = notebooks_folder() / f"{step.name}.ipynb", executed(case, step.name)
        before = time.perf_counter()
        try:
            with kernels.one() as kernel:
                failure = execute(source, target, step.parameters, kernel, self._plan.limits)
        except RuntimeError as error:
            failure = Failure(str(error), in_cell=False)
        finally:
            step.seconds = round(time.perf_counter() - before, 2)
            step.notebook = digest(target)
        step.status, step.error = (FAILED, failure.words) if failure else (DONE, "")
        step.outputs = digests(case, results(case))
        self._write()
        self._told(step.name, step.status, step.seconds)
        return failure

    def _reported(self) -> bool:
        """Whether the case report is of this run."""
        last = self._steps.get(STEPS[-1])
        return last is not None and last.status == DONE

    def _report_what_is_missing(self) -> None:
        """Put a page in place of the case report that says which steps came to their end and which did not."""
        report = write_partial_report(self._case, self._record, self._ordered())
        name = report.relative_to(self._case.path).as_posix()
        self._note("exported", files={name: digest(report)})

    def _close(self) -> None:
        """Write down what the run left behind, and pin the run record in the custody chain."""
        self._record["files"] = digests(self._case, made(self._case))
        done = all(step.status == DONE for step in self._steps.values())
        self._record["finished" if done else "stopped"] = now()
        self._write()
        states = {step.name: step.status for step in self._ordered()}
        self._note("ran", steps=states, run_record_sha256=digest(self._case.run_record))

    def _words(self, failed: Sequence[tuple[Step, Failure]]) -> str:
        lines = [f"{step.name}: {failure.words}" for step, failure in failed]
        folder = self._case.notebooks
        return "\n".join(
            (
                *lines,
                f"The notebooks with their tracebacks are {folder / failed[0][0].name}.ipynb"
                + (f" and {len(failed) - 1} more." if len(failed) > 1 else "."),
                "Steps that came to their end are kept. Correct the cause and run again: it goes on there.",
            )
        )

    def _ordered(self) -> list[Step]:
        return [self._steps[name] for name in STEPS if name in self._steps]

    def _write(self) -> None:
        write_record(self._case, self._record, self._ordered())

    def _note(self, activity: str, **facts: Any) -> None:
        custody.append(self._case.custody, self._case.config.case_id, activity, run_id=self._id, **facts)


def _left_open(entries: Sequence[Mapping[str, Any]]) -> str:
    """The id of the run that began last, if the chain of custody does not say that it ended."""
    began = [entry.get("run_id") for entry in entries if entry.get("activity") == "read"]
    ended = {entry.get("run_id") for entry in entries if entry.get("activity") == "ran"}
    return str(began[-1]) if began and began[-1] not in ended else ""


@contextmanager
def _page_writer() -> Iterator[Callable[..., None]]:
    """Pages are written while the next step runs; one that could not be written must not just be missing."""
    written: list[Future[None]] = []
    with ThreadPoolExecutor(1, thread_name_prefix="pages") as pool:
        yield lambda *work: written.append(pool.submit(*work))
    for page in written:
        page.result()


__all__ = ["Limits", "Plan", "Told", "run", "versions"]
