"""A run that a batch started does not outlive it: the batch holds the other end of standard input."""

from __future__ import annotations

import os
import signal
import threading

SUPERVISED = "PLAYBOOKS_SUPERVISED"


def end_with_supervisor() -> None:
    """Where a batch started this run, die with it, kernels too; a person at a terminal is not meant."""
    if os.environ.get(SUPERVISED):
        threading.Thread(target=_watch, name="supervisor", daemon=True).start()


def _watch() -> None:
    while os.read(0, 1 << 12):  # not sys.stdin: its lock, held at the end of the program, would abort it
        """What a batch writes says nothing; that it is there does."""
    os.kill(os.getpid(), signal.SIGKILL)
