"""Airflow: one case per run of the DAG, six tasks through the PapermillOperator, in the order of the playbook.

Needs apache-airflow-providers-papermill and this kit in the environment of the worker. Trigger it with
{"case": "/cases/IR-31"}. What `playbooks run` adds (verified evidence, kept steps, run record) it does not do: use
the second DAG for that.
"""

from datetime import datetime

from airflow.providers.papermill.operators.papermill import PapermillOperator
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

from playbooks.steps import STEPS, notebooks_folder

with DAG("playbook_notebooks", schedule=None, start_date=datetime(2026, 1, 1), params={"case": ""}):
    before = None
    for step in STEPS:
        task = PapermillOperator(
            task_id=step,
            input_nb=str(notebooks_folder() / f"{step}.ipynb"),
            output_nb="{{ params.case }}/notebooks/" + f"{step}.ipynb",
            parameters={"case_dir": "{{ params.case }}"},
            kernel_name="python3",
        )
        if before:
            before >> task
        before = task

with DAG("playbook_case", schedule=None, start_date=datetime(2026, 1, 1), params={"case": ""}):
    BashOperator(task_id="run", bash_command='playbooks run --json -- "$CASE"', env={"CASE": "{{ params.case }}"},
                 append_env=True, retries=1)  # fmt: skip
