"""What scoping costs, from a log to scored pairs: Zeek's conn.log and Squid's, beside DuckDB's plain scan of the file.

Each step runs in a process of its own, so that peak memory is its own. The scan counts every column as text and
writes nothing. Two sizes show how cost grows; the goals are the project's own.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

import duckdb

from benchmarks.reading import ADD, MORE_ROWS, READ, ROWS, apart

EVENTS_A_PAIR = (28, 2)  # a pair is called all day, or hardly ever: 360,000 and 5 million pairs of 10 million rows
MOST, LEAST_A_SECOND, MOST_MB, MOST_GROWTH = 5, 700_000, 2_500, 1.2
BEGIN_S, DAY_S = 1_793_500_000, 86_400
CONN = (
    *("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "service", "duration", "orig_bytes"),
    *("resp_bytes", "conn_state", "missed_bytes", "history", "orig_pkts", "orig_ip_bytes", "resp_pkts"),
    "resp_ip_bytes",
)
# p is the pair, i the row; 70,000 clients at most, and as many destinations as there are pairs
CLIENT = "'10.' || (p % 7) || '.' || ((p // 7) % 250) || '.' || ((p // 1750) % 40 + 1)"
SERVER = "(20 + (hash(p) // 7) % 150) || '.' || (hash(p) % 251) || '.' || ((hash(p) // 251) % 251) || '.' || (p % 251)"
CONN_ROW = f"""printf('%.6f', moment), 'C' || substr(md5(i::VARCHAR), 1, 16), {CLIENT}, 1024 + hash(i) % 60000,
    {SERVER}, 443, 'tcp', 'ssl', printf('%.6f', hash(i) % 30000 / 1000), 200 + hash(i) % 800, 200 + hash(i) % 8000,
    'SF', 0, 'ShADadFf', 8, 600 + hash(i) % 800, 9, 700 + hash(i) % 8000"""
SQUID_ROW = f"""printf('%.3f', moment) || ' ' || (hash(i) % 4000) || ' ' || {CLIENT} || ' TCP_TUNNEL/200 '
    || (hash(i) % 90000) || ' CONNECT h' || (p % 5000) || '.site' || (hash(p) % 997) || '.example.test:443 - '
    || 'HIER_DIRECT/198.51.100.' || (hash(p) % 199) || ' -'"""
SCAN = """
import json, resource, sys, time, duckdb
con = duckdb.connect()
start = time.perf_counter()
events = con.execute(sys.argv[1]).fetchall()[0][0]
print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, events]))
"""
STEP = """
import json, resource, sys, time
from pathlib import Path
from playbooks.case import open_case
from playbooks.guide.results import Results
if __name__ == "__main__":
    results = Results(open_case(Path(sys.argv[1])))
    results.tables
    start = time.perf_counter()
    found = getattr(results, sys.argv[2])
    took = time.perf_counter() - start
    rows = len(found) if sys.argv[2] != "_contacts" else found.count().to_pyarrow().as_py()
    print(json.dumps([took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, rows]))
"""
STEPS = {"contacts": "_contacts", "pairs": "scoped_pairs"}


@dataclass(frozen=True)
class Source:
    """A log: what a row is, what stands above, and the options of the scan."""

    name: str
    row: str
    header: str
    scan: str


SOURCES = (
    Source(
        "zeek_conn",
        CONN_ROW,
        "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#fields\t"
        + "\t".join(CONN)
        + "\n",
        f"delim = '\t', comment = '#', header = false, names = {list(CONN)}",
    ),
    Source("squid_access", SQUID_ROW, "", "delim = '\t', header = false, quote = '', names = ['line']"),
)


def write(source: Source, file: Path, rows: int, pairs: int) -> None:
    """A day of `rows` contacts, spread evenly over time and `pairs`."""
    body = file.with_suffix(".body")
    moment = f"{BEGIN_S} + i * {DAY_S}.0 / {rows}"
    asked = f"SELECT i, hash(i, 'pair') % {pairs} AS p, {moment} AS moment FROM range({rows}) t(i)"
    duckdb.execute(
        f"COPY (SELECT {source.row} FROM ({asked})) TO '{body}' (FORMAT csv, DELIMITER '\t', HEADER false, QUOTE '')"
    )
    file.write_text(source.header, encoding="utf-8")
    with file.open("ab") as whole:
        subprocess.run(["cat", body], stdout=whole, check=True)
    body.unlink()


def measure(folder: Path) -> None:
    """Print the lines of each log, size and number of pairs."""
    for source in SOURCES:
        for events in EVENTS_A_PAIR:
            before: dict[str, float] = {}
            for rows in (ROWS, MORE_ROWS):
                before = _of_log(folder, source, rows, rows // events, before)


def _of_log(folder: Path, source: Source, rows: int, pairs: int, before: dict[str, float]) -> dict[str, float]:
    """Seconds a row of each step; printed beside those at the smaller size."""
    file, case = folder / "access.log", folder / "case-scoping"
    write(source, file, rows, pairs)
    floor, _, _ = apart(
        folder, SCAN, f"SELECT count(*), count(COLUMNS(*)) FROM read_csv('{file}', all_varchar = true, {source.scan})"
    )
    apart(folder, ADD, case, file)
    taken = {"read": apart(folder, READ, case)}
    taken |= {step: apart(folder, STEP, case, name) for step, name in STEPS.items()}
    subprocess.run(["rm", "-rf", case, file], check=True)  # read-only, as evidence is
    found = taken["pairs"][2]
    taken["together"] = (sum(took for took, _, _ in taken.values()), max(peak for _, peak, _ in taken.values()), found)
    for step, (took, peak, _) in taken.items():
        _tell(f"{step} {source.name}", rows, found, took, floor, peak, before.get(step))
    return {step: took / rows for step, (took, _, _) in taken.items()}


def _tell(what: str, rows: int, pairs: int, took: float, floor: float, peak: float, before: float | None) -> None:
    growth = f", {took / rows / before:.2f} × the time a row at {ROWS:,}" if before else ""
    goal = (
        f" (goal: ratio {MOST}, {LEAST_A_SECOND:,} a second, {MOST_MB:,} MB, growth {MOST_GROWTH})"
        if what.startswith("together")
        else ""
    )
    print(
        f"{what:<21} {rows:>11,} rows {pairs:>9,} pairs {took:7.2f} s, scan {floor:6.2f} s, ratio {took / floor:5.2f}, "
        f"{rows / took:>9,.0f} a second, {peak:6,.0f} MB{growth}{goal}",
        flush=True,
    )
