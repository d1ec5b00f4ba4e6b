"""Where the kernels of a run come from: a process of its own, or the one that a batch keeps for all its runs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TextIO

from playbooks import kit

SHARED = "PLAYBOOKS_NURSERY"  # the socket of a process that serves several runs


@contextmanager
def nursery(place: Path) -> Iterator[None]:
    """Keep a process that serves whoever connects to `place`; it and its kernels are gone when the block ends.

    Whoever connects before it has imported what it needs is answered when it has.
    """
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        process = subprocess.Popen(  # noqa: S603  # our own command
            [sys.executable, "-P", "-m", "playbooks.nursery", str(listener.fileno())],
            stdin=subprocess.PIPE,
            pass_fds=[listener.fileno()],
            start_new_session=True,
        )
    try:
        yield
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()  # heard only while it still imports: it has no kernels yet
        process.wait()
        with suppress(FileNotFoundError):
            place.unlink()


@contextmanager
def shared_nursery() -> Iterator[None]:
    """Let every run that this process starts in the block take its kernels from one process."""
    with tempfile.TemporaryDirectory(prefix="nursery-", dir=short_temporary_folder()) as folder:
        place = Path(folder) / "socket"
        before = os.environ.get(SHARED)
        with nursery(place):
            os.environ[SHARED] = str(place)
            try:
                yield
            finally:
                os.environ.pop(SHARED)
                if before is not None:
                    os.environ[SHARED] = before


@contextmanager
def early_nursery() -> Iterator[None]:
    """The same for the one run of this process, begun before what runs notebooks is imported; a batch has its own."""
    with nullcontext() if Path(os.environ.get(SHARED, "")).is_socket() else shared_nursery():
        yield


class Kernelry:
    """The line of one run to what its kernels come from."""

    def __init__(self, folder: Path) -> None:
        self._own = ExitStack()
        self._turn = threading.Lock()
        self._place = Path(os.environ.get(SHARED, ""))
        self._line: TextIO | None = None
        if not self._place.is_socket():
            self._start(folder)
        self._folder = folder

    def kernel(self, argv: list[str], cwd: Path, env: dict[str, str]) -> int:
        """Order a kernel; gives its process id.

        Raises
        ------
        RuntimeError
            What kernels come from has ended.
        """
        with self._turn:
            line = self._line = self._line or self._connected()
            try:
                line.write(json.dumps({"argv": argv, "cwd": str(cwd), "env": env}) + "\n")
                line.flush()
                told = line.readline()
            except OSError:
                told = ""
            if not told:
                self._hang_up()
                raise RuntimeError("the process that kernels are forked from has ended")
            return int(told)

    def _connected(self) -> TextIO:
        """A line to a process of this very kit: one that is shared may be of another, or be gone."""
        line = _connect(self._place)
        if line is None:
            self._start(self._folder)
            line = _connect(self._place)
        if line is None:
            raise RuntimeError("the process that kernels are forked from did not start")
        return line

    def _start(self, folder: Path) -> None:
        self._own.close()
        self._place = folder / "nursery"
        self._own.enter_context(nursery(self._place))

    def _hang_up(self) -> None:
        if self._line is not None:
            with suppress(OSError):
                self._line.close()
            self._line = None

    def close(self) -> None:
        """Hang up: what is left of its kernels ends, and the process with them where it is our own."""
        self._hang_up()
        self._own.close()


def _connect(place: Path) -> TextIO | None:
    """A line to the process at `place`; None where there is none, or it is of another kit."""
    with socket.socket(socket.AF_UNIX) as one:
        try:
            one.connect(str(place))
        except OSError:
            return None
        line = one.makefile("rw", encoding="utf-8")
    with suppress(OSError):  # it may have ended since: then it is none
        if line.readline().strip() == kit.fingerprint():
            return line
    line.close()
    return None


def short_temporary_folder() -> str | None:
    """The system's temporary folder, unless its name is too long for a socket (107 bytes in all)."""
    return None if len(tempfile.gettempdir()) < 60 else "/tmp"  # noqa: S108  # a fresh folder is made in it
