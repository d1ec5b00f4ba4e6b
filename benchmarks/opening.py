"""How long a report of a very large case takes to open in a real browser, beside the report of a calm one.

python -m benchmarks.opening
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser import NAMES, opened
from tests.report.fabricated import calm
from tests.report.many_leads import large

from benchmarks.measuring import line, seconds
from playbooks.report import write_case_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser

VISITS = 4


def measure(folder: Path) -> None:
    """Print the quickest of a few visits to each; on a machine without a browser, that there is none."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        print(f"open a report: no browser on this machine (looked for {', '.join(NAMES)})")
        return
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        ours, floor = (_quickest(browser, write_case_report(kind(), folder / kind.__name__)) for kind in (large, calm))
        browser.close()
    line("open a report of 10,000 leads", ours, "the report of a calm case", floor)


def _quickest(browser: Browser, report: Path) -> float:
    return min(seconds(lambda: _visit(browser, report)) for _ in range(VISITS))


def _visit(browser: Browser, report: Path) -> None:
    with opened(browser, report):
        pass


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name))
