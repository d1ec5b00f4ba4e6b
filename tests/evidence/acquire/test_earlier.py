"""What is the same, what changed, what is gone: judged by content, without what is new in every answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playbooks.evidence.acquire.answers import Outcome
from playbooks.evidence.acquire.earlier import Known, fingerprint_of, gone, key_of

LINK = "https://bucket.s3.amazonaws.com/code?versionId=7&X-Amz-Date={0}&X-Amz-Signature={0}"


def mark(answer: Any, outcome: Outcome = Outcome.ANSWERED, code: str = "") -> str:
    return fingerprint_of(outcome, json.dumps(answer).encode(), None, code)


SAME = {
    "the token of a next page": ({"Functions": [], "NextMarker": "a"}, {"Functions": [], "NextMarker": "b"}),
    "a token that is no longer there": ({"Functions": [], "NextMarker": "a"}, {"Functions": []}),
    "the id of the request": ({"A": 1, "ResponseMetadata": {"RequestId": "a"}}, {"A": 1}),
    "the signature of a link": ({"Code": {"Location": LINK.format("a1")}}, {"Code": {"Location": LINK.format("b2")}}),
    "the order of members": ({"A": 1, "B": 2}, {"B": 2, "A": 1}),
}
OTHER = {
    "a value": ({"Timeout": 3}, {"Timeout": 4}),
    "a member more": ({"A": 1}, {"A": 1, "B": None}),
    "a tag with the name of a token": ({"Tags": {"Marker": "a"}}, {"Tags": {"Marker": "b"}}),
    "the version behind a link": (
        {"Location": LINK.format("a")},
        {"Location": LINK.format("a").replace("versionId=7", "versionId=8")},
    ),
    "the kind of a value": ({"A": "1"}, {"A": 1}),
    "the order of a list": ({"A": [1, 2]}, {"A": [2, 1]}),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME.keys())
def test_what_is_new_in_every_answer_makes_no_difference(one: Any, other: Any) -> None:
    assert mark(one) == mark(other)


@pytest.mark.parametrize(("one", "other"), OTHER.values(), ids=OTHER.keys())
def test_everything_else_does(one: Any, other: Any) -> None:
    assert mark(one) != mark(other)


def test_an_error_is_its_code_whatever_its_words() -> None:
    absent = [fingerprint_of(Outcome.ABSENT, body, None, "NotFound") for body in (b"{}", b"other words")]
    assert absent[0] == absent[1]
    assert absent[0] != fingerprint_of(Outcome.ABSENT, b"{}", None, "NoSuchEntity")
    assert absent[0] != fingerprint_of(Outcome.ANSWERED, b"{}")


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b"<x/>", b'"\\ud800"'])
def test_garbage_has_a_fingerprint_too(body: bytes) -> None:
    assert fingerprint_of(Outcome.ANSWERED, body) == fingerprint_of(Outcome.ANSWERED, body)
    assert fingerprint_of(Outcome.ANSWERED, body) != fingerprint_of(Outcome.ANSWERED, body + b"x")


def test_a_question_is_known_by_account_region_call_parameters_and_page() -> None:
    asked = ("111122223333", "eu-central-1", "lambda", "GetPolicy", {"A": "1", "B": "2"}, 1)
    others = [
        ("444455556666", *asked[1:]),
        (asked[0], "eu-west-1", *asked[2:]),
        (*asked[:3], "GetFunction", *asked[4:]),
        (*asked[:4], {"A": "1"}, 1),
        (*asked[:5], 2),
    ]
    assert key_of(*asked) == key_of(*asked[:4], {"B": "2", "A": "1"}, 1)
    assert len({key_of(*question) for question in [asked, *others]}) == 6


def known(**parents: str) -> dict[str, Known]:
    return {key: Known(key, "", "answered", parent, "s", "o", {}, "r", key) for key, parent in parents.items()}


def test_what_nothing_names_any_more_is_gone_with_all_that_hung_on_it() -> None:
    held = known(listing="", function="listing", policy="function", other="listing")
    assert gone(held, {"listing", "other"}, {"listing", "other"}) == ["function", "policy"]


def test_what_was_not_looked_for_is_not_gone() -> None:
    held = known(listing="", function="listing")
    assert gone(held, set(), set()) == []  # the listing was not asked for
    assert gone(held, set(), {"listing"}) == []  # it was refused
    assert gone(held, {"listing"}, {"listing", "function"}) == []  # the function was asked for and refused


def test_a_circle_of_questions_ends() -> None:
    assert gone(known(a="b", b="a"), set(), set()) == []
