"""A real JupyterLab in a real browser: an investigator opens a case and runs a notebook."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser import browser

from playbooks import evidence
from playbooks.case import Case, open_case
from playbooks.runner import lab_command, prepare_notebooks, samples_folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]  # the fixture

START_S = 60
LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")
LAST_OUTPUT = "Records as they stand in the evidence"


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("lab") / "case"
    folder.mkdir()
    sample = samples_folder() / "incident"
    (folder / "case.yaml").write_bytes((sample / "case.yaml").read_bytes())
    found = open_case(folder)
    evidence.add(found, [sample / "logs"])
    prepare_notebooks(found)
    return found


@pytest.fixture(scope="module")
def lab(case: Case) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command, environment = lab_command(case, port, browser=False)
    token = next(part for part in command if "token" in part).partition("=")[2]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(f"http://127.0.0.1:{port}/api/status?token={token}")
            yield f"http://127.0.0.1:{port}/lab/tree/notebooks/3_scope_egress.ipynb?token={token}"
        finally:
            server.terminate()


def _wait(url: str) -> None:
    for _ in range(START_S * 4):
        try:
            urllib.request.urlopen(url, timeout=2).read()
            return
        except OSError:
            time.sleep(0.25)
    raise TimeoutError(f"{url} did not answer")


def test_a_notebook_runs_in_the_lab_and_draws_and_nothing_leaves_loopback(
    lab: str,
    browser: Browser,
    tmp_path: Path,
) -> None:
    left: list[str] = []
    page = browser.new_page(viewport={"width": 1400, "height": 1600})
    page.on("request", lambda request: None if request.url.startswith(LOCAL) else left.append(request.url))
    page.goto(lab)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).first.click()
    page.get_by_text(LAST_OUTPUT).wait_for(state="attached", timeout=90_000)
    page.wait_for_selector(".js-plotly-plot .main-svg", state="attached", timeout=30_000)
    text = page.locator(".jp-Notebook").inner_text()
    page.screenshot(path=os.environ.get("LAB_PICTURE", str(tmp_path / "lab.png")))
    assert "Clearest rhythms" in text
    assert "assets-sync.bluefern-4417.workers.dev" in text
    assert not re.search(r"Traceback|Error", text)
    assert left == []
