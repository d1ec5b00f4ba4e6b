"""Which cases a batch is about."""

from __future__ import annotations

from pathlib import Path

import pytest

from playbooks.batch import tasks_of
from playbooks.errors import UsageError


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    for name in ("b", "a", "no case", "[odd] name"):
        (tmp_path / "cases" / name).mkdir(parents=True)
        if name != "no case":
            (tmp_path / "cases" / name / "case.yaml").write_text("case_id: IR\n")
    return tmp_path / "cases"


def names(*places: object) -> list[str]:
    return [task.case.name for task in tasks_of(map(str, places))]


def test_a_case_a_folder_and_a_pattern_mean_each_case_once(cases: Path) -> None:
    assert names(cases / "b") == ["b"]
    assert names(cases) == ["[odd] name", "a", "b"]
    assert names(cases / "b", f"{cases}/*", cases) == ["b", "[odd] name", "a"]


def test_lists_give_paths_from_their_folder_and_parameters_as_text(cases: Path) -> None:
    listed = cases.parent / "queue.yaml"
    listed.write_text("- cases/a\n- {case: cases/b, parameters: {rows: 5, name: '0123', quick: true}}\n- cases/gone\n")
    tasks = tasks_of([str(listed)])
    assert [(task.case.name, dict(task.parameters)) for task in tasks] == [
        ("a", {}),
        ("b", {"rows": "5", "name": "0123", "quick": "true"}),
        ("gone", {}),  # it fails by name in the batch, and stops nothing
    ]
    table = cases.parent / "queue.csv"
    table.write_text("case,rows,name\ncases/a,,\ncases/b,5,0123\n,,\n")
    assert [(task.case.name, dict(task.parameters)) for task in tasks_of([str(table)])] == [
        ("a", {}),
        ("b", {"rows": "5", "name": "0123"}),
    ]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("q.yaml", "cases: 5\n", "expected a list of cases, found int"),
        ("q.yaml", "- 5\n", "entry 1: expected a path"),
        ("q.yaml", "- {case: a, parameter: {}}\n", "entry 1: expected a path"),
        ("q.yaml", "- {case: a, parameters: {rows: [1]}}\n", "entry 1: expected a path"),
        ("q.yaml", "- [\n", "cannot be read as a list of cases"),
        ("q.csv", "folder\ncases/a\n", "expected a column `case`, found folder"),
        ("q.csv", "", "expected a column `case`, found nothing"),
    ],
)
def test_a_list_that_says_something_else_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=words):
        tasks_of([str(tmp_path / name)])


def test_a_place_without_a_case_and_two_sets_of_parameters_are_refused(cases: Path) -> None:
    with pytest.raises(UsageError, match="no case here"):
        tasks_of([str(cases / "no case")])
    with pytest.raises(UsageError, match="no case here"):
        tasks_of([str(cases / "nowhere" / "*")])
    listed = cases.parent / "q.csv"
    listed.write_text("case,rows\ncases/a,5\n")
    with pytest.raises(UsageError, match="listed twice with other parameters"):
        tasks_of([str(cases / "a"), str(listed)])
