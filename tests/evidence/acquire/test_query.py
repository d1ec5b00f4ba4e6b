"""Query answers as evidence: rows without loss, the question beside them, and what is only a part says so."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import math
import warnings
from pathlib import Path
from typing import Any

import duckdb
import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from playbooks.case import Case, new_case
from playbooks.case_file import Window
from playbooks.errors import AllFailed, UsageError
from playbooks.evidence import custody, items, verify
from playbooks.evidence.acquire.query import PartialAnswer, acquire_query, partial_answers
from playbooks.evidence.acquire.snapshot import NoSnapshot, from_arrow

NOON = dt.datetime(2026, 3, 10, 12, tzinfo=dt.UTC)
DAY = Window(start=NOON, end=NOON + dt.timedelta(days=1))
FRAME = pd.DataFrame({"Computer": ["laptop-7", "laptop-8"], "n": [1, 2]})


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return new_case(tmp_path / "case", "Q-1")


class Asked:
    """The smallest source there is: gives a frame, or raises, and keeps what it was asked."""

    def __init__(self, answer: Any, warns: str = "") -> None:
        self.answer, self.warns = answer, warns
        self.queries: list[str] = []

    def exec_query(self, query: str) -> Any:
        self.queries.append(query)
        if self.warns:
            warnings.warn(self.warns, RuntimeWarning, stacklevel=2)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def entry_of(case: Case) -> dict[str, Any]:
    (entry,) = [entry for entry in custody.entries(case.custody) if entry["activity"] == "acquired"]
    return entry


def line_of(case: Case) -> dict[str, Any]:
    entry = entry_of(case)
    (item,) = [item for item in items(case) if item.evidence_id == entry["evidence_id"]]
    found: dict[str, Any] = json.loads(item.file(case).read_text(encoding="ascii"))
    return found


def stored(case: Case, frame: pd.DataFrame) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """The rows as the bag has them, and what is said of the columns."""
    item = acquire_query(case, Asked(frame), "T")
    return pq.read_table(item.file(case)).to_pylist(), entry_of(case)["columns"]


# a msticpy provider


def sentinel(answer: Any, environment: str = "MSSentinel", warns: str = "") -> Any:
    """A real QueryProvider over a driver of our own."""
    from msticpy.data import QueryProvider
    from msticpy.data.drivers.driver_base import DriverBase

    class Driver(DriverBase):  # type: ignore[misc]
        def __init__(self, **kwargs: Any) -> None:
            super().__init__(**kwargs)
            self._loaded = True

        def connect(self, connection_str: str | None = None, **kwargs: Any) -> None:
            self._connected = True

        def query(self, query: str, query_source: Any = None, **kwargs: Any) -> Any:
            return self.query_with_results(query)[0]

        def query_with_results(self, query: str, **kwargs: Any) -> tuple[Any, str]:
            if warns:
                warnings.warn(warns, RuntimeWarning, stacklevel=2)
            if isinstance(answer, Exception):
                raise answer
            return answer, "OK"

    provider = QueryProvider(environment, driver=Driver())
    provider.connect("ours")
    return provider


def test_the_answer_of_a_provider_is_evidence_with_its_question_beside_it(case: Case) -> None:
    template = (
        "Heartbeat | where Computer == {host:hostname} and TimeGenerated between ({start:datetime} .. {end:datetime})"
    )
    item = acquire_query(case, sentinel(FRAME), template, {"host": "laptop-7"}, name="heartbeat", window=DAY)
    sent = (
        'Heartbeat | where Computer == "laptop-7" and TimeGenerated between '
        "(datetime(2026-03-10T12:00:00.000000Z) .. datetime(2026-03-11T12:00:00.000000Z))"
    )
    assert pq.read_table(item.file(case)).to_pylist() == FRAME.to_dict("records")
    entry, line = entry_of(case), line_of(case)
    window = {"start": "2026-03-10T12:00:00.000000+00:00", "end": "2026-03-11T12:00:00.000000+00:00", "in_query": True}
    values = {"host": "laptop-7", "start": str(DAY.start), "end": str(DAY.end)}
    how = "the driver warns of partial results and did not; fewer rows than 500,000"
    facts = {
        "source": "msticpy MSSentinel",
        "language": "kql",
        "query": sent,
        "values": values,
        "window": window,
        "rows": 2,
        "partial": {"is": False, "how": how},
        "columns": [
            {"original": "Computer", "name": "Computer", "type": "string", "kept_as": "values"},
            {"original": "n", "name": "n", "type": "int64", "kept_as": "values"},
        ],
    }
    assert {name: entry[name] for name in facts} == facts
    assert [(file["evidence_id"], file["sha256"]) for file in entry["attachments"]] == [(item.evidence_id, item.sha256)]
    assert set(entry["tools"]) == {"msticpy", "ibis-framework", "duckdb", "pandas", "pyarrow"}
    assert line["request"] == {name: facts[name] for name in ("language", "query", "values", "window")}
    assert (line["outcome"], line["rows"], line["partial"]) == ("answered", 2, facts["partial"])
    assert verify(case).intact
    assert partial_answers(case) == []


def test_a_partial_result_of_a_provider_is_kept_and_becomes_a_blind_spot(case: Case) -> None:
    words = "Partial results returned. This may indicate a query timeout."
    item = acquire_query(case, sentinel(FRAME, warns=words), "T")
    assert entry_of(case)["partial"] == {"is": True, "how": f"the source warned: {words}"}
    expected = PartialAnswer(item.evidence_id, "msticpy MSSentinel", "T", True, f"the source warned: {words}", 2, None)
    assert partial_answers(case) == [expected]


def test_a_provider_that_refuses_partial_results_leaves_a_recorded_failure(case: Case) -> None:
    from msticpy.common.exceptions import MsticpyDataQueryError

    refused = MsticpyDataQueryError("Partial results returned.", title="Partial results returned")
    with pytest.raises(AllFailed, match=r"MsticpyDataQueryError: .*Partial results returned") as error:
        acquire_query(case, sentinel(refused), "T", name="all-signins")
    assert "what was asked for stays unknown" in str(error.value)
    entry, line = entry_of(case), line_of(case)
    assert (entry["query"], entry["counts"]) == ("T", {"failed": 1})
    assert (line["outcome"], line["request"]["query"]) == ("failed", "T")
    assert verify(case).intact


@pytest.mark.parametrize("answer", [None, "KqlResult: error", {"rows": 1}, 7])
def test_what_is_no_table_is_a_recorded_failure(answer: Any, case: Case) -> None:
    with pytest.raises(AllFailed, match="gave no table but"):
        acquire_query(case, Asked(answer), "T")
    assert line_of(case)["outcome"] == "failed"


# how much came


def flagged(flag: Any) -> pd.DataFrame:
    frame = FRAME.copy()
    frame.attrs["partial"] = flag
    return frame


UNKNOWN = {"is": None, "how": "the source does not say whether a result is whole"}


@pytest.mark.parametrize(
    ("source", "query", "limit", "expected"),
    [
        (Asked(FRAME), "T", None, UNKNOWN),
        (Asked(flagged("yes")), "T", None, UNKNOWN),
        (Asked(flagged(True)), "T", None, {"is": True, "how": "the result is marked as partial by its source"}),
        (Asked(flagged(False)), "T", None, {"is": False, "how": "the result is marked as whole by its source"}),
        (
            Asked(flagged(False), "results truncated"),
            "T",
            None,
            {"is": True, "how": "the source warned: results truncated"},
        ),
        (Asked(FRAME, "a deprecated call"), "T", None, UNKNOWN),
        (Asked(FRAME), "T", 2, {"is": True, "how": "as many rows as the service gives at most (2)"}),
        (Asked(FRAME), "T", 3, {"is": False, "how": "fewer rows than the stated limit of 3"}),
        (
            Asked(FRAME),
            "SELECT * FROM t LIMIT 2",
            None,
            {"is": True, "how": "as many rows as the query's own limit (2): there may be more"},
        ),
        (Asked(FRAME), "SELECT * FROM t WHERE a = 'LIMIT 2' -- limit 2", None, UNKNOWN),
        (Asked(FRAME), "SELECT * FROM t LIMIT 20", None, UNKNOWN),
    ],
)
def test_a_part_is_told_from_a_whole_only_where_something_says_so(
    source: Asked, query: str, limit: int | None, expected: dict[str, Any], case: Case
) -> None:
    acquire_query(case, source, query, language="sql", limit=limit)
    assert entry_of(case)["partial"] == expected
    assert [answer.partial for answer in partial_answers(case)] == ([] if expected["is"] is False else [expected["is"]])


def test_the_row_limit_of_the_service_itself_is_known(case: Case) -> None:
    acquire_query(case, sentinel(pd.DataFrame({"a": np.zeros(100_000)}), "M365D"), "DeviceEvents")
    assert entry_of(case)["partial"] == {"is": True, "how": "as many rows as the service gives at most (100,000)"}


def test_kql_states_its_limits_in_other_words(case: Case) -> None:
    acquire_query(case, sentinel(FRAME), 'T | where x == "take 7" | take 2')
    assert entry_of(case)["partial"]["is"] is True


# Ibis


def lake() -> Any:
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE events AS SELECT * FROM (VALUES (1, 'a''b', TIMESTAMPTZ '2026-03-10 12:00:00+00')) t(n, s, t)"
    )
    return ibis.duckdb.from_connection(con)


def test_an_ibis_backend_is_asked_in_its_own_language_and_gives_a_whole_result(case: Case) -> None:
    hostile = "a'b' OR 1=1 --"
    item = acquire_query(case, lake(), "SELECT n, {v} AS v FROM events WHERE s <> {v}", {"v": hostile}, language="sql")
    assert pq.read_table(item.file(case)).to_pylist() == [{"n": 1, "v": hostile}]
    entry = entry_of(case)
    assert (entry["source"], entry["language"]) == ("ibis duckdb", "duckdb")
    assert entry["partial"] == {"is": False, "how": "the engine gives a whole result or an error"}


def test_an_ibis_table_is_asked_too(case: Case) -> None:
    table = lake().table("events").alias("e")
    item = acquire_query(case, table, "SELECT t FROM e WHERE t >= {start:datetime}", window=DAY)
    assert pq.read_table(item.file(case)).to_pylist() == [{"t": NOON}]


def test_a_window_that_the_query_does_not_use_is_said_to_be_stated_only(case: Case) -> None:
    acquire_query(case, lake(), "SELECT n FROM events WHERE t >= {start:datetime}", window=DAY)
    assert entry_of(case)["window"]["in_query"] is False


def test_a_refused_query_of_an_engine_is_a_recorded_failure(case: Case) -> None:
    with pytest.raises(AllFailed, match=r"query 'query': .*no_such_table"):
        acquire_query(case, lake(), "SELECT * FROM no_such_table")
    assert line_of(case)["outcome"] == "failed"


def test_a_type_that_parquet_cannot_hold_is_named(case: Case) -> None:
    with pytest.raises(AllFailed, match="ArrowNotImplementedError"):  # Ibis has no form for it either
        acquire_query(case, lake(), "SELECT INTERVAL 1 MONTH AS i")
    assert line_of(case)["outcome"] == "failed"
    months = pa.array([(1, 2, 3)], pa.month_day_nano_interval())
    with pytest.raises(NoSnapshot, match=r"i\.parquet: the result cannot be kept as Parquet: .* Cast that column"):
        from_arrow(pa.table({"i": months})).write(case.path / "i.parquet")


# what is refused before anything is sent


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"query": "T | where x == {host:hostname}", "values": {"host": 'a"b'}}, "Nothing was sent"),
        ({"query": "T", "name": "../x"}, "name '../x': expected"),
        ({"query": "T | where x == {v}", "values": {"v": "a"}, "language": None}, "does not tell its query language"),
    ],
)
def test_a_question_that_cannot_be_asked_leaves_nothing(arguments: dict[str, Any], said: str, case: Case) -> None:
    source = Asked(FRAME)
    with pytest.raises(UsageError, match=said.replace("(", r"\(")):
        acquire_query(case, source, **({"language": "kql"} | arguments))
    assert (source.queries, items(case), custody.entries(case.custody)) == ([], [], [])


def test_what_cannot_be_asked_is_told_what_was_expected(case: Case) -> None:
    with pytest.raises(UsageError, match="expected an object with exec_query"):
        acquire_query(case, object(), "T")


# hostile frames


def test_text_that_spreadsheets_would_run_is_kept_as_it_is(case: Case) -> None:
    cells = ["=cmd|' /C calc'!A0", "+1", "@x", "\x1b[31mred", "nul\0", "<script>"]
    assert stored(case, pd.DataFrame({"a": cells}))[0] == [{"a": cell} for cell in cells]


def test_nested_objects_and_mixed_cells_are_kept_as_json_text_and_named_so(case: Case) -> None:
    cells = [{"a": [1, {"b": None}]}, [1, "x"], "text", 7, 2**70, float("inf"), True, b"\xff", None, math.nan]
    rows, columns = stored(case, pd.DataFrame({"a": pd.Series(cells, dtype=object)}))
    loaded = [None if row["a"] is None else json.loads(row["a"]) for row in rows]
    assert loaded == [*cells[:5], "inf", True, {"bytes": "ff"}, None, None]
    assert columns == [{"original": "a", "name": "a", "type": "string", "kept_as": "JSON text"}]


def test_huge_numbers_lose_no_digit(case: Case) -> None:
    frame = pd.DataFrame({"u": np.array([2**64 - 1], np.uint64), "o": pd.Series([2**63], dtype=object)})
    rows, _ = stored(case, frame.assign(d=[decimal.Decimal("0.1000")]))
    assert rows == [{"u": 2**64 - 1, "o": "9223372036854775808", "d": '"0.1000"'}]


def test_times_keep_their_zone_their_nanoseconds_and_their_absence(case: Case) -> None:
    frame = pd.DataFrame(
        {
            "utc": pd.to_datetime(["2026-03-10T12:00:00.123456789Z", None], utc=True),
            "local": pd.to_datetime(["2026-03-10T12:00:00", None]).tz_localize("America/New_York"),
            "none": pd.to_datetime(["2026-03-10T12:00:00", None]),
        }
    )
    item = acquire_query(case, Asked(frame), "T")
    table = pq.read_table(item.file(case))
    types = ["timestamp[ns, tz=UTC]", "timestamp[ns, tz=America/New_York]", "timestamp[ns]"]
    assert [str(kind) for kind in table.schema.types] == types
    assert [column.null_count for column in table.columns] == [1, 1, 1]
    assert table["utc"].cast("int64")[0].as_py() == 1773144000123456789


def test_nan_is_not_turned_into_nothing(case: Case) -> None:
    rows, _ = stored(case, pd.DataFrame({"x": [math.nan, math.inf, 1.5]}))
    assert math.isnan(rows[0]["x"])
    assert rows[1:] == [{"x": math.inf}, {"x": 1.5}]


def test_columns_of_one_name_are_both_kept(case: Case) -> None:
    rows, columns = stored(case, pd.DataFrame([[1, 2, 3, 4]], columns=["a", "A", "a", "a_2"]))
    assert rows == [{"a": 1, "A_3": 2, "a_4": 3, "a_2": 4}]
    assert [column["original"] for column in columns] == ["a", "A", "a", "a_2"]


def test_an_index_that_says_something_becomes_columns(case: Case) -> None:
    frame = pd.DataFrame({"n": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["host", None]))
    assert stored(case, frame)[0] == [{"host": "a", "index": 1, "n": 1}, {"host": "b", "index": 2, "n": 2}]


def test_other_types_of_pandas_are_kept(case: Case) -> None:
    frame = pd.DataFrame(
        {
            "cat": pd.Categorical(["x", None]),
            "Int": pd.array([1, None], dtype="Int64"),
            "str": pd.array(["a", None], dtype="string"),
            "bool": pd.array([True, None], dtype="boolean"),
            "float": pd.array([0.5, None], dtype="Float64"),
            "span": pd.to_timedelta([1_000_000_001, None]),
            5: [dt.date(2026, 3, 10), None],
        }
    )
    rows, _ = stored(case, frame)
    assert rows == [
        {
            "cat": "x",
            "Int": 1,
            "str": "a",
            "bool": True,
            "float": 0.5,
            "span": '"0 days 00:00:01.000000001"',
            "5": '"2026-03-10"',
        },
        dict.fromkeys(["cat", "Int", "str", "bool", "float", "span", "5"]),
    ]


def test_half_a_surrogate_pair_is_kept(case: Case) -> None:
    rows, columns = stored(case, pd.DataFrame({"a": ["\ud800", "ok"]}))
    assert [json.loads(row["a"]) for row in rows] == ["\ud800", "ok"]
    assert columns[0]["kept_as"] == "JSON text"


def test_a_result_without_rows_keeps_its_columns(case: Case) -> None:
    rows, columns = stored(case, pd.DataFrame({"a": pd.Series([], dtype="int64"), "b": pd.Series([], dtype=object)}))
    assert (rows, [(column["name"], column["type"]) for column in columns]) == ([], [("a", "int64"), ("b", "string")])


def test_a_result_without_columns_is_evidence_that_nothing_came(case: Case) -> None:
    item = acquire_query(case, Asked(pd.DataFrame()), "T")
    line = json.loads(item.file(case).read_text(encoding="ascii"))
    assert (line["rows"], line["columns"], line["outcome"]) == (0, [], "answered")
    assert (entry_of(case)["evidence_id"], entry_of(case)["attachments"]) == (item.evidence_id, [])


class Strange:
    """An object that no text keeps whole."""


def deep(levels: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (Strange(), "column 'a': a cell holds a .*Strange, which no text keeps whole"),
        (deep(500), "column 'a': a value is nested deeper than 200 levels"),
        ({1: "a", "1": "b"}, "column 'a': a value has keys that are the same as text"),
        (1 + 2j, "column 'a': a cell holds a builtins.complex"),
    ],
)
def test_a_cell_that_cannot_be_kept_whole_stops_with_its_column_and_is_recorded(
    cell: Any, said: str, case: Case
) -> None:
    with pytest.raises(AllFailed, match=said):
        acquire_query(case, Asked(pd.DataFrame({"a": pd.Series([cell], dtype=object)})), "T")
    assert line_of(case)["outcome"] == "failed"


def test_the_same_answer_again_is_not_stored_twice_and_says_which_item_it_is(case: Case) -> None:
    first, second = (acquire_query(case, Asked(FRAME), "T") for _ in range(2))
    assert first == second
    assert verify(case).intact
