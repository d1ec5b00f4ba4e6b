"""The steps of a case: six notebooks, their parameters, and what a caller may ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playbooks.case import CASE_FILE, Case, open_case
from playbooks.errors import UsageError
from playbooks.notebook_files import OWN_PARAMETER, STEPS, Parameter, notebooks_folder, parameters_of, samples_folder

TYPES: dict[str, type] = {"str": str, "int": int, "float": float, "bool": bool}


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


def chosen_steps(only: list[str] | None, option: str = "--only") -> tuple[str, ...]:
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
        raise UsageError(f"{option} {', '.join(sorted(unknown))}: no such step. Steps: {', '.join(STEPS)}.")
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
    first = chosen_steps([since], "--from")[0]
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


__all__ = [
    "OWN_PARAMETER",
    "STEPS",
    "Parameter",
    "check_parameters",
    "chosen_steps",
    "given_parameters",
    "notebooks_folder",
    "parameters_of",
    "sample_case",
    "samples_folder",
]
