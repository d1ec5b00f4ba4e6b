"""The disk under a case: one writer at a time, files written whole and durably, a clear word when it is full."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from playbooks.case import Case
from playbooks.errors import PlaybookError

SYNCS_AT_ONCE = 16
SLACK = 1 << 18  # directories, inodes and tag files beside what is counted


def _silent() -> None:
    """Say nothing of a wait."""


@contextmanager
def locked(case: Case, waiting: Callable[[], None] = _silent) -> Iterator[None]:
    """Be the only one that changes the evidence of a case; `waiting` is called when another one is at it."""
    lock = os.open(case.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def write_durably(file: Path, content: bytes) -> None:
    """Write a file whole or not at all; it is on the disk when this returns."""
    staged = file.with_name(f".{file.name}.part")
    try:
        with staged.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        staged.replace(file)
    finally:
        staged.unlink(missing_ok=True)
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """Make names given and taken in a folder durable."""
    _sync(folder)


def sync_files(files: list[Path]) -> None:
    """Make the content of files durable. Many at once: a disk answers them together, each alone would wait."""
    with ThreadPoolExecutor(min(len(files), SYNCS_AT_ONCE) or 1) as syncing:
        for _ in syncing.map(_sync, files):
            continue


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def require_room(folder: Path, needed: int) -> None:
    """Stop before a change that the disk could not hold as a whole.

    Raises
    ------
    PlaybookError
        Fewer than `needed` bytes (and some slack) are free.
    """
    state = os.statvfs(folder)
    free = state.f_frsize * (state.f_bfree if os.geteuid() == 0 else state.f_bavail)
    if free < needed + SLACK:
        raise disk_full(folder)


def is_full(error: OSError) -> bool:
    """Whether the disk, or what the user may use of it, ran out."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


def disk_full(where: Path | str) -> PlaybookError:
    """The error of a full disk."""
    return PlaybookError(
        f"{where}: the disk is full. Expected room for a whole copy. Nothing half done is kept: the case is intact. "
        "Free space and run the same command again; what is in the case already is not copied again."
    )
