"""Who shares a trait with a finding: what is followed, what is common, since when, and what left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.scoping.events import dns, flow, http, tables, tls

from playbooks import schema
from playbooks.case_file import CaseFile
from playbooks.scoping.egress_events import egress_events
from playbooks.scoping.egress_pairs import egress_pairs
from playbooks.scoping.shared_traits import MOST_SOURCES, Scope, shared_traits

HOST, C2, SIBLING = "10.1.0.17", "sync.tenant-1.workers.dev", "other.tenant-1.workers.dev"
RARE, COMMON = "t13d_rare", "t13d_browser"
WINDOW = {"start": "2026-03-10T00:00:00Z", "end": "2026-03-11T00:00:00Z"}
BASELINE = {"start": "2026-03-08T00:00:00Z", "end": "2026-03-10T00:00:00Z"}
DAY = 86_400


def case() -> CaseFile:
    estate = {"internal_ranges": ["10.0.0.0/8"]}
    return CaseFile.model_validate({"case_id": "T", "estate": estate, "window": WINDOW, "baseline": BASELINE})


def finding(**more: Any) -> dict[str, Any]:
    subjects = {"src": [HOST], "dst": [C2], "tenant": ["tenant-1"]} | more
    return {"id": "A-1", "hypothesis": "A", "subjects": subjects}


def scoped(folder: Path, **rows: list[dict[str, object]]) -> Scope:
    events = tables(folder, **rows)
    contacts = egress_events(events, case()).cache()
    pairs = egress_pairs(events, case(), contacts)
    return shared_traits({"findings": [finding()], "leads": []}, pairs, contacts, events, case())


def by_source(scope: Scope) -> dict[str, dict[str, Any]]:
    return {row["src"]: row for row in scope.rows.to_dict("records")}


@pytest.fixture(scope="module")
def scope(tmp_path_factory: pytest.TempPathFactory) -> Scope:
    browsing = [tls(1_000 + n, f"10.1.1.{n % 9}", "203.0.113.9", f"site{n}.example", tls_ja4=COMMON) for n in range(40)]
    told = {"actor_user_name": "ann", "traffic_bytes_out": 500, "traffic_bytes_in": 200}
    return scoped(
        tmp_path_factory.mktemp("scope"),
        network_activity=[
            *browsing,
            *(tls(2_000 + n, HOST, "203.0.113.1", C2, tls_ja4=RARE, traffic_bytes_out=50) for n in range(4)),
            tls(3_000, HOST, "203.0.113.1", C2, tls_ja4=COMMON),
            tls(4_000, "10.1.0.30", "203.0.113.7", "elsewhere.example", tls_ja4=RARE, src_endpoint_hostname="WS30"),
            flow(-3 * DAY, "10.1.0.99", "203.0.113.77"),
        ],
        http_activity=[http(2_000 + 60 * n, HOST, C2, **told) for n in range(6)],
        dns_activity=[
            dns(-DAY, "10.1.0.40", SIBLING), dns(5_000, "10.1.0.40", SIBLING), dns(5, "10.1.0.50", "a.b.example"),
        ],
    )  # fmt: skip


def test_others_are_found_by_tenant_and_by_a_rare_fingerprint_and_nobody_else(scope: Scope) -> None:
    rows = by_source(scope)
    assert set(rows) == {HOST, "10.1.0.30", "10.1.0.40"}
    assert list(scope.rows.columns) == list(schema.SCOPE.names)
    assert rows["10.1.0.30"]["shares"] == [f"fingerprint: ja4:{RARE}"]
    assert rows["10.1.0.40"]["shares"] == [f"destination: {SIBLING}"]
    assert {src: row["is_subject"] for src, row in rows.items()} == {
        HOST: True, "10.1.0.30": False, "10.1.0.40": False,
    }  # fmt: skip


def test_a_common_fingerprint_is_not_followed_and_that_is_said(scope: Scope) -> None:
    assert any(COMMON in note and "common (10 sources, 41 destinations)" in note for note in scope.notes)
    assert not any(COMMON in share for row in scope.rows.shares for share in row)


def test_each_source_says_who_is_affected_since_when_and_what_left(scope: Scope) -> None:
    rows = by_source(scope)
    own = rows[HOST]
    assert (own["users"], own["connections"], own["bytes_out"], own["bytes_in"]) == (["ann"], 6, 3_000, 1_200)
    assert own["counted_in"] == "bytes_in: squid_access, 6 contacts; bytes_out: squid_access, 6 contacts"
    assert own["began"] == "in the window"
    assert rows["10.1.0.30"]["hostnames"] == ["ws30"]
    assert rows["10.1.0.40"]["began"] == "in the baseline"


def test_every_row_cites_its_first_and_last_record(scope: Scope) -> None:
    rows = by_source(scope)
    assert rows["10.1.0.40"]["refs"] == ["E001:1", "E001:2"]
    assert len(rows[HOST]["refs"]) == 5
    assert rows[HOST]["refs"][0] == "E002:1"


def test_a_contact_where_the_records_begin_may_have_begun_before(tmp_path: Path) -> None:
    found = scoped(tmp_path, http_activity=[http(60 * n, HOST, C2) for n in range(3)])
    [row] = found.rows.to_dict("records")
    assert row["began"] == "where the records begin (2026-03-10 00:00 UTC): it may have begun before"
    assert row["bytes_out"] is None or row["bytes_out"] != row["bytes_out"], "no log counts them"


def test_a_path_is_followed_without_its_query_and_a_short_one_is_not(tmp_path: Path) -> None:
    web = [
        http(1, HOST, C2, f"http://{C2}/track/visits/8ab1?n=1"),
        http(2, HOST, C2, f"http://{C2}/api"),
        http(3, "10.1.0.2", "cdn.example", "http://cdn.example/track/visits/8ab1?n=2"),
        http(4, "10.1.0.3", "cdn.example", "http://cdn.example/api"),
    ]
    rows = by_source(scoped(tmp_path, http_activity=web))
    assert set(rows) == {HOST, "10.1.0.2"}
    assert rows["10.1.0.2"]["shares"] == ["path: /track/visits/8ab1"]


def test_the_same_rhythm_to_a_rare_destination_is_shared_and_another_is_not(tmp_path: Path) -> None:
    def called(src: str, host: str, every: int) -> list[dict[str, object]]:
        return [http(every * n, src, host) for n in range(60)]

    web = [*called(HOST, C2, 300), *called("10.1.0.2", "twin.example", 302), *called("10.1.0.3", "slow.example", 700)]
    shares = by_source(scoped(tmp_path, http_activity=[*web, http(7, "10.1.0.2", C2)]))["10.1.0.2"]["shares"]
    assert shares == [f"destination: {C2}", "rhythm: about every 302 s (twin.example)"]


def test_sources_are_bounded_and_counted(tmp_path: Path) -> None:
    web = [http(n, f"10.2.{n // 250}.{n % 250}", C2) for n in range(MOST_SOURCES + 30)]
    found = scoped(tmp_path, http_activity=[*web, http(5, HOST, C2)])
    assert (len(found.rows), found.left_out) == (MOST_SOURCES, 31)
    assert found.rows.src.iloc[0] == HOST, "the finding's own source comes first"


def test_nothing_to_scope_without_a_finding(tmp_path: Path) -> None:
    events = tables(tmp_path, http_activity=[http(1, HOST, C2)])
    contacts = egress_events(events, case())
    found = shared_traits(
        {"findings": [], "leads": []}, egress_pairs(events, case(), contacts), contacts, events, case()
    )
    assert (len(found.rows), found.notes, found.left_out) == (0, (), 0)
