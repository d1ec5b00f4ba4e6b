"""The simulator that the quality of scores is measured with: what it draws, and that nothing gives a side away."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from benchmarks.series import BROWSER, DAY, START, Context, Family, Series
from benchmarks.traffic import BENIGN, BY_DESIGN, MALICIOUS_DAY, MALICIOUS_WEEK, draw_estates, simulate
from benchmarks.traffic_context import SHARED_HOSTS, around
from benchmarks.traffic_people import asked

FAMILIES = {1: (*MALICIOUS_DAY, *BENIGN, *BY_DESIGN), 7: (*MALICIOUS_WEEK, *BENIGN)}
EVERY = [
    pytest.param(family, days, id=f"{family.name}, {days} d")
    for days, several in FAMILIES.items()
    for family in several
]


def series(seed: int, families: tuple[Family, ...], count: int, days: int = 1) -> list[Series]:
    r = np.random.default_rng(seed)
    return simulate(r, families, count, days, draw_estates(r, 20))


def test_there_are_as_many_families_as_the_measure_asks_for() -> None:
    assert len(MALICIOUS_DAY) >= 36
    assert len(BENIGN) >= 10
    assert len({family.name for families in FAMILIES.values() for family in families}) == sum(
        map(len, (MALICIOUS_DAY, MALICIOUS_WEEK, BENIGN, BY_DESIGN))
    )
    assert all(family.malicious for family in (*MALICIOUS_DAY, *MALICIOUS_WEEK))
    assert not any(family.malicious for family in (*BENIGN, *BY_DESIGN))
    assert [family.periodic for family in (*BENIGN, *BY_DESIGN)] == [False] * len(BENIGN) + [True] * len(BY_DESIGN)


@pytest.mark.parametrize(("family", "days"), EVERY)
def test_contacts_lie_in_order_within_the_days_and_have_sizes(family: Family, days: int) -> None:
    drawn = series(3, (family,), 4, days)
    for one in drawn:
        assert (np.diff(one.times) >= 0).all()
        assert ((one.times >= START) & (one.times < START + days * DAY)).all()
        assert len(one.times) == len(one.bytes_out) == len(one.bytes_in)
        assert (one.bytes_out > 0).all()
        assert (one.bytes_in > 0).all()
    assert sum(len(one.times) >= 4 for one in drawn) >= 2, "too few contacts to be a series"


def test_a_seed_draws_the_same_again_and_another_one_does_not() -> None:
    chosen = (MALICIOUS_DAY[1], BENIGN[0], BY_DESIGN[0])
    first, again, other = (series(seed, chosen, 2) for seed in (5, 5, 6))
    assert [one.times.tolist() for one in first] == [one.times.tolist() for one in again]
    assert [one.context for one in first] == [one.context for one in again]
    assert all(a.times.tolist() != b.times.tolist() for a, b in zip(first, other, strict=True))


def surroundings(families: Iterable[Family], count: int) -> list[Context]:
    r = np.random.default_rng(7)
    estates = draw_estates(r, 20)
    return [around(r, family, number, estates[number % 20]) for family in families for number in range(count)]


@pytest.mark.parametrize("families", [MALICIOUS_DAY, BY_DESIGN], ids=["implants", "by design"])
def test_both_sides_have_every_trait_of_context(families: tuple[Family, ...]) -> None:
    drawn = surroundings(families, 120)
    assert {context.new for context in drawn} == {True, False, None}
    assert {context.programs_new for context in drawn} == {True, False, None}
    assert {context.clients <= 2 for context in drawn} == {True, False}
    assert {context.agent is None for context in drawn} == {True, False}
    assert any(context.agent == BROWSER for context in drawn)
    assert any((context.agent or "").startswith("curl") for context in drawn)
    assert len({context.fingerprint for context in drawn}) == 3


@pytest.mark.parametrize(
    ("families", "few", "fresh"),
    [
        ([family for family in MALICIOUS_DAY if family.group not in SHARED_HOSTS], 0.95, 0.8),
        (BY_DESIGN, 0.04, 0.25),
    ],
    ids=["implants", "by design"],
)
def test_the_shares_of_context_are_those_documented(families: Iterable[Family], few: float, fresh: float) -> None:
    drawn = surroundings(families, 300)
    rare = [context for context in drawn if context.clients <= 2]
    assert len(rare) / len(drawn) == pytest.approx(few, abs=0.02)
    assert np.mean([context.new for context in rare if context.new is not None]) == pytest.approx(fresh, abs=0.1)


def test_a_cache_hides_what_is_asked_before_it_forgets() -> None:
    assert asked(np.array([0.0, 10, 59, 60, 61, 200]), np.full(6, 60.0)).tolist() == [0, 60, 200]
