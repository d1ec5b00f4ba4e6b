"""Google Cloud's incident is found, its quiet twin is not, and both are read whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scoping.clouds.gcp_story import PHASES, gcp_story
from tests.scoping.clouds.story import HURRY, case_of, resources_found, told_in

from playbooks.guide.results import Results
from playbooks.scoping.chains import CHAIN_FROM

SEEDS = (3, 11)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_incident_is_told_phase_by_phase_and_found(seed: int, tmp_path: Path) -> None:
    story = gcp_story(seed, incident=True)
    results = Results(case_of(story, tmp_path))
    assert set(story.told) <= told_in(results)
    assert {phase for phase, who, _ in story.told if who == "dana@example.test"} == set(PHASES)
    assert story.attacked in resources_found(results)
    opened = results.activity[results.activity.resource == story.attacked].exposure.dropna()
    assert list(opened) == ["anyone may invoke (allUsers, roles/run.invoker)"]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_quiet_twin_gives_no_finding(seed: int, tmp_path: Path) -> None:
    story = gcp_story(seed, incident=False)
    results = Results(case_of(story, tmp_path))
    assert set(story.told) <= told_in(results)
    assert {phase for phase, _, _ in story.told} == set(PHASES)
    assert results.findings["findings"] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_work_done_within_ten_minutes_as_ever_gives_no_finding(seed: int, tmp_path: Path) -> None:
    story = gcp_story(seed, incident=False, pace=HURRY)
    results = Results(case_of(story, tmp_path))
    assert set(story.told) <= told_in(results)
    heads, _ = results.chains
    assert len(heads), "its steps follow each other as those of an abuse do"
    assert heads.score.max() < CHAIN_FROM
    assert results.findings["findings"] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_the_incident_is_found_beside_work_of_the_same_pace(seed: int, tmp_path: Path) -> None:
    story = gcp_story(seed, incident=True, pace=HURRY)
    assert story.attacked in resources_found(Results(case_of(story, tmp_path)))


def test_a_long_running_operation_is_one_row_with_its_url_and_the_account_that_it_runs_as(tmp_path: Path) -> None:
    story = gcp_story(3, incident=True)
    rows = Results(case_of(story, tmp_path)).activity
    [row] = rows[(rows.resource == story.attacked) & (rows.phase == "create")].to_dict("records")
    assert len(row["further_refs"]) == 1
    assert row["via"] == f"service account {story.account}"
    assert row["endpoint"] == f"{story.attacked}-{story.project[-5:]}-ew.a.run.app"
