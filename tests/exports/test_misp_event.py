"""A case as a MISP event: loaded by PyMISP and its own schema, the same each time, and arming sensors seldom."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

import jsonschema
import pandas as pd
import pymisp
import pytest
from tests.exports.results import HOST, HOSTILE, OURS, SECRET, SHARED, entry, links, material, pair

from playbooks.exports.material import Material
from playbooks.exports.misp import misp_event

# the one that knows objects; the strict one is of a format before them
SCHEMA = json.loads(resources.files("pymisp").joinpath("data/schema-lax.json").read_text(encoding="utf-8"))
JA3 = "cd08e31494f9531f560d64c695473da9"


def event(given: Material | None = None) -> pymisp.MISPEvent:
    content = misp_event(given or material()).content.decode("ascii")
    jsonschema.validate(json.loads(content), SCHEMA)
    loaded = pymisp.MISPEvent()
    loaded.load(content)
    assert {one.uuid for one in loaded.objects} == {one["uuid"] for one in json.loads(content)["Event"]["Object"]}
    return loaded


def attributes(given: Material | None = None) -> dict[tuple[str, str], Any]:
    return {(one.type, one.value): one for one in event(given).attributes}


def with_pairs(*pairs: dict[str, Any], **changes: Any) -> Material:
    tables = material().tables | {"egress_pairs": pd.DataFrame(list(pairs))}
    return material(tables=tables, **changes)


def test_an_event_is_the_same_each_time_and_another_case_is_another_event() -> None:
    made = misp_event(material())
    assert made.content == misp_event(material()).content
    assert made.holds == "3 attributes, 1 of them for sensors"
    mine, other = event(), event(material(case_id="IR-2"))
    assert {one.uuid for one in mine.attributes}.isdisjoint(one.uuid for one in other.attributes)
    assert mine.uuid != other.uuid


def test_only_a_destination_of_a_finding_that_is_one_customers_alone_arms_a_sensor() -> None:
    made = attributes()
    assert [value for (_, value), one in made.items() if one.to_ids] == [HOST]
    assert {kind for kind, _ in made} == {"hostname", "ip-src", "target-user"}
    assert not {SHARED, OURS, "10.20.3.17"} & {value for _, value in made}
    left = misp_event(material()).left_out
    assert [why.partition(" (")[0] for why in left] == [
        f"no attribute of {one}" for one in (SHARED, OURS, "198.51.100.9")
    ]
    with_lead = attributes(with_pairs(pair(HOST), pair("198.51.100.9", src="10.20.3.18")))
    assert with_lead["ip-dst", "198.51.100.9"].to_ids is False
    assert with_lead["hostname", HOST].to_ids is True


def test_an_address_of_ours_that_acted_in_the_cloud_is_no_attribute() -> None:
    assert ("ip-src", "198.51.100.23") in attributes()
    assert ("ip-src", "198.51.100.23") not in attributes(material(inside=("198.51.100.0/24",)))


def test_a_comment_leads_to_the_records_and_an_annotation_says_what_a_finding_rests_on() -> None:
    made = attributes()["hostname", HOST]
    assert made.comment == "A-1 (finding): destination; records E001:7, E001:9"
    assert (made.first_seen.isoformat(), made.last_seen.microsecond) == ("2026-03-10T08:00:00+00:00", 123)
    notes = {one.uuid: one for one in event().objects}
    [note] = [one for one in notes.values() if one.references and one.references[0].referenced_uuid == made.uuid]
    [text] = note.get_attributes_by_relation("text")
    assert "rhythm:" in text.value and "[E001:7, E001:9]" in text.value and "- An updater does the same." in text.value
    assert "blind: Who ran it?. no record of runs" in str([one.value for o in notes.values() for one in o.attributes])


def test_a_value_that_two_findings_name_is_one_attribute_with_both() -> None:
    found = material().findings
    found["leads"] = [entry("A-3", "a lead", src=["10.20.3.17"], dst=[HOST])]
    made = attributes(material(findings=found))["hostname", HOST]
    assert made.to_ids is True
    assert "A-1 (finding)" in made.comment and "A-3 (lead)" in made.comment


def test_fingerprints_and_urls_are_context() -> None:
    prints = {
        "fingerprints": [f"ja3:{JA3}", "ja4:t13d1516h2_8daaf6152771_b186095e22b6"],
        "fingerprint_refs": ["E002:1", "E002:2"],
    }
    url = f"https://{HOST}/x?token={SECRET}"
    given = with_pairs(pair(HOST, **prints), pair(HOST, **prints))
    given = Material(**vars(given) | {"tables": given.tables | {"links": pd.DataFrame([links(entity=url)])}})
    made = attributes(given)
    assert made["ja3-fingerprint-md5", JA3].to_ids is False
    assert made["ja3-fingerprint-md5", JA3].comment.endswith(f"TLS client on the way to {HOST}; records E002:1")
    assert ("text", "ja4:t13d1516h2_8daaf6152771_b186095e22b6") in made
    assert made["url", url].to_ids is False
    assert SECRET.encode() not in misp_event(given.without_secrets()).content


@pytest.mark.parametrize("tlp", ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"])
def test_markings_and_techniques_are_tags(tlp: str) -> None:
    tags = {tag.name for tag in event(material(tlp=tlp)).tags}
    assert tags == {
        f"tlp:{tlp.lower()}",
        'misp-galaxy:mitre-attack-pattern="Web Service - T1102"',
        'misp-galaxy:mitre-attack-pattern="Web Protocols - T1071.001"',
    }


def test_without_findings_the_event_says_what_could_not_be_looked_for() -> None:
    made = event(material(findings=material().findings | {"findings": [], "leads": []}))
    assert made.attributes == []
    [note] = made.objects
    assert "blind: Who ran it?" in note.get_attributes_by_relation("text")[0].value


def test_hostile_text_is_escaped_and_begins_no_other_line() -> None:
    made = misp_event(material(title=HOSTILE))
    assert made.content.isascii() and b"\x1b" not in made.content
    assert "\n" not in event(material(title=HOSTILE)).info
    found = material().findings | {"findings": [entry("A-1", "x", src=["10.20.3.17"], dst=["evil\"}],'\n*.example"])]}
    assert ("hostname", "evil\"}],'\n*.example") in attributes(
        with_pairs(pair("evil\"}],'\n*.example"), findings=found)
    )
