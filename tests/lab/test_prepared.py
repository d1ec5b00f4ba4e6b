"""Notebooks are ready for work by hand: parameters filled in, kernel named, own work left alone."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SampleRun, started

from playbooks.case import Case, new_case, open_case
from playbooks.errors import UsageError
from playbooks.lab import prepare_notebooks
from playbooks.steps import STEPS, notebooks_folder, parameters_of

STEP = "4_scope_cloud"


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return new_case(tmp_path / "case", "T-1")


def notebook(case: Case, step: str = STEP) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((case.notebooks / f"{step}.ipynb").read_text(encoding="utf-8"))
    return found


def values(case: Case, step: str = STEP) -> dict[str, object]:
    """What the parameter cells of a notebook leave behind."""
    names: dict[str, object] = {}
    for cell in notebook(case, step)["cells"]:
        if {"parameters", "injected-parameters"} & set(cell["metadata"].get("tags", ())):
            exec("".join(cell["source"]), names)
    return {name: value for name, value in names.items() if not name.startswith("__")}


def test_every_notebook_is_there_with_its_defaults_and_its_kernel(case: Case) -> None:
    prepare_notebooks(case)
    for step in STEPS:
        assert values(case, step) == {one.name: one.default for one in parameters_of(step)}
        assert notebook(case, step)["metadata"]["kernelspec"]["name"] == "python3"
        source = json.loads((notebooks_folder() / f"{step}.ipynb").read_text(encoding="utf-8"))
        assert notebook(case, step) == source


def test_given_parameters_are_filled_in_with_type_and_comment_kept(case: Case) -> None:
    prepare_notebooks(case, {"window_minutes": "120", "resource": 'a "quoted" \\ name # x'})
    found = values(case)
    assert (found["window_minutes"], found["resource"]) == (120, 'a "quoted" \\ name # x')
    [cell] = [c for c in notebook(case)["cells"] if c["metadata"].get("tags") == ["parameters"]]
    text = "".join(cell["source"])
    assert "window_minutes: int = 120  # AN1053" in text
    assert ast.parse(text)
    assert values(case, "6_decide_and_report")["window_minutes"] == 120


def test_a_new_notebook_has_the_values_of_the_last_run(incident: SampleRun, tmp_path: Path) -> None:
    case = open_case(incident.copy(tmp_path / "case"))
    record = json.loads(case.run_record.read_text(encoding="utf-8"))
    for step in record["steps"]:
        step["parameters"] = {"window_minutes": 90, "rows": "no number", "gone": 1}
    case.run_record.write_text(json.dumps(record), encoding="utf-8")
    (case.notebooks / f"{STEP}.ipynb").unlink()
    before = (case.notebooks / "6_decide_and_report.ipynb").read_bytes()
    prepare_notebooks(case)
    found = values(case)
    assert found["window_minutes"] == 90 and found["rows"] == 30 and "gone" not in found
    assert (case.notebooks / "6_decide_and_report.ipynb").read_bytes() == before


def test_own_work_stays_and_only_given_parameters_are_set(incident: SampleRun, tmp_path: Path) -> None:
    """The notebook that a run left has a cell of its own for parameters, which counts."""
    case = open_case(incident.copy(tmp_path / "case"))
    before = notebook(case)
    prepare_notebooks(case, {"window_minutes": "45"})
    assert values(case)["window_minutes"] == 45
    after = notebook(case)
    changed = [a["id"] for a, b in zip(after["cells"], before["cells"], strict=True) if a != b]
    assert len(changed) == 1


def test_a_parameter_that_no_notebook_has_is_refused_and_nothing_written(case: Case) -> None:
    with pytest.raises(UsageError, match="no notebook has it"):
        prepare_notebooks(case, {"windw_minutes": "120"})
    assert not case.notebooks.exists()


def test_the_command_refuses_a_folder_without_a_case(tmp_path: Path) -> None:
    said = started("lab", tmp_path, "--no-browser")
    assert said.code == 5 and "Expected a case or a folder of cases" in said.err
