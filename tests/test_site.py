"""The documentation as a site: built without a warning, searched in a browser, without a request to the outside."""

from __future__ import annotations

import functools
import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.browser import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]  # the fixture

ROOT = Path(__file__).resolve().parents[1]
LOADED = re.compile(
    r"""<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)=["']?(?:https?:)?//[^"'\s>]+""", re.IGNORECASE
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_every_page_is_built_and_none_loads_anything_from_outside(site: Path) -> None:
    pages = {page.relative_to(site).as_posix() for page in site.rglob("*.html")}
    sources = {
        page.relative_to(ROOT / "docs").with_suffix(".html").as_posix() for page in (ROOT / "docs").rglob("*.md")
    }
    assert sources <= pages
    assert (site / "examples" / "slurm_batch.py").is_file()
    for page in pages:
        assert LOADED.findall((site / page).read_text(encoding="utf-8")) == [], page


def test_a_reader_finds_a_page_by_its_words_and_no_request_leaves(address: str, browser: Browser) -> None:
    left: list[str] = []
    said: list[str] = []
    page = browser.new_page()
    page.on(
        "request",
        lambda request: None if request.url.startswith((address, "data:", "blob:")) else left.append(request.url),
    )
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.goto(f"{address}/index.html")
    page.locator("input.md-search__input").click()
    page.keyboard.type("custody chain", delay=20)
    page.locator(".md-search-result__link").first.wait_for(timeout=30_000)
    page.locator(".md-search-result__link").first.click()
    page.locator("h1").first.wait_for()
    assert "chain" in page.locator("article").inner_text().lower()
    assert (left, said) == ([], [])
