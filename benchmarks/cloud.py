"""What the control plane costs: CloudTrail read and analysed end to end, beside DuckDB's plain COPY of the same files.

Each part runs in a process of its own, so that peak memory is its own. Processor seconds stand beside those of the
clock: where others use the cores too, the ratio of these says more. Analysis alone is measured on the events of
one hour, repeated as Parquet, so that its growth shows without waiting for reading.
Run it with `python -m benchmarks.cloud 8000000`.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import duckdb

from benchmarks.cloudtrail_mix import HOUR_RECORDS, NUMBER_MARK, moment, write_hours
from benchmarks.reading import ADD, COPY, READ, apart
from playbooks import schema

SIZES = (1_000_000, 2_000_000)
LEAST_A_SECOND, MOST_MB = 120_000, 3_000  # the project's own goals for 8 million events, read and analysed
BASELINE_SHARE = 0.6  # of the hours; the rest is the window
FLOOR = "SELECT unnest(Records) FROM read_json('{files}', maximum_object_size = 100000000)"
HOURS_A_FILE = 40  # of the repeated events, one Parquet file each
ANALYSE = """
import json, resource, sys, time
from pathlib import Path
from playbooks.case import open_case
from playbooks.guide.results import Results
PARTS = ("coverage", "activity", "resources", "role_links", "chains", "_judged", "findings")
if __name__ == "__main__":
    results = Results(open_case(Path(sys.argv[1])))
    if sys.argv[2] == "events":
        results.readings = []
    told, results.tables = {}, results.tables
    for part in PARTS:
        start = time.perf_counter()
        getattr(results, part)
        told[part] = (time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(told))
"""


def new_case(folder: Path, source: Path, hours: int) -> None:
    """A case with the files as evidence, a baseline and a window."""
    apart(folder, ADD, folder / "case", source)
    write_spans(folder / "case", hours)


def write_spans(case: Path, hours: int, end: datetime | None = None) -> None:
    """The first hours are the baseline of a case, the others its window."""
    middle = int(hours * BASELINE_SHARE)
    spans = {"baseline": (moment(0), moment(middle)), "window": (moment(middle), end or moment(hours))}
    lines = [f"{name}: {{start: {a.isoformat()}, end: {b.isoformat()}}}\n" for name, (a, b) in spans.items()]
    kept = [line for line in (case / "case.yaml").read_text().splitlines(True) if not line.startswith(tuple(spans))]
    (case / "case.yaml").write_text("".join([*kept, *lines]), encoding="utf-8")


def repeat_events(case: Path, hours: int) -> None:
    """Events of the first hour again and again, each time with the marks of another hour."""
    folder = case / "events" / "api_activity"
    (hour,) = (str(folder / "*.parquet"),)
    texts = [one.name for one in schema.TABLES["api_activity"].columns if one.type == "VARCHAR"]
    marked = ", ".join(f"replace({name}, '{NUMBER_MARK}', mark) AS {name}" for name in texts if name != "evidence_id")
    con = duckdb.connect()
    con.execute(f"CREATE TABLE hour AS SELECT * FROM read_parquet('{hour}')")
    subprocess.run(["rm", "-rf", folder], check=True)
    folder.mkdir()
    for start in range(0, hours, HOURS_A_FILE):
        item, numbers = f"E{start // HOURS_A_FILE + 1:03d}", f"range({start}, {min(start + HOURS_A_FILE, hours)})"
        con.execute(
            f"""COPY (SELECT * REPLACE ({marked}, '{item}' AS evidence_id, time + number * INTERVAL 1 HOUR AS time,
                    number * {HOUR_RECORDS} + row_number() OVER (PARTITION BY number ORDER BY evidence_id, record_no)
                    AS record_no) FROM hour, (SELECT range AS number, printf('n%05d', range) AS mark FROM {numbers}))
                TO '{folder / item}.parquet' (FORMAT parquet, COMPRESSION zstd)"""
        )


def analysed(folder: Path, case: Path, source: str) -> dict[str, tuple[float, float]]:
    """Seconds and peak MB so far, of each part of analysing."""
    script = folder / "analysed.py"
    script.write_text(ANALYSE, encoding="utf-8")
    done = subprocess.run([sys.executable, script, case, source], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    told: dict[str, tuple[float, float]] = json.loads(done.stdout)
    return told


def alone(folder: Path, records: int) -> None:
    """Analysis of events that are read already."""
    hours = records // HOUR_RECORDS
    source, case = folder / "hour", folder / "case"
    write_hours(source, HOUR_RECORDS)
    new_case(folder, source, hours)
    apart(folder, READ, case)
    repeat_events(case, hours)
    told = analysed(folder, case, "events")
    _tell("analyse alone", records, told)
    subprocess.run(["rm", "-rf", case, source], check=True)


def together(folder: Path, records: int) -> None:
    """Reading and analysis of the same files, beside the floor."""
    hours = records // HOUR_RECORDS
    source, case = folder / "trail", folder / "case"
    write_hours(source, records)
    begin = _processor()
    floor, _, _ = apart(folder, COPY, FLOOR.format(files=source / "*.json.gz"), folder / "floor.parquet")
    floor_work = _processor() - begin
    new_case(folder, source, hours)
    begin = _processor()
    took, peak, events = apart(folder, READ, case)
    read_work = _processor() - begin
    told = {"read": (took, peak)} | analysed(folder, case, "read")
    work = _processor() - begin
    assert events == records, f"{events:,} events of {records:,} records"
    _tell("read and analyse", records, told, floor)
    print(
        f"{'processor seconds':<17} {records:>9,} events {work:7.2f} s, COPY {floor_work:6.2f} s, "
        f"ratio {work / floor_work:5.2f}, reading alone {read_work / floor_work:5.2f}, "
        f"{records / work:>9,.0f} a second of one core",
        flush=True,
    )
    subprocess.run(["rm", "-rf", case, source], check=True)


def _processor() -> float:
    """Processor seconds of all processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tell(what: str, records: int, told: dict[str, tuple[float, float]], floor: float = 0.0) -> None:
    took, peak = sum(seconds for seconds, _ in told.values()), max(mb for _, mb in told.values())
    beside = f", COPY {floor:6.2f} s, ratio {took / floor:5.2f}" if floor else ""
    parts = ", ".join(f"{name.strip('_')} {seconds:.1f} s" for name, (seconds, _) in told.items())
    print(
        f"{what:<17} {records:>9,} events {took:7.2f} s{beside}, {records / took:>9,.0f} a second, {peak:6,.0f} MB "
        f"(goal: {LEAST_A_SECOND:,} a second, {MOST_MB:,} MB): {parts}",
        flush=True,
    )


def measure(folder: Path, sizes: tuple[int, ...] = SIZES) -> None:
    """Print three lines a size: analysis alone, reading and analysis, and what both took of the processor."""
    for records in sizes:
        alone(folder, records)
        together(folder, records)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), tuple(map(int, sys.argv[1:])) or SIZES)
