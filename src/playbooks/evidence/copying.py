"""Copy one file and hash it in the same pass, in constant memory; a copy that was broken off is taken up again.

SHA-256 and the writing happen here, SHA-512 beside it in a thread, so that two cores work at once.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from playbooks.evidence.bag import ALGORITHMS

BLOCK = 1 << 22
WRITING = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
FLUSH_EVERY = 1 << 26  # what is written is sent to the disk on the way, so that the end does not wait for all of it

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Copied:
    """What was copied: its size and digests, and whether the original changed meanwhile."""

    size: int
    sha256: str
    sha512: str
    changed_meanwhile: bool


class Copier:
    """Copies files one after the other with the same two buffers and the same thread."""

    def __init__(self) -> None:
        self._buffers = (bytearray(BLOCK), bytearray(BLOCK))
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="sha512")

    def __enter__(self) -> Copier:
        return self

    def __exit__(self, *_: object) -> None:
        self._beside.shutdown()

    def copy(self, original: Path, target: Path, progress: Progress) -> Copied:
        """Copy `original` to `target`; whoever relies on the copy makes it durable first (`disk.sync_files`).

        What stands in `target` already and is the same, byte by byte, is not written again.

        Raises
        ------
        OSError
            The original cannot be read, or the disk is full.
        """
        digests = [hashlib.new(algorithm) for algorithm in ALGORITHMS]
        size, turn = 0, 0
        waiting: list[Future[None] | None] = [None, None]
        with open(_plain_file(original), "rb", buffering=0) as source, _Target(target) as written:
            before = os.fstat(source.fileno())
            while count := source.readinto(self._free(waiting, turn)):
                block = memoryview(self._buffers[turn])[:count]
                if count < BLOCK:  # a small file, or the end of a big one: handing it over would cost more
                    _wait(waiting)
                    digests[1].update(block)
                else:
                    waiting[turn] = self._beside.submit(digests[1].update, block)
                written.write(block)
                digests[0].update(block)
                size += count
                turn = 1 - turn
                progress(count)
            _wait(waiting)
            after = os.fstat(source.fileno())
        same = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, size)
        return Copied(size, digests[0].hexdigest(), digests[1].hexdigest(), changed_meanwhile=not same)

    def _free(self, waiting: list[Future[None] | None], turn: int) -> bytearray:
        """The buffer of this turn, once the thread is done with it."""
        future = waiting[turn]
        if future:
            future.result()
        return self._buffers[turn]


def _wait(waiting: list[Future[None] | None]) -> None:
    for future in waiting:
        if future:
            future.result()


def _plain_file(path: Path) -> int:
    """A descriptor of a plain file; what was swapped for a link or a pipe since it was looked at is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "no plain file any more", str(path))


class _Target:
    """The copy as it grows. Bytes that an earlier try left are compared, never trusted."""

    def __init__(self, file: Path) -> None:
        try:
            self._fd = os.open(file, WRITING, 0o600)
        except PermissionError:  # an earlier try had made it read-only
            file.chmod(0o600)
            self._fd = os.open(file, WRITING, 0o600)
        self._left = os.fstat(self._fd).st_size
        self._at = self._flushed = 0

    def __enter__(self) -> _Target:
        return self

    def __exit__(self, kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        try:
            if kind is None:
                os.ftruncate(self._fd, self._at)
                os.fchmod(self._fd, 0o444)
        finally:
            os.close(self._fd)

    def write(self, block: memoryview) -> None:
        if not self._is_there(block):
            rest = block
            while rest:
                rest = rest[os.pwrite(self._fd, rest, self._at + len(block) - len(rest)) :]
        self._at += len(block)
        if self._at - self._flushed >= FLUSH_EVERY:
            os.posix_fadvise(self._fd, self._flushed, self._at - self._flushed, os.POSIX_FADV_DONTNEED)
            self._flushed = self._at

    def _is_there(self, block: memoryview) -> bool:
        if self._at + len(block) > self._left:
            return False
        return os.pread(self._fd, len(block), self._at) == block
