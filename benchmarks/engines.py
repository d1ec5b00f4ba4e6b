"""What the same question costs on DuckDB and on a Spark cluster of this machine: wall time, and processor time of all.

Alone: `python -m benchmarks.engines 100000 1000000`. The question is that of egress pairs, with the contacts it starts
from; the first answer of a session is not counted, for Java compiles then. Processor time counts driver, Java and both
executors: on a machine that does other things as well, only that compares.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from tests.engine.cluster import SETTINGS, cluster, why_not

from playbooks import schema
from playbooks.case import CaseFile
from playbooks.engine import open_tables
from playbooks.engine_choice import DUCKDB, EngineChoice
from playbooks.scoping.egress_pairs import egress_pairs

SIZES = (100_000, 1_000_000)
EVENTS_A_PAIR = 28
BEGIN = dt.datetime(2026, 3, 10, tzinfo=dt.UTC)
VALUES = {
    "evidence_id": "'E001'",
    "record_no": "i + 1",
    "format": "'zeek_conn'",
    "time": f"to_timestamp({BEGIN.timestamp()} + (i * 7919) % 86400 + (hash(i) % 1000) / 1000)",
    "src_endpoint_ip": "'10.' || (p % 7) || '.' || ((p // 7) % 250) || '.9'",
    "src_endpoint_port": "1024 + hash(i) % 60000",
    "dst_endpoint_ip": "(20 + hash(p) % 150) || '.' || (hash(p) % 251) || '.' || ((hash(p) // 251) % 251) || '.7'",
    "dst_endpoint_port": "443",
    "traffic_bytes_out": "200 + hash(i) % 800",
    "traffic_bytes_in": "200 + hash(i) % 8000",
    "duration_ms": "hash(i) % 30000",
    "metadata_uid": "'C' || i",
}


def write_events(folder: Path, rows: int) -> None:
    """Connections of `rows` / `EVENTS_A_PAIR` pairs over a day, as `events/` of a case."""
    columns = ", ".join(
        f"CAST({VALUES.get(column.name, 'NULL')} AS {column.type}) AS {column.name}"
        for column in schema.NETWORK_ACTIVITY.columns
    )
    (folder / "network_activity").mkdir(parents=True)
    duckdb.execute(
        f"COPY (SELECT {columns} FROM (SELECT i, i // {EVENTS_A_PAIR} AS p FROM range({rows}) r(i))) "
        f"TO '{folder / 'network_activity' / 'E001.parquet'}' (FORMAT parquet)"
    )


def processor_s() -> float:
    """Seconds of processor that this process and everything below it has had."""
    ticks, below = os.sysconf("SC_CLK_TCK"), {os.getpid()}
    stats = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            stats[int(entry.name)] = (int(fields[1]), (int(fields[11]) + int(fields[12])) / ticks)
    for _ in range(8):
        below |= {process for process, (parent, _) in stats.items() if parent in below}
    return sum(used for process, (_, used) in stats.items() if process in below)


def cost(ask: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, used = time.perf_counter(), processor_s()
    ask()
    return time.perf_counter() - wall, processor_s() - used


def measure(folder: Path, sizes: tuple[int, ...], spark: EngineChoice) -> None:
    window = {"start": BEGIN, "end": BEGIN + dt.timedelta(days=1)}
    case = CaseFile.model_validate({"case_id": "BENCH", "window": window})
    print(f"{'events':>10} {'engine':8} {'wall s':>8} {'processor s':>12}")
    for rows in sizes:
        events = folder / str(rows)
        write_events(events, rows)
        for name, engine in (("duckdb", DUCKDB), ("spark", spark)):
            tables = open_tables(events, engine)
            if rows == sizes[0]:
                egress_pairs(tables, case)
            wall, used = cost(lambda tables=tables: egress_pairs(tables, case))
            print(f"{rows:>10,} {name:8} {wall:>8.1f} {used:>12.1f}", flush=True)


@contextmanager
def started(folder: Path) -> Iterator[EngineChoice]:
    compiling = {name: value for name, value in SETTINGS.items() if "codegen" not in name}
    with cluster(folder) as master:
        yield EngineChoice(kind="spark", master=master, settings=compiling)


def main(arguments: list[str]) -> None:
    if reason := why_not():
        print(f"Not measured: {reason}.")
        return
    with tempfile.TemporaryDirectory() as name, started(Path(name)) as spark:
        measure(Path(name), tuple(map(int, arguments)) or SIZES, spark)


if __name__ == "__main__":
    main(sys.argv[1:])
