"""A real browser for pages that must work offline: Debian's chromium, driven by Playwright, nothing downloaded.

Use: `from tests.browser import browser, opened` (the first is a fixture).
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass
class Visit:
    """An opened page, and everything it did that a report must not do."""

    page: Page
    asked: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)


def chromium() -> str:
    """The browser of this machine; without one the test is skipped, or fails where CI=true promises one."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        why = f"no browser on this machine (looked for {', '.join(NAMES)}); on Debian: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(why)
        pytest.skip(why)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield running
        running.close()


@contextmanager
def opened(browser: Browser, file: Path, dark: bool = False) -> Iterator[Visit]:
    """Open a file with the network off; everything it asks for beyond files is refused and written down."""
    context = browser.new_context(offline=True, color_scheme="dark" if dark else "light")
    visit = Visit(context.new_page())

    def answer(route: Route) -> None:
        if route.request.url == file.as_uri():
            route.continue_()
        else:
            visit.asked.append(route.request.url)
            route.abort()

    context.route("**/*", answer)
    visit.page.on("console", lambda said: visit.console.append(f"{said.type}: {said.text}"))
    visit.page.on("pageerror", lambda error: visit.console.append(f"error: {error}"))
    visit.page.on("dialog", lambda dialog: (visit.dialogs.append(dialog.message), dialog.dismiss()))
    visit.page.goto(file.as_uri(), wait_until="load")
    yield visit
    context.close()
