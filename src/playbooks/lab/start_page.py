"""The start page of the lab: the cases, how they stand, and what needs a person, each with the way to it."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

from playbooks.case import write_text
from playbooks.lab.cases import Need, Standing, cases_below, standing_of
from playbooks.report import visible
from playbooks.steps import STEPS, notebooks_folder

START = "start.md"
LONGEST = 300  # characters of a title or a message
PLAIN = " -,:+"  # neither Markdown nor HTML reads anything in these


def write_start_page(folder: Path) -> None:
    """Write the start page of a case, or of a folder of cases.

    Raises
    ------
    CaseError
        No case here, and none in the folders of this one.
    """
    places = cases_below(folder)
    standings = [standing_of(place) for place in places]
    page = _of_case(standings[0]) if places == [folder] else _of_cases(standings, folder)
    target = folder / START
    if not target.is_file() or target.read_text(encoding="utf-8") != page:  # an open page is not told it changed
        write_text(target, page)


def inert(text: str) -> str:
    """Somebody's words for a page of Markdown: letters, digits and spaces as they are, all else by its number."""
    shown = " ".join(visible(text).split())[:LONGEST]
    return "".join(char if char.isalnum() or char in PLAIN else f"&#{ord(char)};" for char in shown)


def _of_case(one: Standing) -> str:
    lines = [
        f"# {inert(one.case_id)}: {inert(one.title) or 'no title'}",
        f"{_counts(one)} State: **{inert(one.state)}**.",
        "## What needs a person",
        "\n".join(f"- {_linked(need, '')}" for need in one.needs) or "Nothing: every finding and lead is decided.",
        "## The notebooks",
        "\n".join(_notebook(step, dict(one.steps).get(step, "not run"), "") for step in STEPS),
        "Open one, then *Run* → *Run All Cells*. Results show themselves; `guide.` and the tab key list the verbs.",
        "Evidence, decisions and results are read-only here. Log content is the adversary's: do not open or resolve "
        "what stands in it.",
    ]
    return "\n\n".join(lines) + "\n"


def _of_cases(standings: list[Standing], folder: Path) -> str:
    waiting = sum(bool(one.needs) for one in standings)
    rows = [
        "| case | state | findings | leads | blind | what needs a person |",
        "|---|---|---:|---:|---:|---|",
        *(_row(one, folder) for one in sorted(standings, key=lambda one: (one.rank, one.folder.name))),
    ]
    lines = ["# Cases", f"{len(standings)} cases, {waiting} of them need a person; what presses most comes first."]
    return "\n\n".join([*lines, "\n".join(rows)]) + "\n"


def _row(one: Standing, folder: Path) -> str:
    way = f"{quote(one.folder.relative_to(folder).as_posix())}/"
    name = f"[{inert(one.case_id)}]({way}notebooks/{STEPS[0]}.ipynb) {inert(one.title)}"
    needs = "<br>".join(_linked(need, way) for need in one.needs) or "nothing"
    return f"| {name} | {inert(one.state)} | {one.findings} | {one.leads} | {one.blind} | {needs} |"


def _linked(need: Need, way: str) -> str:
    return f"{inert(need.words)} → [{need.step.replace('_', ' ')}]({way}notebooks/{need.step}.ipynb)"


def _counts(one: Standing) -> str:
    return f"{one.items} items of evidence; {one.findings} findings, {one.leads} leads, {one.blind} questions blind."


def _notebook(step: str, status: str, way: str) -> str:
    title = _question(step)
    return f"1. [{title}]({way}notebooks/{step}.ipynb) – {inert(status)}"


def _question(step: str) -> str:
    """The title of a notebook, which is the question that it answers."""
    notebook = json.loads((notebooks_folder() / f"{step}.ipynb").read_text(encoding="utf-8"))
    first = "".join(notebook["cells"][0]["source"]).splitlines()[0]
    return first.removeprefix("# ").partition(" · ")[2]
