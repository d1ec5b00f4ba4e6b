"""The argument of a finding: facts on both sides of each reading, each with its records; words of a stated scale."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from tests.findings import tables as t

from playbooks.argument import SCALE, Known, argued
from playbooks.argument.confidence import confidence
from playbooks.scoping.baseline_contacts import Before

FORMATS = {"E001": "zeek_http", "E002": "aws_cloudtrail", "E005": "indicator_csv"}
RANK = {"low": 0, "moderate": 1, "high": 2}


def entry(hypothesis: str = "A", *signals: tuple[str, list[str]], **more: Any) -> dict[str, Any]:
    """A finding that rests on these kinds and records."""
    subjects = (
        {"src": [t.CLIENT], "dst": [t.WORKER], "tenant": ["stranger"]}
        if hypothesis == "A"
        else {"resource": ["invoice-export"], "account": ["111111111111"], "principal": ["j.doe"], "src": []}
    )
    told = [{"kind": kind, "sentence": f"A {kind}.", "weight": 0.4, "refs": refs} for kind, refs in signals]
    attack = ["T1583.007", "T1584.007"] if hypothesis == "A" else ["T1648"]
    facts = {"id": f"{hypothesis}-1", "hypothesis": hypothesis, "title": "A title", "subjects": subjects}
    return {**facts, "signals": told, "attack": attack, "decision": None} | more


def argument_of(
    one: dict[str, Any], is_finding: bool = True, also: list[dict[str, Any]] | None = None, **known: Any
) -> Any:
    facts = {"pairs": t.pairs(t.pair()), "activity": t.activity(), "formats": FORMATS} | known
    place, other = ("findings", "leads") if is_finding else ("leads", "findings")
    found = argued({place: [one, *(also or [])], other: []}, Known(**facts))
    return found[place][0]["argument"]


def readings(made: Any) -> dict[str, dict[str, Any]]:
    return {one["reading"]: one for one in made["readings"]}


RHYTHM, RARE, LISTED = ("rhythm", ["E001:1"]), ("rarity", ["E001:1"]), ("intelligence", ["E005:1", "E001:1"])


def test_a_destination_of_the_baseline_fits_a_program_of_the_house_and_names_the_record() -> None:
    made = argument_of(entry("A", RHYTHM), False, before={t.WORKER: Before(40, 2, "E001:3")})
    mine = readings(made)["program-of-the-house"]
    assert mine["stands"] == "fits" and mine["against"] == []
    [known] = [fact for fact in mine["for"] if fact["fact"] == "in-baseline"]
    assert known["refs"] == ["E001:3"] and "contacts: 40, clients: 2" in known["sentence"]
    assert readings(made)["control-channel"]["stands"] == "open"
    assert made["confidence"]["word"] == "low"


def test_what_a_finding_rests_on_makes_no_innocent_reading_fit_by_itself() -> None:
    rare = t.pairs(t.pair(**t.RARE | {"new_in_window": True}))
    made = argument_of(entry("A", RHYTHM, RARE, ("client", ["E001:50"])), pairs=rare)
    assert readings(made)["new-software"]["stands"] == "open"
    assert made["confidence"]["word"] == "moderate"
    assert "Nothing speaks against one innocent reading" in made["confidence"]["because"]


def test_a_reading_is_listed_only_where_its_facts_are() -> None:
    assert "another-customer" not in readings(argument_of(entry("A", RHYTHM, RARE)))
    listed = readings(argument_of(entry("A", RHYTHM, LISTED)))["another-customer"]
    assert listed["stands"] == "spoken against" and listed["against"][0]["fact"] == "named-tenant"
    shared = t.pairs(t.pair(tenant=None))
    assert readings(argument_of(entry("A", RHYTHM, LISTED), pairs=shared))["another-customer"]["stands"] == "fits"


def test_every_fact_on_either_side_points_to_records() -> None:
    rows = t.activity(
        t.act(principal="j.doe", novelty=0.0, change_ref="CHG-7", ref="E002:4"),
        t.act("AddPermission", "permission", principal="j.doe", novelty=0.8, outcome="failure", ref="E002:5"),
    )
    cloud = entry("B", ("novelty", ["E002:5"]), ("exposure", ["E002:5"]))
    egress = entry("A", RHYTHM, RARE, LISTED)
    common = t.pairs(t.pair(processes=["agent.exe"], new_programs=[], ownership="owned-unapproved"))
    for made in (
        argument_of(cloud, activity=rows, has_change_list=True),
        argument_of(egress, pairs=common, before={t.WORKER: Before(1, 1, "E001:2")}),
    ):
        facts = [fact for one in made["readings"] for fact in (*one["for"], *one["against"])]
        assert facts and all(fact["refs"] and fact["sentence"] for fact in facts)


def test_a_ticket_speaks_for_a_deployment_and_its_absence_against_where_a_list_was_given() -> None:
    done = t.act(principal="j.doe", novelty=0.6, by_user=True)
    one = entry("B", ("novelty", ["E002:1"]), ("change", ["E002:1"]))
    with_ticket = readings(argument_of(one, activity=t.activity(done | {"change_ref": "CHG-7"}), has_change_list=True))
    without = readings(argument_of(one, activity=t.activity(done), has_change_list=True))
    no_list = readings(argument_of(one, activity=t.activity(done)))
    assert [f["fact"] for f in with_ticket["deployment"]["for"]] == ["ticket"]
    assert "CHG-7" in with_ticket["deployment"]["for"][0]["sentence"]
    assert with_ticket["deployment"]["stands"] == "open"
    assert "no-ticket" in [f["fact"] for f in without["deployment"]["against"]]
    assert "no-ticket" not in [f["fact"] for f in no_list["deployment"]["against"]]


def test_acquired_and_compromised_both_stay_open_unless_people_confirmed_that_our_own_was_changed() -> None:
    assert "T1583.007" in argument_of(entry("A", RHYTHM, RARE))["infrastructure"]
    assert argument_of(entry("B", ("novelty", ["E002:1"])))["infrastructure"] is None
    changed = entry("A", RHYTHM, ("ownership", ["E002:7"]))
    told = argument_of(changed)["infrastructure"]
    assert "T1583.007" in told and "not decided" in told
    theirs = entry("B", ("novelty", ["E002:7"]), decision={"verdict": "confirmed", "analyst": "J. Doe"})
    decided = argument_of(changed, also=[theirs])["infrastructure"]
    assert "T1584.007" in decided and "T1583.007" not in decided and "confirmed by J. Doe" in decided
    doubted = entry("B", ("novelty", ["E002:7"]), decision={"verdict": "suspicious", "analyst": "J. Doe"})
    assert "T1583.007" in argument_of(changed, also=[doubted])["infrastructure"]


@pytest.mark.parametrize("opposed", [0, 1, 2])
def test_a_further_kind_or_format_never_lowers_the_word(opposed: int) -> None:
    innocent = [{"says": "One.", "stands": "spoken against", "against": [1]}] * opposed
    kinds, formats = ["a", "b", "c", "d"], ["x", "y", "z"]
    for (k, f), finding in itertools.product(itertools.product(range(1, 5), range(1, 4)), (False, True)):
        word = RANK[confidence(kinds[:k], formats[:f], finding, innocent)[0]]
        assert word <= RANK[confidence(kinds[: k + 1], formats[:f], finding, innocent)[0]]
        assert word <= RANK[confidence(kinds[:k], formats[: f + 1], finding, innocent)[0]]
        assert word <= RANK[confidence(kinds[:k], formats[:f], True, innocent)[0]]


def test_the_words_are_those_of_the_stated_scale() -> None:
    found = argued({"findings": [entry("A", RHYTHM, RARE, LISTED)], "leads": []}, Known(t.pairs(), t.activity()))
    assert found["confidence_scale"] == dict(SCALE)
    assert found["findings"][0]["argument"]["confidence"]["word"] in SCALE


def test_options_fit_the_cloud_the_resource_and_what_was_found() -> None:
    rows = t.activity(t.act(principal="j.doe"))
    opened = [one["option"] for one in argument_of(entry("B", ("exposure", ["E002:1"])), activity=rows)["containment"]]
    assert any("reserved concurrency" in text for text in opened) and any("invoice-export" in text for text in opened)
    assert opened[-1].startswith("Delete")
    azure = t.activity(t.act(principal="j.doe", provider="Azure", resource_type="function-app"))
    stopped = [one["option"] for one in argument_of(entry("B", ("novelty", ["E002:1"])), activity=azure)["containment"]]
    assert not any("reserved concurrency" in text or "was opened" in text for text in stopped)
    assert any("publishing credentials" in text for text in stopped)
    egress = argument_of(entry("A", RHYTHM, RARE))["containment"]
    assert any(t.WORKER in one["option"] for one in egress)


def test_names_of_an_adversary_do_not_become_part_of_a_template() -> None:
    hostile = entry("A", RHYTHM, RARE)
    hostile["subjects"]["dst"] = ["{src}{0.__class__}", "<script>"]
    texts = [one["option"] for one in argument_of(hostile)["containment"]]
    assert any("{src}{0.__class__}, <script>" in text for text in texts)


def test_what_would_raise_it_names_the_field_that_the_case_lacks() -> None:
    lack = {"findings": ["A-1"], "label": "user agent", "recommend": "Log the user agent at the proxy."}
    other = {"findings": ["A-2"], "label": "JA4", "recommend": "Log JA4."}
    told = argument_of(entry("A", RHYTHM, RARE), lacking=[lack, other])["mind"]["raise"]
    assert any("user agent" in text for text in told) and not any("JA4" in text for text in told)


def test_an_argument_is_the_same_in_every_run(tmp_path: Path) -> None:
    one = entry("A", RHYTHM, RARE, LISTED)
    assert argument_of(one) == argument_of(one)
