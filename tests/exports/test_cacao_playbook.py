"""The notebooks as a CACAO playbook, held against the JSON schemas that OASIS publishes for version 2.0.

`cacao_v2_schemas.json` holds those of oasis-open/cacao-json-schemas at commit 7285329 (Apache-2.0), without their words
and addresses; `additional` is what they say with a keyword that their draft of JSON Schema does not know.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import nbformat
import pytest
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7
from tests.exports.results import CASE, HOSTILE, SECRET, material

from playbooks.exports.cacao import cacao_playbook
from playbooks.exports.material import Material
from playbooks.notebook_files import STEPS, notebooks_folder, parameters_of

BASE = "https://cacao.test/"
SCHEMAS: dict[str, Any] = json.loads(Path(__file__).with_name("cacao_v2_schemas.json").read_text(encoding="utf-8"))
REGISTRY: Registry[Any] = Registry().with_resources(
    (BASE + name, Resource(contents={**schema, "$id": BASE + name}, specification=DRAFT7))
    for name, schema in SCHEMAS.items()
)


def check(value: Any, name: str) -> None:
    """`value` fits that schema, and has no property that it does not name."""
    jsonschema.Draft7Validator({"$ref": BASE + name}, registry=REGISTRY).validate(value)
    assert set(value) <= named(name), set(value) - named(name)


def named(name: str) -> set[str]:
    schema = SCHEMAS[name]
    found = set(schema.get("properties", ()))
    for part in schema.get("allOf", ()):
        found |= set(part.get("properties", ()))
        if "$ref" in part:
            found |= named((Path(name).parent / part["$ref"]).as_posix())
    return found


def playbook(given: Material | None = None) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(cacao_playbook(given or material()).content)
    check(made, "playbook.json")
    for step in made["workflow"].values():
        check(step, f"workflows/{step['type']}.json")
        for command in step.get("commands", ()):
            check(command, f"commands/{command['type']}.json")
    for agent in made["agent_definitions"].values():
        check(agent, f"agent-target/{agent['type']}.json")
    for marking in made["data_marking_definitions"].values():
        check(marking, f"data-markings/{marking['type']}.json")
    for variable in made["playbook_variables"].values():
        check(variable, "data-types/variable.json")
    return made


def actions(made: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps in the order in which they are run: from the start, along what follows, to the end."""
    step, found = made["workflow"][made["workflow_start"]], []
    assert step["type"] == "start"
    while step["type"] != "end":
        step = made["workflow"][step.get("on_completion") or step["on_success"]]
        found.append(step)
    return found[:-1]


def test_a_playbook_runs_the_six_notebooks_in_their_order_as_they_are() -> None:
    made = playbook()
    steps = actions(made)
    assert len(steps) == len(STEPS) == len(made["workflow"]) - 2
    for name, step in zip(STEPS, steps, strict=True):
        [command] = step["commands"]
        content = base64.b64decode(command["command_b64"], validate=True)
        assert content == (notebooks_folder() / f"{name}.ipynb").read_bytes()
        assert command["external_references"][0]["external_id"] == hashlib.sha256(content).hexdigest()
        nbformat.validate(nbformat.reads(content.decode("utf-8"), as_version=4))
        assert step["agent"] in made["agent_definitions"]
        assert made["workflow"][step["on_failure"]]["type"] == "end"
        assert step["in_args"] == [f"__{one.name}__:value" for one in parameters_of(name)]
        assert {one.partition(":")[0] for one in step["in_args"]} <= set(made["playbook_variables"])


def test_activities_are_those_of_the_steps_and_dates_are_to_the_millisecond() -> None:
    made = playbook()
    assert {step["commands"][0]["playbook_activity"] for step in actions(made)} == {*made["playbook_activities"]}
    assert made["playbook_types"] == ["investigation"]
    assert made["modified"] == "2026-03-11T09:30:00.000Z" >= made["created"]
    assert all(re.fullmatch(r".*\.\d{3}Z", made[name]) for name in ("created", "modified"))


@pytest.mark.parametrize("tlp", ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"])
def test_the_marking_of_the_case_is_the_marking_of_the_playbook(tlp: str) -> None:
    made = playbook(material(tlp=tlp))
    assert [made["data_marking_definitions"][id]["tlpv2_level"] for id in made["markings"]] == [f"TLP:{tlp}"]


def test_the_same_case_gives_the_same_bytes_and_another_another_playbook() -> None:
    made = cacao_playbook(material())
    assert made.content == cacao_playbook(material()).content and made.holds == "6 notebooks"
    mine, other = playbook(), playbook(material(case_id="IR-2"))
    assert mine["id"] != other["id"] and set(mine["workflow"]).isdisjoint(other["workflow"])


def test_an_empty_case_is_blind_in_its_words_and_hostile_words_stay_words() -> None:
    given = material(title=HOSTILE, findings=material().findings | {"findings": [], "leads": []})
    made = playbook(given)
    assert made["name"].startswith(f"{CASE}: ") and "blind: Who ran it?" in made["description"]
    content = cacao_playbook(given.without_secrets()).content
    assert content.isascii() and b"\x1b" not in content and SECRET.encode() not in content
    assert "\x1b" not in made["description"]


def test_the_check_would_see_a_fault() -> None:
    made = playbook()
    for name, value in (("spec_version", "1.1"), ("created", "yesterday"), ("workflow_start", "start--1")):
        with pytest.raises(jsonschema.ValidationError):
            check(made | {name: value}, "playbook.json")
    with pytest.raises(AssertionError):
        check(made | {"another": 1}, "playbook.json")
