"""Small notebooks in place of the kit's six: what runs them is under test, not what they ask."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nbformat

from playbooks import evidence
from playbooks.case import Case, new_case
from playbooks.steps import STEPS

PARAMETERS = 'case_dir: str = "."  # folder of the case, or any folder below it\nmany: int = 1  # how many of them'
LOG = "1773138000.123    120 10.0.0.5 TCP_MISS/200 5120 GET http://example.com/a - HIER_DIRECT/192.0.2.1 text/html\n"
REPORT = """
import json
from pathlib import Path
Path("report").mkdir(exist_ok=True)
Path("report/report.html").write_text("whole")
Path("results").mkdir(exist_ok=True)
Path("results/findings.json").write_text(Path("to_find.json").read_text())
"""
FOUND = {
    "outcomes": {"egress": {"title": "A rhythm?", "outcome": "clear", "reason": "over 1 event"}},
    "findings": [], "leads": [], "leads_total": 0, "suppressed": [], "limits": [], "versions": {},
}  # fmt: skip


def write_notebooks(folder: Path, **code: str) -> Path:
    """Six notebooks of one cell each; `step3="…"` gives one of them other code."""
    folder.mkdir(parents=True, exist_ok=True)
    for step in STEPS:
        parameters = nbformat.v4.new_code_cell(PARAMETERS, id="parameters", metadata={"tags": ["parameters"]})
        title = nbformat.v4.new_markdown_cell(f"# {step[0]} · Is the question of {step} answered?", id="title")
        own = REPORT if step == STEPS[-1] else "print(many)"
        work = nbformat.v4.new_code_cell(code.get(f"step{step[0]}", own), id="work")
        whole = nbformat.v4.new_notebook(cells=[title, parameters, work])
        whole.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(whole, folder / f"{step}.ipynb")
    return folder


def small_case(
    folder: Path, case_id: str = "IR-1", title: str = "<b>a</b> case", found: dict[str, object] | None = None
) -> Case:
    """A case with one line of evidence, and the findings that its last notebook is to write."""
    made = new_case(folder, case_id, title)
    log = folder.parent / f"{folder.name}.log"
    log.write_text(LOG)
    evidence.add(made, [log])
    log.unlink()
    (folder / "to_find.json").write_text(json.dumps(FOUND | (found or {})))
    return made


def small_notebooks(folder: Path) -> dict[str, str]:
    """Environment of a program that is to run the notebooks of `folder`."""
    here = str(Path(__file__).parent / "small_notebooks")
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")])),
        "SMALL_NOTEBOOKS": str(folder),
    }
