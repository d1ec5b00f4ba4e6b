"""Open a case, and hold its results while it does not change."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from playbooks import case as cases
from playbooks.case import CASE_FILE, Case
from playbooks.errors import CaseError
from playbooks.guide.results import Results
from playbooks.inventory import inventory_paths
from playbooks.normalise.own_formats import files_of


def open_case(case_dir: str = ".") -> Case:
    """Open the case in a folder, or in the nearest folder above it that holds one.

    Example: `case = guide.open_case(".")`

    Parameters
    ----------
    case_dir : str
        The folder, relative to the notebook or whole.

    Returns
    -------
    Case
        The case, for every other verb.

    Raises
    ------
    CaseError
        No case there, or a `case.yaml` that is not valid.
    """
    start = Path(case_dir).resolve()
    for folder in (start, *start.parents):
        if (folder / CASE_FILE).is_file():
            return cases.open_case(folder)
    raise CaseError(
        f"{start}: no {CASE_FILE} here or above. Expected a case; make one with: playbooks new FOLDER --case-id ID"
    )


@cache
def _held(path: Path, stamp: tuple[tuple[str, int], ...], window_minutes: int) -> Results:
    return Results(cases.open_case(path), window_minutes)


def results_of(case: Case, window_minutes: int = 60) -> Results:
    """The results of a case, kept while its file, its formats, its inventory files and its custody chain stay."""
    listed = inventory_paths(case.path, case.config.inventory_files)
    files = (case.path / CASE_FILE, case.custody, *files_of(case), *listed)
    changed = tuple((str(file), file.stat().st_mtime_ns) for file in files if file.exists())
    return _held(case.path, changed, window_minutes)
