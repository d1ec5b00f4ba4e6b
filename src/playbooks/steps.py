"""The steps of a case: six notebooks, their parameters, and what a caller may ask of them."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from playbooks.case import CASE_FILE, Case, open_case
from playbooks.errors import UsageError

STEPS = (
    "1_preserve_evidence",
    "2_check_coverage",
    "3_scope_egress",
    "4_scope_cloud",
    "5_enrich",
    "6_decide_and_report",
)
OWN_PARAMETER = "case_dir"  # set by the runner; the notebook runs inside the case, so no path is stored
TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}


@dataclass(frozen=True)
class Parameter:
    """One notebook parameter: its type, default and the comment that explains it."""

    name: str
    type: str
    default: object
    help: str


def notebooks_folder() -> Path:
    """Where the six notebooks lie: in the installed package, or in the repository."""
    return _data_folder("_notebooks", "notebooks")


def samples_folder() -> Path:
    """Where the sample incidents lie."""
    return _data_folder("_samples", "data/samples")


def _data_folder(packaged: str, in_repository: str) -> Path:
    inside = Path(str(resources.files("playbooks"))) / packaged
    return inside if inside.is_dir() else Path(__file__).resolve().parents[2] / in_repository


@cache
def parameters_of(step: str) -> tuple[Parameter, ...]:
    """The parameters that a notebook declares in its tagged cell, as `name: type = default  # help`."""
    notebook = json.loads((notebooks_folder() / f"{step}.ipynb").read_text(encoding="utf-8"))
    cells = [c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", ())]
    source = "".join(cells[0]["source"]) if cells else ""
    lines = source.splitlines()
    return tuple(
        Parameter(
            node.target.id,
            ast.unparse(node.annotation),
            ast.literal_eval(node.value),
            lines[node.lineno - 1].partition("#")[2].strip(),
        )
        for node in ast.parse(source).body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value
    )


def check_parameters(given: Mapping[str, str], steps: tuple[str, ...] = STEPS) -> dict[str, dict[str, Any]]:
    """Turn `name → text` into typed values per step.

    Raises
    ------
    UsageError
        A name that no notebook has, or a text that is no value of its type.
    """
    known = {p.name: p for step in steps for p in parameters_of(step) if p.name != OWN_PARAMETER}
    values = {name: _typed(known, name, text) for name, text in given.items()}
    return {step: {p.name: values[p.name] for p in parameters_of(step) if p.name in values} for step in steps}


def _typed(known: Mapping[str, Parameter], name: str, text: str) -> object:
    if name not in known:
        listed = ", ".join(f"{p.name} ({p.type})" for p in known.values())
        raise UsageError(f"parameter {name!r}: no notebook has it. Known: {listed}.")
    wanted = known[name].type
    if wanted == "bool":
        if text.lower() in ("true", "false"):
            return text.lower() == "true"
        raise UsageError(f"parameter {name}: expected true or false, found {text!r}.")
    try:
        return TYPES[wanted](text)
    except ValueError as error:
        raise UsageError(f"parameter {name}: expected a value of type {wanted}, found {text!r}.") from error


def chosen_steps(only: list[str] | None) -> tuple[str, ...]:
    """The steps meant by numbers or names, in their order; all without any.

    Raises
    ------
    UsageError
        One of them is no step.
    """
    wanted = set(only or STEPS)
    chosen = tuple(step for step in STEPS if step in wanted or step[0] in wanted)
    unknown = wanted - {name for step in chosen for name in (step, step[0])}
    if unknown:
        raise UsageError(f"step {', '.join(sorted(unknown))}: no such step. Steps: {', '.join(STEPS)}.")
    return chosen


def steps_meant(only: list[str] | None, since: str | None) -> tuple[str, ...]:
    """The steps that `--only` or `--from` name; all without either.

    Raises
    ------
    UsageError
        No such step, or both were given.
    """
    if only and since:
        raise UsageError("--only and --from: expected one of them. Leave one out.")
    if not since:
        return chosen_steps(only)
    first = chosen_steps([since])[0]
    return STEPS[STEPS.index(first) :]


def given_parameters(texts: list[str] | None) -> dict[str, str]:
    """`NAME=VALUE` texts as pairs.

    Raises
    ------
    UsageError
        A text without `=`.
    """
    pairs = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"-p {text!r}: expected NAME=VALUE.")
        pairs[name.strip()] = value
    return pairs


def sample_case(to: Path, sample: str) -> tuple[Case, Path]:
    """A sample as a case below `to` (made when absent), and the folder of its logs.

    Raises
    ------
    UsageError
        No such sample.
    """
    source = samples_folder() / sample
    if sample != Path(sample).name or not source.is_dir():
        raise UsageError(f"--sample {sample!r}: expected incident or quiet.")
    folder = to / f"sample-{sample}"
    if not (folder / CASE_FILE).exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CASE_FILE).write_bytes((source / CASE_FILE).read_bytes())
    return open_case(folder), source / "logs"
