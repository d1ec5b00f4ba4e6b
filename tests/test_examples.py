"""The examples for other systems: held against that system's schema or library, without a cluster."""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import kubernetes_validate
import papermill
import yaml
from typer.main import get_command

from playbooks.cli import app
from playbooks.steps import STEPS, notebooks_folder, parameters_of

EXAMPLES = Path(__file__).resolve().parents[1] / "docs" / "examples"


def options_of(command: str) -> set[str]:
    found = get_command(app).commands[command]  # type: ignore[attr-defined]
    return {option for parameter in found.params for option in parameter.opts if option.startswith("-")}


def test_the_kubernetes_job_is_valid_and_its_command_exists() -> None:
    job = yaml.safe_load((EXAMPLES / "kubernetes-job.yaml").read_text())
    kubernetes_validate.validate(job, "1.31", strict=True)
    program, command, *arguments = job["spec"]["template"]["spec"]["containers"][0]["command"]
    assert (program, command) == ("playbooks", "batch")
    assert {word for word in arguments if word.startswith("-")} <= options_of("batch")


def test_the_slurm_example_submits_workers_and_its_command_exists() -> None:
    spec = importlib.util.spec_from_file_location("slurm_batch", EXAMPLES / "slurm_batch.py")
    assert spec and spec.loader
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    with example.cluster() as cluster:
        script = cluster.job_script()
    assert "#SBATCH --mem=8G" in script and "distributed.cli.dask_worker" in script
    text = (EXAMPLES / "slurm_batch.py").read_text()
    assert set(re.findall(r'"(--[a-z-]+)"', text)) <= options_of("batch")


def test_the_airflow_example_names_notebooks_and_parameters_that_exist() -> None:
    tree = ast.parse((EXAMPLES / "airflow_case.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    operator = next(call for call in calls if getattr(call.func, "id", "") == "PapermillOperator")
    given = {keyword.arg: keyword.value for keyword in operator.keywords}
    assert set(given) == {"task_id", "input_nb", "output_nb", "parameters", "kernel_name"}
    names = set(ast.literal_eval(given["parameters"]))
    for step in STEPS:
        assert names <= set(papermill.inspect_notebook(str(notebooks_folder() / f"{step}.ipynb")))
        assert names <= {parameter.name for parameter in parameters_of(step)}
    bash = next(call for call in calls if getattr(call.func, "id", "") == "BashOperator")
    command = ast.literal_eval(next(keyword.value for keyword in bash.keywords if keyword.arg == "bash_command"))
    assert set(re.findall(r"--[a-z]+", command)) <= options_of("run")
