"""What left Microsoft 365 and Power Platform; `test_microsoft_stories` has the intrusion from records to findings."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from tests.scoping.clouds.calls import HOSTILE
from tests.scoping.clouds.m365_story import House, incident, quiet
from tests.scoping.clouds.microsoft_case import case_of

from playbooks.guide.results import Results


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
