"""What changes of our own functions become: the deployment beside the intrusion."""

from __future__ import annotations

from typing import Any

import pytest
from tests.findings import tables as t

from playbooks.findings.cloud import cloud_subjects
from playbooks.findings.signal import Subject

NEW: dict[str, Any] = {
    "principal": "j.doe",
    "novelty": 1.0,
    "reasons": ["j.doe did no modify-code before", "address 198.51.100.23 is new for j.doe"],
}
OPENED: dict[str, Any] = {"exposure": "anyone may invoke (principal *)"}
CI: dict[str, Any] = {"principal": "ci-deployer", "allowed_by": "ci-deployer (owner Platform, expires 2026-12-31)"}
BY_HAND: dict[str, Any] = {"principal": "m.weber", "by_user": True, "novelty": None}
REFUSED: dict[str, Any] = {"outcome": "failure", "outcome_detail": "AccessDenied", "novelty": None}
SILENCED: dict[str, Any] = {"resource": "corp-trail", "resource_type": "trail"}


def subjects(*rows: dict[str, Any], **own: list[dict[str, Any]]) -> list[Subject]:
    return cloud_subjects(t.activity(*rows), t.own(**own))


def state(*rows: dict[str, Any], **own: list[dict[str, Any]]) -> list[str]:
    """What each subject is, in order: finding, lead or suppressed."""
    return [
        "suppressed" if subject.allowed_by else "finding" if subject.is_finding else "lead"
        for subject in subjects(*rows, **own)
        if subject.is_lead
    ]


SITTING = {"chains": [t.chain("j.doe", "svc-backup")]}
RELEASE = {"chains": [t.chain("j.doe", score=0.45)]}
LESS = {"logging_changes": [t.log_change()]}


@pytest.mark.parametrize(
    ("rows", "own", "becomes"),
    [
        # ordinary, side by side with what is not
        ([t.act()], {}, []),
        ([t.act(**NEW)], {}, ["lead"]),
        ([t.act("AddPermission", "permission", **OPENED)], {}, ["lead"]),
        ([t.act(**NEW | OPENED)], {}, ["finding"]),
        ([t.act(**NEW), t.act("AddPermission", "permission", ref="E002:2", **OPENED)], {}, ["finding"]),
        ([t.act(**NEW), t.act("AddPermission", "permission", resource="other", **OPENED)], {}, ["lead", "lead"]),
        ([t.act(**NEW | {"novelty": 0.49})], {}, []),
        ([t.act(**NEW | {"novelty": None})], {}, []),  # without a baseline nothing is new
        # a pipeline doing what it may, and the same acts by somebody else
        ([t.act(**NEW | OPENED | CI)], {}, ["suppressed"]),
        ([t.act(**CI), t.act(**NEW | OPENED)], {}, ["finding"]),
        ([t.act(**NEW | OPENED | CI), t.act(**NEW | OPENED)], {}, ["finding", "suppressed"]),
        # an attempt that failed opened and changed nothing: it is looked at, and is no finding however new
        ([t.act(**NEW | OPENED | {"outcome": "failure"})], {}, ["lead"]),
        ([t.act(**NEW | {"outcome": "failure", "outcome_detail": "AccessDenied"})], {}, ["lead"]),
        ([t.act(outcome="failure", novelty=0.0)], {}, []),  # this pipeline fails like that every day
        # a user's credentials where pipelines have roles, unless the baseline knows it as a habit
        ([t.act(**BY_HAND)], {}, ["lead"]),
        ([t.act(**BY_HAND | {"novelty": 0.0})], {}, []),
        ([t.act(**BY_HAND | {"by_user": None})], {}, ["lead"]),
        ([t.act(**BY_HAND | {"by_user": False})], {}, []),
        # runs that callers start are many; those that the control plane starts are acts of somebody
        ([t.act("Invoke", "invoke", **BY_HAND)], {}, []),
        ([t.act("StartExecution", "invoke", service="states.amazonaws.com", **BY_HAND)], {}, ["lead"]),
        ([t.act("CreateFunction", "create", **BY_HAND | {"outcome": "failure"}), t.act(**BY_HAND)], {}, ["lead"]),
        ([t.act("AddPermission", "permission", **BY_HAND | OPENED)], {}, ["finding"]),
        ([t.act("CreateAccessKey", "identity", **BY_HAND | {"attack": ["T1098.001"]})], {}, ["lead"]),
        ([t.act("CreateAccessKey", "identity", **NEW | {"by_user": True, "attack": ["T1098.001"]})], {}, ["lead"]),
        ([t.act("UpdateAssumeRolePolicy", "identity", **NEW | OPENED)], {}, ["finding"]),
        ([t.act("GetSessionToken", "identity", **BY_HAND | {"attack": []})], {}, []),
        # steps that lead to each other: a release scores below what decides
        ([t.act(**NEW)], SITTING, ["finding"]),
        ([t.act(**NEW)], RELEASE, ["lead"]),
        ([t.act(**NEW | {"principal": "m.weber"})], SITTING, ["lead"]),  # somebody else's sitting
        ([t.act(**NEW | {"resource": "other"})], SITTING, ["lead"]),  # another function
        ([t.act(**NEW | CI | {"principal": "j.doe"})], SITTING, ["suppressed"]),
        ([t.act(**CI)], SITTING, []),
        # less recorded, judged by the state before; a mark of the catalogue alone says nothing
        ([t.act("PutEventSelectors", "defence-evasion", **SILENCED)], LESS, ["lead"]),
        ([t.act("PutEventSelectors", "defence-evasion", **SILENCED | NEW)], LESS, ["finding"]),
        ([t.act("PutEventSelectors", "defence-evasion", **SILENCED)], {}, []),
        ([t.act("TagResource", "defence-evasion", **SILENCED)], {}, []),
        # runs and looks change nothing
        ([t.act("Invoke", "invoke", **NEW | OPENED)], {}, []),
        ([t.act("GetFunction", "discovery", **NEW | OPENED)], {}, []),
    ],
)
def test_what_becomes_of_changes(
    rows: list[dict[str, Any]], own: dict[str, list[dict[str, Any]]], becomes: list[str]
) -> None:
    assert state(*rows, **own) == becomes


