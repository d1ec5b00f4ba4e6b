"""Azure from raw records to findings: the intrusion and its quiet twin."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from tests.scoping.clouds.azure_story import House, incident, quiet
from tests.scoping.clouds.calls import HOSTILE
from tests.scoping.clouds.microsoft_case import about, by_phase, case_of

from playbooks.guide.results import Results

PHASES = {
    *("create", "modify-code", "modify-config", "permission", "trigger", "invoke", "identity"),
    *("defence-evasion", "discovery"),
}


@pytest.mark.parametrize("seed", [0, 1])
def test_the_intrusion_is_a_finding_about_what_was_attacked(tmp_path: Path, seed: int) -> None:
    story = incident(seed)
    results = Results(case_of(tmp_path, story))
    assert [reading.unread for reading in results.readings] == [0, 0]
    assert by_phase(results.activity, story.principal) == story.phases
    assert story.attacked in about(results)
    assert [
        one["id"] for one in results.findings["findings"] if story.principal not in one["subjects"]["principal"]
    ] == []


@pytest.mark.parametrize("seed", [0, 1])
def test_the_quiet_twin_holds_every_phase_and_no_finding(tmp_path: Path, seed: int) -> None:
    story = quiet(seed)
    results = Results(case_of(tmp_path, story))
    assert [reading.unread for reading in results.readings] == [0, 0]
    assert set(results.activity.phase) == PHASES
    seen = by_phase(results.activity, story.principal)
    assert len(seen.pop("identity")) == 1
    assert seen == story.phases
    assert about(results) == set()


def test_a_start_and_its_end_are_one_row_with_the_facts_of_both(tmp_path: Path) -> None:
    story = incident(0)
    results = Results(case_of(tmp_path, story))
    mine = results.activity[results.activity.principal == story.principal].set_index("operation_base")
    made = mine.loc["Microsoft.Web/sites/write"]
    assert (made.outcome, made.endpoint) == ("success", f"{made.resource}.azurewebsites.net")
    assert len(made.further_refs) == 1
    assert mine.loc["Microsoft.Web/sites/functions/write"].exposure == "anyone may call its URL (authLevel anonymous)"
    opened = mine.loc["Microsoft.EventGrid/eventSubscriptions/write"].exposure
    assert opened == "events go to drop.example.net, not in our zones"


def test_bodies_that_nobody_should_meet_are_acts_like_any_other(tmp_path: Path) -> None:
    house = House(0)
    at, site = house.at(0, "12:00"), f"{house.web}/sites/{house.app}"
    pairs = [house.did(at, house.ci, "Microsoft.Web/sites/functions/write", site) for _ in HOSTILE]
    for (begin, end), text in zip(pairs, HOSTILE, strict=True):
        begin["properties"] = begin["properties"] | {"requestbody": text}
        end["properties"] = end["properties"] | {"responseBody": text}
    story = dataclasses.replace(quiet(0), files={"activity.json": [one for pair in pairs for one in pair]})
    results = Results(case_of(tmp_path, story))
    assert list(results.activity.outcome) == ["success"] * len(HOSTILE)
    assert results.activity.exposure.isna().all()
