"""Case links: every cited record leads to an entity, an item with its digest, and the decision, if there is one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.conftest import SampleRun
from tests.findings import tables as t
from tests.scoping import events

from playbooks import guide, schema
from playbooks.findings import links

DIGESTS = {f"E00{n}": str(n) * 64 for n in range(1, 6)}
DECIDED = {"verdict": "benign", "analyst": "j.doe", "reason": "known", "time": "2026-03-12T08:00:00+00:00"}


def entry(number: int, *refs: str, kind: str = "rhythm", decision: dict[str, str] | None = None) -> dict[str, Any]:
    return {"id": f"A-{number}", "signals": [{"kind": kind, "refs": list(refs)}], "decision": decision}


def found(*entries: dict[str, Any], **lists: list[dict[str, Any]]) -> dict[str, Any]:
    return {"findings": list(entries), "leads": [], "suppressed": [], **lists}


def linked(folder: Path, said: dict[str, Any], *acts: dict[str, Any], **rows: Any) -> pd.DataFrame:
    return links(said, events.tables(folder, **rows), t.activity(*acts), DIGESTS)


def told(frame: pd.DataFrame, *names: str) -> list[tuple[Any, ...]]:
    return [
        tuple(None if pd.isna(value) else value for value in row)
        for row in frame[list(names)].itertuples(index=False, name=None)
    ]


def test_a_contact_is_one_edge_per_record_and_says_what_that_record_shows(tmp_path: Path) -> None:
    said = found(entry(1, "E001:1", "E002:1", "E003:1", "E003:2"))
    frame = linked(
        tmp_path,
        said,
        dns_activity=[events.dns(1, "10.0.0.9", "poll.workers.dev")],
        http_activity=[events.http(2, "10.0.0.9", "poll.workers.dev", actor_user_name="CORP\\amy")],
        network_activity=[
            events.tls(3, "10.0.0.9", "192.0.2.7", "poll.workers.dev"),
            events.flow(4, "10.0.0.9", "192.0.2.7", actor_process_name="update.exe"),
            events.flow(5, "10.0.0.10", "192.0.2.8"),  # cited by nobody
        ],
    )
    assert tuple(frame.columns) == schema.LINKS.names
    assert told(frame, "ref", "who", "user", "relation", "entity", "entity_kind", "item_sha256") == [
        ("E001:1", "10.0.0.9", None, "resolved", "poll.workers.dev", "destination", "1" * 64),
        ("E002:1", "10.0.0.9", "CORP\\amy", "contacted", "poll.workers.dev", "destination", "2" * 64),
        ("E003:1", "10.0.0.9", None, "contacted", "poll.workers.dev", "destination", "3" * 64),
        ("E003:2", "10.0.0.9", "update.exe", "contacted", "192.0.2.7", "destination", "3" * 64),
    ]
    assert list(frame.time) == [pd.Timestamp(events.at(n)) for n in (1, 2, 3, 4)]


@pytest.mark.parametrize(
    ("phase", "outcome", "relation"),
    [
        ("create", "success", "created"),
        ("modify-code", "success", "modified"),
        ("modify-config", "success", "modified"),
        ("permission", "success", "permitted"),
        ("trigger", "success", "triggered"),
        ("invoke", "success", "invoked"),
        ("identity", "success", "changed identity"),
        ("defence-evasion", "success", "changed what is recorded"),
        ("permission", "failure", "tried: permitted"),
    ],
)
def test_a_call_is_an_edge_from_principal_to_resource(phase: str, outcome: str, relation: str, tmp_path: Path) -> None:
    act = t.act(phase=phase, outcome=outcome, via="session build-1")
    frame = linked(tmp_path, found(entry(1, "E002:1", kind="novelty")), act)
    assert told(frame, "who", "user", "relation", "entity", "entity_kind", "signal") == [
        ("ci-deployer", "session build-1", relation, "invoice-export", "function", "novelty")
    ]


def test_an_indicator_is_matched_and_its_source_states_it(tmp_path: Path) -> None:
    item = {"time": events.at(0), "format": "indicator_csv", "indicator": "poll.workers.dev", "source": "Our CERT"}
    frame = linked(tmp_path, found(entry(1, "E001:1", kind="intelligence")), indicators=[item])
    assert told(frame, "who", "relation", "entity", "entity_kind") == [
        ("Our CERT", "matched indicator", "poll.workers.dev", "indicator")
    ]


def test_the_analyst_stands_beside_what_was_decided_and_nobody_beside_the_rest(tmp_path: Path) -> None:
    said = found(
        entry(1, "E001:1"),
        leads=[entry(2, "E001:1", decision=DECIDED | {"verdict": "needs more"})],
        suppressed=[entry(3, "E001:1", decision=DECIDED)],
    )
    frame = linked(tmp_path, said, dns_activity=[events.dns(1, "10.0.0.9", "poll.workers.dev")])
    assert told(frame, "finding", "verdict", "analyst") == [
        ("A-1", None, None),
        ("A-2", "needs more", "j.doe"),
        ("A-3", "benign", "j.doe"),
    ]


def test_a_record_cited_twice_by_one_signal_is_one_link_and_by_two_kinds_two(tmp_path: Path) -> None:
    twice = entry(1, "E001:1", "E001:1")
    twice["signals"].append({"kind": "rarity", "refs": ["E001:1"]})
    frame = linked(tmp_path, found(twice), dns_activity=[events.dns(1, "10.0.0.9", "poll.workers.dev")])
    assert told(frame, "signal", "ref") == [("rarity", "E001:1"), ("rhythm", "E001:1")]


def test_a_record_that_no_table_explains_stays_a_link(tmp_path: Path) -> None:
    frame = linked(tmp_path, found(entry(1, "E004:7")))
    assert told(frame, "relation", "who", "evidence_id", "record_no", "item_sha256", "time") == [
        ("cited", None, "E004", 7, "4" * 64, None)
    ]


def test_without_findings_there_are_no_links_and_the_table_has_its_columns(tmp_path: Path) -> None:
    frame = linked(tmp_path, found())
    assert (len(frame), tuple(frame.columns)) == (0, schema.LINKS.names)


def test_every_record_that_the_sample_cites_is_linked_to_its_item(incident: SampleRun, tmp_path: Path) -> None:
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    said = guide.findings(case).data
    cited = {
        (one["id"], ref)
        for name in ("findings", "leads", "suppressed")
        for one in said[name]
        for signal in one["signals"]
        for ref in signal["refs"]
    }
    frame = guide.links(case).data
    assert set(told(frame, "finding", "ref")) == cited
    assert not frame[["who", "relation", "entity", "item_sha256", "time"]].isna().any(axis=None)
    first = said["findings"][0]["id"]
    guide.decide(case, first, "confirmed", "nobody knows it", "J. Doe")
    decided = guide.links(case).data
    assert set(decided[decided.finding == first].analyst) == {"J. Doe"}
    assert decided[decided.finding != first].analyst.isna().all()
    assert set(guide.links(case, first).data.finding) == {first}


def test_what_weighs_most_is_linked_first_whatever_its_id(tmp_path: Path) -> None:
    said = found(entry(9, "E001:1"), leads=[entry(5, "E001:1")], suppressed=[entry(1, "E001:1")])
    frame = linked(tmp_path, said, dns_activity=[events.dns(1, "10.0.0.9", "poll.workers.dev")])
    assert list(frame.finding) == ["A-9", "A-5", "A-1"]
