"""A case as a STIX bundle: valid by the library of the standard, the same each time, and accusing nobody."""

from __future__ import annotations

from typing import Any

import pytest
import stix2
from tests.exports.results import CASE, DIGEST, HOST, HOSTILE, SECRET, entry, material, pair

from playbooks.exports.stix import CONFIDENCE, stix_bundle


def objects(given: Any = None) -> list[Any]:
    return list(stix2.parse(stix_bundle(given or material()).content.decode()).objects)


def of(kind: str, given: Any = None) -> list[Any]:
    return [one for one in objects(given) if one.type == kind]


def test_a_bundle_is_valid_and_the_same_each_time() -> None:
    made = stix_bundle(material())
    assert made.content == stix_bundle(material()).content
    assert made.content != stix_bundle(material(case_id="IR-2")).content
    assert made.holds == "2 findings"
    known = {one.id for one in objects()}
    refs = [ref for one in objects() for ref in getattr(one, "object_refs", ())]
    assert refs and set(refs) <= known
    assert len(known) == len(objects())


def test_each_finding_is_a_grouping_with_its_records_its_confidence_and_the_marking_of_the_case() -> None:
    first, second = of("grouping")
    assert (first.confidence, second.confidence) == (85, 50)
    assert [one.external_id for one in first.external_references] == ["T1102", "T1071.001"]
    notes = {one.abstract: one.content for one in of("note")}
    assert "[E001:7, E001:9]" in notes["What A-1 rests on"] and DIGEST in notes["What A-1 rests on"]
    unmarked = [
        one.type
        for one in objects()
        if one.type not in ("marking-definition", "identity") and "object_marking_refs" not in one
    ]
    assert unmarked == []
    assert {mark.id for mark in of("marking-definition")} == {stix2.TLP_AMBER.id}


def test_the_words_of_the_argument_have_a_place_on_the_scale_of_the_standard() -> None:
    from stix2.confidence.scales import value_to_none_low_medium_high as word_of

    assert {word: word_of(number) for word, number in CONFIDENCE.items()} == {
        "low": "Low",
        "moderate": "Med",
        "high": "High",
    }


def test_an_indicator_is_made_of_an_outside_host_that_is_one_customers_alone() -> None:
    [indicator] = of("indicator")
    assert indicator.pattern == f"[domain-name:value = '{HOST}']"
    assert indicator.indicator_types == ["anomalous-activity"]
    left = stix_bundle(material()).left_out
    assert [why.rpartition(": ")[2] for why in left] == [
        "the host serves every customer of its provider",
        "it is ours",
        "one kind of signal is not for others to act on",
    ]
    assert {one.type for one in objects()} & {"threat-actor", "intrusion-set", "campaign", "malware"} == set()


def test_only_what_an_analyst_confirmed_is_called_malicious() -> None:
    given = material()
    given.findings["findings"][0]["decision"] = {"verdict": "confirmed"}
    assert of("indicator", given)[0].indicator_types == ["malicious-activity"]


@pytest.mark.parametrize(
    ("dst", "pattern"),
    [
        ("evil'] OR [x.example", "[domain-name:value = 'evil\\'] OR [x.example']"),
        ("198.51.100.7", "[ipv4-addr:value = '198.51.100.7']"),
        ("2001:db8::1", "[ipv6-addr:value = '2001:db8::1']"),
    ],
)
def test_a_hostile_name_stays_a_value_in_its_pattern(dst: str, pattern: str) -> None:
    found = material().findings | {"findings": [entry("A-1", "x", src=["10.20.3.17"], dst=[dst])]}
    pairs = material().tables["egress_pairs"].iloc[:0]
    given = material(findings=found, tables={"egress_pairs": type(pairs)([pair(dst)])})
    assert [one.pattern for one in of("indicator", given)] == [pattern]


def test_a_fingerprint_is_no_host() -> None:
    found = material().findings | {"findings": [entry("A-1", "x", src=["10.20.3.17"], dst=["ja4:t13d"])]}
    made = stix_bundle(material(findings=found))
    assert any(why.startswith("no indicator of ja4:t13d (A-1)") for why in made.left_out)
    assert b"ja4:t13d" not in made.content


def test_without_findings_the_answers_still_say_what_could_not_be_looked_for() -> None:
    found = material().findings | {"findings": [], "leads": []}
    [note] = of("note", material(findings=found))
    assert note.abstract == f"What was asked in case {CASE}, and answered"
    assert "blind: Who ran it?. no record of runs" in note.content


def test_secrets_of_urls_are_hidden_and_control_characters_are_escapes() -> None:
    shown = material().without_secrets()
    assert SECRET.encode() not in stix_bundle(shown).content and SECRET.encode() in stix_bundle(material()).content
    assert stix_bundle(shown).content.isascii() and b"\x1b" not in stix_bundle(shown).content
    assert HOSTILE.split("token=")[0] in of("grouping")[1].name
