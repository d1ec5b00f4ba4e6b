"""Answers of Python stand beside every row of the combination they were given for, nulls included."""

from __future__ import annotations

import ibis
import pyarrow as pa

from playbooks.scoping.asked_once import asked_once


def test_each_combination_is_asked_once_and_nulls_are_alike() -> None:
    asked: list[tuple[object, ...]] = []

    def work(*values: object) -> tuple[object, ...]:
        asked.append(values)
        return (f"{values[0]}/{values[1]}", [str(values[0])])

    rows = ibis.memtable(pa.table({"n": range(6), "a": ["x", None, "x", None, "y", ""], "b": [1, 2, 1, 2, None, 1]}))
    told = asked_once(rows, ["a", "b"], work, {"words": pa.string(), "listed": pa.list_(pa.string())})
    found = told.order_by("n").to_pyarrow().to_pylist()
    assert sorted(asked, key=str) == sorted([("x", 1), (None, 2), ("y", None), ("", 1)], key=str)
    assert [row["words"] for row in found] == ["x/1", "None/2", "x/1", "None/2", "y/None", "/1"]
    assert found[0] == {"n": 0, "a": "x", "b": 1, "words": "x/1", "listed": ["x"]}
