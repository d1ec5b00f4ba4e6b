"""Cloudflare's incident is found, its quiet twin is not, and what its audit log lacks is not made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scoping.clouds.cloudflare_story import PHASES, UNLOGGED, cloudflare_story
from tests.scoping.clouds.story import case_of, resources_found, told_in

from playbooks.guide.results import Results

SEEDS = (7, 13)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_incident_is_told_phase_by_phase_and_found(seed: int, tmp_path: Path) -> None:
    story = cloudflare_story(seed, incident=True)
    results = Results(case_of(story, tmp_path))
    assert set(story.told) <= told_in(results)
    assert {phase for phase, who, _ in story.told if who == "dana@example.test"} == set(PHASES)
    assert story.attacked in resources_found(results)
    assert not set(results.activity.phase) & set(UNLOGGED)
    attacked = results.activity[results.activity.resource == story.attacked]
    assert list(attacked.exposure.dropna()) == [
        "anyone on the internet may call it (workers.dev switched on)",
        f"requests to {story.attacked}.example.test/* run it (route)",
    ]
    assert list(attacked.endpoint.dropna()) == [f"{story.attacked}.example.test"]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_quiet_twin_gives_no_finding(seed: int, tmp_path: Path) -> None:
    story = cloudflare_story(seed, incident=False)
    results = Results(case_of(story, tmp_path))
    assert set(story.told) <= told_in(results)
    assert {phase for phase, _, _ in story.told} == set(PHASES)
    assert results.findings["findings"] == []
