"""Labelled events of others: attacks are found, what looks like them is no finding, and the page says so."""

from __future__ import annotations

import pytest
from tests.findings import labelled_cloud
from tests.findings.labelled_cloud import Verdict

pytestmark = pytest.mark.skipif(not labelled_cloud.LOGS.is_dir(), reason="the labelled logs are not beside this clone")
CLEANUP = "cleanup"  # the tool takes back what it did, with its own user agent


@pytest.fixture(scope="module")
def verdicts() -> list[Verdict]:
    return labelled_cloud.verdicts()


def test_every_labelled_attack_is_in_a_finding_or_a_lead(verdicts: list[Verdict]) -> None:
    attacks = [one for one in verdicts if one.attack]
    assert len(attacks) > 30
    assert [one for one in attacks if one.verdict == "nothing"] == []


def test_what_only_looks_like_an_attack_is_no_finding(verdicts: list[Verdict]) -> None:
    benign = [one for one in verdicts if not one.attack and not one.label.startswith(CLEANUP)]
    assert len(benign) > 10
    assert [one for one in benign if one.verdict == "finding"] == []


def test_the_page_shows_these_verdicts(verdicts: list[Verdict]) -> None:
    assert labelled_cloud.PAGE.read_text(encoding="utf-8") == labelled_cloud.page(verdicts)
