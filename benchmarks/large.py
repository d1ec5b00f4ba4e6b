"""A large case from file to report under a memory cap, through the same command as any other.

    python -m benchmarks.large 50 2 140

Fifty million lines of a proxy's log, 2 GiB for each kernel, 140 contacts a pair (the default of both). A kernel that
goes past the cap is stopped by the run and the step fails, so a run that ends has kept to it; what each step took at
most is printed. The floor is DuckDB's scan of the same file in the same run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.reading import ADD, apart
from benchmarks.scoping import SCAN, SOURCES, write

MILLION = 1_000_000
SQUID = next(source for source in SOURCES if source.name == "squid_access")


def large(millions: float, gib: float = 2, contacts_a_pair: int = 140) -> None:
    """Print what each step of the run took, in seconds and memory."""
    rows = int(millions * MILLION)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log, case = folder / "access.log", folder / "case"
        write(SQUID, log, rows, rows // contacts_a_pair)
        scan = f"SELECT count(*), count(COLUMNS(*)) FROM read_csv('{log}', all_varchar = true, {SQUID.scan})"
        floor, _, _ = apart(folder, SCAN, scan)
        before = time.perf_counter()
        apart(folder, ADD, case, log)
        print(f"{rows:,} lines, {log.stat().st_size / 2**30:.1f} GiB: scan {floor:.1f} s", end="")
        print(f", preserved in {time.perf_counter() - before:.1f} s", flush=True)
        log.unlink()
        _tell(run_case(case, gib), floor)
        subprocess.run(["chmod", "-R", "u+w", case], check=True)  # read-only, as evidence is


@dataclass
class Ran:
    """One `playbooks run`: its exit code, its record, the largest process of each step in bytes, and its last words."""

    code: int
    record: dict[str, Any]
    peaks: dict[str, int]
    seconds: float
    said: str


def run_case(case: Path, gib: float) -> Ran:
    """Run a case as a program of its own, looked at twice a second."""
    command = [sys.executable, "-m", "playbooks.cli", "run", str(case), "--json", "--memory", str(gib)]
    before, peaks = time.perf_counter(), defaultdict[str, int](int)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        thread = threading.Thread(target=_watch, args=(psutil.Process(process.pid), case, peaks))
        thread.start()
        _, said = process.communicate()
        thread.join()
    took = time.perf_counter() - before
    record = json.loads((case / "run.json").read_text(encoding="utf-8"))
    return Ran(process.returncode, record, peaks, took, said)


def _tell(ran: Ran, floor: float) -> None:
    for step in ran.record["steps"]:
        words = f"{step['status']:<8} {step['seconds']:8.1f} s {ran.peaks[step['name']] / 2**20:7,.0f} MB at most"
        print(f"{step['name']:<22} {words}  {step.get('error') or ''}")
    print(
        f"the whole run: exit code {ran.code}, {ran.seconds:,.0f} s, {ran.seconds / floor:.1f} times the scan", end=""
    )
    print(f" {ran.said[-300:]}" if ran.code else "")


def _watch(run: psutil.Process, case: Path, peaks: dict[str, int]) -> None:
    """The memory of the largest process of the run, twice a second, by the step that was running."""
    while run.is_running() and run.status() != psutil.STATUS_ZOMBIE:
        step = _running(case)
        for process in (run, *run.children(recursive=True)):
            try:
                peaks[step] = max(peaks[step], process.memory_info().rss)
            except psutil.NoSuchProcess:
                continue
        time.sleep(0.5)


def _running(case: Path) -> str:
    """The step whose notebook is being written."""
    written = sorted((case / "notebooks").glob("[1-6]_*.ipynb"), key=lambda file: file.stat().st_mtime)
    return written[-1].stem if written else "1_preserve_evidence"


if __name__ == "__main__":
    large(*(kind(text) for kind, text in zip((float, float, int), sys.argv[1:], strict=False)))
