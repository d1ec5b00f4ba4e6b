"""What kernels come from: one process may serve several runs, and none of them touches another."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pytest

from playbooks.kernels import Kernels, pid_of
from playbooks.nurseries import SHARED, early_nursery, shared_nursery, short_temporary_folder
from playbooks.spared import SPARED


@pytest.fixture(scope="module")
def shared() -> Iterator[psutil.Process]:
    """The process that a batch keeps."""
    before = set(_nurseries())
    with shared_nursery():
        yield psutil.Process(_new(before))


def _nurseries() -> list[int]:
    found = psutil.Process().children()
    return [one.pid for one in found if "playbooks.nursery" in one.cmdline()]


def _new(before: set[int]) -> int:
    """The one that was started since; on a busy machine its command line can be read a moment later than it."""
    for _ in range(100):
        if found := set(_nurseries()) - before:
            [pid] = found
            return pid
        time.sleep(0.1)
    raise AssertionError("none was started")


@contextmanager
def kernels(folder: Path) -> Iterator[Kernels]:
    with closing(Kernels(folder, 1, 1 << 30)) as several:
        yield several


def _ends(pid: int) -> bool:
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.1)
    return False


def test_two_runs_share_it_and_the_end_of_one_leaves_the_kernels_of_the_other(
    shared: psutil.Process, tmp_path: Path
) -> None:
    with kernels(tmp_path) as first, first.one() as kernel:
        with kernels(tmp_path) as second, second.one() as other:
            pids = pid_of(kernel), pid_of(other)
            assert [psutil.Process(pid).ppid() for pid in pids] == [shared.pid] * 2
        assert _ends(pids[1])
        assert psutil.Process(pids[0]).is_running()
    assert _ends(pids[0])
    assert psutil.Process(shared.pid).is_running()


def test_a_run_that_hangs_up_without_a_word_leaves_no_kernel(shared: psutil.Process, tmp_path: Path) -> None:
    pid = os.fork()
    if not pid:
        Kernels(tmp_path, 1, 1 << 30)._next.result()  # type: ignore[union-attr]
        os._exit(0)
    os.waitpid(pid, 0)
    assert all(_ends(one.pid) for one in shared.children())


def test_one_that_is_gone_is_not_missed(tmp_path: Path) -> None:
    before = set(_nurseries())
    with shared_nursery():
        pid = _new(before)
        os.kill(pid, signal.SIGKILL)
        with kernels(tmp_path) as own, own.one() as kernel:
            assert psutil.Process(pid_of(kernel)).ppid() not in (pid, 1)


def test_one_of_another_kit_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Path(short_temporary_folder() or "/tmp") / f"other-kit-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(place))
        other.listen()
        threading.Thread(target=lambda: other.accept()[0].sendall(b"0" * 64 + b"\n"), daemon=True).start()
        monkeypatch.setenv(SHARED, str(place))
        before = set(_nurseries())
        with kernels(tmp_path) as own, own.one() as kernel:
            assert {psutil.Process(pid_of(kernel)).ppid()} == set(_nurseries()) - before
    place.unlink()


def test_its_own_one_ends_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SHARED, raising=False)
    before = set(_nurseries())
    with kernels(tmp_path) as own, own.one() as kernel:
        pid = pid_of(kernel)
        mine = _new(before)
    assert _ends(pid)
    assert _ends(mine)


def test_one_that_nobody_came_to_need_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SHARED, raising=False)
    before = set(_nurseries())
    with early_nursery():
        pid = psutil.Process(_new(before))
        place = Path(os.environ[SHARED])
        assert place.is_socket()
    assert not pid.is_running()
    assert not place.parent.exists()
    assert SHARED not in os.environ


def test_a_run_of_a_batch_starts_none_of_its_own(shared: psutil.Process) -> None:
    before, place = _nurseries(), os.environ[SHARED]
    with early_nursery():
        assert shared.is_running()
        assert (_nurseries(), os.environ[SHARED]) == (before, place)


def test_a_kernel_that_never_answers_does_not_hold_up_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: psutil.Process
) -> None:
    """Ctrl-C meets a kernel that is still starting; one that hangs there is waited for by nobody."""
    before = set(shared.children())
    monkeypatch.setattr("playbooks.kernels.FIRST_LINES", "import time; time.sleep(600)")
    monkeypatch.setattr("playbooks.kernels.PATIENCE_S", 1)
    several = Kernels(tmp_path, 1, 1 << 30)
    while not (born := set(shared.children()) - before):
        time.sleep(0.1)
    closing_it = threading.Thread(target=several.close, daemon=True)
    closing_it.start()
    closing_it.join(30)  # less than the patience with a kernel that somebody needs
    assert not closing_it.is_alive()
    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in born)


@pytest.mark.parametrize("name", SPARED)
def test_what_programs_go_without_is_there_to_go_without(name: str):
    """A name that a library no longer has would spare nothing, and nobody would see it."""
    asked = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({name!r}) is None)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0  # this process goes without, too
