"""Queries over runs of records, planned once: a wide format's plan takes longer than a small file's records.

DuckDB keeps the plan of a prepared statement as long as the catalogue stays the same. So what changes from run to run
is behind a name that is registered once, and hands out the records of the moment.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

import duckdb
import pyarrow as pa

from playbooks import engine
from playbooks.formats import MACROS, Format

MOST_PLANS = 32  # of a connection: a hostile log may name its columns anew on every line
MOST_IDLE = 32  # connections that wait with their plans: as many layouts as a folder of logs has


@cache
def _database(closed: bool = False) -> duckdb.DuckDBPyConnection:
    """One database a process: opening one and making the macros takes longer than a small file.

    A `closed` one is for own formats, whose SQL may come from a stranger.
    """
    con = engine.connect_closed() if closed else engine.connect()
    con.execute(MACROS)
    if not closed:
        con.execute("SET threads = 1")  # each mapper is a thread already
    return con


class _Given:
    """What DuckDB sees under a name: the table of the moment, by the methods of Arrow's PyCapsule interface."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_schema__(self) -> Any:
        return self.table.schema.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


class Statements:
    """A connection with its prepared queries; of one thread at a time."""

    def __init__(self, closed: bool, clock: str | None) -> None:
        self._con = _database(closed).cursor()
        self._con.execute("SET VARIABLE case_clock = ?", [clock or ""])
        self._given: dict[str, _Given] = {}
        self._names: OrderedDict[str, str] = OrderedDict()
        self._made = 0

    def put(self, name: str, table: pa.Table) -> None:
        """Make `table` what queries find under `name`."""
        given = self._given.get(name)
        if given is not None and given.table.schema == table.schema:
            given.table = table
            return
        self._given[name] = _Given(table)
        self._con.register(name, self._given[name])
        while self._names:  # their plans speak of another catalogue
            self._forget_oldest()

    def rows(self, sql: str, *texts: str) -> pa.Table:
        """The rows of a query; its parameters are texts."""
        if sql not in self._names:
            if len(self._names) >= MOST_PLANS:
                self._forget_oldest()
            self._made += 1
            self._con.execute(f"PREPARE statement_{self._made} AS {sql}")
            self._names[sql] = f"statement_{self._made}"
        self._names.move_to_end(sql)
        values = f"({', '.join(map(engine.text_literal, texts))})" if texts else ""
        return self._con.execute(f"EXECUTE {self._names[sql]}{values}").to_arrow_table()

    def _forget_oldest(self) -> None:
        _, name = self._names.popitem(last=False)
        self._con.execute(f"DEALLOCATE {name}")

    def rest(self) -> None:
        """Let go of the records."""
        for given in self._given.values():
            given.table = given.table.slice(0, 0)

    def close(self) -> None:
        self._con.close()


_idle: list[tuple[tuple[Format, str | None], Statements]] = []
_lock = Lock()


@contextmanager
def statements(form: Format, clock: str | None) -> Iterator[Statements]:
    """The queries of a format, for the thread that asks; those that nobody asks wait with their plans."""
    key = form, clock
    with _lock:
        at = next((place for place in range(len(_idle) - 1, -1, -1) if _idle[place][0] == key), None)
        found = _idle.pop(at)[1] if at is not None else None
    found = found or Statements(bool(form.sha256), clock)
    try:
        yield found
    finally:
        found.rest()
        with _lock:
            _idle.append((key, found))
            left = _idle.pop(0)[1] if len(_idle) > MOST_IDLE else None
        if left:
            left.close()
