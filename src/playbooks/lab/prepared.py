"""The notebooks of a case, ready to be run by hand: parameters filled in, kernel named."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playbooks.case import Case, write_text
from playbooks.steps import OWN_PARAMETER, STEPS, TYPES, check_parameters, notebooks_folder, parameters_of

TAGS = ("injected-parameters", "parameters")  # a headless run adds the first, which then counts


def prepare_notebooks(case: Case, given: Mapping[str, str] | None = None) -> None:
    """Put the notebooks into the case for work by hand; one that is there already keeps all but given parameters.

    Parameters
    ----------
    case
        The case.
    given
        Notebook parameters, name → text. Without one, a new notebook has the value of the last run.

    Raises
    ------
    UsageError
        A name that no notebook has, or a text that is no value of its type; nothing was written.
    """
    typed = check_parameters(given or {})
    last = _last_run(case)
    for step in STEPS:
        target = case.notebooks / f"{step}.ipynb"
        source, values = notebooks_folder() / target.name, {**last.get(step, {}), **typed[step]}
        if target.exists():
            source, values = target, typed[step]
        if values or source != target:
            _write(source, target, values)


def _last_run(case: Case) -> dict[str, dict[str, Any]]:
    """The parameters of the last run, as far as today's notebooks have them."""
    if not case.run_record.is_file():
        return {}
    steps = json.loads(case.run_record.read_text(encoding="utf-8")).get("steps", ())
    return {step["name"]: _known(step["name"], step["parameters"]) for step in steps if step["name"] in STEPS}


def _known(step: str, values: Mapping[str, Any]) -> dict[str, Any]:
    types = {one.name: TYPES[one.type] for one in parameters_of(step) if one.name != OWN_PARAMETER}
    return {name: value for name, value in values.items() if type(value) is types.get(name)}


def _write(source: Path, target: Path, values: Mapping[str, Any]) -> None:
    notebook = json.loads(source.read_text(encoding="utf-8"))
    for tag in TAGS:
        cell = next((cell for cell in notebook["cells"] if tag in cell["metadata"].get("tags", ())), None)
        if cell and values:
            cell["source"] = filled("".join(cell["source"]), values).splitlines(keepends=True)
            break
    write_text(target, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def filled(source: str, values: Mapping[str, Any]) -> str:
    """The source of a parameters cell with these values; type and comment of each line stay."""
    lines = [_filled_line(line, values) for line in source.splitlines()]
    stated = {line.partition("=")[0].partition(":")[0].strip() for line in lines}
    return "\n".join([*lines, *(f"{name} = {value!r}" for name, value in values.items() if name not in stated)])


def _filled_line(line: str, values: Mapping[str, Any]) -> str:
    found = re.match(r"(\w+)(: \w+)? = .*?(  # .*)?$", line)
    if not found or found[1] not in values:
        return line
    return f"{found[1]}{found[2] or ''} = {values[found[1]]!r}{found[3] or ''}"
