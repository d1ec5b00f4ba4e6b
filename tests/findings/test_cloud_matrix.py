"""Hypothesis B, signal by signal: what one alone becomes, what two become, and what is never counted twice."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from tests.findings import tables as t

from playbooks import schema
from playbooks.case import Window
from playbooks.findings import counted_matches
from playbooks.findings.cloud import cloud_subjects
from playbooks.findings.signal import Subject, score

FUNCTION: dict[str, Any] = {"novelty": None}
# Each kind of signal by itself: an event of one function, or a row of another table about it.
EVENTS: dict[str, dict[str, Any]] = {
    "change": {"ref": "E002:1", "principal": "m.weber", "by_user": True, "novelty": None},
    "novelty": {"ref": "E002:2", "principal": "j.doe", "novelty": 1.0, "reasons": ["j.doe makes no call"]},
    "exposure": {"ref": "E002:3", "exposure": "anyone may invoke (principal *)"},
    "tool": {"ref": "E002:4", "user_agent": "stratus-red-team_00000000-0000-4000-8000-000000000abc"},
    "evasion": {"ref": "E002:5"},
    "evasion of unknown effect": {"ref": "E002:6"},
    "collector": {"ref": "E002:7", "principal": "ir-reader", "collector": "ir-reader collected evidence"},
    "chain": {"ref": "E002:8", "principal": "svc"},
    "chain like a release": {"ref": "E002:9", "principal": "svc"},
    "credentials": {"ref": "E002:10"},
    "credentials unclear": {"ref": "E002:11"},
    "rule on a record of its own": {"ref": "E002:12"},
    "rule of low level": {"ref": "E002:13"},
}
TABLES: dict[str, tuple[str, dict[str, Any]]] = {
    "evasion": ("logging_changes", t.log_change("E002:5")),
    "evasion of unknown effect": ("logging_changes", t.log_change("E002:6", "unknown")),
    "chain": ("chains", t.chain("svc", refs=["E002:8"])),
    "chain like a release": ("chains", t.chain("svc", score=0.45, refs=["E002:9"])),
    "credentials": ("credentials_outside", t.outside()),
    "credentials unclear": ("credentials_outside", t.outside("unclear")),
    "rule on a record of its own": ("sigma_matches", t.match("E002:12", "high")),
    "rule of low level": ("sigma_matches", t.match("E002:13", "low")),
}
DECIDING = {"change", "novelty", "exposure", "tool", "evasion", "chain", "credentials", "collector"}
ALONE = dict.fromkeys(EVENTS, "lead") | {"rule of low level": "nothing"}
# Pairs that are a lead although both lead alone: one is weak, or repeats what the other says.
NO_SECOND = {
    *(frozenset({"change", one}) for one in ("collector", "evasion of unknown effect")),
    frozenset({"novelty", "collector"}),
    *(frozenset({one, other}) for one in EVENTS for other in ("chain like a release", "credentials unclear")),
    *(frozenset({one, other}) for one in ("rule of low level",) for other in EVENTS),
}


def subject(*names: str, allowed: bool = False) -> Subject | None:
    """The function's subject with these signals."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        if name in TABLES:
            table, row = TABLES[name]
            tables.setdefault(table, []).append(row)
    entry = {"allowed_by": "x (owner Web, expires 2026-12-31)"} if allowed else {}
    acts = t.activity(*(t.act(**FUNCTION | EVENTS[name] | entry) for name in names))
    found = [one for one in cloud_subjects(acts, t.own(**tables)) if one.is_lead]
    assert len(found) <= 1
    return found[0] if found else None


def becomes(*names: str) -> str:
    found = subject(*names)
    return "nothing" if found is None else "finding" if found.is_finding else "lead"


@pytest.mark.parametrize("name", EVENTS)
def test_no_signal_alone_is_a_finding(name: str) -> None:
    assert becomes(name) == ALONE[name]


def expected(one: str, other: str) -> str:
    pair = frozenset({one, other})
    return "lead" if pair in NO_SECOND else "finding"


@pytest.mark.parametrize(("one", "other"), list(combinations(EVENTS, 2)))
def test_two_kinds_are_a_finding_unless_one_is_weak_or_repeats_the_other(one: str, other: str) -> None:
    kinds = {one.split()[0], other.split()[0]}
    if len(kinds) == 1:
        assert becomes(one, other) in ("lead", "nothing"), "of one kind, however many"
        return
    assert becomes(one, other) == expected(one, other)


@pytest.mark.parametrize("weak", [name for name in EVENTS if name not in DECIDING])
def test_a_weak_signal_raises_a_score_and_lowers_nothing(weak: str) -> None:
    for names in combinations(sorted(DECIDING - {weak.split()[0]}), 2):
        bare, more = subject(*names), subject(*names, weak)
        assert bare is not None and more is not None
        assert score(bare.signals) < score(more.signals)
        assert bare.is_finding <= more.is_finding


def test_what_a_chain_and_its_resource_both_say_counts_once() -> None:
    opened = t.act(**FUNCTION | EVENTS["exposure"] | {"principal": "svc"})
    chain = t.chain("svc", score=0.6, exposure_part=0.15, refs=["E002:3"])
    [found] = cloud_subjects(t.activity(opened), t.own(chains=[chain]))
    assert {one.kind: one.weight for one in found.signals} == {"chain": pytest.approx(0.45 * 0.45), "exposure": 0.35}
    assert not found.is_finding, "what is left of the chain is what a release has"
    strong = t.own(chains=[{**chain, "score": 0.8}])
    assert cloud_subjects(t.activity(opened), strong)[0].is_finding


