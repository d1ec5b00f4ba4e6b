"""A report of a very large case does not grow with it, and draws nothing before somebody looks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser import browser, opened
from tests.report.closed_page import assert_closed
from tests.report.many_leads import large

from playbooks.report import write_case_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]  # the fixture

MOST_BYTES, MOST_ELEMENTS = 15_000_000, 30_000
COUNT = "document.getElementsByTagName('*').length"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_case_report(large(), tmp_path_factory.mktemp("large"))


def test_it_draws_every_figure_and_says_nothing_on_the_console(browser: Browser, report: Path) -> None:
    with opened(browser, report) as visit:
        drawings = visit.page.locator(".drawing")
        expect(visit.page.locator(".drawing.js-plotly-plot")).to_have_count(drawings.count(), timeout=60_000)
        assert (visit.console, visit.dialogs, visit.asked) == ([], [], [])


def test_a_browser_holds_few_elements_of_ten_thousand_leads(browser: Browser, report: Path) -> None:
    """How long it takes to open is what `python -m benchmarks.opening` prints; this is what it grows with."""
    with opened(browser, report) as visit:
        assert visit.page.evaluate(COUNT) < MOST_ELEMENTS


def test_it_stays_small_and_says_where_the_rest_is(report: Path) -> None:
    assert report.stat().st_size < MOST_BYTES
    text = assert_closed(report.read_text("utf-8")).get_text()
    assert "1 finding, 10,000 leads" in text
    assert "9,750 more leads are in results/findings.json." in text
