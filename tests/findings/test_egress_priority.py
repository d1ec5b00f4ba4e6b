"""What is looked at first: rhythm with context, whatever context there is."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from tests.findings import tables as t

from playbooks.findings import with_priority
from playbooks.findings.egress_priority import rarity


def ranked(*rows: dict[str, object], intel: pd.DataFrame | None = None, **fields: object) -> pd.DataFrame:
    return with_priority(t.pairs(*t.estate(), *rows), t.intel() if intel is None else intel, t.config(**fields))


def priority(intel: pd.DataFrame | None = None, **facts: object) -> float:
    table = ranked(t.pair(**facts), intel=intel)
    return float(table[table.src == t.CLIENT].priority.iloc[0])


STEADY = {"beacon_score": 0.95, "beacon_source": "http", "beacon_reason": "every 60 s."}
ALONE = {"clients": 1, "clients_share": 0.01}
MANY = {"clients": 60, "clients_share": 0.6}


def test_an_implant_ranks_above_what_is_periodic_by_design_and_above_people() -> None:
    """The same rhythm at a common, known place, and a strange place without a rhythm, both come later."""
    implant = priority(**STEADY | ALONE, new_in_window=True, new_for_client=True)
    updater = priority(**STEADY | MANY, new_in_window=False, new_for_client=False)
    person = priority(**ALONE, beacon_score=0.2, new_in_window=True, new_for_client=True)
    assert implant > 0.8 > 0.1 > person > updater


def test_a_weak_rhythm_in_a_strange_context_ranks_above_a_full_one_in_the_usual() -> None:
    weak = priority(**ALONE, beacon_score=0.5, new_in_window=True, new_for_client=True)
    usual = priority(**MANY, beacon_score=1.0, new_in_window=False, new_for_client=False)
    assert weak > 10 * usual


@pytest.mark.parametrize("known", [True, None, False])
def test_a_clearer_rhythm_and_fewer_clients_never_rank_lower(known: bool | None) -> None:
    facts = {"new_in_window": known, "new_for_client": known}
    by_score = [priority(**ALONE | facts, beacon_score=score) for score in (None, 0.1, 0.4, 0.7, 0.9, 1.0)]
    by_clients = [priority(**STEADY | facts, clients=n, clients_share=n / 100) for n in (100, 50, 20, 5, 3, 2, 1)]
    assert by_score == sorted(by_score) and by_clients == sorted(by_clients)
    assert len(set(by_clients)) == 7, "graded, not in steps"


def test_without_a_baseline_the_rest_decides() -> None:
    new, unknown, known = (priority(**STEADY | ALONE, new_in_window=n, new_for_client=n) for n in (True, None, False))
    assert new > unknown > known
    assert unknown > priority(**STEADY | MANY)


def test_in_a_small_estate_few_clients_say_little_and_in_a_large_one_much() -> None:
    one = np.array([1.0])
    told = [float(rarity(one, np.array([float(n)]))[0]) for n in (1, 2, 3, 10, 100, 1000)]
    assert told[0] == 0 and told == sorted(told) and told[2] < 0.7 and told[-1] > 3
    assert rarity(np.array([1000.0]), np.array([1000.0]))[0] < -5


def test_at_a_host_of_all_customers_others_who_go_there_say_nothing_of_a_rhythm() -> None:
    shared = {"dst": "script.google.com", "catalogue_id": "g-apps-script", "tenant": None, **MANY}
    [own] = [t.pair("10.0.0.7", **STEADY | MANY | {"new_in_window": False})]
    table = ranked(t.pair(**STEADY | shared | {"new_in_window": False, "new_for_client": True}), own)
    by_src = table.set_index("src").priority
    assert by_src[t.CLIENT] > 10 * by_src["10.0.0.7"]


def test_three_signs_of_one_program_lift_as_much_as_the_strangest_of_them() -> None:
    agent, process = {"user_agents": ["Sync/1"]}, {"processes": ["sync"], "fingerprints": ["ja4:x"]}
    assert priority(**STEADY | ALONE | agent | process) == pytest.approx(priority(**STEADY | ALONE | agent))
    assert priority(**STEADY | ALONE | agent) > priority(**STEADY | ALONE | {"user_agents": ["Browser/1"]})


def test_intelligence_and_the_shape_of_a_tool_lift_what_has_no_rhythm() -> None:
    plain = priority(**ALONE)
    listed = priority(**ALONE, intel=t.intel(t.item()))
    shaped = priority(**ALONE | t.shape("fireprox-path", "http_request_url_string", "https://a/fireprox/"))
    assert listed > 10 * plain and shaped > 10 * plain
    assert priority(**ALONE, intel=t.intel(t.item("expired"))) == plain


def test_the_provider_shifts_nothing() -> None:
    for facts in (STEADY, ALONE, STEADY | ALONE, MANY):
        assert priority(**facts) == priority(**{"dst": t.WORKER, **t.OUTSIDE_FACTS, **facts})


def test_what_is_allowed_has_no_priority_and_says_by_which_entry() -> None:
    entry = {"kind": "destination", "value": "ok.*", "owner": "Web", "expires": "2026-12-31"}
    table = ranked(t.pair("10.0.0.8", "ok.dev", **t.RHYTHM | t.RARE), t.pair("10.0.0.7", **t.RHYTHM | t.RARE),
                   t.pair("10.0.0.6", **t.RHYTHM | t.APPROVED), allow_list=[entry])  # fmt: skip
    assert table.src[0] == "10.0.0.7"
    assert [reason.split(":")[0] for reason in table.priority_reasons[0]] == ["rarity", "rhythm"]
    by_src = table.set_index("src")
    assert by_src.priority["10.0.0.8"] == by_src.priority["10.0.0.6"] == 0
    assert by_src.priority_reasons["10.0.0.8"][0].startswith("allowed: ok.* (owner Web")
    assert by_src.priority_reasons["10.0.0.6"] == ["allowed: inventory: in the inventory, owner Web"]


def test_every_context_that_may_be_missing_is_bearable() -> None:
    """No rhythm, no baseline, no program, no catalogue, in any mix: a number from 0 to 1."""
    for score, new, agents in itertools.product((None, 0.9), (None, True), ([], ["A/1"])):
        assert 0 < priority(beacon_score=score, new_in_window=new, user_agents=agents) < 1
    assert len(with_priority(t.pairs(), t.intel(), t.config())) == 0
