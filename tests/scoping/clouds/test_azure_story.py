"""What an intrusion in Azure left in the Activity log; `test_microsoft_stories` has it from records to findings."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tests.scoping.clouds.azure_story import House, incident, quiet
from tests.scoping.clouds.calls import HOSTILE
from tests.scoping.clouds.microsoft_case import case_of

from playbooks.guide.results import Results


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
