"""How facts add up: what is a lead, what is a finding, and what weighs nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.findings import tables as t

from playbooks.case import Allowed
from playbooks.findings import Signal, findings, score

KINDS = st.sampled_from(["rhythm", "rarity", "client", "intelligence", "tool", "ownership"])
SIGNALS = st.lists(st.builds(Signal, KINDS, st.just("A fact."), st.floats(0, 1), st.just(("E001:1",))), max_size=8)
FIXED = settings(max_examples=200, derandomize=True, deadline=None)


@FIXED
@given(SIGNALS, SIGNALS)
def test_a_further_signal_never_lowers_the_score(some: list[Signal], more: list[Signal]) -> None:
    assert 0 <= score(tuple(some)) <= score(tuple(some + more)) <= 1


@FIXED
@given(SIGNALS)
def test_the_order_of_signals_does_not_matter(signals: list[Signal]) -> None:
    assert score(tuple(reversed(signals))) == pytest.approx(score(tuple(signals)), abs=0.001)


def test_two_signals_of_one_kind_do_not_count_twice() -> None:
    weak, strong = (Signal("rhythm", f"{weight} of a rhythm.", weight, ()) for weight in (0.2, 0.5))
    other = Signal("rarity", "One client.", 0.35, ())
    assert score((weak, strong)) == score((strong,)) == 0.5
    assert score((weak, strong, other)) == 0.675  # 1 − .5 × .65


def test_no_single_fact_settles_a_case() -> None:
    assert score((Signal("intelligence", "Certain.", 1.0, ()),)) == 0.9
    assert score(()) == 0


def judged(tmp_path: Path, *pairs: dict[str, Any], **more: Any) -> dict[str, Any]:
    """`findings.json` of a case with these pairs in an ordinary estate."""
    known = {"intel": t.intel(), "activity": t.activity()}
    tables = {name: more.pop(name) if name in more else empty for name, empty in known.items()}
    case = t.case(tmp_path / "case", **more)
    return findings(case, t.coverage(), t.pairs(*t.estate(), *pairs), **tables)


def counts(found: dict[str, Any]) -> dict[str, int]:
    return {place: len(found[place]) for place in ("findings", "leads", "suppressed") if found[place]}


LISTED = t.intel(t.item())


@pytest.mark.parametrize(
    ("facts", "listed", "becomes"),
    [
        # nothing, and what is nothing by itself
        ({}, None, {}),
        (t.RARE, None, {}),
        (t.OWN_AGENT, None, {}),
        (t.OWN_AGENT | t.RARE, None, {}),  # seldom and its own client: most of the web is that to somebody
        (t.RHYTHM | {"clients": 15, "clients_share": 0.75}, None, {}),  # the estate's own habit
        (t.RHYTHM | {"beacon_score": 0.69}, None, {}),
        # one kind that can stand alone
        (t.RHYTHM, None, {"leads": 1}),
        ({}, LISTED, {"leads": 1}),
        (t.MODIFIED, None, {"leads": 1}),
        # two kinds, one of which can stand alone
        (t.RHYTHM | t.RARE, None, {"findings": 1}),
        (t.RHYTHM | t.OWN_AGENT, None, {"findings": 1}),
        (t.RARE, LISTED, {"findings": 1}),
        (t.RHYTHM, LISTED, {"findings": 1}),
        (t.RHYTHM | t.MODIFIED, None, {"findings": 1}),
        # a host outside the catalogue may be anything: a rhythm there stays a lead, until more speaks of it
        (t.RHYTHM | t.RARE | t.OUTSIDE, None, {"leads": 1}),
        (t.RHYTHM | t.RARE | t.OUTSIDE, t.intel(t.item(observable=t.OUTSIDE["dst"])), {"findings": 1}),
        # what the house has approved is set aside and listed, unless it was just changed
        (t.RHYTHM | t.RARE | t.APPROVED, None, {"suppressed": 1}),
        (t.APPROVED, None, {}),
        (t.RHYTHM | t.RARE | t.MODIFIED, None, {"findings": 1}),
    ],
)
def test_what_becomes_of_a_pair(tmp_path: Path, facts: dict[str, Any], listed: Any, becomes: dict[str, int]) -> None:
    found = judged(tmp_path, t.pair(**facts), intel=t.intel() if listed is None else listed)
    assert counts(found) == becomes


def entry(value: str = "*.stranger.workers.dev", expires: str = "2026-12-31", **more: Any) -> Allowed:
    day = dt.date.fromisoformat(expires)
    return Allowed(kind="destination", value=value, owner="Web", expires=day, **more)


@pytest.mark.parametrize(
    ("allowed", "becomes"),
    [
        (entry(), {"suppressed": 1}),
        (entry(source=t.CLIENT), {"suppressed": 1}),
        (entry(source="10.0.0.8"), {"findings": 1}),
        (entry("*.stranger2.workers.dev"), {"findings": 1}),
        (entry(expires="2026-03-10"), {"suppressed": 1}),  # it holds on its last day
        (entry(expires="2026-03-09"), {"findings": 1}),  # and no longer
    ],
)
def test_an_entry_of_the_allow_list_sets_aside_what_it_covers_while_it_holds(
    tmp_path: Path, allowed: Allowed, becomes: dict[str, int]
) -> None:
    found = judged(tmp_path, t.pair(**t.RHYTHM | t.RARE), allow_list=[allowed])
    assert counts(found) == becomes


def test_no_entry_covers_a_destination_of_ours_that_was_just_changed(tmp_path: Path) -> None:
    found = judged(tmp_path, t.pair(**t.RHYTHM | t.RARE | t.MODIFIED), allow_list=[entry()])
    assert counts(found) == {"findings": 1}
    assert {signal["kind"] for signal in found["findings"][0]["signals"]} == {"rhythm", "rarity", "ownership"}
    assert "E002:7" in [ref for signal in found["findings"][0]["signals"] for ref in signal["refs"]]


def test_what_is_set_aside_is_listed_with_what_it_would_be_and_who_allowed_it(tmp_path: Path) -> None:
    found = judged(tmp_path, t.pair(**t.RHYTHM | t.RARE), allow_list=[entry()])
    [row] = found["suppressed"]
    assert row["would_be"].startswith("finding: 10.0.0.9 contacted poll.stranger.workers.dev 100 times")
    assert row["allowed_by"] == "*.stranger.workers.dev (owner Web, expires 2026-12-31)"
    assert {signal["kind"] for signal in row["signals"]} == {"rhythm", "rarity"}
    assert row["refs"] == ["E001:1", "E001:100", "E001:50"]


def test_a_client_that_no_entry_covers_stays_beside_one_that_is_covered(tmp_path: Path) -> None:
    rows = (t.pair(**t.RHYTHM | t.RARE), t.pair("10.0.0.8", **t.RHYTHM | t.RARE))
    found = judged(tmp_path, *rows, allow_list=[entry(source="10.0.0.8")])
    assert counts(found) == {"findings": 1, "suppressed": 1}
    assert found["findings"][0]["subjects"]["src"] == ["10.0.0.9"]
    ids = [row["id"] for place in ("findings", "suppressed") for row in found[place]]
    assert len(set(ids)) == 2, "one id stands for two things"


@pytest.mark.parametrize(
    ("state", "confidence", "weight"),
    [
        ("valid", 80, 0.48),
        ("valid", 20, 0.12),
        ("valid", None, 0.3),  # a source that states none is believed by half
        ("unvetted", 80, 0.2),
        ("expired", 80, None),
        ("not yet valid", 80, None),
        ("too broad", 80, None),
    ],
)
def test_intelligence_weighs_what_its_state_and_confidence_allow(
    tmp_path: Path, state: str, confidence: int | None, weight: float | None
) -> None:
    found = judged(tmp_path, t.pair(**t.RHYTHM), intel=t.intel(t.item(state, confidence=confidence)))
    [told] = found["findings" if weight else "leads"]
    weights = [signal["weight"] for signal in told["signals"] if signal["kind"] == "intelligence"]
    assert weights == ([weight] if weight else [])
    if weight is None:
        assert f"CERT example lists {t.WORKER} ({state}); not counted." in told["context"]


def test_the_provider_is_told_as_context_and_is_no_signal(tmp_path: Path) -> None:
    found = judged(tmp_path, t.pair(**t.RHYTHM | t.RARE))
    [finding] = found["findings"]
    assert (
        finding["context"][0]
        == f"{t.WORKER} is a host of Cloudflare, Workers (workers.dev) (by host); this weighs nothing."
    )
    assert all("Cloudflare" not in signal["sentence"] for signal in finding["signals"])
    without = judged(tmp_path / "b", t.pair(**t.RHYTHM | t.RARE | {"provider": "Other", "service": "Other"}))
    assert without["findings"][0]["score"] == finding["score"]


def test_equal_input_gives_equal_output_in_whatever_order_the_pairs_come(tmp_path: Path) -> None:
    rows = [t.pair(**t.RHYTHM | t.RARE), t.pair("10.0.0.8", "x.other.workers.dev", **t.RHYTHM | {"tenant": "other"})]
    assert judged(tmp_path / "a", *rows) == judged(tmp_path / "b", *reversed(rows))


def test_only_the_hypotheses_of_the_case_are_judged(tmp_path: Path) -> None:
    row = t.pair(**t.RHYTHM | t.RARE)
    assert counts(judged(tmp_path / "a", row, hypotheses=["A"])) == {"findings": 1}
    found = judged(tmp_path / "b", row, hypotheses=["B"])
    assert counts(found) == {}
    assert set(found["outcomes"]) == {"function_changes", "public_exposure", "logging_tampered", "function_runs"}
