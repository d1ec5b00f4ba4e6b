"""Real tools on captures written byte by byte: the same facts come out of each, and the counts add up."""

from __future__ import annotations

import datetime as dt
import gzip
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.evidence.captures.packets import (
    AGENT,
    CLIENT,
    CLIENT6,
    NAME,
    RESOLVER,
    RESOLVER6,
    SERVER,
    SERVER6,
    START_NS,
    STEP_NS,
    incident,
    ja3,
    ja4,
    pcap,
    pcapng,
)
from tests.evidence.captures.programs import REAL, real

from playbooks.evidence.captures import Derived, read_capture
from playbooks.normalise import Source, read

PACKETS = incident()
Event = dict[str, Any]
Seen = tuple[Derived, list[tuple[str, Event]]]
CAPTURES = {
    "pcap": pcap(PACKETS),
    "big-endian nanoseconds": pcap(PACKETS, ">", nanoseconds=True),
    "pcapng": pcapng(PACKETS),
    "gz": gzip.compress(pcapng(PACKETS, ">")),
}


def at(packet: int) -> dt.datetime:
    """The time of a packet, counted from 1."""
    micros = (START_NS + (packet - 1) * STEP_NS) // 1000
    return dt.datetime.fromtimestamp(0, dt.UTC) + dt.timedelta(microseconds=micros)


def derived(data: bytes, tool: str, folder: Path) -> Derived:
    capture = folder / "a capture\n--help.pcap"
    capture.write_bytes(data)
    place = folder / "out"
    place.mkdir()
    return read_capture(capture, real(tool), place)


def events(found: Derived) -> Iterator[tuple[str, Event]]:
    for file in found.files:
        for rows in read(Source("E001", file)):
            assert rows.unread.num_rows == 0, rows.unread.to_pylist()
            for table, part in rows.tables.items():
                yield from ((table, row) for row in part.to_pylist())


def plain(address: str | None) -> str | None:
    return str(ipaddress.ip_address(address)) if address else None


def ends(row: Event) -> tuple[Any, ...]:
    names = ("src_endpoint_ip", "dst_endpoint_ip", "src_endpoint_port", "dst_endpoint_port")
    src, dst, sport, dport = (row[name] for name in names)
    return plain(src), sport, plain(dst), dport


