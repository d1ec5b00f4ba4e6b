"""What the rhythm finds of simulated implants at 1 % false positives, by fixed seeds; `make bench` draws fresh ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from benchmarks import same_pair
from benchmarks.estates import priorities
from benchmarks.recall import Measured, Scored, by_rhythm, by_rita, groups_of, recall, rhythms_of, scored
from benchmarks.series import DAY, START, Series
from benchmarks.traffic import BENIGN, BY_DESIGN, MALICIOUS_DAY, MALICIOUS_WEEK, draw_estates, simulate
from tests.scoping.events import dns, flow, http, tables

from playbooks.case import CaseFile
from playbooks.scoping.egress_pairs import egress_pairs

SEEDS = (11,)
SERIES = 12  # of a family
BENIGN_SERIES = 50
ESTATES = 8


@dataclass(frozen=True)
class Drawn:
    """Series of one seed, and recall by our score and by RITA's."""

    malicious: Sequence[Series]
    benign: Sequence[Series]
    by_design: Sequence[Series]
    ours: Measured
    rita: Measured

    def mean_of(self, group: str) -> float:
        return self.ours.of(groups_of(self.malicious)[group])


def drawn(seed: int, days: int) -> Drawn:
    r = np.random.default_rng(seed)
    estates, window = draw_estates(r, ESTATES), (START, START + days * DAY)
    malicious = simulate(r, MALICIOUS_DAY if days == 1 else MALICIOUS_WEEK, SERIES, days, estates)
    benign = simulate(r, BENIGN, BENIGN_SERIES, days, estates)
    by_design = simulate(r, BY_DESIGN, BENIGN_SERIES, days, estates) if days == 1 else []
    ours, rita = (
        recall(scored(scorer, malicious, window), scored(scorer, benign, window)) for scorer in (by_rhythm, by_rita)
    )
    return Drawn(malicious, benign, by_design, ours, rita)


@pytest.fixture(scope="module", params=SEEDS)
def day(request: pytest.FixtureRequest) -> Drawn:
    return drawn(request.param, 1)


@pytest.fixture(scope="module", params=SEEDS)
def week(request: pytest.FixtureRequest) -> Drawn:
    return drawn(request.param, 7)


def test_implants_of_a_day_are_found(day: Drawn) -> None:
    assert day.ours.mean >= 0.9
    assert day.ours.mean >= day.rita.mean + 0.2


@pytest.mark.parametrize("group", ["working hours", "split days", "missed", "short", "shared front"])
def test_where_rita_is_blind_nearly_all_are_found(day: Drawn, group: str) -> None:
    assert day.mean_of(group) >= 0.95


def test_one_family_alone_is_found_less_often_than_by_rita(day: Drawn) -> None:
    """Two dozen pauses of ±90 % are hardly told from chance by their times; RITA reports their constant sizes."""
    tolerated = 0.05 + 1 / SERIES  # one series
    behind = [name for name, share in day.ours.recall.items() if share < day.rita.recall[name] - tolerated]
    assert behind == ["sleep 3,600 s, jitter 90 %"]


@pytest.mark.parametrize(("group", "least"), [("6–12 h", 0.95), ("24 h", 0.75), ("parts of a week", 0.95)])
def test_long_sleeps_are_found_in_a_week(week: Drawn, group: str, least: float) -> None:
    assert week.mean_of(group) >= least


def test_memoryless_traffic_of_one_size_is_silent() -> None:
    r = np.random.default_rng(SEEDS[0])
    [family] = [family for family in BENIGN if family.name == "memoryless, one size"]
    series = simulate(r, [family], 400, 1, draw_estates(r, 1))
    assert np.mean(scored(by_rhythm, series, (START, START + DAY)).scores >= 0.75) < 0.01


def test_with_what_is_periodic_by_design_context_decides(day: Drawn) -> None:
    every, bad = [*day.malicious, *day.benign, *day.by_design], len(day.malicious)
    found = rhythms_of(every)
    alone = np.array([one.score if one else 0.0 for one in found])
    ranks = priorities(np.random.default_rng(SEEDS[0]), every, found, np.full(len(every), np.nan))
    by_rank, by_timing = (
        recall(Scored(day.malicious, scores[:bad]), Scored(every[bad:], scores[bad:])) for scores in (ranks, alone)
    )
    assert by_rank.mean >= 0.7
    assert by_timing.mean < 0.05


def test_the_score_of_a_pair_is_the_same_in_every_log_and_beside_other_traffic(tmp_path: Path) -> None:
    """Whole days beside it, a proxy that stamps the end of a tunnel, a resolver: the pair's own rhythm stays."""
    r = np.random.default_rng(SEEDS[0])
    pairs = {name: times - START for name, times in same_pair.pairs_of(r).items() if len(times) <= 100}
    assert len(pairs) >= 5
    calls = [(f"10.0.0.{n}", n, time) for n, times in enumerate(pairs.values(), start=1) for time in times]
    alone = [flow(time, src, f"198.51.100.{n}") for src, n, time in calls]
    others = [flow(time, "10.0.1.1", f"203.0.113.{n}") for n in range(3) for time in np.arange(-DAY, 2 * DAY, 900)]
    wide = scores(tmp_path / "wide", network_activity=[*alone, *others])
    late = [http(time + r.lognormal(np.log(0.3), 0.5), src, f"p{n}.example.net") for src, n, time in calls]
    asked = [dns(time - 0.02, src, f"p{n}.example.net") for src, n, time in calls]
    found = scores(tmp_path / "flow", network_activity=alone)
    assert len(found) == len(pairs)
    for log in (wide, scores(tmp_path / "http", http_activity=late), scores(tmp_path / "dns", dns_activity=asked)):
        assert {src: log[src] for src in found} == pytest.approx(found, abs=0.02)


def scores(folder: Path, **rows: list[dict[str, object]]) -> dict[str, float]:
    """beacon_score by client."""
    frame = egress_pairs(tables(folder, **rows), CaseFile(case_id="T-1"))
    return dict(zip(frame.src, frame.beacon_score.fillna(0), strict=True))
