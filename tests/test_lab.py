"""A real JupyterLab in a real browser: an investigator opens a case, runs all notebooks, decides, and runs them again.

One lab serves all tests of this module, and they build on each other: the order of the file is that of the work.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from tests.browser import browser
from tests.conftest import started

from playbooks import evidence
from playbooks.case import Case, open_case
from playbooks.lab import address_of, lab_command, prepare_notebooks
from playbooks.steps import STEPS, samples_folder

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]  # the fixture

START_S = 120
PATIENCE_MS = 300_000  # two cores, and others at work on them
LOCAL = re.compile(r"(https?|wss?)://127\.0\.0\.1[:/]|data:|blob:")
DECIDED_BY_CELL, DECIDED_BY_FORM = "red team, ticket 4711", 'asked the owner: "not ours" <b>'
ALL_RAN = r"""() => {
    const panel = document.querySelector(".jp-NotebookPanel:not(.lm-mod-hidden)");
    const prompts = [...panel.querySelectorAll(".jp-CodeCell .jp-InputArea-prompt")].map((one) => one.textContent);
    return prompts.length > 2 && prompts.every((text) => /\[\d+\]/.test(text));
}"""
OUTPUT = ".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output"


@dataclass
class Desk:
    """A lab on a case, the page that a person has open, and what the page must not do."""

    case: Case
    address: str
    token: str
    page: Page
    left: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def menu(self, name: str, entry: str) -> None:
        self.page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{name}$")).click()
        self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{entry}")).first.click()

    def open_step(self, step: str) -> None:
        """From the start page, by its link; or by its tab, once it is open."""
        tab = self.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab", has_text=f"{step}.ipynb")
        if tab.count():
            tab.click()
        else:
            self.page.locator(".lm-DockPanel-tabBar .lm-TabBar-tab", has_text="start.md").click()
            self.page.locator(f'.jp-MarkdownViewer ol a[href*="{step}"]').click()
        self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)", has_text=f"{step[0]} · ").wait_for()
        self.idle()

    def idle(self) -> None:
        self.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=PATIENCE_MS)

    def all_ran(self) -> None:
        self.page.wait_for_function(ALL_RAN, timeout=PATIENCE_MS)
        self.idle()

    def saved(self, step: str) -> list[dict[str, Any]]:
        """The outputs of a notebook as the lab saves it, read once the server says so: it empties the file first."""
        with self.page.expect_response(
            lambda answer: answer.request.method == "PUT" and f"{step}.ipynb" in answer.url
        ) as answer:
            self.menu("File", "Save Notebook")
        assert answer.value.ok
        notebook = json.loads((self.case.notebooks / f"{step}.ipynb").read_text(encoding="utf-8"))
        return [output for cell in notebook["cells"] for output in cell.get("outputs", ())]

    def cell(self, source: str) -> None:
        """Type a new cell below the last one, and run it."""
        notebook = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-Notebook")
        notebook.locator(".jp-Cell").last.click()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        self.page.keyboard.press("y")
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(source)
        self.page.keyboard.press("Control+Enter")
        self.all_ran()

    def findings(self) -> bytes:
        return (self.case.results / "findings.json").read_bytes()

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
        """A request to the server's own interface for files."""
        request = urllib.request.Request(
            f"{self.address}/api/contents/{path}",
            method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode("utf-8")
        except urllib.error.HTTPError as refused:
            return refused.code, str(json.loads(refused.read())["message"])


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
def desk(case: Case, browser: Browser) -> Iterator[Desk]:
    command, environment = lab_command(case, 0, browser=False)
    start = address_of(command, environment)
    address, token = start.partition("/lab")[0], environment["JUPYTER_TOKEN"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(f"{address}/api/status?token={token}")
            page = browser.new_page(viewport={"width": 1500, "height": 1200})
            page.set_default_timeout(PATIENCE_MS)
            one = Desk(case, address, token, page)
            page.on("request", lambda sent: None if LOCAL.match(sent.url) else one.left.append(sent.url))
            page.on("console", lambda said: one.errors.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: one.errors.append(str(error)))
            page.on("dialog", lambda dialog: (one.errors.append(dialog.message), dialog.dismiss()))
            page.goto(start)
            yield one
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


def test_the_start_page_says_what_needs_a_person_and_leads_to_the_notebooks(desk: Desk) -> None:
    page = desk.page.locator(".jp-MarkdownViewer")
    page.locator("h1").wait_for()
    assert "SAMPLE-INCIDENT" in page.locator("h1").inner_text()
    assert page.locator("ul li").all_inner_texts() == ["Run the notebooks → 1 preserve evidence"]
    assert page.locator("ol li a").count() == len(STEPS)


def test_all_six_notebooks_run_by_the_menu_and_show_their_results(desk: Desk) -> None:
    figures = 0
    for step in STEPS:
        desk.open_step(step)
        assert desk.page.locator(".jp-TableOfContents-tree").inner_text().startswith(f"{step[0]} · ")
        desk.menu("Run", "Run All Cells")
        desk.all_ran()
        outputs = desk.saved(step)
        assert outputs and [o for o in outputs if o["output_type"] not in ("display_data", "execute_result")] == []
        figures += sum("application/vnd.plotly.v1+json" in output["data"] for output in outputs)
        assert len(json.dumps(outputs)) < 12_000_000
    assert figures > 6
    assert "assets-sync.bluefern-4417.workers.dev" in desk.findings().decode("utf-8")
    assert (desk.left, desk.errors) == ([], [])


def test_figures_are_drawn_and_tables_can_be_filtered(desk: Desk, tmp_path: Path) -> None:
    desk.open_step("3_scope_egress")
    page = desk.page
    page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .js-plotly-plot .main-svg").first.wait_for(state="attached")
    pairs = page.locator(f"{OUTPUT} .dt-container", has_text="Clearest rhythms").first
    pairs.scroll_into_view_if_needed()
    rows = pairs.locator("tbody tr")
    expect(rows).to_have_count(20)
    assert "entries" in pairs.locator(".dt-info").inner_text()
    pairs.locator("input[type=search]").fill("bluefern-4417")
    expect(pairs.locator(".dt-info")).to_contain_text("filtered from")
    assert rows.count() < 20
    assert all("bluefern-4417" in words for words in rows.all_inner_texts())
    page.screenshot(path=os.environ.get("LAB_PICTURE", str(tmp_path / "lab.png")))
    stored = json.dumps(desk.saved("3_scope_egress"))
    assert "<script" not in stored and "dt-container" not in stored


def test_a_frame_that_a_person_shows_is_inert_and_can_be_filtered(desk: Desk) -> None:
    attack = "<img src=x onerror=alert(1)><script>alert(2)</script>\u202e{{7*7}}"
    desk.open_step("3_scope_egress")
    desk.cell(f"import pandas as pd; pd.DataFrame({{{attack!r}: [{attack!r}] * 30, 'n': range(30)}})")
    shown = desk.page.locator(f"{OUTPUT} .dt-container", has_text="30 rows, 2 columns")
    shown.wait_for()
    for words in ("alert", "<img", "&lt;", "onerror=alert(1)"):
        shown.locator("input[type=search]").fill(words)
    for head in shown.locator("thead th").all():
        head.click()
    assert shown.locator("img, script").count() == 0
    assert "‹U+202E›" in shown.inner_text()
    assert (desk.left, desk.errors) == ([], [])


def test_evidence_and_its_records_are_read_only_in_the_lab(desk: Desk) -> None:
    name = next((desk.case.evidence / "data").iterdir()).name
    file = {"type": "file", "format": "text", "content": "changed"}
    refused = {
        "save": desk.ask("PUT", f"evidence/data/{name}", file),
        "save beside": desk.ask("PUT", "evidence/data/new.txt", file),
        "save by a detour": desk.ask("PUT", f"notebooks/../evidence/data/{name}", file),
        "a large file, in parts": desk.ask("PUT", f"evidence/data/{name}", {**file, "chunk": 1}),
        "new": desk.ask("POST", "evidence/data", {"type": "notebook"}),
        "copy into": desk.ask("POST", "evidence/data", {"copy_from": "case.yaml"}),
        "rename": desk.ask("PATCH", f"evidence/data/{name}", {"path": "notebooks/mine"}),
        "rename into": desk.ask("PATCH", "notebooks/5_enrich.ipynb", {"path": "evidence/data/x.ipynb"}),
        "delete": desk.ask("DELETE", f"evidence/data/{name}"),
        "delete all": desk.ask("DELETE", "evidence"),
        "a checkpoint, which would be a file": desk.ask("POST", f"evidence/data/{name}/checkpoints"),
        "custody": desk.ask("PUT", "custody.jsonl", file),
        "decisions": desk.ask("PUT", "decisions.jsonl", file),
        "results": desk.ask("DELETE", "results/findings.json"),
        "the case file is not removed": desk.ask("DELETE", "case.yaml"),
    }
    assert {act: code for act, (code, _) in refused.items()} == dict.fromkeys(refused, 403)
    assert "is read-only in the lab: it is evidence, or the record of it." in refused["save"][1]
    (desk.case.notebooks / "way").symlink_to(desk.case.evidence)
    assert desk.ask("PUT", f"notebooks/way/data/{name}", file)[0] == 403
    (desk.case.notebooks / "way").unlink()
    assert desk.ask("GET", f"evidence/data/{name}/checkpoints")[0] == 200
    code, answer = desk.ask("GET", f"evidence/data/{name}?content=0")
    assert (code, json.loads(answer)["writable"]) == (200, False)
    assert evidence.verify(desk.case).intact


def test_notes_and_notebooks_can_be_written_in_the_lab(desk: Desk) -> None:
    file = {"type": "file", "format": "text", "content": "mine"}
    assert desk.ask("PUT", "notebooks/notes.md", file)[0] == 201
    assert desk.ask("PATCH", "notebooks/notes.md", {"path": "notebooks/mine.md"})[0] == 200
    assert (desk.case.notebooks / "mine.md").read_text(encoding="utf-8") == "mine"
    assert desk.ask("DELETE", "notebooks/mine.md")[0] == 204
    stated = (desk.case.path / "case.yaml").read_text(encoding="utf-8")
    assert desk.ask("PUT", "case.yaml", {**file, "content": stated})[0] == 200


def test_decisions_by_cell_and_by_form_are_kept_and_another_run_finds_the_same(desk: Desk) -> None:
    """Restart the kernel, run all again: the same bytes."""
    desk.open_step(STEPS[-1])
    before = json.loads(desk.findings())
    first, second = (entry["id"] for entry in before["findings"][:2])
    desk.cell(f'guide.decide(case, "{first}", "confirmed", "{DECIDED_BY_CELL}", "A. Person")')
    _fill_form(desk, second)
    decided = [json.loads(line) for line in desk.case.decisions.read_text(encoding="utf-8").splitlines()]
    assert [(one["finding"], one["verdict"], one["reason"]) for one in decided] == [
        (first, "confirmed", DECIDED_BY_CELL),
        (second, "suspicious", DECIDED_BY_FORM),
    ]
    after = desk.findings()
    told = {entry["id"]: entry["decision"] for entry in json.loads(after)["findings"]}
    assert (told[first]["verdict"], told[second]["verdict"]) == ("confirmed", "suspicious")
    assert _undecided(json.loads(after)) == _undecided(before)
    for step in (STEPS[2], STEPS[-1]):
        desk.open_step(step)
        desk.menu("Kernel", "Restart Kernel and Run All Cells")
        desk.page.get_by_role("button", name="Confirm Kernel Restart").click()
        desk.page.wait_for_timeout(500)
        desk.all_ran()
        assert [output for output in desk.saved(step) if output["output_type"] == "error"] == []
    assert desk.findings() == after
    assert (desk.left, desk.errors) == ([], [])
    assert desk.case.decisions.read_text(encoding="utf-8").count("\n") == 2


def test_a_headless_run_with_the_same_decisions_finds_the_same_bytes(desk: Desk, tmp_path: Path) -> None:
    twin = tmp_path / "twin"
    shutil.copytree(desk.case.evidence, twin / "evidence")
    for name in ("case.yaml", "custody.jsonl", "decisions.jsonl"):
        shutil.copy(desk.case.path / name, twin / name)
    own = desk.case.path / ".jupyter" / "ipython"
    assert started("run", twin, IPYTHONDIR=str(own)).code == 0, "started from a terminal of the lab"
    assert (twin / "results" / "findings.json").read_bytes() == desk.findings()
    plain = (twin / "notebooks" / "3_scope_egress.ipynb").read_text(encoding="utf-8")
    assert plain.count("<tr>") < 200, "whole tables are for the lab"


def _fill_form(desk: Desk, finding: str) -> None:
    form = desk.page.locator(f"{OUTPUT} .widget-vbox", has_text="Record the decision").first
    form.scroll_into_view_if_needed()
    form.locator("select").nth(0).select_option(_option(form, finding))
    form.locator("select").nth(1).select_option("suspicious")
    form.locator("textarea").fill(DECIDED_BY_FORM)
    form.locator("input[type=text]").nth(0).fill("A. Person")
    form.get_by_role("button", name="Record the decision").click()
    form.get_by_text(f"{finding}: suspicious").wait_for()


def _option(form: Any, finding: str) -> str:
    options: list[str] = form.locator("select").nth(0).locator("option").all_inner_texts()
    return next(words for words in options if finding in words)


def _undecided(found: dict[str, Any]) -> dict[str, Any]:
    entries = {key: [{**entry, "decision": None} for entry in found[key]] for key in ("findings", "leads")}
    return {**found, **entries}