def test_a_deployment_and_an_intrusion_on_one_function_are_told_apart() -> None:
    rows = [
        t.act(ref="E002:1", **CI | NEW | {"principal": "ci-deployer"}),
        t.act(ref="E002:2", **NEW),
        t.act("AddPermission", "permission", ref="E002:3", **NEW | OPENED),
    ]
    loud, aside = subjects(*rows)
    assert loud.title == "j.doe changed function invoice-export (modify-code, permission)"
    assert loud.subjects["principal"] == ["j.doe"]
    assert [(s.kind, s.refs) for s in loud.signals] == [
        ("exposure", ("E002:3",)),
        ("novelty", ("E002:2", "E002:3")),
    ]
    assert aside.subjects["principal"] == ["ci-deployer"]
    assert aside.allowed_by == "ci-deployer (owner Platform, expires 2026-12-31)"
    assert loud.id != aside.id


def test_a_permission_opened_by_an_allowed_pipeline_is_still_listed() -> None:
    [aside] = subjects(t.act("AddPermission", "permission", **CI | OPENED))
    assert [s.sentence for s in aside.signals] == ["ci-deployer opened it: anyone may invoke (principal *)."]


def test_a_tool_known_by_its_user_agent_is_named_with_its_innocent_reading() -> None:
    [subject] = subjects(t.act(user_agent="stratus-red-team_00000000-0000-4000-8000-000000000abc"))
    assert subject.signals[0].kind == "tool"
    assert subject.signals[0].sentence.endswith("an exercise has it too.")
    assert subjects(t.act(user_agent="stratus-red-team")) == []


def test_the_same_resource_keeps_its_id_and_names_all_who_changed_it() -> None:
    [one] = subjects(t.act(**NEW | OPENED))
    [many] = subjects(*(t.act(**NEW | OPENED | {"principal": name}) for name in ("j.doe", "m.weber")))
    assert one.id == many.id
    assert many.title == "2 principals (j.doe, m.weber) changed function invoice-export (modify-code)"
    assert "T1648" in one.attack


@pytest.mark.parametrize(("field", "other"), [("account", "999999999999"), ("region", "us-west-2")])
def test_one_name_in_two_places_is_two_resources_and_two_decisions(field: str, other: str) -> None:
    here, there = subjects(t.act(**NEW | OPENED), t.act(**NEW | OPENED | {field: other}))
    assert here.id != there.id
    assert here.title == there.title


def test_no_activity_gives_no_subject() -> None:
    assert subjects() == []


def test_what_ended_well_is_cited_with_the_record_that_says_so() -> None:
    [subject] = subjects(t.act(**NEW | {"further_refs": ["E002:4", "E002:9"]}))
    [signal] = subject.signals
    assert signal.refs == ("E002:1", "E002:4", "E002:9")


def test_what_was_tried_says_what_it_would_have_opened() -> None:
    tried = t.act("AddPermission", "permission", **OPENED | REFUSED)
    assert subjects(tried)[0].title == "ci-deployer tried to change function invoice-export (permission)"
    [signal] = subjects(tried)[0].signals
    assert signal.sentence == (
        "ci-deployer tried AddPermission and failed (AccessDenied); it would have opened it: "
        "anyone may invoke (principal *)."
    )


def test_code_replaced_soon_after_the_creation_is_said_so() -> None:
    made = t.act("CreateFunction", "create", time=t.at(8.9), **BY_HAND)
    [signal] = subjects(made, t.act(ref="E002:2", **BY_HAND))[0].signals
    assert signal.sentence.endswith("; its code was replaced 6 min after m.weber created it.")
    assert signal.refs == ("E002:1", "E002:2")


def test_an_exercise_is_labelled_and_stays_what_it_is() -> None:
    [subject] = subjects(t.act(user_agent="stratus-red-team_00000000-0000-4000-8000-000000000abc", **NEW))
    assert subject.is_finding
    assert "exercise or test with Stratus Red Team" in subject.context[0]
