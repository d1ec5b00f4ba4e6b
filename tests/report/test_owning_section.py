"""The section on whose things are: what to go over, what nobody answers for, and what could not be seen."""

from __future__ import annotations

from tests.report.fabricated import REF, owning

from playbooks.report import OwningFacts, refs_of_owning
from playbooks.report.owning_section import owning_parts


def test_entries_with_a_fault_and_things_without_an_owner_are_listed_with_their_records() -> None:
    review, draft = owning_parts(owning())
    assert [(row[0], row[3]) for row in review["rows"]] == [("*.x.test", "It ended. (allow-list)")]
    assert [row[0] for row in draft["rows"]] == ["export.x.workers.dev"]
    assert all(row[-1] == [REF] for part in (review, draft) for row in part["rows"])
    assert refs_of_owning(owning()) == [REF]
    assert draft["words"] == [
        "What nobody contacted there is not answerable because no audit record of GCP is in evidence."
    ]


def test_nothing_noticed_and_nothing_given_are_two_answers() -> None:
    facts = owning()
    calm = facts.review.assign(faults=[[]])
    assert owning_parts(OwningFacts(calm, facts.draft, ()))[0]["words"] == ["Nothing was noticed about 1 entry."]
    none = owning_parts(OwningFacts(calm.head(0), facts.draft.head(0), ()))
    assert "unreviewed baseline" in none[0]["words"][0] and none[0]["rows"] == []
    assert none[1]["words"] == ["No serverless host or resource was seen in the records."]
    owned = owning_parts(OwningFacts(calm, facts.draft.assign(owner_missing=False), ()))[1]
    assert owned["words"] == ["Each of 1 host or resource seen has an owner."] and owned["rows"] == []
