"""Long work counts aloud for a person who listens, and is silent in a headless run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from tests.conftest import SAMPLES, SampleRun

from playbooks import guide
from playbooks.case import Case, new_case
from playbooks.guide.progress import listen
from playbooks.lab.kernel import ProgressLine


@pytest.fixture
def case(tmp_path: Path) -> Case:
    case = new_case(tmp_path / "case", "T-1")
    logs = SAMPLES / "incident" / "logs"
    guide.add(case, str(logs / "zeek_dns.log"), str(logs / "squid branch access.log"))
    return case


@pytest.fixture
def heard() -> Iterator[list[str]]:
    told: list[str] = []
    listen(told.append)
    yield told
    listen(None)


def test_reading_and_each_table_are_told_once_and_not_again(case: Case, heard: list[str]) -> None:
    guide.normalise(case)
    assert heard == ["reading evidence", "reading evidence: 1 of 2", "reading evidence: 2 of 2"]
    guide.egress(case)
    assert "working out egress pairs" in heard
    heard.clear()
    guide.egress(case)
    guide.normalise(guide.open_case(str(case.path)))
    assert heard == []


def test_the_line_is_one_output_that_is_empty_when_the_cell_is_done() -> None:
    InteractiveShell.instance()
    line = ProgressLine()
    with capture_output() as said:
        line.say("reading evidence: 1 of 2 <b>")
        line.say("reading evidence: 2 of 2")
        line.clear()
        line.clear()
    InteractiveShell.clear_instance()
    shown = [output.data for output in said.outputs]
    assert shown[0]["text/html"] == "<p>… reading evidence: 1 of 2 &lt;b&gt;</p>"
    assert shown[-1] == {"text/plain": ""} and len(shown) == 3


def test_a_headless_notebook_holds_no_word_of_it(incident: SampleRun) -> None:
    for file in (incident.case / "notebooks").glob("*.ipynb"):
        text = file.read_text(encoding="utf-8")
        assert "working out" not in text and "reading evidence:" not in text
