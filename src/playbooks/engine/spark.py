"""Spark: the same tables and questions on a cluster that is there already, through Ibis.

The case folder stands on storage that the driver (this process) and every worker see under the same path.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import ibis
import ibis.expr.operations as ops
import pandas as pd
import pyarrow as pa
from ibis.backends.duckdb.converter import DuckDBPandasData
from ibis.backends.pyspark import Backend
from ibis.backends.pyspark.datatypes import PySparkSchema
from pyspark.sql import SparkSession

from playbooks import schema
from playbooks.engine.spark_words import WORDS
from playbooks.errors import EngineMissing

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from playbooks.engine_choice import EngineChoice

TYPES = {"VARCHAR": "STRING", "VARCHAR[]": "ARRAY<STRING>", "BIGINT[]": "ARRAY<BIGINT>", "TIMESTAMPTZ": "TIMESTAMP"}
LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.log.level": "ERROR",
}
MASTER_WITHIN_S, WORKERS_WITHIN_S = 10, 120
DEFAULT_PORT = 7077
_NUMBERS = count()


class SparkBackend(Backend):  # type: ignore[misc]
    """Ibis on a Spark session; small tables of ours reach it as Arrow, and so do its answers."""

    compiler = WORDS

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        given = op.data.to_pyarrow(op.schema)
        # pyspark takes no Arrow table without a chunk
        rows = (given,) if len(given) else ([], PySparkSchema.from_ibis(op.schema))
        self._session.createDataFrame(*rows).createOrReplaceTempView(op.name)

    def get_schema(self, table_name: str, *, catalog: str | None = None, database: str | None = None) -> ibis.Schema:
        """The columns of a table; Spark's stamps are moments, told in UTC to the microsecond."""
        found = super().get_schema(table_name, catalog=catalog, database=database)
        moment = ibis.dtype("timestamp('UTC', 6)")
        return ibis.schema({name: moment if kind.is_timestamp() else kind for name, kind in found.items()})

    def _create_cached_table(self, name: str, expr: ir.Table) -> ir.Table:
        self._run_pre_execute_hooks(expr)
        return super()._create_cached_table(name, expr)

    def to_pyarrow(self, expr: ir.Expr, /, *, params: Any = None, limit: Any = None, **_: Any) -> pa.Table:
        """The rows of an expression, by way of Arrow and not of pandas."""
        return expr.__pyarrow_result__(self._fetched(expr, params, limit))

    def execute(self, expr: ir.Expr, /, *, params: Any = None, limit: Any = None, **_: Any) -> Any:
        """The same for pandas, with the types that Ibis gives on DuckDB."""
        found = self._fetched(expr, params, limit)
        columns = zip(found.column_names, found.columns, strict=True)
        nested = {name: pa.types.is_nested(column.type) or column.null_count for name, column in columns}
        frame = pd.DataFrame(
            {name: found[name].to_pylist() if told else found[name].to_pandas() for name, told in nested.items()}
        )
        return expr.__pandas_result__(DuckDBPandasData.convert_table(frame, expr.as_table().schema()))

    def _fetched(self, expr: ir.Expr, params: Any, limit: Any) -> pa.Table:
        self._run_pre_execute_hooks(expr)
        return self._session.sql(self.compile(expr.as_table(), params=params, limit=limit)).toArrow()


def open_tables(events: Path, choice: EngineChoice) -> dict[str, ir.Table]:
    """The tables below `events`, by name."""
    backend = _backend(_session(choice.master, tuple(sorted(choice.settings.items()))))
    return {name: _table(backend, table, events / name) for name, table in schema.TABLES.items()}


def read(rows: ir.Table, file: Path) -> ir.Table:
    """A Parquet file or folder, for the session that `rows` belong to."""
    backend = rows.get_backend()
    return _named(backend, backend._session.read.parquet(str(file)))


def keep(rows: ir.Table, file: Path) -> None:
    """Write rows to a folder of Parquet files, each worker its own."""
    backend = rows.get_backend()
    backend._run_pre_execute_hooks(rows)
    backend._session.sql(backend.compile(rows)).write.mode("overwrite").parquet(str(file))


