"""A wheel carries everything: installed alone, away from the repository and from any network, the demo runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from tests.conftest import ROOT, RUN_TIMEOUT_S, SampleRun, cut_off

from playbooks.steps import STEPS

ALLOWED_IN_WHEEL = ("playbooks/", "playbooks-")
WHERE = "import playbooks, playbooks.steps as r; print(playbooks.__file__, r.notebooks_folder(), r.samples_folder())"


def run(*command: object, cwd: Path) -> str:
    """Run a program that knows nothing of the repository."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL"))}
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, cwd=cwd, env=environment, timeout=RUN_TIMEOUT_S,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = (sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    run(*build, cwd=folder)
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel alone; what the wheel depends on is borrowed from this one."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    install = ("-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    run(sys.executable, *install, cwd=folder.parent)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder.parent).strip())
    # a path in a .pth comes after the environment's own packages, and the .pth files in it are not read:
    # the repository, which is installed there as editable, stays out of sight
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    shared = folder / "share" / "jupyter" / "nbconvert"  # nbconvert's own templates are no Python files
    shared.parent.mkdir(parents=True)
    shared.symlink_to(Path(sys.prefix) / "share" / "jupyter" / "nbconvert")
    return folder


def test_the_wheel_holds_the_kit_its_notebooks_and_its_samples_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert [name for name in names if not name.startswith(ALLOWED_IN_WHEEL)] == []
    for folder, packed in (("notebooks", "_notebooks"), ("data/samples", "_samples"), ("src/playbooks", "")):
        listed = subprocess.run(["git", "ls-files", "-z", folder], cwd=ROOT, capture_output=True, check=True)
        files = [Path(os.fsdecode(name)) for name in listed.stdout.split(b"\0") if name]
        inside = {str(Path("playbooks") / packed / file.relative_to(folder)) for file in files}
        assert inside <= set(names)
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


def test_the_demo_runs_from_the_wheel_alone_without_any_network(
    environment: Path, tmp_path: Path, incident: SampleRun
) -> None:
    places = run(environment / "bin" / "python", "-c", WHERE, cwd=tmp_path).split()
    assert [place for place in places if not place.startswith(str(environment))] == []
    said = run(*cut_off(), environment / "bin" / "playbooks", "demo", "--to", tmp_path / "demo", cwd=tmp_path)
    case = tmp_path / "demo" / "sample-incident"
    assert f"Report: {case / 'report' / 'report.html'}" in said
    record = json.loads((case / "run.json").read_text(encoding="utf-8"))
    assert [(step["name"], step["status"]) for step in record["steps"]] == [(name, "done") for name in STEPS]
    found = (case / "results" / "findings.json").read_bytes()
    assert found == (incident.case / "results" / "findings.json").read_bytes()
    for notebook in (case / "notebooks").iterdir():
        assert str(ROOT) not in notebook.read_text(encoding="utf-8"), "a kernel of the repository ran it"
