"""When the executed notebook is written: as a cell that runs begins, and at the end."""

from __future__ import annotations

import ast
from pathlib import Path

import nbformat
import papermill
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill.exceptions import PapermillExecutionError

from playbooks.runner import saving


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Words, two cells that look at the file that is being written, words."""
    look = "import pathlib, json; cells = json.loads(pathlib.Path('out.ipynb').read_text())['cells']"
    told = "[(c['cell_type'], c['metadata']['papermill']['status'], len(c.get('outputs', []))) for c in cells]"
    cells = [new_markdown_cell("# Words"), new_code_cell("print('first')"), new_markdown_cell("words"),
             new_code_cell(f"{look}\nprint({told})"), new_markdown_cell("last words")]  # fmt: skip
    notebook = new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, tmp_path / "in.ipynb")
    return tmp_path / "in.ipynb"


def run(source: Path) -> nbformat.NotebookNode:
    """Run it with this engine, in its folder; gives what is on disk."""
    target = source.with_name("out.ipynb")
    papermill.execute_notebook(
        str(source), str(target), engine_name=saving.NAME, progress_bar=False, cwd=str(source.parent)
    )
    return nbformat.read(target, as_version=4)


def test_what_a_cell_showed_is_on_disk_when_the_next_one_runs(source: Path):
    seen = ast.literal_eval(run(source).cells[3].outputs[0].text)
    assert seen == [
        ("markdown", "completed", 0),
        ("code", "completed", 1),
        ("markdown", "completed", 0),
        ("code", "running", 0),
        ("markdown", "pending", 0),
    ]


def test_words_are_not_worth_a_write_of_their_own(source: Path, monkeypatch: pytest.MonkeyPatch):
    written: list[int] = []
    held = saving.NotebookExecutionManager.save
    monkeypatch.setattr(
        saving.NotebookExecutionManager, "save", lambda self, **options: (written.append(1), held(self, **options))[1]
    )
    run(source)
    assert len(written) == 4  # the start, two cells that run, the end


def test_a_path_of_this_machine_is_in_no_notebook_even_after_a_failure(source: Path):
    notebook = nbformat.read(source, as_version=4)
    notebook.cells[3].source = "1 / 0"
    nbformat.write(notebook, source)
    with pytest.raises(PapermillExecutionError):
        run(source)
    failed = nbformat.read(source.with_name("out.ipynb"), as_version=4)
    assert "input_path" not in failed.metadata.papermill
    assert "output_path" not in failed.metadata.papermill
    assert [cell.outputs[0].ename for cell in failed.cells if cell.get("outputs") and "ename" in cell.outputs[0]] == [
        "ZeroDivisionError"
    ]