def scan(beside: ir.Table, root: Path, names: list[str]) -> ir.Table:
    """Files of a lake, each row with its file (`lake_file`) and its place in it from 0 (`lake_row`)."""
    from pyspark.sql import functions as f

    backend = beside.get_backend()
    read = backend._session.read.option("mergeSchema", "true")
    frame = read.parquet(*(str(root / name) for name in names))
    # a path comes back as an address: spaces and the like are coded there
    file = f.substring_index(
        f.url_decode(f.replace(f.col("_metadata.file_path"), f.lit("+"), f.lit("%2B"))), f"{root}/", -1
    )
    return _named(backend, frame.select("*", file.alias("lake_file"), f.col("_metadata.row_index").alias("lake_row")))


def park(rows: ir.Table) -> ir.Table:
    """Rows held by the workers, in memory or on their disks; computed again where a worker is lost."""
    backend = rows.get_backend()
    backend._run_pre_execute_hooks(rows)
    return _named(backend, backend._session.sql(backend.compile(rows)).persist())


def _named(backend: SparkBackend, frame: Any) -> ir.Table:
    name = f"playbooks_{next(_NUMBERS)}"
    frame.createOrReplaceTempView(name)
    table: ir.Table = backend.table(name)
    return table


def _table(backend: SparkBackend, table: schema.Table, folder: Path) -> ir.Table:
    shape = ", ".join(f"`{column.name}` {TYPES.get(column.type, column.type)}" for column in table.columns)
    files = [str(file) for file in sorted(folder.glob("*.parquet"))] if folder.is_dir() else []
    session = backend._session
    frame = session.read.schema(shape).parquet(*files) if files else session.createDataFrame([], shape)
    return _named(backend, frame.where("time IS NOT NULL") if table.name in schema.EVENT_TABLES else frame)


@cache
def _backend(session: SparkSession) -> SparkBackend:
    assert ibis.pyspark is not None  # asking for it registers its options
    backend = SparkBackend()
    backend.do_connect(session)
    return backend


@cache
def _session(master: str, settings: tuple[tuple[str, str], ...]) -> SparkSession:
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # what it tells stands in the error
    _must_answer(master)
    here = urlsplit(master).hostname in ("127.0.0.1", "localhost") or master.startswith("local")
    if here:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # Java asks before it reads the settings
    builder = SparkSession.builder.master(master).appName("playbooks")
    for name, value in (SETTINGS | (LOOPBACK if here else {}) | dict(settings)).items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    if master.startswith("spark://"):
        _must_have_workers(session, master)
    return session


def _must_answer(master: str) -> None:
    """Ask before Java starts: Spark itself tries for a minute, and then says so in its log only."""
    if not master.startswith("spark://"):
        return
    address = urlsplit(master.partition(",")[0])
    try:
        socket.create_connection((address.hostname or "", address.port or DEFAULT_PORT), MASTER_WITHIN_S).close()
    except (OSError, ValueError) as error:
        raise EngineMissing(
            f"case.yaml, engine.master: nobody answers at {master} ({error}). Expected a Spark master. "
            "Start it, correct the address, or take `engine` out of case.yaml."
        ) from error


def _must_have_workers(session: SparkSession, master: str) -> None:
    """A master without a free worker lets an application wait for ever, without a word."""
    held = session.sparkContext._jsc.sc()
    until = time.monotonic() + WORKERS_WITHIN_S
    while held.getExecutorMemoryStatus().size() < 2:  # the driver is one of them
        if time.monotonic() > until:
            session.stop()
            raise EngineMissing(
                f"{master} gave no executor within {WORKERS_WITHIN_S} s. Expected a worker with free cores and as much "
                "memory as spark.executor.memory asks for (1g unless engine.settings says otherwise). Look at the "
                "master's page for workers and applications that hold them, and run again."
            )
        time.sleep(0.1)
