"""How the benchmarks take and print a figure: ours, beside a floor measured in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable


def seconds(work: Callable[[], object]) -> float:
    before = time.perf_counter()
    work()
    return time.perf_counter() - before


def line(what: str, ours: float, floor_name: str, floor: float) -> None:
    print(f"{what:<46} {ours:8.2f} s   {floor_name:<44} {floor:8.2f} s   ratio {ours / floor:5.2f}", flush=True)
