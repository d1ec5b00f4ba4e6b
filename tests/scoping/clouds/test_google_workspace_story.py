"""The Apps Script incident is found, its quiet twin is not, and what Google does not log is not made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scoping.clouds.google_workspace_story import PHASES, UNLOGGED, workspace_story
from tests.scoping.clouds.story import HURRY, case_of, resources_found, told_in

from playbooks.guide.results import Results
from playbooks.scoping.chains import CHAIN_FROM

SEEDS = (5, 12)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_incident_is_told_phase_by_phase_and_found(seed: int, tmp_path: Path) -> None:
    story = workspace_story(seed, incident=True)
    results = Results(case_of(story, tmp_path))
    assert set(story.told) <= told_in(results)
    assert {phase for phase, who, _ in story.told if who == "casey@example.test"} == set(PHASES)
    assert story.attacked in resources_found(results)
    assert not set(results.activity.phase) & set(UNLOGGED)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_quiet_twin_gives_no_finding(seed: int, tmp_path: Path) -> None:
    story = workspace_story(seed, incident=False)
    results = Results(case_of(story, tmp_path))
    assert set(story.told) <= told_in(results)
    assert {phase for phase, _, _ in story.told} == set(PHASES)
    assert results.findings["findings"] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_work_done_within_ten_minutes_as_ever_gives_no_finding(seed: int, tmp_path: Path) -> None:
    story = workspace_story(seed, incident=False, pace=HURRY)
    results = Results(case_of(story, tmp_path))
    assert set(story.told) <= told_in(results)
    heads, _ = results.chains
    assert len(heads), "its steps follow each other as those of an abuse do"
    assert heads.score.max() < CHAIN_FROM
    assert results.findings["findings"] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_the_incident_is_found_beside_work_of_the_same_pace(seed: int, tmp_path: Path) -> None:
    story = workspace_story(seed, incident=True, pace=HURRY)
    assert story.attacked in resources_found(Results(case_of(story, tmp_path)))


def test_one_act_that_shares_with_several_people_is_told_for_each(tmp_path: Path) -> None:
    story = workspace_story(5, incident=True)
    rows = Results(case_of(story, tmp_path)).activity
    shared = rows[(rows.resource == story.attacked) & (rows.phase == "permission")]
    assert sorted(shared.exposure, key=str) == [
        None,
        "x@elsewhere.example, outside the house, may open “Untitled project” (shared_externally)",
    ]
    assert shared.ref.nunique() == 1
