"""Findings as OCSF Detection Findings: what class 2004 of OCSF 1.8 requires, by its names and types."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
from tests.exports.results import DIGEST, HOST, HOSTILE, material

from playbooks.exports.ocsf import ocsf_lines

TEXT, WHOLE = {"type": "string"}, {"type": "integer"}
# Required attributes of the class and of the objects in it, and the values that OCSF lists.
EVENT = {
    "type": "object",
    "required": [
        *("activity_id", "category_uid", "class_uid", "finding_info", "metadata", "severity_id", "time", "type_uid"),
    ],
    "properties": {
        "activity_id": {"enum": [0, 1, 2, 3, 99]},
        "category_uid": {"const": 2},
        "class_uid": {"const": 2004},
        "type_uid": {"const": 200401},
        "severity_id": {"enum": [0, 1, 2, 3, 4, 5, 6, 99]},
        "confidence_id": {"enum": [0, 1, 2, 3, 99]},
        "status_id": {"enum": [0, 1, 2, 3, 4, 5, 6, 99]},
        "time": WHOLE,
        "start_time": WHOLE,
        "end_time": WHOLE,
        "is_alert": {"type": "boolean"},
        "metadata": {
            "type": "object",
            "required": ["product", "version"],
            "properties": {"version": {"const": "1.8.0"}, "product": {"type": "object", "required": ["name"]}},
        },
        "finding_info": {
            "type": "object",
            "required": ["uid"],
            "properties": {
                "uid": TEXT,
                "attacks": {
                    "type": "array",
                    "items": {"anyOf": [{"required": ["technique"]}, {"required": ["sub_technique"]}]},
                },
            },
        },
        "evidences": {
            "type": "array",
            "items": {"anyOf": [{"required": [name]} for name in ("data", "src_endpoint", "dst_endpoint", "actor")]},
        },
        "observables": {"type": "array", "items": {"type": "object", "required": ["name", "type_id"]}},
        "resources": {"type": "array", "items": {"type": "object"}},
    },
}


def events(**changes: Any) -> list[dict[str, Any]]:
    made = [json.loads(line) for line in ocsf_lines(material(**changes)).content.decode().split("\n")[:-1]]
    for one in made:
        jsonschema.validate(one, EVENT)
    return made


def test_each_finding_and_lead_is_an_event_and_only_findings_are_alerts() -> None:
    made = events()
    assert [(one["finding_info"]["uid"], one["is_alert"], one["confidence_id"]) for one in made] == [
        ("A-1", True, 3),
        ("B-2", True, 2),
        ("A-3", False, 1),
    ]
    assert [one["status_id"] for one in made] == [1, 1, 1]
    assert (made[0]["start_time"], made[0]["time"]) == (1773129600000, 1773221400000)


def test_an_event_leads_to_records_hosts_people_and_evidence() -> None:
    outside, within, _ = events()
    assert outside["evidences"][0]["data"]["refs"] == ["E001:7", "E001:9"]
    assert {"dst_endpoint": {"hostname": HOST}} in outside["evidences"]
    assert {"src_endpoint": {"ip": "10.20.3.17"}} in outside["evidences"]
    assert outside["unmapped"]["evidence_sha256"] == {"E001": DIGEST}
    assert [one["type"] for one in outside["observables"]] == ["IP Address", "Hostname", "Hostname", "Hostname"]
    assert {"actor": {"user": {"name": "j.doe"}}} in within["evidences"]
    assert within["resources"] == [{"name": "invoice-export"}]
    assert [next(iter(one)) for one in within["finding_info"]["attacks"]] == ["technique", "sub_technique"]


def test_what_a_person_decided_is_in_progress() -> None:
    found = material().findings
    found["findings"][0]["decision"] = {"verdict": "suspicious"}
    assert events(findings=found)[0]["status_id"] == 2


def test_a_line_is_one_event_and_the_same_each_time() -> None:
    made = ocsf_lines(material()).content
    assert made == ocsf_lines(material()).content
    assert made.isascii() and made.count(b"\n") == 3 and b"\x1b" not in made
    assert events()[1]["message"] == HOSTILE
