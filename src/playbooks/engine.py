"""The one place where a query engine is opened: DuckDB in this process, and Ibis on top of it.

The connection never leaves the machine: no extension is fetched, no remote path is read.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from playbooks import schema

if TYPE_CHECKING:
    import ibis.expr.types as ir

MEMORY_LIMIT = "4GB"
UNPACKED = {"compression": "uncompressed", "parquet_version": "v2"}  # a cache: as small as packed v1, sooner read


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB: UTC, bounded memory, nothing fetched from a network.

    Returns
    -------
    duckdb.DuckDBPyConnection
    """
    con = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "threads": os.cpu_count() or 2,
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": "true",
            # what does not fit into memory spills here, never into the case (the working folder of a kernel)
            "temp_directory": str(Path(tempfile.gettempdir()) / f"playbooks-{os.getpid()}"),
        }
    )
    con.execute("SET GLOBAL TimeZone = 'UTC'")  # for every cursor of it too
    return con


def connect_closed() -> duckdb.DuckDBPyConnection:
    """Open a DuckDB like `connect`, for SQL of strangers: no file, no extension, no setting can be reached from it.

    Returns
    -------
    duckdb.DuckDBPyConnection
    """
    con = connect()
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    return con


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


def open_tables(events: Path) -> Tables:
    """Open `events/` of a case for questions. Events without a time stay out: no question could place them.

    Parameters
    ----------
    events
        Folder with one sub-folder per table and one Parquet file per evidence item.

    Returns
    -------
    Tables
        Ibis tables with the columns of `schema`, rows in no promised order.
    """
    import ibis

    con = connect()
    for table in schema.TABLES.values():
        con.execute(f"CREATE VIEW {table.name} AS {_select(table, events / table.name)}")
    backend = ibis.duckdb.from_connection(con)
    return Tables(**{name: backend.table(name) for name in schema.TABLES})


def read_table(tables: Tables, file: Path) -> ir.Table:
    """Open a Parquet file beside the tables of a case, so that questions can join both."""
    table: ir.Table = tables.dns_activity.get_backend().read_parquet(str(file))
    return table


def parked(rows: ir.Table) -> ir.Table:
    """`rows` computed once and held in a file of this process, not in its memory; the file goes when it ends."""
    file = Path(_parking().name) / f"{next(_PARKED)}.parquet"
    rows.to_parquet(file, **UNPACKED)
    table: ir.Table = rows.get_backend().read_parquet(str(file))
    return table


_PARKED = count()


@cache
def _parking() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="playbooks-")


def _select(table: schema.Table, folder: Path) -> str:
    files = sorted(folder.glob("*.parquet")) if folder.is_dir() else []
    if files:
        names = ", ".join(text_literal(str(file)) for file in files)
        timed = " WHERE time IS NOT NULL" if table.name in schema.EVENT_TABLES else ""
        return f"SELECT {', '.join(table.names)} FROM read_parquet([{names}]){timed}"
    empty = ", ".join(f"NULL::{column.type} AS {column.name}" for column in table.columns)
    return f"SELECT {empty} WHERE false"


def text_literal(text: str) -> str:
    """`text` as a SQL string literal; a quote inside is doubled."""
    return "'" + text.replace("'", "''") + "'"
