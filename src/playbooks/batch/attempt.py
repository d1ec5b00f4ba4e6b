"""One attempt at one case, in a process of its own: whatever happens to it happens to nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import BinaryIO

from playbooks.cores import SHARE
from playbooks.runner.supervised import SUPERVISED

MOST_WORDS = 2000  # of what a run says when it fails
STOPPED = 124  # as `timeout` gives


@dataclass(frozen=True)
class Order:
    """What to run: made of plain values, so that it can travel to another machine of the same disk."""

    case: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 24 * 3600
    step_timeout_min: float = 360
    memory_gib: float | None = None
    fresh: bool = False
    cores: int | None = None


@dataclass(frozen=True)
class Ended:
    """How an attempt ended: the exit code of `playbooks run` (or the signal that killed it), and its last words."""

    code: int
    seconds: float
    words: str


def attempt(order: Order) -> Ended:
    """Run one case as `playbooks run` does, and wait for it; it is stopped when its time is over.

    Parameters
    ----------
    order
        Which case, with what, within which limits.

    Returns
    -------
    Ended
    """
    before = time.monotonic()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603  # our own command
            _command(order),
            stdin=subprocess.PIPE,  # held open: a run whose batch is gone ends itself
            stdout=subprocess.DEVNULL,
            stderr=said,
            env={**os.environ, SUPERVISED: "1"} | ({SHARE: str(order.cores)} if order.cores else {}),
            start_new_session=True,
        )
        try:
            code = process.wait(order.timeout_s)
        except subprocess.TimeoutExpired:
            code = STOPPED
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            if process.stdin:
                process.stdin.close()
        return Ended(code, round(time.monotonic() - before, 1), _words(code, said, order))


def _command(order: Order) -> list[str]:
    limits = ["--step-timeout", str(order.step_timeout_min)]
    limits += ["--memory", str(order.memory_gib)] if order.memory_gib else []
    limits += ["--fresh"] if order.fresh else []
    given = [part for name, value in order.parameters.items() for part in ("-p", f"{name}={value}")]
    return [sys.executable, "-P", "-m", "playbooks.cli", "run", "--json", *limits, *given, "--", order.case]


def _words(code: int, said: BinaryIO, order: Order) -> str:
    said.seek(0, os.SEEK_END)
    said.seek(max(0, said.tell() - MOST_WORDS * 4))
    text = said.read().decode("utf-8", "replace").strip()
    if code == STOPPED:
        return f"stopped after {order.timeout_s:,.0f} s. Give it more time with --timeout"
    if code < 0:
        return f"killed by signal {-code}" + (": the system was out of memory, or somebody did" if code == -9 else "")
    return text[-MOST_WORDS:] if code else ""
