"""Kernels for headless steps: forked from a process that has imported the guide, the next one ahead of its step.

Kernels talk over files of this user (IPC), not over TCP ports that anybody on the machine may reach.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from playbooks.engine_choice import MEMORY
from playbooks.nurseries import Kernelry, short_temporary_folder

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo

FIRST_LINES = "import playbooks.guide"  # what every notebook imports first
START_TRIES = 3
START_TIMEOUT_S = 60
PATIENCE_S = 5  # with a kernel that is still starting when nobody needs it any more


class Kernels:
    """Hands out one fresh kernel per step, and keeps the next one warming."""

    def __init__(self, folder: Path, steps: int, memory_bytes: int) -> None:
        self._folder = folder
        self._sockets = tempfile.TemporaryDirectory(prefix="kernels-", dir=short_temporary_folder())
        spilled = Path(self._sockets.name) / "spilled"  # what kernels put aside goes with them, however they end
        spilled.mkdir()
        self._environment = {**os.environ, MEMORY: str(memory_bytes), "TMPDIR": str(spilled)}
        self._nursery = Kernelry(Path(self._sockets.name))
        self._left = steps
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="kernel")
        self._next: Future[AsyncKernelManager] | None = None
        self._closed = False
        self._warm()

    def _warm(self) -> None:
        self._next = self._starter.submit(self._ready) if self._left else None
        self._left -= 1

    def _ready(self) -> AsyncKernelManager:
        """A kernel that has answered. One that does not is tried again: sockets race on a busy machine."""
        for tried in range(1, START_TRIES + 1):
            if self._closed:
                raise RuntimeError("nobody waits for this kernel any more")
            # an absolute name: a relative one would mean another place to the kernel, which runs in the case
            place = str(Path(self._sockets.name) / uuid.uuid4().hex[:8])
            kernel = _manager(place, self._nursery)
            try:
                asyncio.run(_start(kernel, self._folder, Path(self._sockets.name) / "profile", self._environment))
                return kernel
            except (RuntimeError, OSError) as error:
                _stop(kernel)
                if tried == START_TRIES:
                    raise RuntimeError(f"no kernel started in {START_TRIES} attempts: {error}") from error
        raise AssertionError("unreachable")

    @contextmanager
    def one(self) -> Iterator[AsyncKernelManager]:
        """A started kernel; it is gone when the block ends, however it ends.

        Raises
        ------
        RuntimeError
            No kernel started, though it was tried again; or more were asked for than announced.
        """
        if self._next is None:
            raise RuntimeError("more steps than were announced")
        kernel = self._next.result()
        self._warm()
        try:
            yield kernel
        finally:
            _stop(kernel)

    def close(self) -> None:
        """Stop the kernel that nobody asked for any more, and what kernels come from."""
        self._closed = True
        if self._next is not None and not self._next.cancel():
            if not wait([self._next], PATIENCE_S).done:
                self._nursery.close()  # it does not answer: it ends, and with it the wait for its answer
            with suppress(RuntimeError):  # it did not start
                _stop(self._next.result())
        self._starter.shutdown()
        self._nursery.close()
        self._sockets.cleanup()


class _Forked:
    """A kernel's process as `LocalProvisioner` wants one: it is not our child, so it is watched, not waited for."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process: psutil.Process | None = None
        with suppress(psutil.Error):
            self._process = psutil.Process(pid)

    def poll(self) -> int | None:
        """None while it lives; how it ended is not known."""
        try:
            lives = self._process is not None and self._process.is_running()
            return None if lives and self._process and self._process.status() != psutil.STATUS_ZOMBIE else 1
        except psutil.Error:
            return 1

    def wait(self) -> int:
        """It has ended when this is asked."""
        return 1

    def send_signal(self, signum: int) -> None:
        """To its whole session when it is to die, to itself otherwise."""
        with suppress(ProcessLookupError):
            if signum == signal.SIGKILL:
                os.killpg(self.pid, signum)
            else:
                os.kill(self.pid, signum)


class _ForkedKernels(LocalProvisioner):
    """Lets a kernel manager take its process from the nursery."""

    nursery: Kernelry
    process: Any = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        argv, env = cmd[cmd.index("-f") :], kwargs.get("env") or dict(os.environ)
        pid = await asyncio.to_thread(self.nursery.kernel, argv, kwargs["cwd"], env)
        self.process, self.pid, self.cwd = _Forked(pid), pid, kwargs["cwd"]
        return self.connection_info


def _manager(place: str, nursery: Kernelry) -> AsyncKernelManager:
    kernel = AsyncKernelManager(kernel_name="python3", transport="ipc", ip=place)
    kernel.kernel_id = uuid.uuid4().hex
    kernel.provisioner = _ForkedKernels(kernel_id=kernel.kernel_id, kernel_spec=kernel.kernel_spec, parent=kernel)
    kernel.provisioner.nursery = nursery
    return kernel


async def _start(kernel: AsyncKernelManager, folder: Path, profile: Path, environment: dict[str, str]) -> None:
    """Start with an empty profile, and wait for its first answer.

    What a person or the lab sets up for work by hand would change what a run shows.

    Raises
    ------
    RuntimeError
        It died, or did not answer in time.
    """
    profile.mkdir(exist_ok=True)
    arguments = [f"--IPKernelApp.exec_lines={FIRST_LINES}", "--HistoryManager.hist_file=:memory:", "--ignore-cwd"]
    arguments.append(f"--ipython-dir={profile}")
    await kernel.start_kernel(cwd=str(folder), extra_arguments=arguments, env=environment)
    client = kernel.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=START_TIMEOUT_S)
    finally:
        client.stop_channels()


def pid_of(kernel: AsyncKernelManager) -> int:
    """The process of a kernel."""
    assert isinstance(kernel.provisioner, _ForkedKernels)
    return int(kernel.provisioner.pid or 0)


def end(kernel: AsyncKernelManager) -> None:
    """Kill a kernel that somebody else is still speaking to."""
    with suppress(ProcessLookupError):
        os.killpg(pid_of(kernel), signal.SIGKILL)


def _stop(kernel: AsyncKernelManager) -> None:
    async def stop() -> None:
        await kernel.shutdown_kernel(now=True)

    asyncio.run(stop())