def test_a_chain_says_what_its_score_adds_up_from_and_cites_its_records() -> None:
    found = subject("chain")
    assert found is not None
    [signal] = found.signals
    assert signal.sentence == (
        "svc went through preparation, change, permission or trigger, run from 2026-03-10 09:00 to 09:30 UTC "
        "(C-00000001, 0.80): 4 stages: preparation, change, permission or trigger, run."
    )
    assert signal.refs == ("E002:8",)


def test_a_chain_that_the_allow_list_covers_or_that_others_went_through_says_nothing() -> None:
    acts = t.activity(t.act(**FUNCTION | {"principal": "svc"}))
    for chain in (
        t.chain("svc", allowed_by="ci-* (owner Platform)"),
        t.chain("other"),
        t.chain("svc", resources=("x",)),
    ):
        assert cloud_subjects(acts, t.own(chains=[chain])) == []
    later = t.chain("svc", start=t.at(12), end=t.at(13))
    assert cloud_subjects(acts, t.own(chains=[later])) == []


def test_more_recorded_or_the_same_is_no_evasion() -> None:
    for effect in ("more", "same"):
        changes = [t.log_change("E002:5", effect)]
        assert cloud_subjects(t.activity(t.act(**FUNCTION | {"ref": "E002:5"})), t.own(logging_changes=changes)) == []


def test_a_change_of_a_log_that_no_catalogue_holds_is_a_lead_by_itself() -> None:
    change = t.log_change("E009:1", provider="Cloudflare", resource="job-1", sentence="logpush job job-1 deleted: off")
    seen = t.activity(t.act()).assign(stands_for=1)  # as results hold it: a count, and no null among the answers
    [found] = cloud_subjects(seen, t.own(logging_changes=[change]))
    assert (found.is_lead, found.is_finding) == (True, False)
    [signal] = found.signals
    assert signal.sentence == (
        "ci-deployer changed what is recorded (less is recorded since): PutEventSelectors: "
        "logpush job job-1 deleted: off."
    )
    assert signal.refs == ("E009:1",)


def test_credentials_of_a_role_that_nobody_changed_are_a_subject_of_their_own() -> None:
    [found] = cloud_subjects(t.activity(t.act()), t.own(credentials_outside=[t.outside(functions=["another"])]))
    assert found.title == "Credentials of role invoice-role outside its functions (outside)"
    assert (found.is_lead, found.is_finding) == (True, False)
    assert found.signals[0].sentence == (
        "Credentials of invoice-role were used outside another: session night is named after no function of the role; "
        "3 calls (ListBuckets) from 198.51.100.77."
    )


@pytest.mark.parametrize(
    ("level", "leads"), [("critical", 1), ("high", 1), ("medium", 0), ("low", 0), ("informational", 0), ("", 0)]
)
def test_a_match_that_belongs_to_nothing_is_a_lead_only_from_level_high_on(level: str, leads: int) -> None:
    match = t.match("E003:7", level, resource="bucket-1")
    found = cloud_subjects(t.activity(t.act()), t.own(sigma_matches=[match]))
    assert [one.is_lead for one in found] == [True] * leads
    assert not any(one.is_finding for one in found)


def test_a_rule_about_the_very_record_of_another_signal_is_no_second_kind() -> None:
    act = t.act(**FUNCTION | EVENTS["exposure"])
    same = t.own(sigma_matches=[t.match("E002:3", "critical")])
    [found] = cloud_subjects(t.activity(act), same)
    assert {one.kind for one in found.signals} == {"exposure", "sigma"}
    assert not found.is_finding
    assert score(found.signals) > 0.35
    assert found.as_json()["context"] == [
        "A lead all the same: sigma is weak here, or repeats what another signal says."
    ]


def test_an_alarm_about_what_the_allow_list_covers_is_set_aside() -> None:
    entry = "ci-deployer (owner Platform)"
    [found] = cloud_subjects(
        t.activity(t.act(ref="E002:1", allowed_by=entry)), t.own(sigma_matches=[t.match("E002:1", "critical")])
    )
    assert (found.allowed_by, found.is_lead, found.is_finding) == (entry, True, False)


def test_a_match_goes_with_the_part_of_a_resource_that_its_record_is_of() -> None:
    allowed = {"allowed_by": "ci-deployer (owner Platform)", "exposure": "anyone may invoke"}
    rows = t.activity(t.act(ref="E002:1", **allowed), t.act(**EVENTS["exposure"]))
    found = cloud_subjects(rows, t.own(sigma_matches=[t.match("E002:1", "high")]))
    assert {bool(one.allowed_by): "sigma" in one.kinds for one in found} == {True: True, False: False}


def test_matches_count_in_the_window_and_not_where_only_our_own_collection_wrote() -> None:
    rows = [
        t.match("E002:1"),
        t.match("E002:2", time=t.at(-30)),
        t.match("E002:3"),
        t.match("E002:3", refs=["E002:4"], kind="event_count"),
        t.match("E002:5", time=None),
    ]
    window = Window(start=t.at(0), end=t.at(24))
    kept = counted_matches(t.table(schema.SIGMA_MATCHES, rows), window, {"E002:3"})
    assert [(ref, list(more)) for ref, more in zip(kept.ref, kept.refs, strict=True)] == [
        ("E002:1", []),
        ("E002:3", ["E002:4"]),
    ]
    assert len(counted_matches(t.table(schema.SIGMA_MATCHES, rows), None, ())) == 5
