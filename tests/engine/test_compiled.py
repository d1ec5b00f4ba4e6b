"""The questions as SQL for engines that are not here: compiled and parsed, never run."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator

import ibis
import ibis.common.exceptions as refusals
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pytest
import sqlglot
from ibis.backends.duckdb import Backend
from tests.conftest import SampleRun

from playbooks.case import open_case
from playbooks.engine.parity import CALLED_BY_NAME, COMPILED_FOR, NOT_COMPILED, SAME
from playbooks.guide.results import Results

ASKS = ("to_pyarrow", "to_pyarrow_batches", "execute", "to_parquet")
PARSED_AS = {"athena": "trino"}  # Athena's SELECT is Trino's; sqlglot reads its back-slashes as Hive's
WORDS = {"subsecond interval": "a frame of microseconds", "order_by": "collecting in order"}
Asked = dict[str, list[ir.Table]]


@pytest.fixture(scope="module")
def asked(incident: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Every expression that reaches the engine, by the result it is asked for."""
    case = tmp_path_factory.mktemp("compiled") / "case"
    shutil.copytree(incident.case, case, ignore=shutil.ignore_patterns("results", "report", "notebooks"))
    results, now = Results(open_case(case)), []
    with pytest.MonkeyPatch.context() as patch:
        for name in ASKS:
            patch.setattr(Backend, name, _noting(getattr(Backend, name), now))
        found: Asked = {}
        for name in SAME:
            now.clear()
            getattr(results if hasattr(Results, name) else results.cloud_state, name)
            found[name] = list({_made_of(one): one for one in now}.values())
        yield found


def _noting(ask: object, now: list[ir.Table]) -> object:
    def noting(self: Backend, expr: ir.Expr, *rest: object, **more: object) -> object:
        now.append(expr.as_table())
        return ask(self, expr, *rest, **more)  # type: ignore[operator]

    return noting


def _made_of(asked: ir.Table) -> frozenset[type]:
    """Expressions made of the same operations compile alike."""
    return frozenset(type(node) for node in asked.op().find(ops.Node))


def _refused(error: Exception) -> str:
    words = str(error)
    named = [told for part, told in WORDS.items() if part in words]
    return named[0] if named else words.partition("'")[2].partition("'")[0]


@pytest.mark.parametrize("engine", COMPILED_FOR)
def test_the_sql_of_each_question_compiles_and_parses_or_says_what_is_missing(engine: str, asked: Asked) -> None:
    missing: dict[str, set[str]] = {}
    for name, expressions in asked.items():
        for one in expressions:
            try:
                sql = str(ibis.to_sql(one.unbind(), dialect=engine))
            except (refusals.OperationNotDefinedError, refusals.UnsupportedOperationError) as error:
                missing.setdefault(name, set()).add(_refused(error))
                continue
            assert len(sqlglot.parse(sql, read=PARSED_AS.get(engine, engine))) == 1
    listed = NOT_COMPILED[engine]
    assert missing.keys() == listed.keys()
    # a compiler stops at the first thing it has no words for, and which one that is may change between runs
    assert not {name: words for name, words in missing.items() if not words <= set(listed[name])}


def test_no_question_needs_python_on_the_engine(asked: Asked) -> None:
    """What is called by name is a function of the engine, and said to be one."""
    everything = [one.op() for expressions in asked.values() for one in expressions]
    called = {node for one in everything for node in one.find(ops.ScalarUDF)}
    assert {re.sub(r"_\d+$", "", type(node).__name__) for node in called} <= set(CALLED_BY_NAME)  # ibis numbers them
    assert {node.__input_type__.name for node in called} <= {"BUILTIN"}
    assert not [node for one in everything for node in one.find(ops.AggUDF)]


def test_most_results_are_asked_of_the_engine_in_some_sql(asked: Asked) -> None:
    assert {name for name, expressions in asked.items() if not expressions} <= {"findings", "pairs", "resources"}
