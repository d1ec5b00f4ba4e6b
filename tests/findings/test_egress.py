"""What one destination becomes: its sentences, its records, its neighbours of the same tenant."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.findings import tables as t

from playbooks.findings import with_priority
from playbooks.findings.egress import egress_subjects
from playbooks.findings.signal import Subject


def subjects(*rows: dict[str, object], intel: pd.DataFrame | None = None, **fields: object) -> list[Subject]:
    """Subjects of these pairs, in an ordinary estate that adds none."""
    return egress_subjects(t.pairs(*t.estate(), *rows), t.intel() if intel is None else intel, t.config(**fields))


def kinds(*rows: dict[str, object]) -> list[tuple[str, ...]]:
    return [subject.kinds for subject in subjects(*rows)]


def test_a_finding_carries_its_facts_and_their_records() -> None:
    [subject] = subjects(t.pair(**t.RHYTHM | t.RARE), intel=t.intel(t.item()))
    assert subject.title == "10.0.0.9 contacted poll.stranger.workers.dev 100 times, about every 60 s"
    assert subject.subjects == {"src": ["10.0.0.9"], "dst": [t.WORKER], "tenant": ["stranger"]}
    assert (subject.first_seen, subject.last_seen) == ("2026-03-10T01:00:00+00:00", "2026-03-10T20:00:00+00:00")
    assert [(s.kind, s.weight, s.refs) for s in subject.signals] == [
        ("intelligence", pytest.approx(0.48), ("E005:1", "E001:1", "E001:100")),
        ("rarity", 0.35, ("E001:1", "E001:100")),
        ("rhythm", pytest.approx(0.475), ("E001:1", "E001:50", "E001:100")),
    ]
    assert subject.attack == ("T1583.007", "T1584.007", "T1102", "T1071.001")
    assert subject.not_observable and subject.innocent_if and subject.next_steps


def test_a_subject_keeps_its_id_while_its_signals_change() -> None:
    [bare], [more] = subjects(t.pair(**t.RHYTHM)), subjects(t.pair(**t.RHYTHM | t.RARE))
    [other] = subjects(t.pair(**t.RHYTHM | {"tenant": "other"}))
    assert bare.id == more.id != other.id


def test_names_of_one_tenant_are_one_subject_and_names_without_tenant_are_not() -> None:
    names = ("a.stranger.workers.dev", "b.stranger.workers.dev")
    [together] = subjects(*(t.pair(dst=name, **t.RHYTHM) for name in names))
    assert together.subjects["dst"] == list(names)
    apart = subjects(*(t.pair(**t.OUTSIDE | t.RHYTHM | {"dst": name}) for name in names))
    assert [subject.subjects["dst"] for subject in apart] == [[names[0]], [names[1]]]


def test_one_tenant_label_at_two_services_is_two_subjects() -> None:
    rows = [t.pair(**t.RHYTHM), t.pair(dst="stranger.pages.dev", **t.RHYTHM | {"catalogue_id": "cf-pages"})]
    assert len(subjects(*rows)) == 2


@pytest.mark.parametrize(
    ("new", "weight", "told"),
    [(True, 0.475, False), (None, 0.475, False), (False, 0.19, True)],
)
def test_a_rhythm_older_than_the_window_weighs_less_and_says_so(new: bool | None, weight: float, told: bool) -> None:
    [subject] = subjects(t.pair(**t.RHYTHM | {"new_in_window": new}))
    [signal] = subject.signals
    assert signal.weight == pytest.approx(weight)
    assert ("in use before the window" in signal.sentence) is told


@pytest.mark.parametrize(
    ("facts", "is_rare"),
    [
        ({"clients": 1, "clients_share": 0.05, "new_in_window": True}, True),
        ({"clients": 2, "clients_share": 0.1, "new_in_window": True}, True),
        ({"clients": 3, "clients_share": 0.15, "new_in_window": True}, False),
        ({"clients": 3, "clients_share": 0.04, "new_in_window": True}, True),  # three of a large estate
        ({"clients": 1, "clients_share": 0.05, "new_in_window": None}, True),  # no baseline: weaker, and told
        ({"clients": 1, "clients_share": 0.05, "new_in_window": False}, False),
    ],
)
def test_rare_is_few_clients_and_nobody_before(facts: dict[str, object], is_rare: bool) -> None:
    [found] = kinds(t.pair(**t.RHYTHM | facts))
    assert ("rarity" in found) is is_rare


def test_rarity_without_a_baseline_weighs_less_and_says_so() -> None:
    [subject] = subjects(t.pair(**t.RHYTHM | t.RARE | {"new_in_window": None}))
    [signal] = [s for s in subject.signals if s.kind == "rarity"]
    assert (signal.weight, signal.sentence.split("; ")[1]) == (
        0.25,
        "without a baseline it cannot be told whether it is new.",
    )


def test_in_an_estate_of_four_nothing_is_rare_and_no_client_is_alone() -> None:
    rows = [t.pair(f"10.0.0.{n}", **t.RHYTHM | t.RARE | {"user_agents": [f"A/{n}"]}) for n in range(4)]
    found = egress_subjects(t.pairs(*rows), t.intel(), t.config())
    assert [subject.kinds for subject in found] == [("rhythm",)]


def test_a_user_agent_counts_when_nobody_else_has_it() -> None:
    alone = t.RHYTHM | {"user_agents": ["Sync/1.0"]}
    assert kinds(t.pair(**alone)) == [("client", "rhythm")]
    shared = kinds(t.pair(**alone), t.pair("10.0.0.8", **t.OUTSIDE | {"user_agents": ["Sync/1.0"]}))
    assert shared == [("rhythm",)]


def test_an_indicator_for_a_user_agent_counts_for_the_pairs_that_sent_it() -> None:
    listed = t.intel(t.item(observable="Sync/1.0", observable_type="user_agent"))
    sent = subjects(t.pair(**t.RHYTHM | {"user_agents": ["Sync/1.0"]}), intel=listed)
    other = subjects(t.pair(**t.RHYTHM | {"user_agents": ["Sync/1.01"]}), intel=listed)
    assert ["intelligence" in subject.kinds for subject in (*sent, *other)] == [True, False]


STRATUS = "stratus-red-team_00000000-0000-4000-8000-000000000abc"
COMMON = "Mozilla/5.0 (Windows NT 6.3; Trident/7.0; rv:11.0) like Gecko"


def test_the_shape_of_a_known_tool_is_a_signal_with_the_tool_named_as_such() -> None:
    [subject] = subjects(t.pair(**t.OWN_AGENT | {"clients": 15, "clients_share": 0.75, "user_agents": [STRATUS]}))
    assert [s.kind for s in subject.signals] == ["tool"]
    assert f"“{STRATUS}” has the shape of" in subject.signals[0].sentence


def test_a_shape_that_common_software_has_too_supports_and_leads_nowhere_alone() -> None:
    [alone] = subjects(t.pair(**t.RARE | {"user_agents": [COMMON]}))
    assert (alone.kinds, alone.is_lead) == (("client", "rarity"), False)
    [beside] = subjects(t.pair(**t.RHYTHM | {"user_agents": [COMMON]}))
    assert (beside.kinds, beside.is_finding) == (("client", "rhythm"), True)


def test_priority_follows_the_signals_and_is_zero_for_what_is_allowed() -> None:
    allowed = {"kind": "destination", "value": "ok.*", "owner": "Web", "expires": "2026-12-31"}
    rows = [t.pair(), t.pair("10.0.0.8", "ok.dev", **t.RHYTHM | t.RARE), t.pair("10.0.0.7", **t.RHYTHM | t.RARE)]
    ranked = with_priority(t.pairs(*t.estate(), *rows), t.intel(), t.config(allow_list=[allowed]))
    top = ranked.iloc[0]
    assert (top.src, top.priority) == ("10.0.0.7", pytest.approx(0.659, abs=0.001))
    assert [reason.split(":")[0] for reason in top.priority_reasons] == ["rarity", "rhythm"]
    by_src = ranked.set_index("src")
    assert by_src.loc["10.0.0.8", "priority"] == by_src.loc["10.0.0.9", "priority"] == 0
    assert by_src.loc["10.0.0.8", "priority_reasons"][0].startswith("allowed: ok.* (owner Web")


def test_no_pairs_give_no_subjects_and_an_empty_ranking() -> None:
    assert egress_subjects(t.pairs(), t.intel(), t.config()) == []
    assert len(with_priority(t.pairs(), t.intel(), t.config())) == 0
