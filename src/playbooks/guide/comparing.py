"""The verb that compares two cases, or one case before and after."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from playbooks import case as cases
from playbooks.case import Case
from playbooks.comparison import compare
from playbooks.report import Table, View


def diff(case: Case, other: Case | str) -> View:
    """Say what differs between the results of two cases, and what differed before them.

    `other` is a case or its folder. Results are compared as they lie there; nothing is computed anew.
    `.data` is the `Comparison`.
    Example: `guide.diff(case, "cases/IR-31-before")`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.
    other : Case or str
        The other case, or its folder.

    Returns
    -------
    View
        Shows itself. `data`: what differs, with its causes.

    Raises
    ------
    CaseError
        One of the two has no results, or a file of it is not what the kit writes.
    """
    found = compare(case, other if isinstance(other, Case) else cases.open_case(Path(other)))
    parts = (("Before the results", found.causes), ("In the results", found.effects))
    tables = tuple(Table(name, pd.DataFrame(map(asdict, changes))) for name, changes in parts if changes)
    words = (f"First: {found.first}", f"Second: {found.second}", *found.not_compared, *found.notes, found.verdict)
    return View(words, tables, data=found)
