"""The one place where a query engine is opened: DuckDB in this process, or Spark, and Ibis on top of either.

Questions are Ibis expressions and do not know where they run. What differs between engines is one module each, with
the same four functions: `open_tables`, `read`, `keep` and `park`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Protocol

from playbooks import schema
from playbooks.engine import duckdb
from playbooks.engine.duckdb import connect, connect_closed, text_literal
from playbooks.engine_choice import DUCKDB, EngineChoice
from playbooks.errors import EngineMissing

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Engine(Protocol):
    """What an engine does in its own way."""

    def read(self, rows: ir.Table, file: Path) -> ir.Table:
        """A Parquet file or folder, beside the tables that `rows` come from."""

    def keep(self, rows: ir.Table, file: Path) -> None:
        """Write rows as Parquet, under a name that `read` takes."""

    def park(self, rows: ir.Table) -> ir.Table:
        """Rows computed once and held outside the memory of this process."""


@dataclass(frozen=True)
class Tables:
    """The event tables of a case as Ibis tables: a table without evidence is empty, never absent."""

    dns_activity: ir.Table
    http_activity: ir.Table
    network_activity: ir.Table
    api_activity: ir.Table
    system_activity: ir.Table
    indicators: ir.Table
    acquired_answers: ir.Table
    address_ranges: ir.Table
    name_records: ir.Table

    def __getitem__(self, name: str) -> ir.Table:
        if name not in schema.TABLES:
            raise KeyError(f"no table {name!r}; known: {', '.join(schema.TABLES)}")
        table: ir.Table = getattr(self, name)
        return table


def open_tables(events: Path, choice: EngineChoice = DUCKDB) -> Tables:
    """Open `events/` of a case for questions. Events without a time stay out: no question could place them.

    Parameters
    ----------
    events
        Folder with one sub-folder per table and one Parquet file per evidence item. For Spark, a folder that driver and
        workers see under this path.
    choice
        `engine` of `case.yaml`.

    Returns
    -------
    Tables
        Ibis tables with the columns of `schema`, rows in no promised order.

    Raises
    ------
    EngineMissing
        Spark is chosen, and pyspark or Java is not installed, its master does not answer, or no worker is free.
    """
    if choice.kind == "duckdb":
        return Tables(**duckdb.open_tables(events))
    if find_spec("pyspark") is None or not (which("java") or "JAVA_HOME" in os.environ):
        raise EngineMissing(
            "case.yaml says engine.kind: spark, which needs pyspark and Java 17 or 21 on this machine. "
            "Install the extra of this package (pip install '.[spark]') and Java, or take `engine` out of case.yaml."
        )
    from playbooks.engine import spark

    return Tables(**spark.open_tables(events, choice))


def read_table(tables: Tables, file: Path) -> ir.Table:
    """Open a Parquet file beside the tables of a case, so that questions can join both."""
    return _engine_of(tables.dns_activity).read(tables.dns_activity, file)


def keep_table(rows: ir.Table, file: Path) -> None:
    """Write rows where `read_table` finds them."""
    _engine_of(rows).keep(rows, file)


def parked(rows: ir.Table) -> ir.Table:
    """`rows` computed once and held by the engine, not in the memory of this process; they go when it ends."""
    return _engine_of(rows).park(rows)


def _engine_of(rows: ir.Table) -> Engine:
    if rows.get_backend().name == "duckdb":
        return duckdb
    from playbooks.engine import spark

    return spark


__all__ = [
    "Engine",
    "Tables",
    "connect",
    "connect_closed",
    "keep_table",
    "open_tables",
    "parked",
    "read_table",
    "text_literal",
]
