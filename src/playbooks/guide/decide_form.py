"""The form in which a person decides: it writes through `decide`, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playbooks.case import Case
from playbooks.errors import PlaybookError
from playbooks.findings import VERDICTS, decisions
from playbooks.guide.deciding import decide
from playbooks.guide.opened import results_of
from playbooks.report import View, counted, in_lab, visible

if TYPE_CHECKING:
    from ipywidgets import VBox

LONGEST = 140  # characters of a title in the list
LISTED = 10


def decide_form(case: Case) -> View:
    """Show a form to decide findings and leads one by one; a headless run shows how many wait, in words.

    Example: `guide.decide_form(case)`

    Parameters
    ----------
    case : Case
        The case, as `open_case` gives it.

    Returns
    -------
    View
        Shows itself. `data`: list of str: findings and leads without a decision.
    """
    waiting = [label for label, _ in _options(case) if not label.startswith("decided")]
    words = f"{counted(len(waiting), 'finding or lead', 'findings and leads')} without a decision."
    how = "Decide with the form below, or in a cell: `guide.decide(case, id, verdict, reason, analyst)`."
    return View((words, how), data=waiting, form=_form(case) if in_lab() else None)


def _options(case: Case) -> list[tuple[str, str]]:
    """Findings, then leads, each with its id; those that are decided say so first."""
    found, taken = results_of(case).findings, decisions(case)
    told = [*found["findings"], *found["leads"], *found["suppressed"]]
    options = []
    for entry in told:
        if entry["id"] in taken or entry in (*found["findings"], *found["leads"]):
            mark = f"decided: {taken[entry['id']]['verdict']} · " if entry["id"] in taken else ""
            title = visible(entry.get("title") or entry.get("subject") or "")
            options.append((f"{mark}{entry['id']} · {title[:LONGEST]}", str(entry["id"])))
    return options


def _form(case: Case) -> VBox:
    """The widgets, and what the button does."""
    import ipywidgets as widgets

    wide = widgets.Layout(width="95%")
    which = widgets.Select(options=_options(case), rows=LISTED, description="Which", layout=wide)
    verdict = widgets.Dropdown(options=VERDICTS, value=VERDICTS[-1], description="Verdict")
    reason = widgets.Textarea(description="Reason", placeholder="why, with a ticket", layout=wide)
    analyst = widgets.Text(description="Your name", value=case.config.analyst)
    until = widgets.Text(
        description="Until", placeholder="2026-12-31: last day that benign covers; empty: today", layout=wide
    )
    button = widgets.Button(description="Record the decision", layout=widgets.Layout(width="14em"))
    told = widgets.Label()

    def record(_: Any) -> None:
        try:
            day = until.value.strip() or None
            told.value = decide(case, which.value or "", verdict.value, reason.value, analyst.value, day).words[0]
        except PlaybookError as error:
            told.value = visible(str(error))
            return
        chosen, options = which.value, _options(case)
        which.options = options
        which.value = chosen if any(chosen == one for _, one in options) else None

    button.on_click(record)
    return widgets.VBox([which, verdict, reason, analyst, until, button, told])
