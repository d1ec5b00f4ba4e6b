"""What follows from findings is kept for the next notebook, and worked out anew after a decision."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from tests.conftest import SampleRun

from playbooks import guide
from playbooks.case import open_case
from playbooks.guide.results import Results

NOTE = "kept from before"


@pytest.fixture
def results(incident: SampleRun, tmp_path: Path) -> Results:
    return Results(open_case(incident.copy(tmp_path / "case")))


def _noted(results: Results) -> Path:
    """A mark in the file of what is kept, to see who reads it."""
    assert results.scope.rows is not None
    file = results.case.results / ".scope.json"
    told = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(told | {"notes": [NOTE]}), encoding="utf-8")
    return file


def test_what_is_kept_is_what_was_worked_out(results: Results) -> None:
    kept, anew = results.related, results.look_around()
    assert kept.hosts == anew.hosts
    assert kept.hosts
    assert kept.left_out == anew.left_out
    assert [list(row) for row in kept.stages.refs] == list(anew.stages.refs)
    plain = [name for name in anew.stages if not isinstance(anew.stages[name].iloc[0], list)]
    pd.testing.assert_frame_equal(kept.stages[plain], anew.stages[plain], check_dtype=False)
    assert list(kept.activity.ref) == list(anew.activity.ref)
    assert (results.scope.notes, results.scope.left_out) == (
        results.share_traits().notes,
        results.share_traits().left_out,
    )


def test_the_next_kernel_finds_it_there(results: Results) -> None:
    _noted(results)
    assert Results(results.case).scope.notes == (NOTE,)


def test_a_decision_makes_it_anew(results: Results) -> None:
    _noted(results)
    first = results.findings["findings"][0]["id"]
    guide.decide(results.case, first, "suspicious", "it calls at night", "Ana Lyst")
    assert NOTE not in Results(results.case).scope.notes


def test_another_case_file_makes_it_anew(results: Results) -> None:
    _noted(results)
    file = results.case.path / "case.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert NOTE not in Results(open_case(results.case.path)).scope.notes


def test_what_is_half_there_is_made_anew(results: Results) -> None:
    _noted(results)
    (results.case.results / "scope.parquet").unlink()
    assert NOTE not in Results(results.case).scope.notes
