"""A batch over a real Dask scheduler with two workers as processes; one of them is killed on the way."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
from tests.batch.night import Night, runs

pytest.importorskip("distributed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Cluster:
    def __init__(self, stack: ExitStack, environment: dict[str, str]) -> None:
        self._stack, self._environment = stack, environment
        port = free_port()
        self.address = f"tcp://127.0.0.1:{port}"
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
        self.workers = [self._start("dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard",
                                    "--host", "127.0.0.1") for _ in range(2)]  # fmt: skip

    def _start(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{program}", *arguments]
        started = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self._stack.callback(started.wait)
        self._stack.callback(started.kill)
        return started

    def wait_for_workers(self) -> None:
        from distributed import Client

        with Client(self.address, timeout="60s") as client:
            client.wait_for_workers(2, timeout=60)


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


@pytest.fixture
def cluster(night: Night) -> Iterator[Cluster]:
    with ExitStack() as stack:
        made = Cluster(stack, night.environment)
        made.wait_for_workers()
        yield made


def test_all_cases_are_done_though_a_worker_is_killed(night: Night, cluster: Cluster) -> None:
    cases = [night.case(f"c{number}") for number in range(5)]
    with night.start("--scheduler", cluster.address) as batch:
        victim = psutil.Process(cluster.workers[0].pid)
        for _ in range(600):
            if below := victim.children(recursive=True):
                break
            time.sleep(0.1)
        victim.send_signal(signal.SIGKILL)
        cluster.workers[0].wait()
        assert psutil.wait_procs(below, timeout=30)[1] == [], "its run went with it"
        batch.communicate(timeout=500)
    assert batch.returncode == 0
    assert night.book["counts"] == {"done": 5}
    assert [runs(case) for case in cases] == [1] * 5


def test_an_address_without_a_scheduler_is_told(night: Night) -> None:
    night.case("a")
    with night.start("--scheduler", f"tcp://127.0.0.1:{free_port()}") as batch:
        _, said = batch.communicate(timeout=100)
    assert batch.returncode == 2
    assert b"no scheduler answers there" in said
