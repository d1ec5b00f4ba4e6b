"""A run that a batch started does not outlive it: the batch holds the other end of standard input."""

from __future__ import annotations

import os
import signal
import sys
import threading

SUPERVISED = "PLAYBOOKS_SUPERVISED"


def end_with_supervisor() -> None:
    """Where a batch started this run, die with it, kernels too; a person at a terminal is not meant."""
    if os.environ.get(SUPERVISED):
        threading.Thread(target=_watch, name="supervisor", daemon=True).start()


def _watch() -> None:
    while sys.stdin.buffer.read(1 << 12):
        """What a batch writes says nothing; that it is there does."""
    os.kill(os.getpid(), signal.SIGKILL)
