"""Nobody is named by us: an actor label of a source stands in quotes as that source's words, and nowhere else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tests.conftest import SampleRun
from tests.findings import tables as t
from tests.scoping import events

from playbooks import schema
from playbooks.collection import checklist
from playbooks.findings import findings, forbidden_claims, links
from playbooks.guide.results import timeline

LABEL = "APT99"
QUOTED = re.compile(r"“[^”]*”")
NAME = re.compile(r"E\d{3,}-[A-Za-z0-9._-]+")


def texts(value: Any) -> list[str]:
    """Every text in a JSON value, keys included."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts(part)]
    if isinstance(value, list | tuple):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) else []


def with_label(tmp_path: Path) -> dict[str, Any]:
    """Findings of a case in which a vetted source calls the destination the host of an actor."""
    labelled = t.item(description=f"check-in host of {LABEL}, seen since 2025")
    pairs = t.pairs(t.pair(**t.RARE | t.RHYTHM), *t.estate())
    case = t.case(tmp_path, intel=[{"source": "CERT example", "vetted_by": "J. Doe", "vetted_on": "2026-03-01"}])
    return findings(case, t.coverage(), pairs, t.activity(), t.intel(labelled))


def test_the_label_of_a_source_is_quoted_wherever_findings_say_it(tmp_path: Path) -> None:
    found = with_label(tmp_path / "case")
    said = [text for text in texts(found) if LABEL in text]
    assert said, "the source's own words are told"
    assert [text for text in said if LABEL in QUOTED.sub("", text)] == []
    assert [claim for text in said for claim in forbidden_claims(text)] == []
    titles = [entry["title"] for entry in (*found["findings"], *found["leads"])]
    assert titles and not any(LABEL in title for title in titles)


def test_timeline_links_and_checklist_name_no_actor(tmp_path: Path) -> None:
    found = with_label(tmp_path / "case")
    item = {"time": events.at(0), "format": "indicator_csv", "indicator": t.WORKER, "source": "CERT example",
            "description": f"host of {LABEL}"}  # fmt: skip
    tables = events.tables(tmp_path / "events", indicators=[item])
    pairs, activity = t.pairs(t.pair(**t.RARE | t.RHYTHM)), t.activity()
    listed = checklist(found, pairs, activity, {**t.coverage(), "sources": [], "blind_spots": []})
    related = t.table(schema.RELATED_ACTIVITY, [])
    for told in (timeline(found, activity, related), links(found, tables, activity, {"E001": "1" * 64})):
        assert LABEL not in told.to_json()
    assert LABEL not in json.dumps(listed)


def test_evidence_is_named_by_number_and_file_and_nothing_else(incident: SampleRun) -> None:
    chain = [json.loads(line) for line in (incident.case / "custody.jsonl").read_text(encoding="utf-8").splitlines()]
    items = [entry["item"] for entry in chain if entry["activity"] == "added"]
    assert items
    for item in items:
        file = item["source"].rpartition("/")[2]
        assert NAME.fullmatch(item["name"])
        assert item["name"].partition("-")[2] == re.sub(r"[^A-Za-z0-9._-]", "_", file)
