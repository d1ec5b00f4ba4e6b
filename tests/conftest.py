"""What many tests share: both samples run once as cases, and the command line inside this process."""

from __future__ import annotations

import fcntl
import gc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from playbooks.cli import main
from playbooks.nurseries import SHARED, shared_nursery

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "data" / "samples"
RUN_TIMEOUT_S = 600


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Many thousand tests are here to stay: while they are found, and later, nobody looks for garbage among them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class SampleRun:
    """A sample as a finished case, run headless without network. To be read only: `copy` is for changes."""

    case: Path
    said: Said
    network_log: Path

    def copy(self, to: Path) -> Path:
        """The case again, elsewhere, free to be changed."""
        shutil.copytree(self.case, to)
        return to

    @property
    def found(self) -> dict[str, Any]:
        """Its `findings.json`."""
        loaded: dict[str, Any] = json.loads((self.case / "results" / "findings.json").read_text(encoding="utf-8"))
        return loaded


@pytest.fixture
def playbooks(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Run a command as its entry point does, inside this process."""

    def run(*arguments: object) -> Said:
        capfd.readouterr()
        monkeypatch.setattr(sys, "argv", ["playbooks", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        said = capfd.readouterr()
        return Said(end.value.code if isinstance(end.value.code, int) else 0, said.out, said.err)

    return run


def started(*arguments: object, cwd: Path | None = None, **environment: str) -> Said:
    """Run `playbooks` as a program of its own."""
    command = [sys.executable, "-m", "playbooks.cli", *map(str, arguments)]
    done = subprocess.run(
        command,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, **environment},
        timeout=RUN_TIMEOUT_S,
        check=False,
    )
    return Said(done.returncode, done.stdout.decode("utf-8"), done.stderr.decode("utf-8"))


def without_network(log: Path) -> dict[str, str]:
    """Environment of a program whose sockets are refused, and its kernels'; see `no_network/sitecustomize.py`."""
    paths = [str(ROOT / "tests" / "no_network"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), "NETWORK_LOG": str(log), SHARED: ""}


def cut_off() -> list[str]:
    """How to start a command in a network of its own, where there is nothing but a loopback that is down.

    Empty on a machine that gives no network namespace.
    """
    alone = ["unshare", "--net"]
    able = shutil.which("unshare") and not subprocess.run([*alone, "true"], capture_output=True, check=False).returncode
    return alone if able else []


@pytest.fixture(scope="module")
def warm_kernels() -> Iterator[None]:
    """Every run of a module takes its kernels from one process, as the runs of a batch do."""
    with shared_nursery():
        yield


@pytest.fixture(scope="session")
def incident(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    return _sample(tmp_path_factory, "incident")


@pytest.fixture(scope="session")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> SampleRun:
    return _sample(tmp_path_factory, "quiet")


def _sample(factory: pytest.TempPathFactory, name: str) -> SampleRun:
    """The run of one sample; the first test process that asks makes it for all."""
    base = factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "samples"
    shared.mkdir(exist_ok=True)
    kept, log = shared / f"{name}.json", shared / f"{name}.network"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            said = started("demo", "--sample", name, "--to", shared, cwd=shared, **without_network(log))
            kept.write_text(json.dumps(vars(said)), encoding="utf-8")
    said = Said(**json.loads(kept.read_text(encoding="utf-8")))
    assert said.code == 0, said.err
    return SampleRun(shared / f"sample-{name}", said, log)
