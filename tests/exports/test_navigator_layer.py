"""A case as a layer of the ATT&CK Navigator, held against the published format 4.5."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
from tests.exports.results import HOSTILE, entry, material

from playbooks.exports.navigator import navigator_layer
from playbooks.knowledge.attack import TECHNIQUES

TEXT = {"type": "string"}
# From the tables of the layer format, version 4.5: what is required, and the type of what the kit writes.
LAYER = {
    "type": "object",
    "required": ["name", "domain", "versions"],
    "additionalProperties": False,
    "properties": {
        "name": TEXT,
        "description": TEXT,
        "domain": {"enum": ["enterprise-attack", "mobile-attack", "ics-attack"]},
        "versions": {
            "type": "object",
            "required": ["navigator", "layer"],
            "properties": {
                "attack": {"pattern": r"^\d+$"},
                "navigator": {"pattern": r"^\d+\.\d+"},
                "layer": {"const": "4.5"},
            },
        },
        "techniques": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["techniqueID"],
                "additionalProperties": False,
                "properties": {
                    "techniqueID": {"pattern": r"^T\d{4}(\.\d{3})?$"},
                    "score": {"type": "number"},
                    "comment": TEXT,
                },
            },
        },
        "gradient": {
            "type": "object",
            "required": ["colors", "minValue", "maxValue"],
            "properties": {"colors": {"type": "array", "minItems": 2, "items": {"pattern": "^#[0-9a-f]{6}$"}}},
        },
        "metadata": {
            "type": "array",
            "items": {"type": "object", "required": ["name", "value"], "additionalProperties": TEXT},
        },
    },
}


def layer(**changes: Any) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(navigator_layer(material(**changes)).content)
    jsonschema.validate(loaded, LAYER)
    return loaded


def test_a_technique_counts_the_findings_that_name_it() -> None:
    made = layer()
    assert made["techniques"] == [
        {"techniqueID": name, "score": 2, "comment": "consistent with A-1, B-2"} for name in ("T1071.001", "T1102")
    ]
    assert {one["techniqueID"] for one in made["techniques"]} <= set(TECHNIQUES)
    assert made["gradient"]["maxValue"] == 2
    assert navigator_layer(material()).left_out == ("1 leads: their techniques rest on one kind of signal",)


def test_a_case_without_findings_is_an_empty_layer_that_says_what_was_not_looked_for() -> None:
    made = layer(findings=material().findings | {"findings": [], "leads": []})
    assert made["techniques"] == []
    assert made["gradient"]["maxValue"] > made["gradient"]["minValue"]
    assert {"name": "Who ran it?", "value": "blind: no record of runs"} in made["metadata"]


def test_the_layer_is_the_same_each_time_and_hostile_text_stays_text() -> None:
    given = material(title=HOSTILE, findings=material().findings | {"leads": [entry("A-9", HOSTILE)]})
    made = navigator_layer(given)
    assert made.content == navigator_layer(given).content
    assert made.content.isascii() and b"\x1b" not in made.content
    assert HOSTILE in json.loads(made.content)["description"]
