"""Programs, users, hours and shapes of tools behind a pair, and what the baseline knew of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from tests.scoping.events import at, dns, flow, http, tables, tls

from playbooks.case import CaseFile, Window
from playbooks.scoping.egress_pairs import egress_pairs

HOST, OTHER, FAR = "10.0.0.5", "10.0.0.6", "198.51.100.7"
HOUR, DAY = 3600, 86_400
BEFORE = CaseFile(
    case_id="T-1", baseline=Window(start=at(-10 * DAY), end=at(0)), window=Window(start=at(0), end=at(10 * DAY))
)


def one(folder: Path, case: CaseFile | None = None, **rows: list[dict[str, object]]) -> pd.Series:
    frame = egress_pairs(tables(folder, **rows), case or CaseFile(case_id="T-1"))
    assert len(frame) == 1
    return frame.iloc[0]


def test_programs_and_users_are_named_by_use_each_with_its_first_record(tmp_path: Path) -> None:
    image = r"C:\Temp\sync.exe"
    rows = [tls(n, HOST, FAR, "a.example", tls_ja3="aa", actor_process_name="x.exe") for n in (1, 2)]
    rows += [
        tls(n, HOST, FAR, "a.example", tls_ja4="t13d_b", actor_process_file_path=image, actor_user_name="eve")
        for n in (3, 4, 5)
    ]
    row = one(tmp_path, network_activity=rows)
    assert (row.processes, row.process_refs) == ([image, "x.exe"], ["E001:3", "E001:1"])
    assert (row.fingerprints, row.fingerprint_refs) == (["ja4:t13d_b", "ja3:aa"], ["E001:3", "E001:1"])
    assert (row.users, row.user_refs) == (["eve"], ["E001:3"])


def test_of_many_programs_five_are_kept_and_of_none_none(tmp_path: Path) -> None:
    row = one(tmp_path, network_activity=[tls(n, HOST, FAR, "a.example", tls_ja4=f"t{n}") for n in range(9)])
    assert (len(row.fingerprints), row.processes, row.users, row.user_agents) == (5, [], [], [])


def test_what_no_client_had_in_the_baseline_is_new(tmp_path: Path) -> None:
    known = http(-HOUR, OTHER, "a.example", "https://a.example/", http_request_user_agent="Old/1")
    now = [http(n, HOST, "a.example", "https://a.example/", http_request_user_agent=f"{name}/1")
           for n, name in enumerate(("Old", "New"))]  # fmt: skip
    row = one(tmp_path, BEFORE, http_activity=[known, *now])
    assert (row.new_in_window, row.new_for_client, row.new_programs) == (False, True, ["New/1"])


def test_a_baseline_without_programs_calls_none_of_them_new(tmp_path: Path) -> None:
    wire = [flow(-HOUR, OTHER, FAR), tls(1, HOST, FAR, "a.example", tls_ja4="t13d_b")]
    row = one(tmp_path, BEFORE, network_activity=wire)
    assert pd.isna(row.new_programs)


def test_hours_are_counted_over_the_day_and_told_apart_from_those_of_the_estate(tmp_path: Path) -> None:
    """Twenty people work from 8 to 16 on two weekdays; one host calls every hour."""
    people = [flow(day * DAY + hour * HOUR + 60, f"10.0.1.{n}", "203.0.113.9")
              for day in range(2) for hour in range(8, 16) for n in range(20)]  # fmt: skip
    steady = [flow(hour * HOUR, HOST, FAR) for hour in range(48)]
    frame = egress_pairs(tables(tmp_path, network_activity=people + steady), CaseFile(case_id="T-1"))
    told = frame.set_index("src")[["active_hours", "off_hours_share"]]
    assert told.loc[HOST].tolist() == [24, 32 / 48]
    assert told.loc["10.0.1.0"].tolist() == [8, 0]


def test_an_estate_that_never_rests_has_no_hours_of_rest(tmp_path: Path) -> None:
    row = one(tmp_path, network_activity=[flow(hour * HOUR, HOST, FAR) for hour in range(48)])
    assert row.active_hours == 24 and pd.isna(row.off_hours_share)


API = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"


def shapes(row: pd.Series) -> list[tuple[str, str, str]]:
    return list(zip(row.traits, row.trait_fields, row.trait_refs, strict=True))


def test_a_shape_is_seen_in_the_path_of_an_inspected_request_and_not_of_a_tunnel(tmp_path: Path) -> None:
    url = f"https://{API}/fireprox/login?user=1"
    seen = one(tmp_path / "seen", http_activity=[http(1, HOST, API), http(2, HOST, API, url)])
    assert shapes(seen) == [("fireprox-path", "http_request_url_string", "E001:2")]
    assert seen.trait_values == [url]
    assert shapes(one(tmp_path / "tunnel", http_activity=[http(1, HOST, API)])) == []


def test_shapes_are_seen_in_names_fingerprints_processes_and_agents(tmp_path: Path) -> None:
    name = "flareprox-1700000000-abcdef.acct.workers.dev"
    lookups = [dns(1, HOST, name)]
    wire = [tls(2, HOST, FAR, name, tls_ja4="t13d190900_9dc949149365_97f8aa674fd9", actor_process_name="mshta.exe")]
    row = one(tmp_path, dns_activity=lookups, network_activity=wire)
    assert shapes(row) == [
        ("flareprox-host", "dst_endpoint_hostname", "E001:1"),
        ("script-host-process", "actor_process_file_path", "E002:1"),
        ("sliver-ja4", "tls_ja4", "E002:1"),
    ]


def test_a_stager_is_told_by_the_sum_of_its_path(tmp_path: Path) -> None:
    rows = [http(n, HOST, "x.example", f"http://x.example/{path}") for n, path in enumerate(("aaaa", "aaa9"))]
    assert shapes(one(tmp_path, http_activity=rows)) == [("cobalt-strike-stager", "http_request_url_string", "E001:2")]


def test_a_hostile_value_is_cut_and_costs_no_time(tmp_path: Path) -> None:
    bomb = "https://x.example/" + "assets/" * 200_000
    row = one(tmp_path, http_activity=[http(1, HOST, "x.example", bomb, http_request_user_agent="A" * 1_000_000)])
    assert row.traits == []


def test_a_shared_address_carries_the_names_its_client_was_answered_with(tmp_path: Path) -> None:
    answers = [dns(0, HOST, name, answers=[FAR]) for name in ("b.example", "a.example")]
    answers.append(dns(0, OTHER, "c.example", answers=[FAR]))
    frame = egress_pairs(
        tables(tmp_path, dns_activity=answers, network_activity=[flow(60, HOST, FAR), flow(61, OTHER, FAR)]),
        CaseFile(case_id="T-1"),
    ).set_index(["src", "dst"])
    assert frame.loc[(HOST, FAR)].answered_names == ["a.example", "b.example"]
    assert frame.loc[(OTHER, "c.example")].answered_names == []  # one name alone names the flow itself
