"""A whole run asks nothing of any network: not the kit, not a kernel, not a package below it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.conftest import SampleRun, cut_off, without_network

REACHING = """
import socket, sys, urllib.request
for reach in (
    lambda: socket.socket().connect(("192.0.2.1", 443)),
    lambda: socket.getaddrinfo("stranger.example", 443),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
    lambda: urllib.request.urlopen("http://127.0.0.1:9/"),
):
    try:
        reach()
    except OSError as refused:
        print("refused", type(refused).__name__)
left, right = socket.socketpair()
left.send(b"x")
print("files are free:", right.recv(1))
"""


def test_the_watch_refuses_and_writes_down_every_way_out(tmp_path: Path) -> None:
    """Without this, a log without attempts would say nothing."""
    log = tmp_path / "network"
    done = subprocess.run(
        [sys.executable, "-c", REACHING], capture_output=True, text=True, env=without_network(log), check=True
    )
    assert done.stdout.splitlines() == ["refused OSError"] * 3 + ["refused URLError", "files are free: b'x'"]
    started, *tried = log.read_text(encoding="utf-8").splitlines()
    assert started.startswith("started ")
    assert [line.split()[1] for line in tried] == [
        "socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.getaddrinfo",
    ]  # fmt: skip


def test_the_watch_goes_on_in_what_a_watched_program_forks(tmp_path: Path) -> None:
    """As kernels are forked."""
    log = tmp_path / "network"
    reach = "import os, socket\nif not os.fork(): socket.create_connection(('127.0.0.1', 9))\nelse: os.wait()"
    subprocess.run([sys.executable, "-c", reach], capture_output=True, env=without_network(log), check=True)
    assert "socket.getaddrinfo" in log.read_text(encoding="utf-8")


@pytest.mark.parametrize("sample", ["incident", "quiet"])
def test_a_run_of_all_six_notebooks_reaches_for_no_network(sample: str, request: pytest.FixtureRequest) -> None:
    run: SampleRun = request.getfixturevalue(sample)
    lines = run.network_log.read_text(encoding="utf-8").splitlines()
    nurseries = [line for line in lines if line.startswith("started ") and "playbooks.nursery" in line]
    assert len(nurseries) == 1, "what the kernels are forked from was not watched"
    assert [line for line in lines if line.startswith("tried ")] == []


def test_a_machine_without_any_network_is_what_the_demo_of_the_wheel_runs_on() -> None:
    """See `test_wheel`: there a whole run succeeds in it, and finds the same."""
    if not (alone := cut_off()):
        pytest.skip("this machine gives no network namespace; the watch of the other test stands in")
    links = subprocess.run([*alone, "cat", "/proc/net/dev"], capture_output=True, text=True, check=True).stdout
    assert [line.split(":")[0].strip() for line in links.splitlines()[2:]] == ["lo"]
