"""The custody chain as a graph of CASE, held against CASE's own validator and shapes, offline."""

from __future__ import annotations

import json
import logging
from itertools import pairwise
from typing import Any

import pytest
import rdflib
from case_utils.case_validate import validate
from case_utils.namespace import NS_CASE_INVESTIGATION, NS_UCO_ACTION, NS_UCO_CORE, NS_UCO_OBSERVABLE, NS_UCO_TYPES
from rdflib import RDF
from tests.exports.results import CASE, DIGEST, HOSTILE, SECRET, material

from playbooks.evidence import custody
from playbooks.exports.case_graph import case_graph
from playbooks.exports.material import Material

OTHER = "ef" * 64


def acts(*given: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries of a chain, linked and with fingerprints as the kit writes them."""
    chain: list[dict[str, Any]] = []
    for number, (activity, facts) in enumerate(given, start=1):
        entry: dict[str, Any] = {
            "seq": number,
            "time": f"2026-03-12T08:00:{number:02d}.000001+00:00",
            "activity": activity,
            "actor": {"user": "ana", "host": "desk-1"},
            "tool": {"name": "playbooks", "version": "0.1.0"},
            "chain_uid": CASE,
            "prev_event": chain[-1]["fingerprint"] if chain else custody.GENESIS,
            **facts,
        }
        chain.append(entry | {"fingerprint": custody.fingerprint(entry)})
    return chain


def item(name: str = "proxy.log", source: str = "export/proxy.log") -> dict[str, Any]:
    told = {"evidence_id": "E001", "name": f"E001-{name}", "source": source, "size": 3, "added": "2026-03-12"}
    return {
        "item": told | {"sha256": DIGEST, "sha512": OTHER},
        "original": {"modified": "2026-03-11T10:00:00+00:00", "changed_while_copied": False},
    }


def given(**changes: Any) -> Material:
    decision = {"finding": "A-1", "verdict": "benign", "reason": "an updater", "analyst": "Ana Example"}
    chain = acts(
        ("added", item()),
        ("read", {"items": 1, "steps": ["1_preserve_evidence"], "run_id": "r"}),
        ("exported", {"files": {"results/findings.json": DIGEST}, "run_id": "r"}),
        ("ran", {"steps": {"1_preserve_evidence": "done"}, "run_record_sha256": DIGEST}),
        ("decided", {"decision": decision}),
        ("shared", {"form": "stix", "file": "exports/x.json", "sha256": DIGEST, "size": 9}),
        ("shared", {"form": "case", "file": "exports/x.jsonld", "sha256": DIGEST, "size": 9}),
    )
    return material(**{"custody": chain} | changes)


def graph(of: Material) -> rdflib.Graph:
    return rdflib.Graph().parse(data=case_graph(of).content, format="json-ld")


def faults(of: Material, tmp_path: Any) -> list[str]:
    """What CASE's validator says: shapes that do not fit, and concepts that its ontologies do not have."""
    file = tmp_path / "case.jsonld"
    file.write_bytes(case_graph(of).content)
    told = validate([str(file)], case_version="case-1.5.0", inference="none", allow_infos=True, allow_warnings=False)
    undefined = [str(one) for one in told.undefined_concepts]
    return undefined if told.conforms else [*undefined, told.text]


def named(of: rdflib.Graph, name: str) -> rdflib.term.Node:
    [found] = [
        one
        for one in of.subjects(NS_UCO_CORE.name, rdflib.Literal(name))
        if (one, RDF.type, NS_CASE_INVESTIGATION.InvestigativeAction) in of
    ]
    return found


def test_cases_own_validator_has_nothing_against_the_graph(tmp_path: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert faults(given(), tmp_path) == []
    assert [one.getMessage() for one in caplog.records if one.name.startswith("case")] == []
    content = case_graph(given()).content
    (tmp_path / "wrong").mkdir()
    broken = json.loads(content)
    for node in broken["@graph"]:
        node.pop("uco-types:hashMethod", None)
    (tmp_path / "wrong" / "x.jsonld").write_text(json.dumps(broken), encoding="utf-8")
    told = validate([str(tmp_path / "wrong" / "x.jsonld")], case_version="case-1.5.0", inference="none")
    assert told.conforms is False


def test_each_act_is_an_action_informed_by_the_one_before_with_its_place_in_the_chain() -> None:
    of = graph(given())
    actions = list(of.subjects(RDF.type, NS_CASE_INVESTIGATION.InvestigativeAction))
    assert len(actions) == 6  # not the act that wrote such a graph
    order = ["added", "read", "exported", "ran", "decided", "shared"]
    for before, after in pairwise(order):
        assert set(of.objects(named(of, after), NS_CASE_INVESTIGATION.wasInformedBy)) == {named(of, before)}
    chain = given().custody
    for entry, name in zip(chain, order, strict=False):
        assert rdflib.Literal(f"fingerprint {entry['fingerprint']}") in of.objects(named(of, name), NS_UCO_CORE.tag)
        [start] = of.objects(named(of, name), NS_UCO_ACTION.startTime)
        assert start.toPython().isoformat(timespec="microseconds") == entry["time"]  # type: ignore[attr-defined]


def test_an_item_is_a_file_with_size_and_digests_found_and_preserved() -> None:
    of = graph(given())
    added = named(of, "added")
    [found] = of.objects(added, NS_UCO_ACTION.object)
    paths = {}
    for file in (found, *of.objects(added, NS_UCO_ACTION.result)):
        for facet in of.objects(file, NS_UCO_CORE.hasFacet):
            for path in of.objects(facet, NS_UCO_OBSERVABLE.filePath):
                paths[str(path)] = file
    assert set(paths) == {"export/proxy.log", "evidence/data/E001-proxy.log"}
    for file in paths.values():
        facets = list(of.objects(file, NS_UCO_CORE.hasFacet))
        digests = {
            str(of.value(one, NS_UCO_TYPES.hashMethod)): str(of.value(one, NS_UCO_TYPES.hashValue)).lower()
            for facet in facets
            for one in of.objects(facet, NS_UCO_OBSERVABLE.hash)
        }
        assert digests == {"SHA256": DIGEST, "SHA512": OTHER}
        assert {of.value(facet, NS_UCO_OBSERVABLE.sizeInBytes).toPython() for facet in facets} == {3}  # type: ignore[union-attr]
    [record] = of.subjects(NS_CASE_INVESTIGATION.exhibitNumber, rdflib.Literal("E001"))
    assert set(of.objects(record, NS_UCO_CORE.object)) == {paths["evidence/data/E001-proxy.log"]}
    assert set(of.objects(named(of, "read"), NS_UCO_ACTION.object)) == {paths["evidence/data/E001-proxy.log"]}


def test_performer_instrument_and_who_decided_are_named() -> None:
    of = graph(given())
    names = {
        str(of.value(one, NS_UCO_CORE.name))
        for relation in (NS_UCO_ACTION.performer, NS_UCO_ACTION.instrument, NS_UCO_ACTION.participant)
        for one in of.objects(named(of, "decided"), relation)
    }
    assert names == {"ana on desk-1", "playbooks", "Ana Example"}
    assert "an updater" in str(of.value(named(of, "decided"), NS_UCO_CORE.description))


def test_the_same_chain_gives_the_same_bytes_also_after_it_was_exported() -> None:
    made = case_graph(given())
    assert made.content == case_graph(given()).content
    without = given(custody=given().custody[:-1])
    assert made.content == case_graph(without).content
    assert made.holds.startswith("6 acts on 1 items, ")


@pytest.mark.parametrize("tlp", ["GREEN", "AMBER+STRICT"])
def test_everything_but_parts_is_marked(tlp: str) -> None:
    for node in json.loads(case_graph(given(tlp=tlp)).content)["@graph"]:
        kind = node["@type"]
        inner = kind.endswith("Facet") or kind in ("uco-types:Hash",) or kind.startswith("uco-marking:")
        assert inner or "uco-core:objectMarking" in node, kind
    assert rdflib.Literal(f"TLP:{tlp}") in graph(given(tlp=tlp)).objects()


def test_a_hostile_chain_is_text_and_entries_of_others_are_told_as_they_are(tmp_path: Any) -> None:
    odd: list[tuple[str, dict[str, Any]]] = [
        ("added", item(HOSTILE, HOSTILE)),
        (HOSTILE, {"actor": None, "tool": ["x"], "time": "yesterday", "files": [1], "file": 5, "items": {"a": 1}}),
        ("decided", {"decision": {"analyst": HOSTILE, "reason": HOSTILE}}),
        ("added", {"item": "none", "original": 7}),
        ("exported", {"files": {"../x": "no digest", "y": None}, "run_record_sha256": 7}),
    ]
    of = given(custody=acts(*odd), title=HOSTILE)
    content = case_graph(of).content
    assert content.isascii() and b"\x1b" not in content
    assert faults(of, tmp_path) == []
    assert len(list(graph(of).subjects(RDF.type, NS_CASE_INVESTIGATION.InvestigativeAction))) == 5
    assert SECRET.encode() in content and SECRET.encode() not in case_graph(of.without_secrets()).content


def test_an_empty_case_says_what_could_not_be_looked_for(tmp_path: Any) -> None:
    of = given(custody=[], findings=material().findings | {"findings": [], "leads": []})
    assert faults(of, tmp_path) == []
    assert any("blind: Who ran it?" in str(one) for one in graph(of).objects(None, NS_UCO_CORE.description))
