"""One notebook through papermill, watched from outside: a kernel that hangs or grows is stopped, and it is said why."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import papermill
import psutil
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError

from playbooks.kernels import end, pid_of
from playbooks.runner import saving
from playbooks.steps import OWN_PARAMETER

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

LOOK_EVERY_S = 0.2
PATIENCE_S = 30  # for papermill to notice that its kernel is gone
GIB = 1 << 30
SHARE_OF_MEMORY = 0.75


@dataclass(frozen=True)
class Limits:
    """What one step may use.

    Attributes
    ----------
    total_s
        Seconds for the whole notebook.
    silence_s
        Seconds in which no cell begins, ends or shows anything.
    memory_bytes
        Resident memory of its kernel; None means three quarters of this machine's.
    """

    total_s: float = 6 * 3600
    silence_s: float = 3600
    memory_bytes: int | None = None

    @property
    def memory(self) -> int:
        """The memory limit in bytes."""
        return self.memory_bytes or int(SHARE_OF_MEMORY * psutil.virtual_memory().total)


@dataclass(frozen=True)
class Failure:
    """Why a notebook did not come to its end; `in_cell` when its own code said so and the kernel lived on."""

    words: str
    in_cell: bool


def execute(
    source: Path, target: Path, parameters: dict[str, Any], kernel: AsyncKernelManager, limits: Limits
) -> Failure | None:
    """Run a notebook in a started kernel; the executed one is written as each cell begins (`saving` says when).

    Papermill works in a thread of its own, for it is known to wait for kernels that are gone; this one looks on.

    Returns
    -------
    Failure or None
        None when every cell ran.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    told: list[Failure | None] = []
    work = threading.Thread(
        target=lambda: told.append(_papermill(source, target, parameters, kernel)), name="papermill", daemon=True
    )
    work.start()
    stopped = _watch(work, target, pid_of(kernel), limits)
    if stopped:
        end(kernel)
        work.join(PATIENCE_S)
        return Failure(stopped, in_cell=False)
    return told[0] if told else Failure("papermill ended without a word", in_cell=False)


def _watch(work: threading.Thread, target: Path, pid: int, limits: Limits) -> str:
    """Look on until the work ends, or a limit is passed; gives the words for that."""
    began = time.time()
    while True:
        work.join(LOOK_EVERY_S)
        if not work.is_alive():
            return ""
        used = _resident(pid)
        if used > limits.memory:
            return (
                f"its kernel was stopped at {used / GIB:.1f} GiB of memory, more than the {limits.memory / GIB:.1f} "
                "it may use. Give it more with --memory, or narrow the window of the case"
            )
        if time.time() - began > limits.total_s:
            return f"its kernel was stopped after {limits.total_s:,.0f} s. Give it more time with --step-timeout"
        if time.time() - max(began, _last_sign(target)) > limits.silence_s:
            return f"its kernel was stopped: no cell began, ended or showed anything for {limits.silence_s:,.0f} s"


def _resident(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:  # it is gone; papermill will say so
        return 0


def _last_sign(target: Path) -> float:
    try:
        return target.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _papermill(source: Path, target: Path, parameters: dict[str, Any], kernel: AsyncKernelManager) -> Failure | None:
    try:
        papermill.execute_notebook(
            str(source),
            str(target),
            parameters={OWN_PARAMETER: ".", **parameters},
            kernel_name="python3",
            engine_name=saving.NAME,
            progress_bar=False,
            log_output=False,
            km=kernel,
        )
    except PapermillExecutionError as error:
        return Failure(f"{error.ename}: {error.evalue}", in_cell=True)
    except (DeadKernelError, TimeoutError, RuntimeError) as error:
        return Failure(f"the kernel died or did not answer: {error}", in_cell=False)
    except OSError as error:
        return Failure(f"the executed notebook could not be written: {error}", in_cell=False)
    return None
