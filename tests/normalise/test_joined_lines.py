"""Lines of one event are one record; a torn line, or one without the key, joins nothing."""

from __future__ import annotations

import pytest

from playbooks.normalise import joined_lines as joining
from playbooks.normalise.joined_lines import joined_lines
from playbooks.normalise.records import Gathering

KEY = r"id=(\d+)"


def joined(*runs: Gathering) -> tuple[list[str], dict[str, str], int]:
    found = list(joined_lines([run.records() for run in runs], KEY))
    broken = {run.raws[index]: reason for run in found for index, reason in run.broken.items()}
    return [raw for run in found for raw in run.raws], broken, sum(run.blank for run in found)


def test_lines_that_follow_each_other_under_one_key_are_one_record() -> None:
    lines = Gathering(raws=["a id=1", "b id=1", "c id=2", "d id=1", "e", "f", "g id=", "h id=3"], blank=2)
    assert joined(lines) == (["a id=1\nb id=1", "c id=2", "d id=1", "e", "f", "g id=", "h id=3"], {}, 2)


def test_the_end_of_a_run_changes_nothing() -> None:
    assert joined(Gathering(raws=["a id=1"]), Gathering(), Gathering(raws=["b id=1", "c"], blank=1)) == (
        ["a id=1\nb id=1", "c"],
        {},
        1,
    )


def test_a_torn_line_stays_alone() -> None:
    torn = Gathering(raws=["a id=1"])
    torn.add_broken("b id=1", "torn")
    torn.raws.append("c id=1")
    assert joined(torn) == (["a id=1", "b id=1", "c id=1"], {"b id=1": "torn"}, 0)


def test_an_event_without_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "MAX_LINES", 2)
    assert joined(Gathering(raws=["id=1"] * 5))[0] == ["id=1\nid=1", "id=1\nid=1", "id=1"]
