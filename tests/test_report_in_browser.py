"""The report of the sample incident, as a reader opens it: Chromium, network off."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.browser import browser, opened

from playbooks.steps import STEPS

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from tests.conftest import SampleRun

__all__ = ["browser"]  # the fixture

FIGURES = {"report": 11, "2_check_coverage": 1, "3_scope_egress": 4, "4_scope_cloud": 2}


@pytest.mark.parametrize("page", ["report", *STEPS])
def test_a_page_of_the_incident_draws_its_figures_and_asks_for_nothing(
    browser: Browser, incident: SampleRun, page: str
) -> None:
    with opened(browser, incident.case / "report" / f"{page}.html") as visit:
        for drawing in visit.page.locator(".drawing").all():
            drawing.scroll_into_view_if_needed()
            drawing.locator("svg.main-svg").first.wait_for(timeout=10_000)
        assert visit.page.locator(".drawing").count() == FIGURES.get(page, 0)
        assert (visit.console, visit.dialogs, visit.asked) == ([], [], [])


def test_a_planted_script_is_shown_as_text(browser: Browser, incident: SampleRun) -> None:
    with opened(browser, incident.case / "report" / "report.html") as visit:
        assert "<script>alert(1)</script>" in visit.page.inner_text("main")
        assert visit.dialogs == []
