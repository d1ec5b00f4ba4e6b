"""What counts as a contact with the outside, and what it is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.scoping.events import at, dns, flow, http, tables, tls

from playbooks.case import PRIVATE_RANGES, CaseFile, Window
from playbooks.scoping.addresses import Ranges, not_external, place
from playbooks.scoping.egress_events import COLUMNS, egress_events, within

HOST, OTHER, PROXY = "10.0.0.5", "10.0.0.6", "10.0.0.99"
FAR, FAR2 = "198.51.100.7", "203.0.113.9"
DAY = 86_400
CASE = CaseFile(case_id="T-1")


def contacts(folder: Path, *columns: str, case: CaseFile = CASE, **rows: list[dict[str, object]]) -> list[tuple]:
    events = egress_events(tables(folder, **rows), case)
    assert tuple(events.columns) == COLUMNS
    found = events.order_by("time", "source", "record_no").select(*columns).to_pyarrow().to_pylist()
    return [tuple(row.values()) for row in found]


def test_only_contacts_that_lead_out_count(tmp_path: Path) -> None:
    flows = [
        flow(1, HOST, FAR),
        flow(2, HOST, "10.9.9.9"),
        flow(3, FAR, HOST),
        flow(4, FAR, FAR2),
        flow(5, HOST, "224.0.0.251"),
        flow(6, HOST, "255.255.255.255"),
        flow(7, "fd00::5", "2001:db8::7"),
        flow(8, "fe80::1", "ff02::fb"),
        flow(9, "2001:db8::7", "fd00::5"),
    ]
    assert contacts(tmp_path, "src", "dst", network_activity=flows) == [(HOST, FAR), ("fd00::5", "2001:db8::7")]


def test_internal_ranges_come_from_the_case(tmp_path: Path) -> None:
    case = CaseFile.model_validate({"case_id": "T-1", "estate": {"internal_ranges": ["198.51.100.0/24"]}})
    flows = [flow(1, FAR, HOST), flow(2, HOST, FAR), flow(3, FAR, "198.51.100.200")]
    assert contacts(tmp_path, "src", "dst", case=case, network_activity=flows) == [(FAR, HOST)]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("10.255.255.255", "internal"),
        ("11.0.0.0", "external"),
        ("172.15.255.255", "external"),
        ("172.16.0.0", "internal"),
        ("::ffff:10.1.2.3", "internal"),
        ("::ffff:198.51.100.7", "external"),
        ("fdff::1", "internal"),
        ("fe80::1%eth0", "link"),
        ("127.0.0.1", "link"),
        ("0.0.0.0", "link"),
        ("host.example", None),
        ("10.0.0", None),
        ("", None),
    ],
)
def test_ranges_hold_at_their_edges_and_in_both_families(text: str, where: str | None) -> None:
    assert place(text, Ranges(PRIVATE_RANGES)) == where


def test_lookups_that_only_connect_would_make(tmp_path: Path) -> None:
    queries = [
        dns(1, HOST, "a.example", [FAR]),
        dns(2, HOST, "gone.example", rcode="NXDOMAIN"),
        dns(3, HOST, "text.example", query_type="TXT"),
        dns(4, HOST, "b.example", query_type=None, rcode=None),
        dns(5, HOST, "5.0.0.10.in-addr.arpa", query_type="A"),
        dns(6, HOST, "printer.local"),
        dns(7, HOST, "wpad"),
        dns(8, HOST, "intranet.corp.example", ["10.1.1.1"]),
        dns(9, HOST, "both.example", ["10.1.1.1", FAR]),
        dns(10, FAR, "c.example", [FAR]),
        dns(11, HOST, "v6.example", ["2001:db8::1"], query_type="HTTPS"),
    ]
    found = contacts(tmp_path, "dst", "source", dns_activity=queries)
    assert found == [(name, "dns") for name in ("a.example", "b.example", "both.example", "v6.example")]


def test_a_proxy_log_gives_client_host_and_path(tmp_path: Path) -> None:
    rows = [
        http(1, HOST, "tunnel.example"),
        http(2, HOST, "plain.example", "http://plain.example/a/b?c=d#e", dst_endpoint_ip=FAR),
        http(3, HOST, None, "http://bare.example:8080/x"),
        http(4, HOST, "10.1.1.1", "http://10.1.1.1/inside"),
        http(5, HOST, "198.51.100.7", "http://198.51.100.7/"),
        http(6, HOST, "[2001:db8::1]", "http://[2001:db8::1]/"),
        http(7, HOST, "Upper.Example.", "/only/path"),
    ]
    assert contacts(tmp_path, "dst", "dst_name", "dst_ip", "path", http_activity=rows) == [
        ("tunnel.example", "tunnel.example", None, None),
        ("plain.example", "plain.example", FAR, "/a/b?c=d"),
        ("bare.example", "bare.example", None, "/x"),
        (FAR, None, FAR, "/"),
        ("2001:db8::1", None, "2001:db8::1", "/"),
        ("upper.example", "upper.example", None, "/only/path"),
    ]


def test_the_leg_to_a_proxy_is_named_by_its_connection(tmp_path: Path) -> None:
    """A sensor sees CONNECT, handshake and connection of one uid; none of them has the proxy as destination."""
    through = {"dst_endpoint_ip": PROXY, "metadata_uid": "C1"}
    rows = [http(1, HOST, "far.example", **through)]
    wire = [tls(1, HOST, PROXY, "far.example", metadata_uid="C1"), flow(1, HOST, PROXY, metadata_uid="C1")]
    wire += [flow(2, HOST, PROXY, metadata_uid="C2"), flow(3, PROXY, FAR, metadata_uid="C3")]
    columns = ("src", "dst", "source", "naming", "by_proxy")
    assert contacts(tmp_path, *columns, http_activity=rows, network_activity=wire) == [
        (HOST, "far.example", "flow", "connection", False),
        (HOST, "far.example", "http", "record", False),
        (HOST, "far.example", "tls", "record", False),
        (PROXY, FAR, "flow", "none", True),
    ]


def test_a_connection_with_two_hosts_names_nothing(tmp_path: Path) -> None:
    rows = [http(1, HOST, name, f"http://{name}/", metadata_uid="C1") for name in ("a.example", "b.example")]
    found = contacts(
        tmp_path, "dst", "naming", http_activity=rows, network_activity=[flow(0, HOST, FAR, metadata_uid="C1")]
    )
    assert found[0] == (FAR, "none")


@pytest.mark.parametrize(
    ("queries", "expected"),
    [
        ([dns(-5, HOST, "a.example", [FAR])], ("a.example", "dns")),
        ([dns(-5, HOST, "a.example", ["alias.example", FAR])], ("a.example", "dns")),
        ([dns(5, HOST, "a.example", [FAR])], (FAR, "none")),
        ([dns(-DAY - 5, HOST, "a.example", [FAR])], (FAR, "none")),
        ([dns(-DAY - 5, HOST, "a.example", [FAR]), dns(-DAY / 2, HOST, "a.example", [FAR])], ("a.example", "dns")),
        ([dns(-5, OTHER, "a.example", [FAR])], (FAR, "none")),
        ([dns(-5, HOST, "a.example", [FAR]), dns(-4, HOST, "b.example", [FAR])], (FAR, "ambiguous")),
        ([dns(-5, HOST, "a.example", [FAR]), dns(4, HOST, "b.example", [FAR])], ("a.example", "dns")),
        ([dns(-5, HOST, "a.example", [FAR]), dns(-4, HOST, "b.example", [FAR2])], ("a.example", "dns")),
    ],
    ids=["before", "cname", "after", "stale", "renewed", "other-client", "shared", "shared-later", "other-address"],
)
def test_flows_take_the_name_that_the_same_client_was_answered(
    tmp_path: Path, queries: list[dict[str, object]], expected: tuple[str, str]
) -> None:
    events = egress_events(tables(tmp_path, dns_activity=queries, network_activity=[flow(0, HOST, FAR)]), CASE)
    rows = events.filter(events.source == "flow").select("dst", "naming").to_pyarrow().to_pylist()
    assert [tuple(row.values()) for row in rows] == [expected]


def test_answers_of_our_own_servers_are_no_contacts(tmp_path: Path) -> None:
    """In a one-way flow log the reply of a server looks like a call; in a log of connections it cannot."""
    ports = {"src_endpoint_port": 443, "dst_endpoint_port": 51000}
    flows = [
        flow(1, HOST, FAR, format="aws_vpc_flow", **ports),
        flow(2, HOST, FAR, format="aws_vpc_flow"),
        flow(3, HOST, FAR2, metadata_uid="C1", **ports),
    ]
    assert contacts(tmp_path, "dst", network_activity=flows) == [(FAR,), (FAR2,)]


def test_icmp_errors_that_we_send_are_no_contacts(tmp_path: Path) -> None:
    """A scanned host answers "unreachable"; the sensor logs it as a call of the host, type as source port."""
    icmp = {"connection_info_protocol_name": "icmp", "metadata_uid": "C1", "dst_endpoint_port": 3}
    flows = [
        flow(1, HOST, FAR, **{**icmp, "src_endpoint_port": 3}),
        flow(2, HOST, FAR2, **{**icmp, "src_endpoint_port": 8}),
        flow(3, "fd00::5", "2001:db8::7", **{**icmp, "src_endpoint_port": 129}),
        flow(4, "fd00::5", "2001:db8::8", **{**icmp, "src_endpoint_port": 128}),
    ]
    assert contacts(tmp_path, "dst", network_activity=flows) == [(FAR2,), ("2001:db8::8",)]


def test_times_stay_aware_and_windows_exclude_their_end(tmp_path: Path) -> None:
    case = CaseFile(case_id="T-1", window=Window(start=at(0), end=at(10)))
    events = egress_events(tables(tmp_path, network_activity=[flow(n, HOST, FAR) for n in (-1, 0, 9.5, 10)]), case)
    assert within(events, case.window).order_by("time").to_pyarrow()["time"].to_pylist() == [at(0), at(9.5)]


def test_a_case_without_events_has_no_contacts(tmp_path: Path) -> None:
    assert contacts(tmp_path, "dst") == []


def test_addresses_are_placed_alike_one_by_one_and_together() -> None:
    ranges = ["10.0.0.0/8", "192.168.0.0/16", "fd00::/8"]
    texts = [
        *("10.0.0.1", "192.168.255.255", "192.169.0.0", "169.254.1.1", "224.0.0.1", "8.8.8.8", "255.255.255.255"),
        *(
            "010.0.0.1",
            "10.0.0.256",
            "10.1",
            "10.0.0.1\n",
            "::1",
            "fe80::1%eth0",
            "::ffff:10.0.0.1",
            "fd00::1",
            "x",
            "",
        ),
    ]
    one_by_one = {text: place(text, Ranges(ranges)) for text in texts}
    assert not_external(texts, ranges) == {
        text: where for text, where in one_by_one.items() if where in ("internal", "link")
    }
    assert not_external([], ranges) == {}
