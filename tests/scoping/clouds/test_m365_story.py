"""Microsoft 365 and Power Platform from raw records to findings: the intrusion and its quiet twin."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from tests.scoping.clouds.calls import HOSTILE
from tests.scoping.clouds.m365_story import House, incident, quiet
from tests.scoping.clouds.microsoft_case import about, by_phase, case_of
from tests.scoping.clouds.test_azure_story import PHASES

from playbooks.guide.results import Results


@pytest.mark.parametrize("seed", [0, 1])
def test_the_intrusion_is_a_finding_about_what_was_attacked(tmp_path: Path, seed: int) -> None:
    story = incident(seed)
    results = Results(case_of(tmp_path, story))
    assert [reading.unread for reading in results.readings] == [0]
    assert by_phase(results.activity, story.principal) == story.phases
    assert story.attacked in about(results)
    assert [
        one["id"] for one in results.findings["findings"] if story.principal not in one["subjects"]["principal"]
    ] == []


@pytest.mark.parametrize("seed", [0, 1])
def test_the_quiet_twin_holds_every_phase_and_no_finding(tmp_path: Path, seed: int) -> None:
    story = quiet(seed)
    results = Results(case_of(tmp_path, story))
    assert [reading.unread for reading in results.readings] == [0]
    assert set(results.activity.phase) == PHASES
    assert by_phase(results.activity, story.principal) == story.phases
    assert about(results) == set()


def test_what_left_the_house_is_told_with_its_address(tmp_path: Path) -> None:
    story = incident(0)
    results = Results(case_of(tmp_path, story))
    mine = results.activity[results.activity.principal == story.principal].set_index("operation_base")
    assert mine.loc["PutPermissions"].exposure == "it is shared with relay@example.net, not in our zones"
    assert mine.loc["New-InboxRule"].exposure == "mail goes to relay@example.net, not in our zones"
    consent = mine.loc["Consent to application."].exposure
    assert consent == "application Sync may act for everybody in the tenant (Mail.ReadWrite)"
    assert list(mine.loc[["CreateFlow", "EditFlow"]].resource) == [story.attacked] * 2


def test_parameters_that_nobody_should_meet_are_acts_like_any_other(tmp_path: Path) -> None:
    house = House(0)
    odd = [parsed(text) for text in HOSTILE]
    records = [house.did(0, "12:00", house.maker, "Exchange", "New-InboxRule", Parameters=one) for one in odd]
    story = dataclasses.replace(quiet(0), files={"ual.json": records})
    results = Results(case_of(tmp_path, story))
    (reading,) = results.readings
    assert reading.events + reading.unread == len(HOSTILE)  # half a surrogate pair is no JSON to the reader
    assert list(results.activity.outcome) == ["success"] * reading.events


def parsed(text: str | None) -> object:
    """The value of JSON text; the text where it is none, or too deep for a record to be written."""
    try:
        return json.loads(text) if text and len(text) < 5000 else text
    except ValueError:
        return text
