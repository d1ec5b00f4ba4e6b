"""Clock skew: what is planted between two sources that saw the same connections is found, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.coverage.logs import DAY, HOUR, Log, case_of, covered, written

from playbooks.coverage.clock_skew import clock_skew
from playbooks.coverage.seen import look
from playbooks.engine import open_tables

FAR = "198.51.100."


def names(random: np.random.Generator, count: int) -> list[str]:
    """Hosts as people ask for them: few often, many once."""
    return [f"h{int(number)}.example" for number in np.minimum(random.pareto(0.7, count) * 30, 400)]


def pair(skew: float, seed: int, count: int = 250, same: bool = True, second_form: str = "squid_access") -> list[Log]:
    """Queries and the requests after them; the second clock is `skew` seconds ahead. Unrelated where not the same."""
    random = np.random.default_rng(seed)
    times = np.sort(random.uniform(0, 2 * DAY, count))
    clients = [f"10.0.0.{number}" for number in random.integers(1, 30, count)]
    hosts = names(random, count)
    after = times + random.exponential(0.3, count) if same else np.sort(random.uniform(0, 2 * DAY, count))
    order = np.arange(count) if same else random.permutation(count)
    kept = [int(place) for place in order if random.random() > 0.2]
    asked = {"src_endpoint_ip": clients, "query_hostname": hosts}
    sent = {
        "src_endpoint_ip": [clients[place] for place in kept],
        "dst_endpoint_hostname": [hosts[place] for place in kept],
        "duration_ms": [200] * len(kept),
    }
    second = after[kept] if same else after[: len(kept)]
    return [
        Log(times, "route53_resolver", "dns_activity", asked, "dns"),
        Log(second + skew, second_form, "http_activity", sent, "proxy"),
    ]


def told(folder: Path, logs: list[Log]) -> list[dict[str, Any]]:
    readings = [written(folder / "events", log, number) for number, log in enumerate(logs, start=1)]
    tables = open_tables(folder / "events")
    made = look(case_of(folder, 3), readings, tables)
    return clock_skew(tables, made.sources, made.streams, made.counted)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("skew", "state"),
    [(0, "agree"), (7, "drift"), (-45, "drift"), (HOUR, "zone"), (-5.5 * HOUR, "zone"), (20_700, "zone")],
)
def test_a_planted_skew_is_found_to_the_second(skew: float, state: str, seed: int, tmp_path: Path) -> None:
    [row] = told(tmp_path, pair(skew, seed))
    assert (row["first"], row["second"], row["state"]) == ("E001", "E002", state)
    assert abs(row["offset_s"] - skew) <= 1
    assert row["matches"] >= 150
    assert row["spread_s"] <= 2
    assert all(one.startswith("E001:") and other.startswith("E002:") for one, other in row["examples"])
    assert len(row["examples"]) == 3


@pytest.mark.parametrize("seed", range(5))
def test_of_unrelated_traffic_nothing_is_said(seed: int, tmp_path: Path) -> None:
    assert told(tmp_path, pair(0, seed, same=False)) == []


@pytest.mark.parametrize(("count", "said"), [(10, 0), (60, 1)])
def test_of_too_few_connections_nothing_is_said(count: int, said: int, tmp_path: Path) -> None:
    assert len(told(tmp_path, pair(HOUR, 1, count=count))) == said


def test_examples_are_the_same_connection(tmp_path: Path) -> None:
    logs = pair(7, 2)
    [row] = told(tmp_path, logs)
    for one, other in row["examples"]:
        first, second = (int(ref.partition(":")[2]) - 1 for ref in (one, other))
        asked, sent = logs[0].columns, logs[1].columns
        assert asked["query_hostname"][first] == sent["dst_endpoint_hostname"][second]
        assert abs(logs[1].seconds[second] - logs[0].seconds[first] - 7) < 3


def test_a_rhythm_compared_with_a_part_of_itself_has_many_peaks_and_says_nothing(tmp_path: Path) -> None:
    times = np.arange(0, 2 * HOUR, 60.0)
    shared = {"src_endpoint_ip": ["10.0.0.9"] * len(times)}
    logs = [
        Log(times, "route53_resolver", "dns_activity", {**shared, "query_hostname": ["a.example"] * len(times)}, "dns"),
        Log(
            times + 20, "squid_access", "http_activity", {**shared, "dst_endpoint_hostname": ["a.example"] * len(times)}
        ),
    ]
    assert told(tmp_path, logs) == [], "20 s, or 80, or -40: nobody can tell"


def tuples(times: Any, seed: int = 3) -> dict[str, list[Any]]:
    random = np.random.default_rng(seed)
    count = len(times)
    return {
        "src_endpoint_ip": [f"10.0.0.{number}" for number in random.integers(1, 30, count)],
        "src_endpoint_port": [int(port) for port in random.integers(40_000, 60_000, count)],
        "dst_endpoint_ip": [f"{FAR}{number}" for number in random.integers(1, 200, count)],
        "dst_endpoint_port": [443] * count,
    }


def test_the_source_that_disagrees_with_two_that_agree_is_named_with_its_zone(tmp_path: Path) -> None:
    times = np.sort(np.random.default_rng(8).uniform(0, 2 * DAY, 300))
    columns = tuples(times)
    logs = [Log(times + shift, form, columns=columns) for form, shift in
            (("aws_vpc_flow", 0), ("fortigate", 2 * HOUR), ("suricata_eve", 0.4))]  # fmt: skip
    found = covered(tmp_path, logs, 3)
    wrong = [row for row in found["clock_skew"] if row["state"] == "zone"]
    assert [(row["wrong"], abs(row["offset_s"])) for row in wrong] == [("E002", 7200), ("E002", 7200)]
    assert "It looks as if E002 is in UTC+2" in wrong[0]["sentence"]
    assert "`clock:`" in wrong[0]["sentence"]
    [spot] = [spot for spot in found["blind_spots"] if spot["id"].startswith("clock-")]
    assert (spot["id"], "order of events" in spot["forbids"]) == ("clock-E002", True)


def test_of_two_sources_the_one_whose_stamps_may_lack_a_zone_is_suspected(tmp_path: Path) -> None:
    times = np.sort(np.random.default_rng(9).uniform(0, 2 * DAY, 200))
    columns = tuples(times)
    [row] = told(
        tmp_path / "a", [Log(times, "aws_vpc_flow", columns=columns), Log(times - HOUR, "fortigate", columns=columns)]
    )
    assert row["wrong"] == "E002"
    assert "It looks as if E002 is in UTC-1" in row["sentence"]
    [row] = told(
        tmp_path / "b",
        [Log(times, "aws_vpc_flow", columns=columns), Log(times - HOUR, "suricata_eve", columns=columns)],
    )
    assert row["wrong"] is None
    assert "E001 is in UTC+1 or E002 in UTC-1" in row["sentence"]


def test_a_proxy_that_writes_at_the_end_of_a_tunnel_is_compared_by_its_begin(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    times = np.sort(random.uniform(0, 2 * DAY, 300))
    took = random.uniform(10, 3000, 300)
    clients = [f"10.0.0.{number}" for number in random.integers(1, 30, 300)]
    hosts = [f"h{number}.example" for number in range(300)]
    logs = [
        Log(times, "route53_resolver", "dns_activity", {"src_endpoint_ip": clients, "query_hostname": hosts}, "dns"),
        Log(times + took, "squid_access", "http_activity", {"src_endpoint_ip": clients, "dst_endpoint_hostname": hosts,
            "duration_ms": [int(second * 1000) for second in took]}, "proxy"),
    ]  # fmt: skip
    [row] = told(tmp_path, logs)
    assert row["state"] == "agree"
