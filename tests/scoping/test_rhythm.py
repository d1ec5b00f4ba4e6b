"""What the interval score calls regular, and what it does not."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.scoping.rhythm import MIN_CHECKINS, score

EPOCH = 1_773_100_000
SEEDS = range(8)
HOUR, DAY = 3_600, 86_400


def after(gaps: np.ndarray) -> np.ndarray:
    return EPOCH + np.cumsum(gaps)


def symmetric(r: np.random.Generator, count: int, period: float, jitter: float) -> np.ndarray:
    return after(period * (1 + r.uniform(-jitter, jitter, count)))


def shortened(r: np.random.Generator, count: int, period: float, jitter: float) -> np.ndarray:
    return after(period * (1 - r.uniform(0, jitter, count)))


def missing(r: np.random.Generator, times: np.ndarray, share: float) -> np.ndarray:
    return times[r.random(len(times)) > share]


def repeated(r: np.random.Generator, times: np.ndarray, requests: int, within: float) -> np.ndarray:
    return np.concatenate([times, *(times + r.uniform(0, within, len(times)) for _ in range(requests - 1))])


def memoryless(r: np.random.Generator, count: int, mean: float) -> np.ndarray:
    return after(r.exponential(mean, count))


def page_loads(r: np.random.Generator, pages: int, mean: float) -> np.ndarray:
    starts = memoryless(r, pages, mean)
    return np.concatenate([start + np.cumsum(r.exponential(0.8, r.integers(3, 30))) for start in starts])


def working_hours(r: np.random.Generator, days: int) -> np.ndarray:
    """Somebody at a desk: visits at uneven times from nine to half past five, a few clicks each."""
    times: list[float] = []
    for day in range(days):
        now = day * DAY + 9 * HOUR
        while now < day * DAY + 17.5 * HOUR:
            now += float(r.lognormal(np.log(300), 1.2))
            times.extend(now + np.cumsum(r.lognormal(1, 1, r.integers(1, 8))))
    return EPOCH + np.array(times)


REGULAR = {
    "strict 60 s": lambda r: symmetric(r, 60, 60, 0),
    "strict 2 s": lambda r: symmetric(r, 500, 2, 0),
    "ten check-ins, strict": lambda r: symmetric(r, 10, 300, 0),
    "six hours, a week": lambda r: symmetric(r, 28, 6 * HOUR, 0.05),
    "10 s ± 23 %": lambda r: symmetric(r, 200, 10, 0.23),
    "60 s shortened by up to 37 %": lambda r: shortened(r, 80, 60, 0.37),
    "60 s + up to 30 s": lambda r: after(60 + r.uniform(0, 30, 80)),
    "60 s ± 50 %": lambda r: symmetric(r, 60, 60, 0.5),
    "20 % missed": lambda r: missing(r, symmetric(r, 150, 60, 0.05), 0.2),
    "20 % missed, ± 23 %": lambda r: missing(r, symmetric(r, 150, 60, 0.23), 0.2),
    "50 % missed": lambda r: missing(r, symmetric(r, 300, 60, 0.05), 0.5),
    "three requests per check-in": lambda r: repeated(r, symmetric(r, 100, 60, 0.1), 3, 4),
    "redirect pairs, ± 37 %": lambda r: repeated(r, shortened(r, 100, 60, 0.37), 2, 2),
    "working hours of five days": lambda r: np.concatenate(
        [symmetric(r, 400, 60, 0.3) + day * DAY for day in range(5)]
    ),
    "a retry now and then": lambda r: np.concatenate([(t := symmetric(r, 100, 60, 0.05)), t[::12] + 2]),
}
IRREGULAR = {
    "memoryless, 20": lambda r: memoryless(r, 20, 60),
    "memoryless, 100": lambda r: memoryless(r, 100, 60),
    "memoryless, 500 in a day": lambda r: memoryless(r, 500, 172),
    "memoryless, several a second": lambda r: memoryless(r, 5_000, 0.4),
    "memoryless by day, silent by night": lambda r: np.concatenate(
        [memoryless(r, 3_000, 3) + day * DAY for day in range(3)]
    ),
    "rate that changes": lambda r: np.concatenate([memoryless(r, 100, 5), memoryless(r, 100, 300) + HOUR]),
    "page loads": lambda r: page_loads(r, 40, 300),
    "page loads, busy": lambda r: page_loads(r, 150, 40),
    "a person's working hours": lambda r: working_hours(r, 3),
}


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", REGULAR)
def test_regular_traffic_scores_high(family: str, seed: int) -> None:
    found = score(REGULAR[family](np.random.default_rng(seed)))
    assert found is not None
    assert found.score >= 0.7, found.reason


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("family", IRREGULAR)
def test_traffic_without_rhythm_scores_low(family: str, seed: int) -> None:
    found = score(IRREGULAR[family](np.random.default_rng(seed)))
    assert found is not None
    assert found.score < 0.4, found.reason


def test_memoryless_traffic_of_any_length_is_silent() -> None:
    random = np.random.default_rng(7)
    series = (memoryless(random, int(count), 60) for count in random.integers(MIN_CHECKINS, 300, 500))
    scores = [found.score for times in series if (found := score(times)) is not None]
    assert np.mean(np.array(scores) >= 0.4) < 0.01


def test_the_figures_behind_the_score_are_told() -> None:
    found = score(missing(np.random.default_rng(1), symmetric(np.random.default_rng(1), 200, 60, 0.05), 0.2))
    assert found is not None
    assert found.period_s == pytest.approx(60, abs=1)
    assert found.jitter == pytest.approx(0.05, abs=0.02)
    assert found.missed == pytest.approx(0.2, abs=0.06)
    assert found.span_s == pytest.approx(200 * 60, rel=0.05)
    assert found.reason.startswith(f"{found.checkins} check-ins over 3.3 h, every 60 s ± 4%, ")


def test_requests_of_one_check_in_count_once() -> None:
    found = score(repeated(np.random.default_rng(2), symmetric(np.random.default_rng(2), 100, 60, 0.1), 3, 4))
    assert found is not None
    assert found.checkins == 100


def test_too_few_check_ins_have_no_score() -> None:
    few = after(np.full(MIN_CHECKINS - 1, 60))
    assert score(few) is None
    assert score(np.concatenate([few, few, few])) is None
    assert score(np.array([])) is None
    assert score(after(np.full(MIN_CHECKINS, 60))) is not None


def test_short_series_are_damped() -> None:
    scores = [score(after(np.full(count, 600))) for count in (6, 8, 12)]
    six, eight, twelve = (found.score if found else 0 for found in scores)
    assert six < eight < twelve
    assert six < 0.95


SECONDS = st.lists(st.integers(0, 20_000), min_size=MIN_CHECKINS, max_size=80)


@settings(max_examples=150, deadline=None)
@given(times=SECONDS, moved=st.integers(-1_000_000, 1_000_000_000))
def test_a_shift_in_time_changes_nothing(times: list[int], moved: int) -> None:
    here, there = score(np.array(times)), score(np.array(times) + moved)
    assert (here is None) == (there is None)
    if here and there:
        assert (here.score, here.period_s, here.reason) == (there.score, there.period_s, there.reason)


@settings(max_examples=150, deadline=None)
@given(times=SECONDS, again=st.lists(st.tuples(st.integers(0, 79), st.floats(0, 0.99)), max_size=40))
def test_more_contacts_in_the_same_second_change_nothing(times: list[int], again: list[tuple[int, float]]) -> None:
    more = [times[index % len(times)] + fraction for index, fraction in again]
    assert score(np.array(times, dtype=float)) == score(np.array(times + more, dtype=float))


@settings(max_examples=150, deadline=None)
@given(times=st.lists(st.floats(-1e9, 4e9), max_size=100))
def test_a_score_stays_between_nought_and_one(times: list[float]) -> None:
    found = score(np.array(times))
    assert found is None or (0 <= found.score <= 1 and 0 <= found.missed <= 1 and found.jitter >= 0)


@settings(max_examples=50, deadline=None)
@given(times=SECONDS, seed=st.integers(0, 99))
def test_order_does_not_matter(times: list[int], seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(times)
    assert score(np.array(times)) == score(shuffled)
