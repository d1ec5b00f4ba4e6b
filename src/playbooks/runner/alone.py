"""One run of a case at a time, whoever started it and on which machine of a shared disk."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from playbooks.case import Case
from playbooks.errors import CaseBusy

LOCK = ".run.lock"


@contextmanager
def alone(case: Case) -> Iterator[None]:
    """Be the only run of a case; the system takes the lock back from a run that was killed.

    Raises
    ------
    CaseBusy
        Another run is at work; its process id is told.
    """
    lock = os.open(case.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CaseBusy(
                f"{case.path}: another run is at work here (process {os.pread(lock, 20, 0).decode() or 'unknown'}). "
                "Expected one run of a case at a time. Wait for it, or stop it."
            ) from error
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(lock)
