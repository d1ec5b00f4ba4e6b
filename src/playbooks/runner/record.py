"""The record of a run, `run.json`: per step what it was run on, so that a later run keeps what still holds."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import json
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from playbooks import __version__, kit
from playbooks.case import CASE_FILE, Case, write_json
from playbooks.normalise.own_formats import digests_of
from playbooks.sigma import rule_files
from playbooks.steps import STEPS, notebooks_folder

VERSIONS_OF = ("duckdb", "ibis-framework", "msticpy", "nbconvert", "pandas", "papermill", "plotly", "pyarrow")
INPUTS = (CASE_FILE, "decisions.jsonl", "evidence/tagmanifest-sha256.txt")  # the last one pins every item
REPORT = "report/report.html"  # the last step writes it
DONE, FAILED, INTERRUPTED = "done", "failed", "interrupted"


@dataclass
class Step:
    """One executed notebook.

    Attributes
    ----------
    inputs
        File inside the case, or name of what lies outside it → SHA-256: what the step was run on.
    made_by
        SHA-256 over the versions that can change a result, the code of the kit among them.
    notebook
        SHA-256 of the executed notebook; empty where none was written.
    outputs
        Every file of `results/` when the step ended → SHA-256.
    run_id
        The run that executed it; older than the record's where the step was kept.
    """

    name: str
    status: str
    notebook_sha256: str
    parameters: dict[str, Any]
    run_id: str
    made_by: str
    started: str
    seconds: float = 0.0
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    notebook: str = ""
    error: str = ""

    def holds(self, today: Step, case: Case) -> bool:
        """Whether running it again would find nothing new: the same inputs, and what it wrote is still there."""
        same = all(getattr(self, name) == getattr(today, name) for name in _DECIDING)
        told = digest(executed(case, self.name)) == self.notebook
        written = (*self.outputs, *((REPORT,) if self.name == STEPS[-1] else ()))
        there = all((case.path / name).is_file() for name in written)
        return self.status == DONE and same and told and there


_DECIDING = ("notebook_sha256", "parameters", "made_by", "inputs")


def executed(case: Case, step: str) -> Path:
    """Where the executed notebook of a step lies."""
    return case.notebooks / f"{step}.ipynb"


def planned(case: Case, name: str, parameters: dict[str, Any], run_id: str) -> Step:
    """A step as it would be run now, with the digests of all it depends on."""
    source = digest(notebooks_folder() / f"{name}.ipynb")
    made_by = hashlib.sha256(json.dumps(versions(), sort_keys=True).encode()).hexdigest()
    return Step(name, "running", source, parameters, run_id, made_by, now(), inputs=inputs_of(case))


def inputs_of(case: Case) -> dict[str, str]:
    """What the steps of a case read → SHA-256; what lies outside the case is under a name of its own."""
    lists = hashlib.sha256(case.config.model_dump_json().encode()).hexdigest()
    beside = {"case.yaml with the lists it names": lists, "Sigma rules": rule_files(case).sha256}
    return digests(case, INPUTS) | digests_of(case) | beside


def kept_steps(case: Case, today: Iterable[Step]) -> list[Step]:
    """Steps of the last record that need not run again: all up to the first one that does not hold."""
    known = {step.name: step for step in steps_of(last_record(case))}
    if not _as_closed(case):
        return []
    kept: list[Step] = []
    for step in today:
        before = known.get(step.name)
        if before is None or not before.holds(step, case):
            break
        kept.append(before)
    return kept


def valid_steps(case: Case, today: Iterable[Step]) -> list[Step]:
    """Steps of the last record that still hold, wherever they stand."""
    known = {step.name: step for step in steps_of(last_record(case))}
    return [known[step.name] for step in today if step.name in known and known[step.name].holds(step, case)]


def _as_closed(case: Case) -> bool:
    """Whether the results are what the last run left; true where that run was broken off and told no digests."""
    stated = last_record(case).get("files") or {}
    return all(digest(case.path / name) == sha256 for name, sha256 in stated.items() if name.startswith("results/"))


def last_record(case: Case) -> dict[str, Any]:
    """What `run.json` says; empty where there is none, or half of one."""
    try:
        found = json.loads(case.run_record.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def steps_of(record: dict[str, Any]) -> list[Step]:
    """The steps of a record; those of an older kit, which told less, are none."""
    names = {one.name for one in fields(Step)}
    found = record.get("steps")
    listed = (
        [step for step in found if isinstance(step, dict) and set(step) == names] if isinstance(found, list) else []
    )
    return [Step(**step) for step in listed]


def write_record(case: Case, record: dict[str, Any], steps: Iterable[Step]) -> None:
    """Write the record as it stands, whole or not at all."""
    record["steps"] = [asdict(step) for step in steps]
    write_json(case.run_record, record)


def versions() -> dict[str, str]:
    """Versions that can change a result, and the digest of the kit's own code."""
    found = {name: importlib.metadata.version(name) for name in VERSIONS_OF}
    return {"playbooks": __version__, "kit_sha256": kit.fingerprint(), "python": platform.python_version(), **found}


def made(case: Case) -> tuple[str, ...]:
    """What a run makes for readers: results, executed notebooks, pages, and how the evidence was read."""
    patterns = ("results/[!.]*", "notebooks/*.ipynb", "report/*.html", "events/readings.json")
    return tuple(sorted(p.relative_to(case.path).as_posix() for pattern in patterns for p in case.path.glob(pattern)))


def results(case: Case) -> tuple[str, ...]:
    """The files of `results/` that are for readers."""
    return tuple(sorted(p.relative_to(case.path).as_posix() for p in case.results.glob("[!.]*")))


def digest(file: Path) -> str:
    """SHA-256 of a file; empty where there is none."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError:
        return ""


def digests(case: Case, names: Iterable[str]) -> dict[str, str]:
    """Name inside the case → SHA-256, of those that are files."""
    return {name: digest(case.path / name) for name in names if (case.path / name).is_file()}


def now() -> str:
    """This second in UTC."""
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
