"""What is not planned gives what planning it would have given: the same columns, types and absence of rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pandas as pd
import pytest

from playbooks import schema
from playbooks.engine import connect, keep_table, open_tables, read_table
from playbooks.engine.rowless import Backend

Question = Callable[[ir.Table, ir.Table], ir.Expr]

QUESTIONS: dict[str, Question] = {  # of a table with rows and of one without
    "itself": lambda full, none: none,
    "its columns": lambda full, none: none.select(none.a, twice=none.n * 2, told=none.at.cast("string")),
    "chosen and ordered": lambda full, none: none.filter(none.n > 1).order_by(none.a).limit(3).distinct(),
    "by group": lambda full, none: none.group_by("a").agg(most=none.n.max(), all=none.n.collect()),
    "in all": lambda full, none: none.agg(most=none.n.max(), rows=none.count()),
    "how many": lambda full, none: none.count(),
    "one value": lambda full, none: none.n.sum(),
    "a window": lambda full, none: none.mutate(rank=ibis.row_number().over(order_by=none.n)),
    "unnested": lambda full, none: none.mutate(each=ibis.array([none.a, none.a]).unnest()),
    "added to rows": lambda full, none: full.union(none),
    "added to nothing": lambda full, none: none.union(none),
    "beside rows": lambda full, none: full.left_join(none, "a"),
    "rows beside it": lambda full, none: none.left_join(full, "a"),
    "rows it is right of": lambda full, none: full.right_join(none, "a"),
    "rows to its right": lambda full, none: none.right_join(full, "a"),
    "joined": lambda full, none: full.inner_join(none, "a"),
    "either": lambda full, none: none.outer_join(full, "a"),
    "crossed": lambda full, none: full.cross_join(none.select(other=none.n)),
    "having one": lambda full, none: full.semi_join(none, "a"),
    "having none": lambda full, none: full.anti_join(none, "a"),
    "nothing having none": lambda full, none: none.anti_join(full, "a"),
    "at last": lambda full, none: full.asof_join(none, on="at", predicates="a"),
    "common": lambda full, none: full.intersect(none),
    "without": lambda full, none: full.difference(none),
    "nothing without": lambda full, none: none.difference(full),
    "joined to itself": lambda full, none: none.inner_join(none.view(), "a"),
    "without nulls": lambda full, none: none.drop_null().fill_null({"n": 0}).drop("at"),
    "a list of names": lambda full, none: full.semi_join(ibis.memtable({"a": []}, schema={"a": "string"}), "a"),
    "a list of one": lambda full, none: full.semi_join(ibis.memtable({"a": ["x"]}), "a"),
}
PLANNED = {"in all", "how many", "one value", "added to rows", "beside rows", "rows to its right", "either"}
PLANNED |= {"having none", "at last", "without", "a list of one"}


def two(backend: Backend) -> tuple[ir.Table, ir.Table]:
    backend.con.execute(
        "CREATE TABLE full_ AS SELECT 'x' AS a, 1::BIGINT AS n, TIMESTAMPTZ '2026-03-10 09:00:00+00' AS at"
        " UNION ALL SELECT 'y', NULL, TIMESTAMPTZ '2026-03-10 10:00:00+00'"
    )
    backend.con.execute("CREATE TABLE none_ AS SELECT * FROM full_ WHERE false")
    return backend.table("full_"), backend.table("none_")


@pytest.mark.parametrize("name", QUESTIONS)
def test_it_answers_as_if_it_had_been_planned(name: str) -> None:
    plain, sparing = Backend.from_connection(connect()), Backend.from_connection(connect())
    asked = QUESTIONS[name](*two(plain))
    full, none = two(sparing)
    sparing.know_rowless(none)
    spared = QUESTIONS[name](full, none)
    if isinstance(asked, ir.Table):
        columns = list(asked.columns)
        expected, found = (one.to_pyarrow().sort_by([(columns[0], "ascending")]) for one in (asked, spared))
        assert found.schema == expected.schema
        assert found.equals(expected)
        pd.testing.assert_frame_equal(spared.execute(), asked.execute(), check_like=True)
    else:
        assert spared.to_pyarrow() == asked.to_pyarrow()
    text = sparing.compile(spared)
    assert ("full_" in text or "none_" in text or "memtable" in text) == (name in PLANNED)


def test_what_is_cached_or_kept_of_nothing_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    tables = open_tables(tmp_path / "events")
    names = tables.dns_activity.select("time", "query_hostname").distinct()
    cached = names.cache()
    file = tmp_path / "kept.parquet"
    keep_table(names, file)
    for again in (cached, read_table(tables, file)):
        assert again.schema() == names.schema()
        assert "FROM" not in again.get_backend().compile(again.filter(again.query_hostname == "x"))
        assert again.to_pyarrow().num_rows == 0


def test_a_table_with_evidence_is_asked(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    empty = open_tables(tmp_path / "events").dns_activity
    folder = tmp_path / "events" / "dns_activity"
    folder.mkdir()
    row = pd.DataFrame({name: [None] for name in schema.TABLES["dns_activity"].names})
    rows = ibis.memtable(row, schema=empty.schema()).mutate(
        time=ibis.timestamp("2026-03-10 09:00:00").cast(empty.time.type())
    )
    empty.get_backend().to_parquet(rows, folder / "E001.parquet")
    assert open_tables(tmp_path / "events").dns_activity.select("time").to_pyarrow().num_rows == 1
