"""How many cores a process may keep busy: what it is given, or its share."""

from __future__ import annotations

import os

import pytest

from playbooks.cores import SHARE, cores
from playbooks.engine import connect

HERE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.mark.parametrize(
    ("stated", "count"), [("1", 1), ("0", 1), ("-3", HERE), ("many", HERE), ("", HERE), ("9999", HERE), ("²", HERE)]
)
def test_a_share_is_a_number_and_no_more_than_there_are(
    monkeypatch: pytest.MonkeyPatch, stated: str, count: int
) -> None:
    monkeypatch.setenv(SHARE, stated)
    assert cores() == count


def test_the_engine_keeps_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SHARE, "1")
    assert connect().execute("SELECT current_setting('threads')").fetchone() == (1,)
