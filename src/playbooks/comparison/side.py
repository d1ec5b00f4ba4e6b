"""One side of a comparison: what the files of a case say, and what is lacking there. Nothing is computed anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playbooks.case import CASE_FILE, Case
from playbooks.errors import CaseError
from playbooks.evidence.bag import manifest
from playbooks.evidence.items import sha256_of
from playbooks.findings import decisions

FINDINGS = "results/findings.json"
DECISIONS = "decisions.jsonl"
MANIFEST = "manifest-sha256.txt"
Model = TypeVar("Model", bound=BaseModel)
Score = Annotated[float, Field(allow_inf_nan=False)]


class _Told(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class Signal(_Told):
    """One fact of a finding, as `findings.json` has it."""

    kind: str
    sentence: str
    weight: Score = 0.0
    refs: list[str] = []


class Confidence(_Told):
    """How sure a finding is, in a word."""

    word: str


class Argument(_Told):
    """What speaks for and against the readings of a finding; of it only the confidence is compared by itself."""

    confidence: Confidence | None = None


class Entry(_Told):
    """A finding, a lead, or a row set aside."""

    id: str
    signals: list[Signal] = []
    title: str = ""
    would_be: str = ""
    allowed_by: str = ""
    score: Score | None = None
    argument: Argument | None = None
    decision: dict[str, Any] | None = None

    @property
    def words(self) -> str:
        """Its title, also where it is set aside."""
        return self.title or self.would_be.partition(": ")[2]

    @property
    def confidence(self) -> str:
        """The word of its confidence; empty where it has none."""
        return self.argument.confidence.word if self.argument and self.argument.confidence else ""


class Outcome(_Told):
    """The answer to one question."""

    title: str
    outcome: str
    reason: str


class Found(_Told):
    """What `findings.json` holds."""

    outcomes: dict[str, Outcome]
    findings: list[Entry]
    leads: list[Entry]
    suppressed: list[Entry]
    leads_total: int
    limits: list[str] = []
    versions: dict[str, str] = {}


class Step(_Told):
    """One notebook of a run."""

    name: str
    notebook_sha256: str = ""
    parameters: dict[str, Any] = {}
    inputs: dict[str, str] = {}


class RunRecord(_Told):
    """What `run.json` holds."""

    run_id: str
    started: str
    versions: dict[str, str] = {}
    own_formats: dict[str, str] = {}
    steps: list[Step] = []
    files: dict[str, str] = {}


@dataclass(frozen=True)
class Side:
    """A case as its files tell it.

    Attributes
    ----------
    evidence
        SHA-256 → name of the item, from the bag's manifest; None where there is no manifest.
    run
        The last run; None where there is no `run.json`.
    files
        Name below `results/` → SHA-256, but of `findings.json`, whose content is compared.
    lacking
        Files that are not there, and what therefore cannot be compared.
    notes
        Why these results may not belong to this case file, these decisions or this run.
    """

    case: Case
    found: Found
    run: RunRecord | None
    decided: dict[str, dict[str, Any]]
    evidence: dict[str, str] | None
    files: dict[str, str]
    lacking: tuple[str, ...]
    notes: tuple[str, ...]


def side_of(case: Case) -> Side:
    """Read one side.

    Raises
    ------
    CaseError
        There are no results, or a file is not what the kit writes; the file and the first faults are named.
    """
    found = _loaded(Found, case.results / "findings.json", f"Make the results with: playbooks run {case.path}")
    assert found is not None
    broken = f"Find out who changed it with: playbooks verify {case.path}, or run again: playbooks run {case.path}"
    run = _loaded(RunRecord, case.run_record, broken, needed=False)
    listed = case.evidence / MANIFEST
    evidence = {sha: name.removeprefix("data/") for name, sha in manifest(listed).items()}
    lacking = []
    if run is None:
        lacking.append("no run.json (never run headless): versions of packages, notebooks, own formats and parameters")
    if not listed.is_file():
        lacking.append(f"no evidence/{MANIFEST}: items of evidence")
    return Side(
        case=case,
        found=found,
        run=run,
        decided=_decided(case),
        evidence=evidence if listed.is_file() else None,
        files={file.name: sha256_of(file) for file in case.results.glob("[!.]*") if file.name != "findings.json"},
        lacking=tuple(lacking),
        notes=_notes(case, run),
    )


def _decided(case: Case) -> dict[str, dict[str, Any]]:
    try:
        return decisions(case)
    except CaseError as error:
        raise CaseError(f"{case.path}: {error}") from error


def _loaded(model: type[Model], file: Path, way_out: str, needed: bool = True) -> Model | None:
    if not file.exists() and not needed:
        return None
    try:
        return model.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise CaseError(f"{file}: not there. Expected the results of a case. {way_out}") from error
    except OSError as error:
        raise CaseError(f"{file}: cannot be read: {error.strerror}. Expected the file of a run. {way_out}") from error
    except ValidationError as error:
        told = error.errors(include_url=False, include_context=False)
        faults = [f"  {'.'.join(map(str, fault['loc'])) or '(whole file)'}: {fault['msg']}" for fault in told[:5]]
        more = [f"  … and {len(told) - 5} more"] if len(told) > 5 else []
        lines = [
            f"{file} is not what a run writes:",
            *faults,
            *more,
            f"Expected that file as it was written. {way_out}",
        ]
        raise CaseError("\n".join(lines)) from error


def _notes(case: Case, run: RunRecord | None) -> tuple[str, ...]:
    """What was written after the last run, by hand or by a notebook: then its results may not fit what stands here."""
    if run is None or not run.steps:
        return ()
    names = [name for name in (CASE_FILE, DECISIONS) if run.steps[-1].inputs.get(name) != _digest(case, name)]
    notes = []
    if names:
        notes.append(f"{' and '.join(names)} changed after its last run; its results may not know of it yet")
    if (written := run.files.get(FINDINGS)) and written != _digest(case, FINDINGS):
        notes.append(f"{FINDINGS} was written after its last run, whose versions and parameters may not be its own")
    return tuple(notes)


def _digest(case: Case, name: str) -> str | None:
    file = case.path / name
    return sha256_of(file) if file.exists() else None
