"""The section on our own clouds: short, with its records, and honest about what it could not answer."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from tests.report.closed_page import assert_closed
from tests.report.fabricated import REF, calm, cloud, hostile

from playbooks.report import CloudFacts, refs_of_cloud, write_case_report
from playbooks.report.cloud_section import MOST, chains_part, cloud_parts

TITLES = [
    "Who made calls that attackers use", "Changes without a ticket", "What functions' roles called anew",
    "Credentials used outside the function", "Functions that can be seen leaving",
    "Weak rights, and calls without a grant", "Who used which serverless right",
    "Logging after which less was recorded", "Own endpoints, open to strangers or called",
    "Code that no record explains, or that came back", "Functions that nobody touched for long", "Sigma rules",
]  # fmt: skip


def page(folder: Path, facts: CloudFacts | None) -> BeautifulSoup:
    return assert_closed(write_case_report(replace(calm(), cloud=facts), folder).read_text("utf-8"))


def part(facts: CloudFacts, title: str) -> dict[str, Any]:
    return next(one for one in cloud_parts(facts) if one["title"] == title)


def without_rows() -> CloudFacts:
    empty = {name: value.head(0) for name, value in vars(cloud()).items() if isinstance(value, pd.DataFrame)}
    return replace(cloud(), **empty, functions_listed=0, sigma_rules=[])


def test_each_part_has_its_rows_and_the_last_cell_holds_the_records() -> None:
    parts = cloud_parts(cloud())
    assert [one["title"] for one in parts] == TITLES
    for one in (chains_part(cloud()), *parts):
        for row in one["rows"]:
            assert len(row) == len(one["heads"])
            assert row[-1] == [REF], one["title"]
    assert [one["title"] for one in parts if not one["rows"]] == [
        "Functions that can be seen leaving",
        "Who used which serverless right",
    ]


def test_the_report_prints_the_records_that_the_section_refers_to() -> None:
    assert refs_of_cloud(cloud()) == [REF]
    unknown = cloud().logging_changes.assign(effect="unknown", outcome="success", ref="E009:7")
    assert "E009:7" in refs_of_cloud(replace(cloud(), logging_changes=unknown)), "also those named in a sentence"


def test_a_reference_of_the_section_leads_to_its_raw_record(tmp_path: Path) -> None:
    soup = page(tmp_path, cloud())
    head = soup.find(id="own-cloud")
    chains = head.find_next("table")
    assert chains.find("a", string=REF)["href"] == "#E002-4118"
    assert "results/chains.parquet" not in chains.get_text(), "all rows are here"
    assert soup.find("figcaption", string="Chain C-1: who handed what to whom")


def test_without_any_record_of_a_cloud_one_line_says_so(tmp_path: Path) -> None:
    nothing = replace(without_rows(), records=0)
    for facts, folder in ((nothing, tmp_path / "a"), (None, tmp_path / "b")):
        head = page(folder, facts).find(id="own-cloud")
        assert head.find_next("p").get_text().startswith("No audit record and no acquired answer")
        assert head.find_next("h3") is None or head.find_next("h3").get_text() not in TITLES


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Who made calls that attackers use", "Not answerable because no audit record lies in the window."),
        ("Credentials used outside the function", "Not answerable because no call of a function's role"),
        ("Functions that can be seen leaving", "Not answerable because no record shows a function and its role."),
        (
            "Own endpoints, open to strangers or called",
            "Not answerable because no record or answer in evidence shows an endpoint",
        ),
        ("Code that no record explains, or that came back", "Not answerable because no record or answer in evidence"),
        ("Functions that nobody touched for long", "Not answerable because no acquired answer in evidence tells when"),
        ("Logging after which less was recorded", "No record tells of a change of logging; that does not say"),
    ],
)
def test_an_empty_table_says_why_and_never_that_nothing_happened(title: str, words: str) -> None:
    one = part(without_rows(), title)
    assert one["rows"] == []
    assert one["words"][0].startswith(words)


def test_reasons_of_the_results_stand_in_their_part() -> None:
    facts = replace(cloud(), untold={"chains": ["Runs are not answerable because X."], "roles": ["No role because Y."]})
    assert "Runs are not answerable because X." in chains_part(facts)["words"]
    assert "No role because Y." in part(facts, "What functions' roles called anew")["words"]
    assert part(facts, TITLES[5])["words"] == ["export-role: not answerable because X."]
    assert part(facts, "Sigma rules")["words"] == [
        "2 Sigma rules: 1 blind, 1 matched.", "Blind: Everyone may invoke: no records of gcp_audit."
    ]  # fmt: skip


def test_changes_without_a_ticket_are_told_only_where_a_list_was_given() -> None:
    assert "Changes without a ticket" not in [
        one["title"] for one in cloud_parts(replace(cloud(), without_change=None))
    ]
    none_open = replace(cloud(), without_change=cloud().without_change.head(0))
    assert part(none_open, "Changes without a ticket")["words"] == [
        "Every successful change belongs to an entry of the change list."
    ]


def test_attempts_that_failed_and_rows_without_a_reason_to_look_stay_in_the_file() -> None:
    facts = replace(
        cloud(),
        identities=cloud().identities.assign(attack_calls=0),
        rights=cloud().rights.assign(kind="used"),
        logging_changes=cloud().logging_changes.assign(effect="unknown", outcome="failure"),
        own_endpoints=cloud().own_endpoints.assign(called_from_outside=None, answer="not answerable because no log"),
        code_changes=cloud().code_changes.assign(change="changed"),
    )
    for title in (TITLES[0], TITLES[5], TITLES[7], TITLES[8], TITLES[9]):
        assert part(facts, title)["rows"] == [], title
        assert part(facts, title)["words"], title
    assert part(facts, TITLES[8])["words"] == ["x.lambda-url.us-east-1.on.aws: not answerable because no log."]


def test_an_endpoint_open_to_strangers_is_listed_though_nobody_called_it() -> None:
    quiet = cloud().own_endpoints.assign(called_from_outside=None, open_to="anyone, without sign-in")
    [row] = part(replace(cloud(), own_endpoints=quiet), TITLES[8])["rows"]
    assert row[2] == "anyone, without sign-in"


def test_functions_in_use_are_counted_and_none_is_called_old() -> None:
    fresh = replace(cloud(), stale_functions=cloud().stale_functions.head(0))
    assert part(fresh, TITLES[10])["words"] == [
        "Of 4 functions in acquired answers none was untouched for 180 days before the window."
    ]


def test_long_tables_are_cut_and_name_their_file(tmp_path: Path) -> None:
    many = pd.concat([cloud().identities] * (MOST + 5), ignore_index=True)
    text = page(tmp_path, replace(cloud(), identities=many)).get_text()
    assert "5 more rows are not shown here; all of them are in results/identities.parquet." in text


def test_chains_that_say_no_more_than_a_deployment_are_not_drawn(tmp_path: Path) -> None:
    soup = page(tmp_path, replace(cloud(), chains=cloud().chains.assign(score=0.3)))
    assert soup.find("figcaption", string="Chain C-1: who handed what to whom") is None
    assert "C-1" in soup.find(id="own-cloud").find_next("table").get_text()


def test_an_attack_in_every_cell_is_text(tmp_path: Path) -> None:
    soup = page(tmp_path, hostile().cloud)
    for script in soup.find_all("script"):
        script.decompose()
    section = soup.find(id="own-cloud").find_all_next("table")
    told = " ".join(table.get_text() for table in section)
    assert told.count("<script>alert(1)</script>") > 20
    assert "\u202e" not in told and "\x1b" not in told
