"""Azure, and Microsoft 365 with Power Platform, from raw records to findings: each intrusion and its quiet twin."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scoping.clouds import azure_story, m365_story
from tests.scoping.clouds.microsoft_case import about, by_phase, case_of

from playbooks.guide.results import Results

PHASES = {
    *("create", "modify-code", "modify-config", "permission", "trigger", "invoke", "identity"),
    *("defence-evasion", "discovery"),
}
STORIES = {"azure": azure_story, "m365": m365_story}
# phase → how many resources of it the records number anew each day, so that no story can name them
NUMBERED = {"azure": {"identity": 1}, "m365": {}}

every_story = pytest.mark.parametrize("cloud", STORIES)
every_seed = pytest.mark.parametrize("seed", [0, 1])


@every_story
@every_seed
def test_the_intrusion_is_a_finding_about_what_was_attacked(tmp_path: Path, cloud: str, seed: int) -> None:
    story = STORIES[cloud].incident(seed)
    results = Results(case_of(tmp_path, story))
    assert [reading.unread for reading in results.readings] == [0] * len(story.files)
    assert by_phase(results.activity, story.principal) == story.phases
    assert story.attacked in about(results)
    assert [
        one["id"] for one in results.findings["findings"] if story.principal not in one["subjects"]["principal"]
    ] == []


@every_story
@every_seed
def test_the_quiet_twin_holds_every_phase_and_no_finding(tmp_path: Path, cloud: str, seed: int) -> None:
    story = STORIES[cloud].quiet(seed)
    results = Results(case_of(tmp_path, story))
    assert [reading.unread for reading in results.readings] == [0] * len(story.files)
    assert set(results.activity.phase) == PHASES
    seen = by_phase(results.activity, story.principal)
    assert {phase: len(seen.pop(phase)) for phase in set(seen) - set(story.phases)} == NUMBERED[cloud]
    assert seen == story.phases
    assert about(results) == set()
