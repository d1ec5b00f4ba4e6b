"""Real tools on captures that somebody has broken, or made to break them: no exception, a reason, no lie."""

from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from tests.evidence.captures.packets import (
    CLIENT,
    RESOLVER,
    SERVER,
    START_NS,
    Wire,
    client_hello,
    dns_query,
    get,
    incident,
    pcap,
    pcapng,
    server_hello,
    udp,
)
from tests.evidence.captures.programs import REAL, real

from playbooks.evidence.captures import Derived, read_capture
from playbooks.normalise import Source, read

PACKETS = incident()


def by(tool: str, data: bytes, folder: Path) -> Derived:
    capture = folder / "c.pcap"
    capture.write_bytes(data)
    place = folder / tool
    place.mkdir()
    return read_capture(capture, real(tool), place)


def counts(found: Derived) -> tuple[int, int, int]:
    rows = [rows for file in found.files for rows in read(Source("E001", file))]
    lines = sum(len(file.read_bytes().splitlines()) for file in found.files)
    return sum(r.count for r in rows), sum(r.unread.num_rows for r in rows), lines


@pytest.mark.parametrize("tool", REAL)
@pytest.mark.parametrize(
    ("data", "packets", "fault"),
    [
        (pcap(PACKETS)[:-30], 41, "cut off in packet 42"),
        (pcapng(PACKETS)[:-50], 41, "cut off in the block at byte"),
        (gzip.compress(pcap(PACKETS))[:-700], None, "gzip data is damaged or cut off"),
        (pcap(PACKETS[:9]) + b"\xff" * 999, 9, "no packet at byte"),
    ],
    ids=["pcap", "pcapng", "gz", "garbage behind"],
)
def test_of_a_damaged_capture_what_stands_before_is_kept_and_the_rest_is_said_to_be_lost(
    tool: str, data: bytes, packets: int | None, fault: str, tmp_path: Path
) -> None:
    found = by(tool, data, tmp_path)
    assert fault in found.fault
    assert not found.failed
    assert packets in (None, found.facts["packets"])
    assert 0 < found.facts["packets"] < len(PACKETS)
    events, unread, lines = counts(found)
    assert (events, unread) == (lines, 0)


@pytest.mark.parametrize("tool", REAL)
@pytest.mark.parametrize("data", [pcap([]), pcapng([]), gzip.compress(pcap([]))], ids=["pcap", "pcapng", "gz"])
def test_a_capture_without_packets_is_read_and_shows_nothing(tool: str, data: bytes, tmp_path: Path) -> None:
    found = by(tool, data, tmp_path)
    assert (found.files, found.fault, found.failed, found.facts["packets"]) == ((), "", False, 0)


@pytest.mark.parametrize("tool", REAL)
@pytest.mark.parametrize("data", [pcap([])[:10], pcap([]) + b"\xff" * 500, pcapng([])[:20]])
def test_garbage_behind_a_header_is_a_failure_with_its_reason(tool: str, data: bytes, tmp_path: Path) -> None:
    found = by(tool, data, tmp_path)
    assert (found.files, found.failed) == ((), True)
    assert found.fault


def hostile() -> bytes:
    wire = Wire()
    name = b'\x1b]0;x\x07<b>\xff\xfe\n\t"\\.example.workers.dev'
    wire.put(udp(CLIENT, 40001, RESOLVER, 53, dns_query(1, name)))
    request = (
        b"GET /a\x01\x1b[31m\xff<script>?x=1\t2 HTTP/1.1\r\nHost: h\x02<i>.example\r\n"
        b'User-Agent: \xff\xfe\x07\t"quoted", =1+1 \xe2\x80\xae\r\n\r\n'
    )
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n"
    wire.talk(CLIENT, 40002, SERVER, 80, [("client", request), ("server", reply)])
    wire.talk(CLIENT, 40003, SERVER, 8899, [("client", get("odd.example.org")), ("server", b"HTTP/1.1 204 No\r\n\r\n")])
    hello = [("client", client_hello("odd-tls.example.org")), ("server", server_hello())]
    wire.talk(CLIENT, 40004, SERVER, 8898, hello)
    return pcap(wire.packets)


@pytest.mark.parametrize("tool", REAL)
def test_names_with_control_characters_and_odd_ports_are_events_and_every_line_is_accounted_for(
    tool: str, tmp_path: Path
) -> None:
    found = by(tool, hostile(), tmp_path)
    assert (found.fault, found.failed) == ("", False)
    events, unread, lines = counts(found)
    assert (events, unread) == (lines, 0)
    rows = [row for file in found.files for part in read(Source("E001", file)) for row in part.in_order()]
    [query] = {row["query_hostname"] for row in rows if row.get("query_hostname")}
    assert query.endswith(".example.workers.dev")
    assert "<b>" in query
    assert {row["tls_sni"] for row in rows if row.get("tls_sni")} == {"odd-tls.example.org"}
    hosts = {row["dst_endpoint_hostname"] for row in rows if row.get("http_request_http_method")}
    assert "odd.example.org" in hosts
    assert len(hosts) == 2


@pytest.mark.parametrize("tool", REAL)
def test_a_time_that_a_tool_cannot_say_is_no_event_without_a_word(tool: str, tmp_path: Path) -> None:
    late = [((1 << 32) * 10**9 - 10**9 + n, frame) for n, (_, frame) in enumerate(PACKETS[:2])]
    found = by(tool, pcap(late), tmp_path)
    rows = [row for file in found.files for part in read(Source("E001", file)) for row in part.in_order()]
    years = {row["time"].year for row in rows}
    assert years == {2106} or "2 packets are dated after 2038" in found.fault
    assert found.fault == "" or tool == "suricata"


@pytest.mark.parametrize("tool", REAL)
def test_noise_in_the_packets_breaks_nothing(tool: str, tmp_path: Path) -> None:
    dice = random.Random(7)
    noisy = []
    for turn in range(40):
        for _, frame in PACKETS:
            data = bytearray(frame)
            for _ in range(dice.randrange(1, 6)):
                data[dice.randrange(14, len(data))] = dice.randrange(256)
            noisy.append((START_NS + len(noisy) * 10**6 + turn, bytes(data)))
    found = by(tool, pcap(noisy), tmp_path)
    assert not found.failed
    events, unread, lines = counts(found)
    assert events + unread == lines
    assert events > 0
    if tool == "tshark":
        assert found.facts["counts"]["packets"] == len(noisy)
        assert found.facts["counts"]["unreadable"] == 0
