"""Everybody can read the pages: no serious fault by axe-core, by keyboard alone, without JavaScript, on paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from tests.browser import browser, opened

from playbooks.steps import STEPS

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from tests.conftest import SampleRun

__all__ = ["browser"]  # the fixture

PAGES = ("report", *STEPS)
# The pages share one template and one sheet of styles: each is looked at by day, the richest two also in the dark,
# and the one that is printed on paper.
LOOKED_AT = [*((page, "light") for page in PAGES), ("report", "dark"), (STEPS[2], "dark"), ("report", "paper")]
LOOKS = {"light": {}, "dark": {"color_scheme": "dark"}, "paper": {"media": "print"}}
GRAVE = {"serious", "critical"}
# Hundreds of records are marked up alike: ten of them show a fault as well, and axe need not look for minutes.
FEW_RECORDS = "document.querySelectorAll('section.raw').forEach((one, at) => at > 9 && one.remove())"


def faults(page: Any) -> list[str]:
    """Serious and critical violations, each with the first places where it is."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{one['id']}: {one['help']} ({len(one['nodes'])}): {[node['html'][:120] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in GRAVE
    ]


@pytest.mark.parametrize(("page", "look"), LOOKED_AT)
def test_axe_finds_no_serious_fault(browser: Browser, incident: SampleRun, page: str, look: str) -> None:
    with opened(browser, incident.case / "report" / f"{page}.html") as visit:
        visit.page.emulate_media(**LOOKS[look])
        for drawing in visit.page.locator(".drawing").all():
            drawing.locator("svg.main-svg").first.wait_for(timeout=20_000)
        visit.page.evaluate(FEW_RECORDS)
        assert faults(visit.page) == []


def test_axe_does_find_a_fault_that_is_there(browser: Browser, incident: SampleRun) -> None:
    with opened(browser, incident.case / "report" / "1_preserve_evidence.html") as visit:
        visit.page.evaluate("document.querySelector('main').append(new Image())")
        assert [fault.split(":")[0] for fault in faults(visit.page)] == ["image-alt"]


def test_a_keyboard_alone_skips_to_the_content_and_reaches_a_raw_record(browser: Browser, incident: SampleRun) -> None:
    with opened(browser, incident.case / "report" / "report.html") as visit:
        page = visit.page
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        page.keyboard.press("Enter")
        assert page.evaluate("location.hash") == "#content"
        reached = set()
        for _ in range(200):
            page.keyboard.press("Tab")
            reached.add(page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.tagName"))
        assert "SUMMARY" in reached and any(str(one).startswith("#A-") for one in reached)
        link = page.locator("#findings ~ * a[href^='#E0'], article a[href^='#E0']").first
        link.focus()
        page.keyboard.press("Enter")
        assert page.locator(":target pre").is_visible()


@pytest.mark.parametrize("page", PAGES)
def test_without_javascript_texts_and_tables_remain(browser: Browser, incident: SampleRun, page: str) -> None:
    file = incident.case / "report" / f"{page}.html"
    with opened(browser, file) as with_it:
        whole = with_it.page.locator("main").evaluate(TEXT)
    context = browser.new_context(offline=True, java_script_enabled=False)
    shown = context.new_page()
    shown.goto(file.as_uri())
    texts = shown.locator("main").all_inner_texts()
    tables, rows = shown.locator("table").count(), shown.locator("tbody tr").count()
    context.close()
    assert texts and tables and rows
    for sentence in whole:
        assert sentence in " ".join(texts[0].split()), sentence


TEXT = """main => [...main.querySelectorAll('h2, h3, .answer, article .chain, figcaption, .lead')]
    .map(one => one.innerText.split(/\\s+/).join(' ').trim()).filter(text => text)"""


def test_every_table_has_a_caption_and_heads_and_every_figure_a_sentence_and_data(
    browser: Browser, incident: SampleRun
) -> None:
    with opened(browser, incident.case / "report" / "report.html") as visit:
        page = visit.page
        assert page.locator("table:not(:has(caption))").count() == 0
        assert page.locator("table:not(:has(th[scope=col]))").count() == 0
        assert page.locator("figure.picture:not(:has(figcaption)):not(:has(p))").count() == 0
        assert page.locator("figure.picture:has(.drawing):not(:has(details table))").count() == 0
        assert page.locator("nav[aria-label], main").count() == 2
