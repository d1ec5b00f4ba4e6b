"""What reading costs: eight formats to Parquet, beside DuckDB's own COPY of the same file in the same run.

Both write Parquet, each in a process of its own, so that peak memory is theirs. Two sizes show how cost grows.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.logs import CLOUDTRAIL, CLOUDTRAIL_FILE, LOGS, Log, write, write_cloudtrail

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
MORE_ROWS = int(os.environ.get("BENCH_MORE_ROWS", str(10 * ROWS)))
READ = """
import json, resource, sys, time
from pathlib import Path
from playbooks.case import open_case
from playbooks.normalise import normalise
if __name__ == "__main__":
    case = open_case(Path(sys.argv[1]))
    start = time.perf_counter()
    events = sum(reading.events for reading in normalise(case))
    took = time.perf_counter() - start
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    print(json.dumps([took, peak, events]))
"""
COPY = """
import resource, sys, time, duckdb, json
con = duckdb.connect()
start = time.perf_counter()
con.execute(f"COPY ({sys.argv[1]}) TO '{sys.argv[2]}' (FORMAT parquet, COMPRESSION zstd)")
print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 0]))
"""
ADD = """
import sys
from pathlib import Path
from playbooks import evidence
from playbooks.case import new_case
assert all(added.item for added in evidence.add(new_case(Path(sys.argv[1]), "BENCH"), [Path(sys.argv[2])]))
"""


def apart(folder: Path, code: str, *given: object) -> tuple[float, float, int]:
    """Seconds, peak MB and events of a script in a process of its own."""
    script = folder / "measured.py"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, script, *map(str, given)], capture_output=True, text=True, check=True)
    took, peak, events = json.loads(done.stdout or "[0, 0, 0]")
    return float(took), float(peak), int(events)


def of_case(folder: Path, source: Path, records: int) -> tuple[float, float]:
    """Seconds and peak MB of reading one case that holds `source`."""
    case = folder / f"case-{source.name}"
    apart(folder, ADD, case, source)
    took, peak, events = apart(folder, READ, case)
    assert events == records, f"{source.name}: {events:,} events of {records:,} records"
    subprocess.run(["rm", "-rf", case], check=True)  # read-only, as evidence is
    return took, peak


def measure(folder: Path) -> None:
    """Print one line a format and size."""
    for log in LOGS:
        before = 0.0
        for records in (ROWS, MORE_ROWS):
            before = _line(folder, log, records, before)
    for records in (ROWS, MORE_ROWS):
        _cloudtrail(folder, records)


def _line(folder: Path, log: Log, records: int, before: float) -> float:
    """Seconds a record; printed beside those at the smaller size."""
    file = folder / log.format
    write(log, file, records)
    floor, _, _ = apart(folder, COPY, log.floor.format(file=file), folder / "floor.parquet")
    took, peak = of_case(folder, file, records)
    each = took / records
    growth = f", {each / before:.2f} × the time a record at {ROWS:,}" if before else ""
    print(
        f"read {log.format:<22} {records:>11,} {took:7.2f} s, COPY {floor:7.2f} s, ratio {took / floor:5.2f} "
        f"(at most {log.most:g}), {records / took:>9,.0f} a second, {peak:5,.0f} MB{growth}",
        flush=True,
    )
    file.unlink()
    return each


def _cloudtrail(folder: Path, records: int) -> None:
    source = folder / "cloudtrail"
    write_cloudtrail(source, records)
    asked = CLOUDTRAIL.floor.format(file=source / "*.json.gz")
    floor, _, _ = apart(folder, COPY, asked, folder / "floor.parquet")
    took, peak = of_case(folder, source, records)
    print(
        f"read {CLOUDTRAIL.format:<22} {records:>11,} {took:7.2f} s, COPY {floor:7.2f} s, ratio {took / floor:5.2f} "
        f"(at most {CLOUDTRAIL.most:g}), {records / took:>9,.0f} a second, {peak:5,.0f} MB, "
        f"{records // CLOUDTRAIL_FILE:,} packed files",
        flush=True,
    )
    for file in source.iterdir():
        file.unlink()
