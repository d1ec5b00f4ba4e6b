"""What preserving and verifying cost: a big file beside `sha256sum` and `cp`, many small ones beside `bagit.py`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import bagit

from benchmarks.measuring import line, seconds

BIG_GB = float(os.environ.get("BENCH_GB", "10"))
SMALL_FILES = int(os.environ.get("BENCH_FILES", "10000"))
MIB = 1 << 20
MEASURED = """
import json, resource, sys, time
from pathlib import Path
from playbooks import evidence
from playbooks.case import new_case, open_case
folder, source = Path(sys.argv[1]), Path(sys.argv[2])
case = new_case(folder, "BENCH") if source.exists() else open_case(folder)
start = time.perf_counter()
assert all(added.item for added in evidence.add(case, [source])) if source.exists() else evidence.verify(case).intact
print(json.dumps([time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]))
"""


def apart(folder: Path, source: Path) -> tuple[float, float]:
    """Seconds and peak MB of adding `source` (or of verifying, where it does not exist) in a process of its own."""
    done = subprocess.run([sys.executable, "-c", MEASURED, folder, source], capture_output=True, text=True, check=True)
    took, peak = json.loads(done.stdout)
    return float(took), float(peak)


def big_file(folder: Path) -> None:
    free = shutil.disk_usage(folder).free / (1 << 30)
    size = min(BIG_GB, free / 4)
    source = folder / "big.log"
    block = os.urandom(MIB)
    with source.open("wb") as log:
        for _ in range(int(size * 1024)):
            log.write(block)
    floor = seconds(lambda: subprocess.run(["sha256sum", source], stdout=subprocess.DEVNULL, check=True))
    floor += seconds(lambda: subprocess.run(["cp", source, folder / "copy.log"], check=True))
    (folder / "copy.log").unlink()
    took, peak = apart(folder / "big", source)
    name = f"preserve {size:.1f} GB in one file"
    line(name, took, "sha256sum and cp of the same file", floor)
    print(f"{'':<46} speed {floor / took:.2f} of sha256sum plus cp, peak memory {peak:,.0f} MB")
    verified, peak = apart(folder / "big", folder / "none")
    line("verify it", verified, "sha256sum and cp of the same file", floor)
    shutil.rmtree(folder / "big")
    source.unlink()


def small_files(folder: Path) -> None:
    source = folder / "small"
    source.mkdir()
    for number in range(SMALL_FILES):
        (source / f"{number:06d}.log").write_bytes(os.urandom(1000) * 2)
    shutil.copytree(source, folder / "bagit")
    made = seconds(lambda: bagit.make_bag(str(folder / "bagit"), checksums=["sha256", "sha512"]))
    validated = seconds(lambda: bagit.Bag(str(folder / "bagit")).validate())
    took, _ = apart(folder / "many", source)
    verified, _ = apart(folder / "many", folder / "none")
    line(f"preserve {SMALL_FILES:,} small files", took, "bagit.make_bag, which moves and does not copy", made)
    line("verify them", verified, "bagit.Bag.validate", validated)
    line("both", took + verified, "both", made + validated)


def measure(folder: Path) -> None:
    """Both, below `folder`."""
    big_file(folder)
    small_files(folder)
