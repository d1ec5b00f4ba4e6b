"""The start page: how each case stands, what needs a person first, and no word of a case that acts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import SampleRun
from tests.report.fabricated import ATTACK

from playbooks.case import new_case, open_case, write_json
from playbooks.errors import CaseError
from playbooks.findings import decide
from playbooks.lab import cases_below, write_start_page
from playbooks.lab.cases import standing_of
from playbooks.lab.start_page import START, inert


def page_of(folder: Path) -> str:
    write_start_page(folder)
    return (folder / START).read_text(encoding="utf-8")


def needs(folder: Path) -> list[str]:
    return [need.words for need in standing_of(folder).needs]


def test_a_case_that_ran_asks_for_decisions_until_they_are_taken(incident: SampleRun, tmp_path: Path) -> None:
    case = open_case(incident.copy(tmp_path / "case"))
    assert needs(case.path) == ["Decide 4 findings", "Decide 4 leads"]
    for entry in [*incident.found["findings"], *incident.found["leads"]]:
        decide(case, entry["id"], "needs more", "ask", "A. Person")
    assert needs(case.path) == ["Find out more of 4 findings", "Find out more of 4 leads"]
    for entry in [*incident.found["findings"], *incident.found["leads"]]:
        decide(case, entry["id"], "confirmed", "owner asked", "A. Person")
    assert needs(case.path) == []
    page = page_of(case.path)
    assert "Nothing: every finding and lead is decided." in page
    assert page.count("](notebooks/") == 6


def test_what_presses_most_comes_first(incident: SampleRun, tmp_path: Path) -> None:
    ran = open_case(incident.copy(tmp_path / "a-ran"))
    failed = open_case(incident.copy(tmp_path / "b-failed"))
    record: dict[str, Any] = json.loads(failed.run_record.read_text(encoding="utf-8"))
    record["steps"][2]["status"] = "failed"
    write_json(failed.run_record, record)
    new_case(tmp_path / "c-new", "NEW-1")
    broken = tmp_path / "d-broken"
    broken.mkdir()
    (broken / "case.yaml").write_text("case_id: [", encoding="utf-8")
    (tmp_path / "no-case").mkdir()
    rows = [line for line in page_of(tmp_path).splitlines() if line.startswith("| [")]
    assert [row.partition("](")[2].partition("/")[0] for row in rows] == ["d-broken", "b-failed", "a-ran", "c-new"]
    assert "failed at 3&#95;scope&#95;egress" in rows[1] and "| 4 | 4 | 0 |" in rows[2]
    assert "Add evidence" in rows[3]
    assert ran.config.case_id == failed.config.case_id
    assert "4 cases, 4 of them need a person" in page_of(tmp_path)


@pytest.mark.parametrize("attack", [ATTACK, "[x](javascript:alert(1))", "|a|b|\n# h", "![i](//evil.example/a.png)"])
def test_a_title_that_attacks_stays_text(attack: str, tmp_path: Path) -> None:
    shown = inert(attack)
    assert [char for char in "<>[]()|`*_!/\\\"'.@\n\u202e" if char in shown] == []
    case = new_case(tmp_path / "case", "T-1", attack[:60])
    assert page_of(case.path).count("](") == 7, "six notebooks and one need"


def test_a_folder_with_an_odd_name_is_linked_by_its_bytes(tmp_path: Path) -> None:
    new_case(tmp_path / "a) [b](x) |", "T-1")
    assert "](a%29%20%5Bb%5D%28x%29%20%7C/notebooks/1_preserve_evidence.ipynb)" in page_of(tmp_path)


def test_a_page_that_says_the_same_is_not_written_again(tmp_path: Path) -> None:
    new_case(tmp_path / "case", "T-1")
    page_of(tmp_path)
    before = (tmp_path / START).stat().st_mtime_ns
    page_of(tmp_path)
    assert (tmp_path / START).stat().st_mtime_ns == before


def test_a_folder_without_cases_is_told(tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"no case\.yaml here, nor in a folder of it.*playbooks new"):
        cases_below(tmp_path)
