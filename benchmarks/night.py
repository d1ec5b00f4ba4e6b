"""A night of small cases: rate with one worker and with two, memory over the night, and a soak with hostile cases.

    python -m benchmarks.night rate 100
    python -m benchmarks.night soak 1000
    python -m benchmarks.night soak 1000 small

`small` puts notebooks of one cell in place of the kit's: the batch is under test then, not what it asks. `soak`
makes one case in twenty hostile (a case file that is none, evidence that was changed, a kernel that is killed, an
endless loop, memory without end, a disk that is full), kills the batch ten times on the way, and counts.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from tests.small import small_case as of_one_line
from tests.small import write_notebooks

from benchmarks.measuring import line
from playbooks import evidence
from playbooks.case import Case, new_case
from playbooks.evidence import custody
from playbooks.notebook_files import notebooks_folder
from playbooks.runner.record import DONE

KILLS = 10
BEHAVE = "\nfrom pathlib import Path\nif Path('behaviour.py').exists(): exec(Path('behaviour.py').read_text())\n"
BEHAVIOURS = {
    "endless": "while True: pass",
    "grows": "waste = []\nwhile True: waste.append(b'x' * (1 << 20))",
    "killed": "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
    "disk full": "raise OSError(28, 'No space left on device')",
}
HOSTILE = (*BEHAVIOURS, "no case file", "changed evidence")


def small_case(folder: Path, number: int) -> Case:
    """A case with two hours of a proxy: three hundred lines, one client in a rhythm."""
    rng = random.Random(number)
    made = new_case(folder, f"NIGHT-{number:04}")
    log = folder.parent / f"{folder.name}.log"
    start = 1773133200
    stamps = [(start + 75 * n + rng.uniform(-3, 3), "10.0.0.5", f"t{number}.workers.dev") for n in range(96)]
    stamps += [
        (start + rng.uniform(0, 7200), f"10.0.0.{rng.randrange(6, 40)}", f"site{rng.randrange(30)}.example")
        for _ in range(204)
    ]
    log.write_text(
        "".join(
            f"{at:.3f} 120 {src} TCP_MISS/200 {rng.randrange(500, 9000)} GET http://{host}/ - "
            "HIER_DIRECT/192.0.2.1 text/html\n"
            for at, src, host in sorted(stamps)
        )
    )
    evidence.add(made, [log])
    log.unlink()
    return made


def night(folder: Path, count: int, small: bool = False) -> Path:
    """That many small cases."""
    cases = folder / "cases"
    cases.mkdir()
    for number in range(count):
        if small:
            of_one_line(cases / f"{number:04}", f"NIGHT-{number:04}")
        else:
            small_case(cases / f"{number:04}", number)
    return cases


def batch(cases: Path, workers: int, *options: str, **environment: str) -> subprocess.Popen[bytes]:
    """A batch as a program of its own."""
    command = [sys.executable, "-m", "playbooks.cli", "batch", str(cases), "--workers", str(workers), *options]
    return subprocess.Popen(
        command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def watched(process: subprocess.Popen[bytes]) -> list[int]:
    """Memory of the batch and of what its kernels come from, in bytes, once a second until it ends."""
    seen = []
    while process.poll() is None:
        with suppress(psutil.Error):
            here = psutil.Process(process.pid)
            kept = [one for one in here.children() if "playbooks.nursery" in one.cmdline()]
            seen.append(sum(one.memory_info().rss for one in (here, *kept)))
        time.sleep(1)
    return seen


def _of_tenth(memory: list[int], tenth: int) -> float:
    """MB in one tenth of the time. Of the last one the end is left out, where the index of all cases is written."""
    size = max(1, len(memory) // 10)
    return statistics.median(memory[tenth * size : (tenth + 1) * size]) / 2**20


def rate(count: int) -> None:
    """Print cases a second with one worker and with two, and what the memory of the batch did."""
    rates = {}
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as name:
            cases = night(Path(name), count)
            before = time.perf_counter()
            process = batch(cases, workers)
            memory = watched(process)
            rates[workers] = count / (time.perf_counter() - before)
            assert process.returncode == 0, process.returncode
            first, last = _of_tenth(memory, 1), _of_tenth(memory, 8)
            print(
                f"{count} cases, {workers} workers: {rates[workers]:.3f} cases/s; memory of the batch and its nursery "
                f"{first:.1f} MB in the second tenth, {last:.1f} MB in the ninth ({last / first:.3f})",
                flush=True,
            )
    line("two workers", 1 / rates[2], "half the time of one worker", 1 / (2 * rates[1]))


def soak(count: int, *small: str) -> None:
    """Print what became of every case of a night with hostile ones, whose batch was killed again and again."""
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        notebooks = folder / "notebooks"
        if small:
            write_notebooks(notebooks)
        else:
            shutil.copytree(notebooks_folder(), notebooks)
        _behave(notebooks / "2_check_coverage.ipynb")
        (folder / "sitecustomize.py").write_text(
            "import playbooks.notebook_files as files\nfrom pathlib import Path\n"
            f"files._data_folder = lambda *_: Path({str(notebooks)!r})\n"
        )
        cases = night(folder, count, bool(small))
        hostile = _spoil(cases, count, rng)
        options = ("--memory", "1.5", "--step-timeout", "0.4" if small else "3", "--back-off", "1")
        before = time.perf_counter()
        for _ in range(KILLS):
            process = batch(cases, 2, *options, PYTHONPATH=str(folder))
            time.sleep(rng.uniform(0.5, 60))
            process.send_signal(signal.SIGKILL)
            process.wait()
        process = batch(cases, 2, *options, PYTHONPATH=str(folder))
        memory = watched(process)
        _tell(cases, hostile, process.returncode, time.perf_counter() - before, memory)


def _behave(notebook: Path) -> None:
    content = json.loads(notebook.read_text(encoding="utf-8"))
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    code[-1]["source"] = ["".join(code[-1]["source"]) + BEHAVE]
    notebook.write_text(json.dumps(content), encoding="utf-8")


def _spoil(cases: Path, count: int, rng: random.Random) -> dict[str, str]:
    hostile = {}
    for place, number in enumerate(sorted(rng.sample(range(count), max(count // 20, len(HOSTILE))))):
        kind, case = HOSTILE[place % len(HOSTILE)], cases / f"{number:04}"
        hostile[case.name] = kind
        if kind in BEHAVIOURS:
            (case / "behaviour.py").write_text(BEHAVIOURS[kind])
        elif kind == "no case file":
            (case / "case.yaml").write_text("case_id: [\n")
        else:
            item = next((case / "evidence" / "data").iterdir())
            item.chmod(0o644)
            item.write_text("something else\n")
    return hostile


def _tell(cases: Path, hostile: dict[str, str], code: int, seconds: float, memory: list[int]) -> None:
    book = json.loads((cases / "batch.json").read_text())
    rows = {Path(row["case"]).name: row for row in book["cases"]}
    good = [name for name in rows if name not in hostile]
    lost = [name for name in good if rows[name]["state"] != "done"]
    named = Counter(
        kind for name, kind in hostile.items() if rows[name]["state"] == "set aside" and rows[name]["error"]
    )
    chains = {name: custody.entries(cases / name / "custody.jsonl") for name in good}
    twice = [name for name, chain in chains.items() if _ran_again(chain)]
    ends = {name: sum(act["activity"] == "ran" for act in chain) for name, chain in chains.items()}
    open_ = [name for name, count in ends.items() if not count]
    gone_on = sum(count > 1 for count in ends.values())
    print(
        f"{len(rows):,} cases, {KILLS} kills, {seconds:,.0f} s, exit code {code}: {len(good) - len(lost):,} of "
        f"{len(good):,} good ones done, {sum(named.values())} of {len(hostile)} hostile ones named {dict(named)}, "
        f"lost {lost}, run twice {twice}, broken off and gone on with {gone_on}, never closed {open_}; "
        f"memory of the batch {memory[0] / 2**20:.1f} to {max(memory) / 2**20:.1f} MB"
    )


def _ran_again(chain: list[dict[str, Any]]) -> bool:
    """Whether a run was begun on a step that a run before it had ended."""
    done: set[str] = set()
    for act in chain:
        if act["activity"] == "read" and done & set(act["steps"]):
            return True
        if act["activity"] == "ran":
            done |= {step for step, state in act["steps"].items() if state == DONE}
    return False


if __name__ == "__main__":
    {"rate": rate, "soak": soak}[sys.argv[1]](int(sys.argv[2]), *sys.argv[3:])
