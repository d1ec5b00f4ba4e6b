"""A real JupyterLab in a real browser: an investigator opens a case and runs a notebook."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.browser import browser

from playbooks import evidence
from playbooks.case import Case, open_case
from playbooks.lab import lab_command, prepare_notebooks
from playbooks.steps import samples_folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]  # the fixture

START_S = 60
LOCAL = ("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:")
PATIENCE_S = 90


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
    case: Case,
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
    page.mouse.move(700, 800)
    notebook, figures = _when_all_cells_ran(page, case.notebooks / "3_scope_egress.ipynb")
    page.screenshot(path=os.environ.get("LAB_PICTURE", str(tmp_path / "lab.png")))
    outputs = [output for cell in notebook["cells"] for output in cell.get("outputs", ())]
    text = json.dumps(outputs)
    assert "Clearest rhythms" in text
    assert "assets-sync.bluefern-4417.workers.dev" in text
    assert "Records as they stand in the evidence" in text
    assert [output for output in outputs if output["output_type"] == "error"] == []
    assert sum("application/vnd.plotly.v1+json" in output.get("data", {}) for output in outputs) == 4
    assert figures, "no figure was drawn"
    assert left == []


def _when_all_cells_ran(page: Page, file: Path) -> tuple[dict[str, Any], int]:
    """The notebook as the lab saved it after its last cell, and the most figures seen at once on the way."""
    figures = 0
    for _ in range(PATIENCE_S):
        page.wait_for_timeout(1000)
        page.mouse.wheel(0, 300)  # the lab draws what is in view
        figures = max(figures, page.locator(".js-plotly-plot .main-svg").count())
        page.keyboard.press("Control+s")
        notebook: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        ran = [cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
        if all(ran) and figures:
            return notebook, figures
    raise TimeoutError(f"after {PATIENCE_S} s the cells stand at {ran}")
