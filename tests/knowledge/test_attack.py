"""ATT&CK ids: named, checked against one release, and refused when unknown."""

from __future__ import annotations

import pytest

from playbooks.knowledge.attack import ANALYTICS, RELEASE, STRATEGIES, TECHNIQUES, strategy_of, technique


def test_a_technique_has_its_official_name_and_page() -> None:
    one = technique("T1583.007")
    assert one.name == "Acquire Infrastructure: Serverless"
    assert one.url == "https://attack.mitre.org/techniques/T1583/007"
    assert technique("T1648").name == "Serverless Execution"


@pytest.mark.parametrize("id", ["T9999", "", "t1648", "AN1961"])
def test_an_unknown_id_is_refused_with_the_release_in_the_message(id: str) -> None:
    with pytest.raises(KeyError, match=r"v18\.1"):
        technique(id)


def test_strategies_point_to_techniques_and_analytics_that_are_named_here() -> None:
    assert {one.technique for one in STRATEGIES.values()} <= set(TECHNIQUES)
    assert {id for one in STRATEGIES.values() for id in one.analytics} == set(ANALYTICS)


@pytest.mark.parametrize(
    ("id", "strategy"),
    [("AN1961", "DET0829"), ("AN1996", "DET0864"), ("AN1054", "DET0374"), ("T1648", "DET0374")],
)
def test_an_analytic_or_technique_leads_to_its_strategy(id: str, strategy: str) -> None:
    assert strategy_of(id).id == strategy


def test_no_strategy_is_invented() -> None:
    with pytest.raises(KeyError, match="DET0864"):
        strategy_of("T1102")


def test_the_release_is_pinned() -> None:
    assert RELEASE == "ATT&CK v18.1 (mitre/cti@421deacb)"
