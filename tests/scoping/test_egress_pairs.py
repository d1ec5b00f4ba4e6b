"""One row per source and destination over all telemetry."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from tests.scoping.events import START, at, dns, flow, http, tables, tls

from playbooks import schema
from playbooks.case import CaseFile, Window
from playbooks.scoping.egress_pairs import QUESTION, checkins, egress_hours, egress_pairs

HOST, OTHER, THIRD, PROXY = "10.0.0.5", "10.0.0.6", "10.0.0.7", "10.0.0.99"
FAR, FAR2 = "198.51.100.7", "203.0.113.9"
CASE = CaseFile(case_id="T-1")
WORKER = "poll.acme-test.workers.dev"
SCRIPT = "https://script.google.com/macros/s/{}/exec"
ONE, TWO = "AKfycb" + "x" * 51, "AKfycb" + "y" * 51


def windowed(**spans: tuple[float, float]) -> CaseFile:
    windows = {name: Window(start=at(first), end=at(last)) for name, (first, last) in spans.items()}
    return CaseFile(case_id="T-1", **windows)


def pairs(folder: Path, case: CaseFile = CASE, **rows: list[dict[str, object]]) -> pd.DataFrame:
    return egress_pairs(tables(folder, **rows), case)


def by_dst(frame: pd.DataFrame) -> dict[str, dict[str, object]]:
    return {row["dst"]: row for row in frame.to_dict("records")}


def test_the_columns_are_those_of_the_dictionary_even_without_events(tmp_path: Path) -> None:
    empty, one = pairs(tmp_path), pairs(tmp_path, network_activity=[flow(1, HOST, FAR)])
    assert tuple(empty.columns) == tuple(one.columns) == schema.EGRESS_PAIRS.names
    assert len(empty) == 0
    assert str(one["first_seen"].dtype) == "datetime64[us, UTC]"


def test_logs_of_one_connection_are_not_added_up(tmp_path: Path) -> None:
    """conn, ssl and dns saw the same calls; the count is that of the log that saw most, bytes stand once."""
    calls = [60.0 * n for n in range(1, 11)]
    wire = [flow(t, HOST, FAR, metadata_uid=f"C{t}", traffic_bytes_out=100, traffic_bytes_in=900) for t in calls]
    wire += [tls(t, HOST, FAR, WORKER, metadata_uid=f"C{t}") for t in calls]
    lookups = [dns(1, HOST, WORKER, [FAR])]
    frame = pairs(tmp_path, dns_activity=lookups, network_activity=wire)
    assert len(frame) == 1
    row = frame.iloc[0]
    assert (row["src"], row["dst"], row["kind"]) == (HOST, WORKER, "fqdn")
    assert (row["connections"], row["bytes_out"], row["bytes_in"]) == (10, 1000, 9000)
    assert row["sources"] == ["dns", "flow", "tls"]
    assert (row["first_seen"], row["last_seen"]) == (at(1), at(600))
    assert row["beacon_source"] == "tls"
    assert row["beacon_period_s"] == 60


def test_bytes_unknown_are_null_not_nought(tmp_path: Path) -> None:
    frame = pairs(tmp_path, network_activity=[flow(1, HOST, FAR), flow(2, HOST, FAR2, traffic_bytes_out=0)])
    rows = by_dst(frame)
    assert pd.isna(rows[FAR]["bytes_out"])
    assert rows[FAR2]["bytes_out"] == 0


def test_the_rhythm_is_taken_from_the_telemetry_with_most_check_ins(tmp_path: Path) -> None:
    """The client caches the answer: DNS shows three lookups, the flows show the rhythm."""
    lookups = [dns(t, HOST, WORKER, [FAR]) for t in (0, 600, 1200)]
    flows = [flow(60 * n + 1, HOST, FAR) for n in range(30)]
    row = pairs(tmp_path, dns_activity=lookups, network_activity=flows).iloc[0]
    assert (row["dst"], row["beacon_source"], row["connections"]) == (WORKER, "flow", 30)
    assert row["beacon_score"] > 0.9
    assert row["beacon_reason"].startswith("30 check-ins over 29 min, every 60 s")


def test_few_check_ins_have_no_score(tmp_path: Path) -> None:
    row = pairs(tmp_path, network_activity=[flow(60 * n, HOST, FAR) for n in range(4)]).iloc[0]
    assert pd.isna(row["beacon_score"])
    assert row["beacon_reason"] is None


def test_names_are_labelled_by_host_by_alias_and_by_path(tmp_path: Path) -> None:
    lookups = [
        dns(1, HOST, WORKER, [FAR]),
        dns(2, HOST, "www.shop.example", ["Edge.Other-Test.workers.dev", FAR]),
        dns(3, HOST, "plain.example", [FAR2]),
    ]
    requests = [http(t, HOST, "script.google.com", SCRIPT.format(TWO)) for t in (4, 5)]
    requests += [http(6, HOST, "script.google.com", SCRIPT.format(ONE)), http(7, OTHER, "script.google.com")]
    frame = pairs(tmp_path, dns_activity=lookups, http_activity=requests)
    found = {
        (row["src"], row["dst"]): (row["catalogue_id"], row["tenant"], row["matched_by"])
        for row in frame.to_dict("records")
    }
    assert found == {
        (HOST, WORKER): ("cf-workers", "acme-test", "host"),
        (HOST, "www.shop.example"): ("cf-workers", "other-test", "cname"),
        (HOST, "plain.example"): (None, None, None),
        (HOST, "script.google.com"): ("g-apps-script", TWO, "path"),
        (OTHER, "script.google.com"): ("g-apps-script", None, "host"),
    }


def test_prevalence_counts_clients_of_the_tenant_and_not_proxies(tmp_path: Path) -> None:
    requests = [http(1, HOST, WORKER), http(2, OTHER, "api.acme-test.workers.dev"), http(3, THIRD, "plain.example")]
    requests += [http(4, HOST, "seen.example", metadata_uid="C1", dst_endpoint_ip=PROXY)]
    wire = [tls(5, PROXY, FAR, WORKER), tls(6, PROXY, FAR, "only-proxy.example")]
    rows = by_dst(pairs(tmp_path, http_activity=requests, network_activity=wire))
    assert (rows[WORKER]["clients"], rows[WORKER]["clients_share"]) == (2, pytest.approx(2 / 3))
    assert rows["plain.example"]["clients"] == 1
    assert rows["only-proxy.example"]["clients"] == 1


def test_events_outside_the_window_do_not_count(tmp_path: Path) -> None:
    flows = [flow(t, HOST, FAR) for t in (-1, 0, 5, 10)] + [flow(-1, HOST, FAR2)]
    frame = pairs(tmp_path, windowed(window=(0, 10)), network_activity=flows)
    assert frame[["dst", "connections"]].values.tolist() == [[FAR, 2]]


def test_new_is_what_no_client_reached_in_the_baseline(tmp_path: Path) -> None:
    case = windowed(window=(0, 100), baseline=(-100, 0))
    requests = [
        http(-5, OTHER, "old.example"),
        http(-5, OTHER, "a.acme-test.workers.dev"),
        http(-5, OTHER, "script.google.com", SCRIPT.format(ONE)),
        *(http(5, HOST, name) for name in ("old.example", "new.example", WORKER, "x.stranger.workers.dev")),
        http(6, HOST, "script.google.com", SCRIPT.format(TWO)),
        http(7, OTHER, "script.google.com", SCRIPT.format(ONE)),
    ]
    frame = pairs(tmp_path, case, http_activity=requests)
    assert {(row["src"], row["dst"]): row["new_in_window"] for row in frame.to_dict("records")} == {
        (HOST, "old.example"): False,
        (HOST, "new.example"): True,
        (HOST, WORKER): False,
        (HOST, "x.stranger.workers.dev"): True,
        (HOST, "script.google.com"): True,
        (OTHER, "script.google.com"): False,
    }


@pytest.mark.parametrize("baseline", [{}, {"baseline": (-1000, -500)}], ids=["none", "without events"])
def test_without_a_baseline_nothing_is_called_new(tmp_path: Path, baseline: dict[str, tuple[float, float]]) -> None:
    frame = pairs(tmp_path, windowed(window=(0, 100), **baseline), http_activity=[http(5, HOST, "new.example")])
    assert frame["new_in_window"].tolist() == [pd.NA]


def test_refs_are_spread_over_time_with_both_ends(tmp_path: Path) -> None:
    flows = [flow(1000 - n, HOST, FAR) for n in range(100)]
    refs = pairs(tmp_path, network_activity=flows).iloc[0]["refs"]
    numbers = [int(ref.removeprefix("E001:")) for ref in refs]
    assert len(numbers) == len(set(numbers)) == 20
    assert (numbers[0], numbers[-1]) == (100, 1)
    assert numbers == sorted(numbers, reverse=True)


def test_user_agents_are_the_five_most_used(tmp_path: Path) -> None:
    agents = ["b", "a", "f", "f", "e", "d", "c", "c"]
    requests = [http(n, HOST, "a.example", "/", http_request_user_agent=name) for n, name in enumerate(agents)]
    assert pairs(tmp_path, http_activity=requests).iloc[0]["user_agents"] == ["c", "f", "a", "b", "d"]


def test_rows_come_in_one_order(tmp_path: Path) -> None:
    flows = [flow(60 * n, HOST, FAR) for n in range(30)]
    flows += [flow(n, src, dst) for n in (1, 2) for src, dst in ((OTHER, FAR2), (HOST, FAR2))]
    flows += [flow(n, OTHER, FAR) for n in (1, 2, 3)]
    frame = pairs(tmp_path, network_activity=flows)
    assert frame[["src", "dst"]].values.tolist() == [[HOST, FAR], [OTHER, FAR], [HOST, FAR2], [OTHER, FAR2]]
    again = pairs(tmp_path / "again", network_activity=flows)
    pd.testing.assert_frame_equal(frame, again)


def test_unrelated_traffic_moves_no_score(tmp_path: Path) -> None:
    beacon = [flow(60 * n, HOST, FAR) for n in range(30)]
    noise = [flow(997 * n, OTHER, FAR2) for n in range(500)]
    alone = by_dst(pairs(tmp_path / "a", network_activity=beacon))[FAR]
    among = by_dst(pairs(tmp_path / "b", network_activity=beacon + noise))[FAR]
    assert alone["beacon_score"] == among["beacon_score"]


def test_check_ins_of_a_pair_in_order(tmp_path: Path) -> None:
    opened = tables(tmp_path, dns_activity=[dns(0, HOST, WORKER, [FAR])], network_activity=[flow(1, HOST, FAR)])
    frame = checkins(opened, CASE, HOST, WORKER)
    assert frame.columns.tolist() == ["time", "source", "evidence_id", "record_no", "bytes_out", "bytes_in"]
    assert frame[["time", "source", "evidence_id"]].values.tolist() == [
        [at(0), "dns", "E001"],
        [at(1), "flow", "E002"],
    ]


def test_hours_of_catalogue_destinations(tmp_path: Path) -> None:
    requests = [http(t, HOST, WORKER) for t in (1, 2, 3700)] + [http(4, HOST, "plain.example")]
    lookups = [dns(1, HOST, WORKER, [FAR])]
    frame = egress_hours(tables(tmp_path, dns_activity=lookups, http_activity=requests), CASE)
    hour = dt.timedelta(hours=1)
    assert frame[["hour", "dst", "connections"]].values.tolist() == [[START, WORKER, 2], [START + hour, WORKER, 1]]
    assert set(frame["service"]) == {"Workers (workers.dev)"}


def test_the_question_names_columns_that_exist() -> None:
    assert all(column in schema.TABLES[table].names for table, column in QUESTION.needs)
    assert QUESTION.innocent_when
    assert QUESTION.cannot_see


def test_a_proxy_that_stamps_the_end_of_a_request_shows_the_rhythm_of_its_starts(tmp_path: Path) -> None:
    lasting = [5_000 + 1_000 * (n * 7 % 50) for n in range(40)]  # tunnels of five seconds to a minute
    ended = [
        http(60 * n + lasting[n] / 1000, HOST, "c2.example", None, duration_ms=lasting[n], format="squid_access")
        for n in range(40)
    ]
    [row] = egress_pairs(tables(tmp_path, http_activity=ended), CaseFile(case_id="T-1")).itertuples()
    assert (row.beacon_score, row.beacon_period_s) == (pytest.approx(1, abs=0.01), 60)
    assert row.refs[0] == "E001:1"
