"""The pages in a real browser without a network: everything is drawn, nothing runs that is not ours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from tests.browser import Visit, browser, opened
from tests.report.fabricated import REF, calm, hostile
from tests.report.test_pages import hostile_notebook

from playbooks.report import notebook_to_html, write_case_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]


def assert_quiet(visit: Visit, figures: int) -> None:
    expect(visit.page.locator(".drawing:has(svg.main-svg)")).to_have_count(figures, timeout=20_000)
    expect(visit.page.locator(".drawing.js-plotly-plot")).to_have_count(figures)
    visit.page.wait_for_timeout(300)
    assert (visit.console, visit.dialogs, visit.asked) == ([], [], [])
    assert visit.page.locator(".drawing a, main script:not([type]), main img:not([src^='data:'])").count() == 0


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_report_draws_its_figures_and_asks_for_nothing(browser: Browser, tmp_path: Path, dark: bool) -> None:
    with opened(browser, write_case_report(calm(), tmp_path), dark) as visit:
        assert_quiet(visit, figures=8)
        assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_on_paper_a_figure_keeps_its_place_and_fits_the_width(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, write_case_report(calm(), tmp_path)) as visit:
        assert_quiet(visit, figures=8)
        visit.page.emulate_media(media="print")
        visit.page.evaluate("document.body.style.width = '688px'")
        for drawing in visit.page.locator(".drawing").all():
            place, drawn = drawing.bounding_box(), drawing.locator("svg.main-svg").first.bounding_box()
            assert drawn["width"] == place["width"] <= 688
            assert 80 < drawn["height"] <= place["height"] + 1


def test_attacks_in_every_field_of_a_report_are_text(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, write_case_report(hostile(), tmp_path)) as visit:
        assert_quiet(visit, figures=8)
        assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert "<script>alert(1)</script>" in visit.page.inner_text("main")
        assert '"><img src=x onerror=alert(2)>' in visit.page.inner_text("main")


def test_attacks_in_a_notebook_are_text(browser: Browser, tmp_path: Path) -> None:
    page = tmp_path / "step.html"
    page.write_text(notebook_to_html(hostile_notebook(), "A step"), "utf-8")
    with opened(browser, page) as visit:
        assert_quiet(visit, figures=1)
        assert "<script>alert(1)</script>" in visit.page.inner_text("main")


def test_a_reference_leads_to_the_raw_record(browser: Browser, tmp_path: Path) -> None:
    with opened(browser, write_case_report(calm(), tmp_path)) as visit:
        visit.page.get_by_role("link", name=REF).first.click()
        assert visit.page.evaluate("location.hash") == "#E002-4118"
        assert "POST https://poll.workers.dev" in visit.page.inner_text(":target pre")


def test_the_policy_stops_a_script_that_slipped_in(browser: Browser, tmp_path: Path) -> None:
    report = write_case_report(calm(), tmp_path)
    report.write_text(report.read_text("utf-8").replace("</main>", "<script>alert(1)</script></main>"), "utf-8")
    with opened(browser, report) as visit:
        visit.page.wait_for_timeout(300)
        assert visit.dialogs == []
        assert any("Content Security Policy" in said for said in visit.console)
