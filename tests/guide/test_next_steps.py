"""What to look for next is a call that runs as it is written, whatever the adversary calls his hosts."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pandas as pd
import pytest
from tests.conftest import SampleRun

from playbooks import guide
from playbooks.case import Case, new_case
from playbooks.guide.next_steps import after_pairs, call
from playbooks.report import View

FOLLOWED = ("normalise", "coverage", "egress", "enrich", "cloud", "chains", "findings", "queries")


@pytest.fixture(scope="module")
def case(incident: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> Case:
    return guide.open_case(str(incident.copy(tmp_path_factory.mktemp("next") / "case")))


@pytest.mark.parametrize("name", FOLLOWED)
def test_every_call_that_is_proposed_runs(name: str, case: Case) -> None:
    following = getattr(guide, name)(case).next
    assert following
    for words in following:
        [text] = re.findall(r"guide\.\w+\(.*\)$", words)
        assert isinstance(eval(text, {"guide": guide, "case": case}), View), words


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_case_without_evidence_is_told_what_comes_next_too(name: str, tmp_path: Path) -> None:
    empty = new_case(tmp_path / "case", "EMPTY")
    for words in getattr(guide, name)(empty).next:
        assert "guide." in words or "playbooks " in words


@pytest.mark.parametrize(
    "attack", ['x"); import os; os.system("id") #', "a'b\"c\\", "line\nbreak", "\u202eexe.evil", "{case}", "`x`"]
)
def test_a_name_that_attacks_stays_one_text_of_the_call(attack: str) -> None:
    node = ast.parse(call("records", "10.0.0.1", attack), mode="eval").body
    assert isinstance(node, ast.Call)
    assert [ast.literal_eval(argument) for argument in node.args[1:]] == ["10.0.0.1", attack]
    shown = after_pairs(pd.DataFrame({"src": [attack], "dst": [attack], "priority": [0.5]}), "priority")
    assert all("\n" not in words and "\u202e" not in words for words in shown)


def test_a_case_whose_findings_are_decided_is_asked_for_no_decision(incident: SampleRun, tmp_path: Path) -> None:
    case = guide.open_case(str(incident.copy(tmp_path / "case")))
    found = guide.findings(case)
    assert any("8 without a decision" in words for words in found.next)
    for entry in [*found.data["findings"], *found.data["leads"]]:
        guide.decide(case, entry["id"], "confirmed", "owner asked", "A. Person")
    assert not any("decision" in words for words in guide.findings(case).next)
