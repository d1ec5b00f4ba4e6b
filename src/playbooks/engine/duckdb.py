"""DuckDB in this process: the engine of every case that names no other, and of everything that reads raw records.

The connection never leaves the machine: no extension is fetched, no remote path is read.
"""

from __future__ import annotations

import os
import tempfile
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from playbooks import schema
from playbooks.cores import cores
from playbooks.engine_choice import MEMORY

if TYPE_CHECKING:
    import ibis.expr.types as ir

MOST_MEMORY = 4 << 30
SHARE_OF_KERNEL = 0.3  # of what a kernel may use; frames, imports and what DuckDB does not count need the rest
UNPACKED = {"compression": "uncompressed", "parquet_version": "v2"}  # a cache: as small as packed v1, sooner read


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB: UTC, bounded memory, nothing fetched from a network.

    Returns
    -------
    duckdb.DuckDBPyConnection
    """
    con = duckdb.connect(
        config={
            "memory_limit": f"{_memory() >> 20}MiB",
            "threads": cores(),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "preserve_insertion_order": "true",
            # what does not fit into memory spills here, never into the case (the working folder of a kernel)
            "temp_directory": str(Path(tempfile.gettempdir()) / f"playbooks-{os.getpid()}"),
        }
    )
    con.execute("SET GLOBAL TimeZone = 'UTC'")  # for every cursor of it too
    return con


def _memory() -> int:
    """Bytes from which DuckDB spills: fewer where the kernel would be stopped for them."""
    kernel = os.environ.get(MEMORY, "")
    return min(MOST_MEMORY, int(SHARE_OF_KERNEL * int(kernel))) if kernel.isdigit() else MOST_MEMORY


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


def open_tables(events: Path) -> dict[str, ir.Table]:
    """The tables below `events`, by name."""
    import ibis

    from playbooks.engine.rowless import Backend

    con = connect()
    backend = Backend.from_connection(con)
    ibis.options.sql.fuse_selects = False  # DuckDB's own optimiser does it, at a fraction of the time
    found = {}
    for name, table in schema.TABLES.items():
        files = sorted((events / name).glob("*.parquet"))
        con.execute(f"CREATE VIEW {name} AS {_select(table, files)}")
        found[name] = backend.table(name)
        if not files:
            backend.know_rowless(found[name])
    return found


def read(rows: ir.Table, file: Path) -> ir.Table:
    """A Parquet file, for the connection that `rows` belong to."""
    import pyarrow.parquet as pq

    backend = rows.get_backend()
    table: ir.Table = backend.read_parquet(str(file))
    if not pq.read_metadata(file).num_rows:
        backend.know_rowless(table)
    return table


def keep(rows: ir.Table, file: Path) -> None:
    """Write rows to a Parquet file."""
    rows.to_parquet(file, **UNPACKED)


def scan(beside: ir.Table, root: Path, names: list[str]) -> ir.Table:
    """Files of a lake, each row with its file (`lake_file`) and its place in it from 0 (`lake_row`)."""
    backend = beside.get_backend()
    files = ", ".join(text_literal(str(root / name)) for name in names)
    start = len(str(root)) + 2
    return backend.sql(
        f"SELECT * EXCLUDE (filename, file_row_number), substr(filename, {start}) AS lake_file, "
        f"file_row_number AS lake_row FROM read_parquet([{files}], union_by_name = true, filename = true, "
        "file_row_number = true, hive_partitioning = false)"
    )


def park(rows: ir.Table) -> ir.Table:
    """Rows in a file of this process."""
    file = Path(_parking().name) / f"{next(_PARKED)}.parquet"
    keep(rows, file)
    return read(rows, file)


_PARKED = count()


@cache
def _parking() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="playbooks-")


def _select(table: schema.Table, files: list[Path]) -> str:
    if files:
        names = ", ".join(text_literal(str(file)) for file in files)
        timed = " WHERE time IS NOT NULL" if table.name in schema.EVENT_TABLES else ""
        return f"SELECT {', '.join(table.names)} FROM read_parquet([{names}]){timed}"
    empty = ", ".join(f"NULL::{column.type} AS {column.name}" for column in table.columns)
    return f"SELECT {empty} WHERE false"


def text_literal(text: str) -> str:
    """`text` as a SQL string literal; a quote inside is doubled."""
    return "'" + text.replace("'", "''") + "'"
