"""What docs/side-by-side.md says of nbconvert's default page is what that page does."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from tests.conftest import SampleRun

PAGE = Path(__file__).resolve().parents[2] / "docs" / "side-by-side.md"
PLOTLY = "application/vnd.plotly.v1+json"
LOADED = re.compile(r"""(?:src=["']|from ["'`]|import\(["'`]|["'`])(https://(?:cdn|unpkg|cdnjs)[^"'`]+)""")


def test_the_column_of_nbconvert_is_what_nbconvert_does(incident: SampleRun) -> None:
    from nbconvert import HTMLExporter

    notebook = nbformat.read(incident.case / "notebooks" / "3_scope_egress.ipynb", as_version=4)
    figures = sum(PLOTLY in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ()))
    theirs, _ = HTMLExporter().from_notebook_node(notebook)
    ours = (incident.case / "report" / "3_scope_egress.html").read_text(encoding="utf-8")
    drawn = theirs.count("Plotly.newPlot") + theirs.count(PLOTLY)
    said = PAGE.read_text(encoding="utf-8")
    assert f"dropped without a word: {figures - drawn} of {figures} in notebook 3" in said
    scripts = set(LOADED.findall(theirs))
    words = {2: "two", 3: "three", 4: "four", 5: "five"}
    assert f"no: {words[len(scripts)]} scripts come from CDNs" in said, scripts
    assert "Content-Security-Policy" not in theirs
    assert "Content-Security-Policy" in ours
    assert ours.count("data-figure>") == figures
