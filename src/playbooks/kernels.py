"""Kernels for headless steps: the next one starts and imports while the step before it still runs.

Starting a kernel and importing the guide is most of a small case. Kernels talk over files of this user
(IPC), not over TCP ports that anybody on the machine may reach.
"""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

FIRST_LINES = "import playbooks.guide"  # what every notebook imports first


class Kernels:
    """Hands out one fresh kernel per step, and keeps the next one warming."""

    def __init__(self, folder: Path, steps: int) -> None:
        self._folder = folder
        self._sockets = tempfile.TemporaryDirectory(prefix="kernels-", dir=_short_temporary_folder())
        self._left = steps
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="kernel")
        self._next: Future[AsyncKernelManager] | None = None
        self._warm()

    def _warm(self) -> None:
        self._next = self._starter.submit(_start, self._folder, Path(self._sockets.name)) if self._left else None
        self._left -= 1

    @contextmanager
    def one(self) -> Iterator[AsyncKernelManager]:
        """A started kernel; it is gone when the block ends, however it ends."""
        if self._next is None:
            raise RuntimeError("more steps than were announced")
        kernel = self._next.result()
        self._warm()
        try:
            yield kernel
        finally:
            _stop(kernel)

    def close(self) -> None:
        """Stop the kernel that nobody asked for any more."""
        if self._next is not None and not self._next.cancel():
            _stop(self._next.result())
        self._starter.shutdown()
        self._sockets.cleanup()


def _short_temporary_folder() -> str | None:
    """The system's temporary folder, unless its name is too long for a socket (107 bytes in all)."""
    return None if len(tempfile.gettempdir()) < 60 else "/tmp"  # noqa: S108  # a fresh folder is made in it


def _start(folder: Path, sockets: Path) -> AsyncKernelManager:
    from jupyter_client.manager import AsyncKernelManager

    # an absolute name: a relative one would mean another place to the kernel, which runs in the case
    place = str(sockets / uuid.uuid4().hex[:8])
    kernel = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=place)
    arguments = [f"--IPKernelApp.exec_lines={FIRST_LINES}", "--HistoryManager.hist_file=:memory:"]

    async def start() -> None:
        await kernel.start_kernel(cwd=str(folder), extra_arguments=arguments)

    asyncio.run(start())
    return kernel


def _stop(kernel: AsyncKernelManager) -> None:
    async def stop() -> None:
        await kernel.shutdown_kernel(now=True)

    asyncio.run(stop())
