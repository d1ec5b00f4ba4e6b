"""Attacks in every text of a case, through the real run, in a real browser: nothing acts, and all of it can be read."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from tests.browser import browser, opened
from tests.conftest import SampleRun, started
from tests.report.planted import ATTACKS, MARK, NUL_IN_EVENTS, attack, mark, plant, plant_json

from playbooks import guide
from playbooks.findings import decide
from playbooks.report.inert import visible, without_ansi
from playbooks.steps import STEPS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["browser"]  # the fixture

PAGES = ("report", *STEPS)
LOADED = ("events", "results")  # where attacks were planted
# What the words of coverage may quote of a log; the other texts there are ours.
TOLD_WORDS = """
    name sentence why reason title missing forbids how_established recommend label without account region note rhythm
"""
TOLD = set(TOLD_WORDS.split())
NAMES = (
    '"><img src=x onerror=alert(1)>.log',
    "a\u202egnp.<svg onload=alert(2)>",
    "</script><script>alert(3)<",
    "=1+1.csv",
)
HARMFUL = (
    "img:not([src^='data:']), iframe, object, embed, form, math, base, meta[http-equiv=refresh], "
    ".drawing a, .drawing image:not([*|href^='data:image/png;base64,'])"
)


def hostile_case_file(case: Path) -> None:
    """Attacks in every text that a person writes into `case.yaml`."""
    stated = yaml.safe_load((case / "case.yaml").read_text("utf-8"))
    for name in ("title", "analyst"):
        stated[name] = f"{stated[name]} {mark('case', name)} {attack(1)}"
    for listed, names in (("inventory", ("owner",)), ("allow_list", ("owner", "reason")), ("intel", ("vetted_by",))):
        for number, entry in enumerate(stated[listed]):
            entry |= {name: f"{entry[name]} {mark(listed, name)} {attack(number)}" for name in names}
    (case / "case.yaml").write_text(yaml.safe_dump(stated, allow_unicode=False), "utf-8")


def hostile_files(folder: Path) -> list[Path]:
    """Files whose names are attacks: an audit log with one in every field, and lines that no format fits."""
    folder.mkdir()
    record = {
        "eventVersion": "1.11", "eventTime": "2026-03-10T12:00:00Z", "eventSource": "lambda.amazonaws.com",
        "eventName": "UpdateFunctionCode20150331v2", "awsRegion": attack(1), "sourceIPAddress": attack(2),
        "userIdentity": {"type": "IAMUser", "userName": attack(3), "arn": attack(4), "accountId": "111122223333"},
        "userAgent": attack(5), "requestParameters": {"functionName": attack(6), attack(7): attack(8)},
        "responseElements": {attack(9): attack(10)}, "errorMessage": attack(11), "eventID": attack(12),
        "recipientAccountId": "111122223333", "eventType": "AwsApiCall",
    }  # fmt: skip
    lines = "\n".join(attack(number).replace("\n", " ") for number in range(20))
    contents = (json.dumps({"Records": [record] * 3}), json.dumps(record), lines, lines)
    files = [folder / name.replace("/", "\u2215") for name in NAMES]
    for file, content in zip(files, contents, strict=True):
        file.write_text(content, "utf-8")
    return files


@pytest.fixture(scope="module")
def pages(incident: SampleRun, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where attacks were planted → the folder of the pages that a run then wrote."""
    base = tmp_path_factory.mktemp("hostile")
    folder = incident.copy(base / "case")
    case = guide.open_case(str(folder))
    guide.add(case, *map(str, hostile_files(base / "given")))
    hostile_case_file(folder)
    guide.normalise(guide.open_case(str(folder)))
    plant(folder / "events", huge=True)
    shutil.rmtree(folder / "results")
    written = {}
    for where in LOADED:
        if where == "results":
            plant(folder / "results", huge=True)
            plant_json(folder / "results" / "coverage.json", TOLD)
            (folder / "results" / ".judged.json").unlink()  # judged before anything was planted here
            case = guide.open_case(str(folder))
            for finding in guide.findings(case).data["findings"][:3]:
                said = f"{mark('decision', 'reason')} {attack(3)}", f"{mark('decision', 'analyst')} {attack(4)}"
                decide(case, finding["id"], "suspicious", *said)
        done = started("run", folder, "--fresh", cwd=base)
        assert done.code == 0, done.err
        written[where] = base / where
        shutil.copytree(folder / "report", written[where])
    return written


@pytest.mark.parametrize("where", LOADED)
@pytest.mark.parametrize("page", PAGES)
def test_what_was_planted_does_nothing_and_can_be_read(
    browser: Browser, pages: dict[str, Path], page: str, where: str
) -> None:
    with opened(browser, pages[where] / f"{page}.html") as visit:
        for drawing in visit.page.locator(".drawing").all():
            drawing.locator("svg.main-svg").first.wait_for(timeout=20_000)
        visit.page.wait_for_timeout(300)
        assert (visit.console, visit.dialogs, visit.asked) == ([], [], [])
        assert visit.page.evaluate("css => document.querySelectorAll(css).length", HARMFUL) == 0
        assert visit.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert visit.page.evaluate(
            "[...document.querySelectorAll('*')].every(e => ![...e.attributes].some(a => /^on/i.test(a.name)))"
        )
        assert_readable(visit.page.locator("main").evaluate(TEXT))


TEXT = """main => {
    const copy = main.cloneNode(true);
    copy.querySelectorAll("script, .drawing").forEach(one => one.remove());
    return copy.textContent;
}"""
HANDLERS = (
    "[...document.querySelectorAll('*')].flatMap(one => one.getAttributeNames()).filter(name => /^on/i.test(name))"
)
FIRST = [
    shown.replace("https:", "hxxps:")[:11]
    for text in (*ATTACKS, *(text.replace("\0", NUL_IN_EVENTS) for text in ATTACKS))
    for shown in (visible(text), visible(without_ansi(text)))  # the report leaves colours of terminals out
]


def assert_readable(text: str) -> None:
    """Each mark is followed by the attack as it was written, or by the sign that the rest is cut."""
    marks = list(MARK.finditer(text))
    assert marks
    for found in marks:
        after = text[found.end() : found.end() + 16]
        assert "…" in after or after[1:].startswith(tuple(FIRST)), (found[0], after)
    assert not re.search("[\u202e\x00\x1b\u200b]", text)


def test_marks_of_every_kind_of_place_are_in_the_report(pages: dict[str, Path]) -> None:
    """Against a corpus that silently reaches no page."""
    seen = {where: set(MARK.findall((pages[where] / "report.html").read_text("utf-8"))) for where in LOADED}
    for name in ("CASE-TITLE", "CASE-ANALYST", "API-ACTIVITY-ACTOR-USER-NAME", "HTTP-ACTIVITY-HTTP-REQUEST-USER-AGENT"):
        assert name in seen["events"]
    for name in ("DECISION-REASON", "DECISION-ANALYST", "RESOURCES-RESOURCE", "COVERAGE-SENTENCE"):
        assert name in seen["results"]
    print({where: len(names) for where, names in seen.items()})


def test_a_page_stays_small_whatever_one_field_holds(pages: dict[str, Path]) -> None:
    sizes = {f"{where}/{page}": (pages[where] / f"{page}.html").stat().st_size for where in LOADED for page in PAGES}
    assert max(sizes.values()) < 15_000_000, sizes
