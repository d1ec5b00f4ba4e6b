"""Every question is answered found, clear or blind; clear says over what, blind says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.findings import tables as t

from playbooks.findings import findings

OVER = (
    "1,200 of http_activity from 2026-03-10T00:00Z to 2026-03-11T23:00Z, "
    "within the window 2026-03-10T00:00:00Z to 2026-03-12T00:00:00Z"
)
OVER_CLOUD = OVER.replace("http_activity", "api_activity")
NEW = {"principal": "j.doe", "novelty": 1.0, "reasons": ["new"]}
CHANGED = t.act(**NEW | {"exposure": "anyone may invoke (principal *)"})
RUN = t.act("Invoke", "invoke", ref="E002:9", principal="partner")
SILENCED = t.act(
    "PutEventSelectors", "defence-evasion", ref="E002:4", resource="corp-trail", resource_type="trail", **NEW
)


def answers(tmp_path: Path, coverage: dict[str, Any] | None = None, **more: Any) -> dict[str, tuple[str, str]]:
    """Outcome and reason of each question."""
    rows = more.pop("pairs", ())
    known = {"intel": t.intel(), "activity": t.activity()}
    tables = {name: more.pop(name, empty) for name, empty in known.items()}
    own = more.pop("own", None)
    case = t.case(tmp_path / "case", **more)
    found = findings(case, coverage or t.coverage(), t.pairs(*t.estate(), *rows), **tables, own=own)
    return {name: (one["outcome"], one["reason"]) for name, one in found["outcomes"].items()}


@pytest.mark.parametrize(
    ("question", "evidence"),
    [
        ("egress_rhythm", {"pairs": [t.pair(**t.RHYTHM | t.RARE)]}),
        ("known_indicators", {"pairs": [t.pair()], "intel": t.intel(t.item())}),
        ("function_changes", {"activity": t.activity(CHANGED)}),
        ("public_exposure", {"activity": t.activity(CHANGED)}),
        (
            "logging_tampered",
            {"activity": t.activity(SILENCED), "own": t.own(logging_changes=[t.log_change("E002:4")])},
        ),
        ("function_runs", {"activity": t.activity(CHANGED, RUN)}),
    ],
)
def test_each_question_is_found_clear_or_blind(tmp_path: Path, question: str, evidence: dict[str, Any]) -> None:
    found = answers(tmp_path / "found", **evidence)
    assert found[question][0] == "found"
    clear = answers(tmp_path / "clear")
    assert clear[question][0] == "clear"
    assert clear[question][1].endswith(f"{OVER if t.QUESTIONS[question][0] == 'A' else OVER_CLOUD}.")
    blind = answers(tmp_path / "blind", t.coverage(question), **evidence)
    assert blind[question] == ("blind", f"Could not look: no record carries {t.QUESTIONS[question][1]}.")


def test_found_names_the_findings(tmp_path: Path) -> None:
    found = answers(tmp_path, pairs=[t.pair(**t.RHYTHM | t.RARE)])
    assert found["egress_rhythm"][1].startswith("See A-")


def test_a_lead_is_not_found_and_is_told(tmp_path: Path) -> None:
    outcome, reason = answers(tmp_path, pairs=[t.pair(**t.RHYTHM)])["egress_rhythm"]
    assert outcome == "clear"
    assert reason.endswith(" 1 lead of the kind, too little for a finding.")


def test_clear_never_hides_what_was_set_aside(tmp_path: Path) -> None:
    allowed = {"kind": "destination", "value": t.WORKER, "owner": "Web", "expires": "2026-12-31"}
    outcome, reason = answers(tmp_path, pairs=[t.pair(**t.RHYTHM | t.RARE)], allow_list=[allowed])["egress_rhythm"]
    assert outcome == "clear"
    assert reason.endswith(" 1 is set aside by the allow-list, the inventory or a decision.")


def test_without_intelligence_in_evidence_the_question_for_it_is_blind(tmp_path: Path) -> None:
    outcome, reason = answers(tmp_path, t.coverage(indicators=0))["known_indicators"]
    assert (outcome, reason) == ("blind", "Could not look: the evidence holds no intelligence to compare with.")


@pytest.mark.parametrize(
    ("listed", "outcome", "told"),
    [
        (t.item(), "found", "E005:1"),
        (t.item(observable="https://h.example/x", observable_type="url"), "found", "https://h.example/x"),
        (t.item("unvetted"), "found", "unvetted"),
        (t.item("expired"), "clear", "1 match is not counted (expired)."),
        (t.item("too broad"), "clear", "1 match is not counted (too broad)."),
        (t.item("not yet valid"), "clear", "1 match is not counted (not yet valid)."),
        (t.item("trait", observable_type="interval"), "clear", "1 match is not counted (trait)."),
    ],
)
def test_a_listed_destination_is_found_whatever_else_is_known_of_it(
    tmp_path: Path, listed: dict[str, Any], outcome: str, told: str
) -> None:
    found = answers(tmp_path, pairs=[t.pair()], intel=t.intel(listed))["known_indicators"]
    assert found[0] == outcome
    assert told in found[1]


def test_a_listed_destination_that_is_allowed_is_found_all_the_same(tmp_path: Path) -> None:
    allowed = {"kind": "destination", "value": "*.workers.dev", "owner": "Web", "expires": "2026-12-31"}
    found = answers(tmp_path, pairs=[t.pair()], intel=t.intel(t.item()), allow_list=[allowed])
    assert found["known_indicators"][0] == "found"


def test_runs_are_blind_where_they_are_not_logged(tmp_path: Path) -> None:
    outcome, reason = answers(tmp_path, t.coverage(spots=("no-data-events",)))["function_runs"]
    assert (outcome, reason) == ("blind", "Could not look: no data events are in the records, so runs left no trace.")


def test_runs_of_a_function_in_a_finding_name_who_ran_it(tmp_path: Path) -> None:
    found = answers(tmp_path / "a", activity=t.activity(CHANGED, RUN))
    assert found["function_runs"] == ("found", "1 runs of functions in findings are recorded, by partner.")
    other = answers(tmp_path / "b", activity=t.activity(CHANGED, RUN | {"resource": "other"}))
    assert other["function_runs"][0] == "clear"


def test_every_question_of_the_kit_has_a_kind_of_signal() -> None:
    from playbooks.findings.outcomes import KINDS
    from playbooks.guide.results import QUESTIONS

    assert {question.id for question in QUESTIONS} == {*KINDS, "function_runs"} == set(t.QUESTIONS)


def test_questions_about_destinations_are_blind_where_no_client_of_the_ranges_called_out(tmp_path: Path) -> None:
    case = t.case(tmp_path / "case")
    found = findings(case, t.coverage(), t.pairs(), t.activity(), t.intel())["outcomes"]
    told = {name: one["outcome"] for name, one in found.items()}
    assert told == dict.fromkeys(t.QUESTIONS, "clear") | dict.fromkeys(("egress_rhythm", "known_indicators"), "blind")
    assert found["known_indicators"]["reason"].endswith("a client of the stated internal ranges calling out.")


def gap(table: str = "http_activity", inside: str = "window") -> dict[str, Any]:
    return {"table": table, "in": inside, "seconds": 7200, "from": "2026-03-10T10:00:00Z", "sentence": "E001: 2 h."}


def covering(share: float, *gaps: dict[str, Any], in_window: int = 1200) -> dict[str, Any]:
    coverage = t.coverage()
    coverage["tables"] = [{**fact, "silent_share": share, "in_window": in_window} for fact in coverage["tables"]]
    return {**coverage, "gaps": list(gaps)}


def test_nothing_found_in_a_window_that_is_mostly_silent_is_blind(tmp_path: Path) -> None:
    outcome, reason = answers(tmp_path / "half", covering(0.5))["public_exposure"]
    assert outcome == "blind"
    assert "Could not look at most of the window" in reason
    assert "api_activity 50%" in reason
    assert answers(tmp_path / "less", covering(0.49))["public_exposure"][0] == "clear"


def test_clear_names_the_longest_silence_of_the_window_and_none_of_the_baseline(tmp_path: Path) -> None:
    outcome, reason = answers(tmp_path / "a", covering(0.1, gap("api_activity")))["public_exposure"]
    assert outcome == "clear"
    assert reason.endswith(" Not in 1 silence of its sources; the longest: E001: 2 h.")
    for name, other in (("b", gap("api_activity", "baseline")), ("c", gap("http_activity"))):
        outcome, reason = answers(tmp_path / name, covering(0.1, other))["public_exposure"]
        assert (outcome, "silence" in reason) == ("clear", False)