@pytest.fixture(scope="module", params=[(tool, name) for tool in REAL for name in CAPTURES], ids="-".join)
def seen(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    tool, name = request.param
    found = derived(CAPTURES[name], tool, tmp_path_factory.mktemp("seen"))
    assert (found.fault, found.failed, found.facts["packets"]) == ("", False, len(PACKETS))
    return found, list(events(found))


def test_names_and_answers(seen: Seen) -> None:
    rows = [row for table, row in seen[1] if table == "dns_activity"]
    asked = {(*ends(row), row["query_hostname"], row["query_type"]) for row in rows}
    assert asked == {
        (CLIENT, 40001, RESOLVER, 53, NAME, "A"),
        (CLIENT6, 40002, RESOLVER6, 53, NAME, "AAAA"),
        (CLIENT, 40003, RESOLVER, 53, "gone.example.org", "A"),
        (CLIENT, 40004, RESOLVER, 53, "silent.example.org", "A"),
    }
    answered = {(row["query_hostname"], row["query_type"]): row for row in rows if row["rcode"]}
    said = {name: (row["rcode"], [_plain(a) for a in row["answers"] or []]) for name, row in answered.items()}
    assert said == {
        (NAME, "A"): ("NOERROR", ["edge.example.net", SERVER]),  # the address of the name server is no answer
        (NAME, "AAAA"): ("NOERROR", [SERVER6]),
        ("gone.example.org", "A"): ("NXDOMAIN", []),
    }
    assert {at(1), at(3), at(5), at(7)} <= {row["time"] for row in rows}


def _plain(text: str) -> str | None:
    return plain(text) if text[-1:].isalnum() and (":" in text or text.replace(".", "").isdigit()) else text


def test_a_web_request(seen: Seen) -> None:
    [row] = [row for table, row in seen[1] if table == "http_activity"]
    assert ends(row) == (CLIENT, 40005, SERVER, 80)
    assert row["dst_endpoint_hostname"] == NAME
    assert row["http_request_http_method"] == "GET"
    url = urlsplit(row["http_request_url_string"])
    assert (url.netloc or NAME, url.path, url.query) == (NAME, "/tasks", "id=7")
    assert row["http_request_user_agent"] == AGENT
    assert row["http_request_referrer"] == "http://r.example/"
    assert (row["http_response_code"], row["traffic_bytes_in"]) == (200, 333)
    assert at(11) <= row["time"] <= at(14)  # a sensor dates a request by the packet that completes it


def test_tls_and_quic(seen: Seen) -> None:
    found, rows = seen
    greetings = [row for table, row in rows if table == "network_activity" and row["tls_sni"]]
    by_client = {ends(row): row for row in greetings}
    assert len(by_client) == len(greetings)
    over_tcp = [(CLIENT, 40006, SERVER, 443), (CLIENT6, 40007, SERVER6, 443)]
    quic = (CLIENT, 40009, SERVER, 443)
    assert set(by_client) == {*over_tcp, quic}
    assert {(row["tls_sni"], row["dst_endpoint_hostname"], row["tls_ja3"]) for row in greetings} == {
        (NAME, NAME, ja3())
    }
    assert {(by_client[one]["tls_version"], by_client[one]["tls_ja3s"] is None) for one in over_tcp} == {
        ("TLS 1.3", False)
    }
    has_ja4 = found.facts["tool_used"]["name"] == "suricata" or "tls.handshake.ja4" in found.facts["command"]
    assert {by_client[one]["tls_ja4"] for one in over_tcp} == {ja4() if has_ja4 else None}
    assert by_client[quic]["tls_ja4"] == (ja4("q") if has_ja4 else None)


def test_flows_and_their_sums(seen: Seen) -> None:
    flows = [row for table, row in seen[1] if table == "network_activity" and row["traffic_bytes_out"] is not None]
    amounts = ("traffic_packets_out", "traffic_packets_in", "traffic_bytes_out", "traffic_bytes_in")
    by_ends = {ends(row): (row["time"], *(row[name] for name in amounts)) for row in flows}
    assert len(by_ends) == len(flows)
    assert by_ends[CLIENT, 40008, SERVER, 9999] == (at(39), 2, 1, 100 + 200 + 2 * 42, 50 + 42)
    assert by_ends[CLIENT, 40005, SERVER, 80] == (at(8), 6, 4, *sizes(CLIENT, 40005))
    assert by_ends[CLIENT6, 40007, SERVER6, 443] == (at(28), 6, 4, *sizes(CLIENT6, 40007))
    total = [sum(row[name] for row in flows) for name in amounts]
    assert total[0] + total[1] == len(PACKETS)
    assert total[2] + total[3] == sum(len(frame) for _, frame in PACKETS)


def sizes(client: str, port: int) -> tuple[int, int]:
    """Bytes of the frames from and to a client's TCP port, as the writer knows them."""
    packed = ipaddress.ip_address(client).packed
    start, ports = (26, 34) if len(packed) == 4 else (22, 54)
    out = back = 0
    for _, frame in PACKETS:
        sport, dport = (int.from_bytes(frame[ports + n : ports + n + 2], "big") for n in (0, 2))
        out += len(frame) * (frame[start : start + len(packed)] == packed and sport == port)
        back += len(frame) * (frame[start + len(packed) : start + 2 * len(packed)] == packed and dport == port)
    return out, back


def test_the_record_says_who_was_called_how_and_with_what(seen: Seen) -> None:
    facts = seen[0].facts
    tool = real(facts["tool_used"]["name"])
    assert facts["tool_used"] == {"name": tool.name, "version": tool.version}
    assert facts["command"][0] == tool.name
    assert facts["command"][1:] == tool.command()[1:]
    assert not [part for part in facts["command"] if "/" in part and part != "/dev/null"], "no path of this machine"
    assert facts["counts"]["packets"] == len(PACKETS)
    assert facts["started"] <= facts["ended"]
