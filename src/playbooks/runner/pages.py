"""What a run leaves for readers: a page per step, a page in place of the report, and notebooks worked on by hand."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playbooks.case import Case, write_text
from playbooks.runner.record import Step, digest, executed
from playbooks.steps import STEPS, notebooks_folder

if TYPE_CHECKING:
    from nbformat import NotebookNode

BY_HAND = "by-hand"


def page_of(case: Case, name: str) -> Path:
    """Where the page of a step lies."""
    return case.report / f"{name}.html"


def write_page(case: Case, name: str) -> None:
    """The executed notebook as a page of the report, for readers without Jupyter."""
    from playbooks.report import notebook_to_html

    file = executed(case, name)
    if file.is_file():
        title = f"{case.config.case_id} · {name.replace('_', ' ')}"
        page = notebook_to_html(_read(file), title, f"TLP:{case.config.tlp}")
        write_text(page_of(case, name), page)


def keep_hand_work(case: Case, name: str, before: Step | None) -> None:
    """Move a notebook that a person worked on aside before a run writes its own: nothing is lost."""
    file = executed(case, name)
    if not file.is_file() or (before and digest(file) == before.notebook) or not _worked_on(file, name):
        return
    folder = case.notebooks / BY_HAND
    folder.mkdir(exist_ok=True)
    free = next(target for number in count(1) if not (target := folder / f"{name}-{number}.ipynb").exists())
    file.rename(free)


def _worked_on(file: Path, name: str) -> bool:
    """Whether it holds more than the notebook of the kit: outputs, or cells of its own."""
    from nbformat import ValidationError

    try:
        found, own = _read(file), _read(notebooks_folder() / f"{name}.ipynb")
    except (ValueError, KeyError, AttributeError, TypeError, ValidationError):  # no notebook: not ours to write over
        return True
    return any(cell.get("outputs") for cell in found.cells) or _sources(found) != _sources(own)


def _sources(notebook: NotebookNode) -> list[str]:
    filled = {"parameters", "injected-parameters"}
    return [cell.source for cell in notebook.cells if not filled & set(cell.metadata.get("tags", ()))]


def _read(file: Path) -> NotebookNode:
    import nbformat

    notebook: NotebookNode = nbformat.read(file, as_version=4)
    return notebook


def write_partial_report(case: Case, run: dict[str, Any], steps: Sequence[Step]) -> Path:
    """Write a report that says which steps came to their end and which did not; gives its file."""
    from playbooks.report import StepState, write_partial_page

    known = {step.name: step for step in steps}
    states = [
        StepState(name, _question(name), step.status, step.error)
        if (step := known.get(name))
        else StepState(name, _question(name), "not run", "the run ended before it")
        for name in STEPS
    ]
    about = {"case_id": case.config.case_id, "title": case.config.title, "tlp": case.config.tlp}
    return write_partial_page(case.path, about, run, states)


def _question(step: str) -> str:
    """The title of a notebook without its number."""
    title = _read(notebooks_folder() / f"{step}.ipynb").cells[0].source.splitlines()[0]
    return str(title).partition("·")[2].strip()
