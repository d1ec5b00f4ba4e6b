"""What an analyst decided is kept once, with its reason, and every later run honours it."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from tests.findings import tables as t

from playbooks.case import Case
from playbooks.errors import CaseError, UsageError
from playbooks.evidence import custody
from playbooks.findings import VERDICTS, decide, decisions, findings

ROWS = t.pairs(*t.estate(), t.pair(**t.RHYTHM | t.RARE))


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return t.case(tmp_path / "case")


def judged(case: Case) -> dict[str, Any]:
    return findings(case, t.coverage(), ROWS, t.activity(), t.intel())


def finding_id(case: Case) -> str:
    [finding] = judged(case)["findings"]
    return str(finding["id"])


def test_a_decision_is_kept_in_the_journal_and_in_the_custody_chain(case: Case) -> None:
    entry = decide(case, "A-1", "benign", " backup agent, ticket 4711 ", "j.doe")
    assert entry["reason"] == "backup agent, ticket 4711"
    assert [json.loads(line) for line in case.decisions.read_text().splitlines()] == [entry]
    [act] = custody.entries(case.custody)
    assert (act["activity"], act["decision"]) == ("decided", entry)
    assert custody.check(case.custody, "T-1") == []


def test_the_same_decision_twice_is_one(case: Case) -> None:
    first = decide(case, "A-1", "benign", "ticket 4711", "j.doe")
    before = case.decisions.read_bytes(), case.custody.read_bytes()
    assert decide(case, "A-1", "benign", "ticket 4711", "j.doe") == first
    assert (case.decisions.read_bytes(), case.custody.read_bytes()) == before


def test_the_last_of_several_decisions_counts_and_none_is_lost(case: Case) -> None:
    for verdict in ("benign", "suspicious", "benign"):
        decide(case, "A-1", verdict, "looked again", "j.doe")
    assert decisions(case)["A-1"]["verdict"] == "benign"
    assert len(case.decisions.read_text().splitlines()) == 3


def test_what_is_decided_benign_is_set_aside_by_the_next_run(case: Case) -> None:
    name = finding_id(case)
    decide(case, name, "benign", "backup agent", "j.doe")
    found = judged(case)
    assert (found["findings"], found["leads"]) == ([], [])
    [row] = found["suppressed"]
    assert row["id"] == name
    assert row["allowed_by"].startswith("decided benign by j.doe at 20")
    assert row["allowed_by"].endswith(": backup agent")


def test_a_benign_decision_ends_and_what_is_seen_later_is_told_again_with_it(case: Case) -> None:
    name, last = finding_id(case), t.at(20).date()
    decide(case, name, "benign", "load test", "j.doe", until=last - dt.timedelta(days=1))
    [told] = judged(case)["findings"]
    assert told["id"] == name and told["decision"]["until"] == "2026-03-09"
    decide(case, name, "benign", "load test", "j.doe", until=str(last))
    assert judged(case)["findings"] == [] and "until 2026-03-10" in judged(case)["suppressed"][0]["allowed_by"]
    assert len(case.decisions.read_text().splitlines()) == 2  # another end is another decision


def test_a_line_of_before_without_an_end_covers_what_was_seen_until_it_was_made(case: Case) -> None:
    name = finding_id(case)
    for day, findings_left in (("2026-03-12", 0), ("2026-03-09", 1)):
        line = {**GOOD, "finding": name, "time": f"{day}T00:00:00+00:00"}
        case.decisions.write_text(json.dumps(line) + "\n")
        assert len(judged(case)["findings"]) == findings_left


@pytest.mark.parametrize("until", ["soon", "2026-13-01", "", "2026-12-31T00:00:00"])
def test_an_end_that_is_no_day_is_refused(case: Case, until: str) -> None:
    with pytest.raises(UsageError, match=r"until .*: expected a day, such as 2026-12-31"):
        decide(case, "A-1", "benign", "why", "j.doe", until=until)
    assert not case.decisions.exists()


@pytest.mark.parametrize("verdict", sorted(set(VERDICTS) - {"benign"}))
def test_any_other_verdict_stays_a_finding_and_is_shown_with_it(case: Case, verdict: str) -> None:
    name = finding_id(case)
    decide(case, name, verdict, "seen on the host", "j.doe")
    [finding] = judged(case)["findings"]
    assert finding["decision"] == decisions(case)[name]
    assert finding["decision"]["verdict"] == verdict


def test_a_decision_on_something_else_changes_nothing(case: Case) -> None:
    before = judged(case)
    decide(case, "A-00000000", "benign", "another case", "j.doe")
    assert judged(case) == before


@pytest.mark.parametrize(
    ("finding", "verdict", "reason", "analyst", "message"),
    [
        ("A-1", "harmless", "why", "j.doe", "verdict 'harmless': expected one of benign"),
        (" ", "benign", "why", "j.doe", "one of them is empty"),
        ("A-1", "benign", "", "j.doe", "one of them is empty"),
        ("A-1", "benign", "why", "\t", "one of them is empty"),
    ],
)
def test_a_decision_without_its_parts_is_refused(
    case: Case, finding: str, verdict: str, reason: str, analyst: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        decide(case, finding, verdict, reason, analyst)
    assert not case.decisions.exists()
    assert not case.custody.exists()


GOOD = {"finding": "A-1", "verdict": "benign", "reason": "why", "analyst": "j.doe", "time": "2026-03-12T00:00:00+00:00"}


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"",
        b"[1, 2]",
        b'"text"',
        b"null",
        json.dumps({**GOOD, "verdict": "harmless"}).encode(),
        json.dumps({k: v for k, v in GOOD.items() if k != "reason"}).encode(),
        b'{"finding": "A-\xff"}',
        json.dumps({**GOOD, "until": "soon"}).encode(),
    ],
)
def test_a_broken_line_is_named_and_nothing_is_guessed(case: Case, line: bytes) -> None:
    case.decisions.write_bytes(json.dumps(GOOD).encode() + b"\n" + line + b"\n")
    with pytest.raises(CaseError, match=r"decisions\.jsonl, line 2: no decision\. Expected finding, verdict"):
        decisions(case)


def test_no_journal_is_no_decision(case: Case) -> None:
    assert decisions(case) == {}
