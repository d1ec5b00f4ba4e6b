"""Gaps: silences against the source's own rhythm. What is planted is found, nights and noise are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.coverage.logs import DAY, HOUR, Log, Seconds, case_of, covered, day, hole, seen, written

from playbooks.coverage.gaps import TOO_FEW
from playbooks.coverage.seen import look
from playbooks.engine import open_tables

Random = np.random.Generator


def constant(random: Random, days: int) -> Seconds:
    """A heartbeat with a little jitter; three in a hundred are missed."""
    period = float(random.choice([10, 60, 300]))
    times = np.arange(0, days * DAY, period)
    times = times + random.normal(0, period * 0.05, len(times))
    return np.asarray(times[random.random(len(times)) > 0.03])


def memoryless(random: Random, days: int) -> Seconds:
    return np.sort(random.uniform(0, days * DAY, random.poisson(days * random.choice([300, 3000]))))


def bursty(random: Random, days: int) -> Seconds:
    starts = random.uniform(0, days * DAY, random.poisson(days * random.choice([10, 40])))
    return np.sort(np.concatenate([start + np.cumsum(random.exponential(5, random.poisson(60))) for start in starts]))


def office(random: Random, days: int) -> Seconds:
    """Busy from about eight to about six on weekdays, a few records at any hour."""
    parts = [random.uniform(0, days * DAY, random.poisson(6 * days))]
    for number in range(days):
        opens, closes = random.normal(8, 0.4) * HOUR, random.normal(18, 0.6) * HOUR
        if number % 7 < 5:
            parts.append(number * DAY + random.uniform(opens, closes, random.poisson(1500)))
    return np.sort(np.concatenate(parts))


def closed_office(random: Random, days: int) -> Seconds:
    """The same with nothing at all at night and on weekends."""
    parts = [
        number * DAY + random.uniform(random.normal(8, 0.4) * HOUR, random.normal(18, 0.6) * HOUR, random.poisson(900))
        for number in range(days)
        if number % 7 < 5
    ]
    return np.sort(np.concatenate(parts))


RHYTHMS: tuple[Callable[[Random, int], Seconds], ...] = (constant, memoryless, bursty, office, closed_office)
SEEDS = range(6)
FALSE_ALARMS_ALLOWED = 1  # of the 30 sources of one run; measured: none


def many(days: int, *planted: float) -> list[Log]:
    """Every rhythm with every seed as a log of its own format; where asked, with nothing between two moments."""
    logs = []
    for rhythm in RHYTHMS:
        for seed in SEEDS:
            times = rhythm(np.random.default_rng([seed, days]), days)
            times = times[(times >= 0) & (times < days * DAY)]
            logs.append(Log(hole(times, *planted) if planted else times, form=f"{rhythm.__name__}_{seed}"))
    return logs


@pytest.mark.parametrize("days", [2, 4, 7, 14, 30])
def test_rhythms_of_all_kinds_raise_next_to_no_false_alarm(
    days: int, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    rhythms = seen(tmp_path, many(days), days).rhythms
    alarms = {rhythm.__name__: 0 for rhythm in RHYTHMS}
    told = dict(alarms)
    for one in rhythms:
        name = one.stream.source.format.rpartition("_")[0]
        alarms[name] += bool(one.gaps)
        told[name] += one.told != TOO_FEW
    rate = {name: f"{alarms[name]} of {told[name]}" for name in alarms}
    record_property("false alarms", rate)
    print(f"{days} days: sources with a false alarm, of those that tell gaps: {rate}")
    assert sum(alarms.values()) <= FALSE_ALARMS_ALLOWED
    assert sum(told.values()) >= len(rhythms) / 2, "a test of sources that say nothing would say nothing"


@pytest.mark.parametrize("hours", [2, 8])
def test_a_hole_at_noon_is_found_in_most_rhythms(hours: int, tmp_path: Path) -> None:
    start, end = 9 * DAY + 10 * HOUR, 9 * DAY + (10 + hours) * HOUR  # Wednesday of the second week
    found = {rhythm.__name__: 0 for rhythm in RHYTHMS}
    made = seen(tmp_path, many(14, start, end), 14)
    base = made.case.config.window
    assert base is not None
    for one in made.rhythms:
        name = one.stream.source.format.rpartition("_")[0]
        inside = [
            g for g in one.gaps if abs(g.start - base.start.timestamp() - start) < HOUR and g.seconds >= end - start
        ]
        found[name] += bool(inside)
    print(f"a hole of {hours} h, found in sources: {found} of {len(SEEDS)} each")
    assert found["office"] == found["closed_office"] == len(SEEDS)
    assert found["constant"] == len(SEEDS)
    assert found["memoryless"] >= len(SEEDS) - 1


def test_a_gap_names_its_reason_and_the_records_at_both_edges(tmp_path: Path) -> None:
    times = hole(np.arange(0, 3 * DAY, 30.0), DAY + 10 * HOUR, DAY + 13 * HOUR)
    found = covered(tmp_path, [Log(times)], 3)
    [gap] = found["gaps"]
    assert (gap["from"], gap["to"]) == ("2026-03-03T09:59:30+00:00", "2026-03-03T13:00:00+00:00")
    assert (gap["before"], gap["after"]) == ("E001:4080", "E001:4081")
    assert (gap["source"], gap["format"], gap["table"]) == ("E001", "zeek_conn", "network_activity")
    assert (gap["in"], gap["edge"], gap["others"], gap["seconds"]) == ("window", None, [], 10_830)
    assert gap["sentence"].startswith(
        "E001 (zeek_conn): no record from 2026-03-03 09:59:30 UTC to 2026-03-03 13:00:00 UTC, 3 h. "
        "Its usual silence is 30 s, 99 of 100 end within 30 s;"
    )
    assert gap["by_chance"] < 0.02
    [spot] = [spot for spot in found["blind_spots"] if spot["id"] == "gap-zeek_conn"]
    assert "Records: before it E001:4080, after it E001:4081." in spot["how_established"]
    assert spot["questions"] == ("egress_rhythm", "known_indicators")


def test_the_same_log_without_the_hole_has_no_gap(tmp_path: Path) -> None:
    found = covered(tmp_path, [Log(np.arange(0, 3 * DAY, 30.0))], 3)
    assert found["gaps"] == []
    assert not any(spot["id"].startswith("gap-") for spot in found["blind_spots"])


def test_an_office_that_is_dark_on_a_weekday_is_a_gap_on_a_weekend_it_is_none(tmp_path: Path) -> None:
    times = closed_office(np.random.default_rng(4), 28)
    dark = hole(times, 15 * DAY, 16 * DAY)  # Tuesday of the third week
    found = covered(tmp_path, [Log(dark, form="dark"), Log(times, form="usual")], 28)
    [gap] = found["gaps"]
    assert gap["format"] == "dark"
    assert gap["from"] < day(15) < day(16) < gap["to"]


def test_few_records_say_that_nothing_can_be_told(tmp_path: Path) -> None:
    found = covered(tmp_path, [Log(np.arange(0, 20) * 1000.0)], 2)
    [stream] = found["streams"]
    assert (stream["tells_gaps"], stream["rhythm"], stream["in_doubt"]) == (False, TOO_FEW, True)
    assert found["gaps"] == []
    [spot] = [spot for spot in found["blind_spots"] if spot["id"] == "too-few-to-tell-gaps"]
    assert "E001 (zeek_conn, 42 quiet hours)" in spot["missing"]


def test_a_log_that_begins_late_or_ends_early_is_told_unless_another_of_its_kind_goes_on(tmp_path: Path) -> None:
    times = np.arange(0, 10 * DAY, 60.0)
    late, whole = times[times >= 4 * DAY], times
    found = covered(tmp_path / "alone", [Log(late)], 10)
    assert [(gap["edge"], gap["before"], gap["after"]) for gap in found["gaps"]] == [("start", None, "E001:1")]
    assert "gap-zeek_conn" in {spot["id"] for spot in found["blind_spots"]}
    found = covered(tmp_path / "both", [Log(late, name="a"), Log(whole, name="b")], 10)
    assert [gap["others"] for gap in found["gaps"]] == [["E002"]]
    assert "gap-zeek_conn" not in {spot["id"] for spot in found["blind_spots"]}
    early = covered(tmp_path / "early", [Log(times[times < 6 * DAY])], 10)
    assert [(gap["edge"], gap["after"]) for gap in early["gaps"]] == [("end", None)]


def test_a_gap_in_the_baseline_says_what_it_does_to_novelty(tmp_path: Path) -> None:
    times = hole(np.arange(0, 14 * DAY, 60.0), 2 * DAY, 3 * DAY)
    config = {"window": {"start": day(7), "end": day(14)}, "baseline": {"start": day(0), "end": day(7)}}
    found = covered(tmp_path, [Log(times)], None, **config)
    assert [gap["in"] for gap in found["gaps"]] == ["baseline"]
    [spot] = [spot for spot in found["blind_spots"] if spot["id"].startswith("gap-")]
    assert spot["id"] == "gap-in-baseline"
    assert "new" in spot["forbids"]


def test_a_silence_between_baseline_and_window_concerns_nobody(tmp_path: Path) -> None:
    times = hole(np.arange(0, 20 * DAY, 60.0), 7 * DAY + 60, 14 * DAY - 60)
    config = {"window": {"start": day(14), "end": day(20)}, "baseline": {"start": day(0), "end": day(7)}}
    found = covered(tmp_path, [Log(times)], None, **config)
    assert [gap for gap in found["gaps"] if gap["in"] not in ("", "window and baseline")] == []


def test_dns_of_a_sensor_that_ends_while_its_flows_go_on_is_a_gap_of_its_dns(tmp_path: Path) -> None:

    times = np.arange(0, 10 * DAY, 60.0)
    flows = written(tmp_path / "events", Log(times, form="suricata_eve"), 1)
    written(tmp_path / "events", Log(times[times < 5 * DAY], form="suricata_eve", table="dns_activity"), 1)
    both = replace(flows, tables={"dns_activity": 7200, "network_activity": 14_400}, events=21_600, records=21_600)
    made = look(case_of(tmp_path, 10), [both], open_tables(tmp_path / "events"))
    [gap] = made.gaps()
    assert (gap["table"], gap["edge"]) == ("dns_activity", "end")
    assert gap["sentence"].startswith("dns records of E001 (suricata_eve): no record from its last record")
