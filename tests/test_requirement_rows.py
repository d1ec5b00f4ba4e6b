"""What a report owes its readers, row by row: on the sample incident, and on a case without any evidence."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from bs4 import BeautifulSoup, Tag

from playbooks import guide
from playbooks.case import new_case
from playbooks.findings import LIMITS, forbidden_claims
from playbooks.knowledge.attack import RELEASE, TECHNIQUES
from playbooks.report.inert import defanged

if TYPE_CHECKING:
    from tests.conftest import SampleRun

REF = re.compile(r"E\d{3}:\d+")


@pytest.fixture(scope="module")
def full(incident: SampleRun) -> BeautifulSoup:
    return parsed(incident.case)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> BeautifulSoup:
    case = new_case(tmp_path_factory.mktemp("empty") / "case", "EMPTY-1")
    guide.report(case)
    return parsed(case.path)


@pytest.fixture(params=["full", "empty"])
def either(request: pytest.FixtureRequest) -> BeautifulSoup:
    found: BeautifulSoup = request.getfixturevalue(request.param)
    return found


def parsed(case: Path) -> BeautifulSoup:
    soup = BeautifulSoup((case / "report" / "report.html").read_text("utf-8"), "html.parser")
    for element in soup.find_all(["script", "style"]):
        element.decompose()
    return soup


def section(page: BeautifulSoup, anchor: str) -> Tag:
    """Everything from a heading to the next of its kind, as an element."""
    head = page.find("h2", id=anchor)
    box = BeautifulSoup("<div></div>", "html.parser").div
    taken = {id(head)}
    box.append(BeautifulSoup(str(head), "html.parser"))
    for follows in head.find_all_next():
        if follows.name == "h2":
            break
        if follows.find("h2") is None and not taken & set(map(id, follows.parents)):
            taken.add(id(follows))
            box.append(BeautifulSoup(str(follows), "html.parser"))
    return box


def words(element: Tag) -> str:
    return " ".join(element.get_text(" ").split())


def rows(element: Tag, caption: str = "") -> list[list[str]]:
    tables = [table for table in element.find_all("table") if caption in table.caption.get_text()]
    return [
        [words(cell) for cell in row.find_all(["th", "td"])] for table in tables for row in table.select("tbody tr")
    ]


def test_s1_m1_what_blocked_a_conclusion_in_this_case_is_recommended(full: BeautifulSoup, empty: BeautifulSoup) -> None:
    told = rows(section(full, "recommended"))
    assert [
        row for row in told if "process in E" in row[1] and REF.search(row[3]) and re.search(r"A-[0-9a-f]{8}", row[2])
    ]
    assert [row for row in rows(section(empty, "recommended")) if "audit" in row[1]], "nothing was brought at all"


def test_s1_m4_destinations_are_gone_over_with_the_lists_of_the_house(
    full: BeautifulSoup, empty: BeautifulSoup
) -> None:
    told = section(full, "owning")
    assert [row for row in rows(told, "Entries of allow-list") if REF.search(row[-1]) and row[3]]
    assert [row for row in rows(told, "without an owner") if row[1]]
    assert "unreviewed baseline" in words(section(empty, "owning"))


def test_s1_m5_s2_n2_limits_stand_in_every_report_and_no_claim_goes_further(either: BeautifulSoup) -> None:
    told = words(section(either, "limits"))
    assert [limit for limit in LIMITS if " ".join(defanged(limit).split()) not in told] == []
    assert forbidden_claims(words(either.main)) == []


def test_s1_n1_s3_n1_s2_n1_attack_is_context_and_its_release_is_printed(either: BeautifulSoup) -> None:
    told = words(either.main)
    for id in ("AN1961", "AN1996", "AN1053–AN1055"):
        assert id in words(section(either, "limits"))
    assert "they define no rule here" in told and RELEASE in told


def test_s1_n2_each_finding_says_what_cannot_be_seen(full: BeautifulSoup) -> None:
    cards = full.select("article.card")
    assert len(cards) == len([card for card in cards if card.find("h4", string="What we cannot see").find_next("li")])
    assert cards


def test_s1_n3_s2_n5_nobody_is_named_and_evidence_has_neutral_names(full: BeautifulSoup) -> None:
    assert "No adversary is named" in words(section(full, "limits"))
    items = rows(section(full, "evidence"), "Evidence items")
    assert items and all(re.fullmatch(r"E\d{3}", row[0]) and row[1].startswith(row[0]) for row in items)


def test_s1_n4_s3_n3_estate_and_parameters_are_printed(full: BeautifulSoup, empty: BeautifulSoup) -> None:
    told = words(section(full, "reproduce"))
    for stated in ("10.20.0.0/16", "111122223333", "window_minutes", "playbooks run CASE"):
        assert stated in told
    assert "depends on the estate, the baseline, the allow-list" in words(section(empty, "limits"))


def test_s2_d5_blind_spots_are_always_there_with_how_they_were_established(either: BeautifulSoup) -> None:
    told = rows(section(either, "blind-spots"), "What could not be seen")
    assert told and all(row[1] and row[3] and row[4] for row in told)


def test_s2_m5_public_endpoints_stale_functions_and_wide_roles_have_a_place(full: BeautifulSoup) -> None:
    told = words(section(full, "own-cloud"))
    for title in ("Own endpoints, open to strangers", "Functions that nobody touched for long", "Weak rights"):
        assert title in told
    endpoints = rows(section(full, "own-cloud"), "who may call them by the records")
    [opened] = [row for row in endpoints if row[1] == "invoice-export"]
    assert opened[2] != "–" and REF.search(opened[-1])
    assert "no acquired answer in evidence tells when a function was changed last" in told


def test_s2_n3_an_unreviewed_baseline_is_marked_in_the_summary(full: BeautifulSoup, empty: BeautifulSoup) -> None:
    assert "unreviewed baseline" in words(section(empty, "summary")).lower()
    assert "unreviewed baseline" not in words(section(full, "summary")).lower()


def test_s2_n4_acquired_and_compromised_infrastructure_are_both_named(full: BeautifulSoup) -> None:
    cards = [words(card) for card in full.select("article.finding") if "hypothesis A" in words(card)]
    assert cards and all("T1583.007" in card and "T1584.007" in card and "stays open" in card for card in cards)


def test_s2_n6_every_technique_is_one_of_the_pinned_release(full: BeautifulSoup) -> None:
    ids = set(re.findall(r"\bT1\d{3}(?:\.\d{3})?\b", words(full.main)))
    assert ids and ids <= set(TECHNIQUES)


def test_s3_m3_who_used_which_serverless_right(full: BeautifulSoup) -> None:
    told = rows(section(full, "own-cloud"), "Rights that were used in the window")
    assert [row for row in told if row[0] == "j.doe" and row[1].startswith("lambda:") and REF.search(row[-1])]


def test_s3_m5_roles_are_judged_by_their_policies_or_it_is_said_what_lacks(full: BeautifulSoup) -> None:
    assert [row for row in rows(section(full, "functions"), "Roles") if "ListAttachedRolePolicies" in row[-1]]


def test_s3_n2_the_platforms_are_stated(either: BeautifulSoup) -> None:
    assert "IaaS, SaaS and office suites" in words(section(either, "limits"))


def test_s3_n4_four_questions_are_answered_for_every_function(full: BeautifulSoup) -> None:
    told = rows(section(full, "functions"), "One row per function")
    assert told
    for row in told:
        for answer in row[1:6]:
            assert REF.search(answer) or re.search(r"not answerable because|none recorded from", answer), row


def test_s3_n5_silence_of_an_endpoint_is_no_evidence(either: BeautifulSoup) -> None:
    assert "silence there is no evidence" in words(section(either, "limits"))


def test_an_empty_case_finds_nothing_and_says_that_it_could_not_look(empty: BeautifulSoup) -> None:
    told = words(section(empty, "summary"))
    assert "0 findings, 0 leads" in told and "No evidence was read." in told
    assert {row[1].lstrip("∅● ✓") for row in rows(section(empty, "summary"), "What was asked")} == {"blind"}


@pytest.mark.parametrize("head", ["Suspected", "Found", "Affected", "Not seen", "To do first"])
def test_the_summary_answers_what_a_manager_asks(either: BeautifulSoup, head: str) -> None:
    term = either.find("dl", class_="brief").find("dt", string=head)
    assert len(words(term.find_next("dd"))) > 20
