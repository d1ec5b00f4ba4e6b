"""What single packets become: flows with two ends, questions with answers, requests with answers, in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from playbooks.evidence.captures import conversations, names_asked
from playbooks.evidence.captures.conversations import Conversations
from playbooks.evidence.captures.names_asked import Questions
from playbooks.evidence.captures.packets import Packet, packet, stamp, time_ns

A, B = "192.0.2.1", "203.0.113.9"


def told(number: int, seconds: float, src: str = A, dst: str = B, **fields: Any) -> Packet:
    """A packet as tshark tells it; underscores stand for dots."""
    layers = {
        "frame_number": [str(number)],
        "frame_time_epoch": [f"{1_773_133_200 + seconds:.6f}000"],
        "frame_len": ["100"],
        "frame_protocols": ["eth:ethertype:ip:udp"],
        "ip_src": [src],
        "ip_dst": [dst],
        **{name: value if isinstance(value, list) else [value] for name, value in fields.items()},
    }
    found = packet(json.dumps({"layers": layers}).encode())
    assert found is not None
    return found


def udp(number: int, seconds: float, sport: int, dport: int, **fields: Any) -> Packet:
    ports = {"udp_srcport": str(sport), "udp_dstport": str(dport)}
    return told(number, seconds, **{**ports, **fields})


def tcp(number: int, seconds: float, sport: int, dport: int, **fields: Any) -> Packet:
    ports = {"tcp_srcport": str(sport), "tcp_dstport": str(dport)}
    return told(number, seconds, **{"frame_protocols": "eth:ip:tcp", **ports, **fields})


def lines(packets: Iterable[Packet]) -> list[dict[str, Any]]:
    flows, questions = Conversations(), Questions()
    found = []
    for one in packets:
        found += [*questions.lines(one), *flows.lines(one)]
    return [*found, *questions.rest(), *flows.rest()]


def chosen(rows: list[dict[str, Any]], kind: str, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row.get(name) for name in names) for row in rows if row["tshark"] == kind]


def test_a_flow_ends_when_it_is_silent_and_the_next_packet_opens_another() -> None:
    rows = lines(udp(n, at, 5000, 9999) for n, at in enumerate((0, 59, 119, 180), start=1))
    assert chosen(rows, "flow", "frame", "packets_out") == [(1, 3), (4, 1)]
    rows = lines(tcp(n, at, 5000, 443) for n, at in enumerate((0, 299, 600), start=1))
    assert chosen(rows, "flow", "frame", "packets_out") == [(1, 2), (3, 1)]


def test_who_opened_a_flow_is_told_by_syn_and_else_by_the_well_known_port() -> None:
    syn_ack = tcp(1, 0, 5000, 6000, tcp_flags_syn="1", tcp_flags_ack="1")
    syn = tcp(2, 0, 700, 6000, tcp_flags_syn="True")
    middle = tcp(3, 0, 443, 50000)
    neither = tcp(4, 0, 6000, 50000)
    rows = lines([syn_ack, syn, middle, neither])
    assert chosen(rows, "flow", "src_port", "dst_port", "packets_out", "packets_in") == [
        (6000, 5000, 0, 1),
        (700, 6000, 1, 0),
        (50000, 443, 0, 1),
        (6000, 50000, 1, 0),
    ]


def test_a_new_connection_between_the_same_ends_is_a_flow_of_its_own() -> None:
    def turn(number: int, at: float) -> list[Packet]:
        back = {"src": B, "dst": A, "tcp_flags_syn": "1", "tcp_flags_ack": "1"}
        return [tcp(number, at, 5000, 443, tcp_flags_syn="1"), tcp(number + 1, at, 443, 5000, **back)]

    again = tcp(2, 0, 5000, 443, tcp_flags_syn="1")  # sent twice before the server answers: the same connection
    rows = lines([tcp(1, 0, 5000, 443, tcp_flags_syn="1"), again, *turn(3, 0), *turn(5, 1)])
    assert chosen(rows, "flow", "frame", "packets_out", "packets_in") == [(1, 3, 1), (5, 1, 1)]


def test_what_an_icmp_error_quotes_was_not_sent() -> None:
    quoting = told(
        1, 0, frame_protocols="eth:ethertype:ip:icmp:ip:udp:dns", ip_src=[A, "198.51.100.1"],
        ip_dst=[B, "198.51.100.2"],
        udp_srcport="5000", udp_dstport="53", dns_id="0x1", dns_flags_response="0",
        dns_qry_name="x.example", dns_qry_type="1", dns_count_queries="1",
    )  # fmt: skip
    rows = lines([quoting])
    assert chosen(rows, "flow", "src_ip", "dst_ip", "src_port", "proto") == [(A, B, None, "icmp")]
    assert chosen(rows, "dns", "query") == []


def test_inside_of_a_tunnel_the_inner_ends_count() -> None:
    inner = told(
        1, 0, frame_protocols="eth:ethertype:ip:udp:vxlan:eth:ethertype:ipv6:udp", ipv6_src="2001:db8::1",
        ipv6_dst="2001:db8::2", udp_srcport=["4789", "5000"], udp_dstport=["4789", "443"],
    )  # fmt: skip
    assert chosen(lines([inner]), "flow", "src_ip", "dst_ip", "src_port", "dst_port") == [
        ("2001:db8::1", "2001:db8::2", 5000, 443)
    ]


def test_a_fragment_and_a_frame_without_address_are_no_port_and_no_flow() -> None:
    fragment = told(1, 0, frame_protocols="eth:ethertype:ip:data")
    arp = told(2, 0, src="", dst="", frame_protocols="eth:ethertype:arp")
    rows = lines([fragment, arp])
    assert chosen(rows, "flow", "frame", "src_ip", "src_port", "proto") == [(1, A, None, "")]


def dns(number: int, at: float, name: str, kind: str = "1", **fields: Any) -> Packet:
    base = {"dns_id": "0x1", "dns_flags_response": "0", "dns_count_queries": "1", "dns_qry_name": name,
            "dns_qry_type": kind}  # fmt: skip
    return udp(number, at, 5000, 53, **{**base, **fields})


def answer(number: int, at: float, name: str, **fields: Any) -> Packet:
    base = {"src": B, "dst": A, "dns_id": "0x1", "dns_flags_response": "1", "dns_count_queries": "1",
            "dns_qry_name": name, "dns_qry_type": "1", "dns_flags_rcode": "0"}  # fmt: skip
    ports = {"udp_srcport": "53", "udp_dstport": "5000"}
    return told(number, at, **{**base, **ports, **fields})


def test_a_question_asked_again_an_answer_nobody_asked_for_and_one_that_never_came() -> None:
    rows = lines([
        dns(1, 0, "a.example"), dns(2, 1, "a.example"), answer(3, 2, "A.example"), answer(4, 3, "b.example"),
        dns(5, 4, "c.example"), dns(6, 65, "d.example"),
    ])  # fmt: skip
    assert chosen(rows, "dns", "frame", "query", "rcode", "answer_frame", "src_ip", "src_port", "duration_ms") == [
        (1, "a.example", None, None, A, 5000, None),
        (2, "a.example", "0", 3, A, 5000, 1000),
        (4, "b.example", "0", 4, A, 5000, None),
        (5, "c.example", None, None, A, 5000, None),
        (6, "d.example", None, None, A, 5000, None),
    ]


def test_several_messages_in_one_segment_keep_their_own_answers() -> None:
    both = answer(
        1, 0, "", dns_id=["0x1", "0x2"], dns_flags_response=["1", "1"], dns_flags_rcode=["0", "0"],
        dns_count_queries=["1", "1"], dns_count_answers=["1", "2"], dns_count_auth_rr=["1", "0"],
        dns_count_add_rr=["1", "0"], dns_qry_name=["a.example", "b.example"], dns_qry_type=["1", "28"],
        dns_resp_type=["1", "2", "1", "5", "28"], dns_a=["192.0.2.10", "192.0.2.11"], dns_ns=["ns.example"],
        dns_cname=["c.example"], dns_aaaa=["2001:db8::1"],
    )  # fmt: skip
    assert chosen(lines([both]), "dns", "query", "qtype", "answers") == [
        ("a.example", "1", ["192.0.2.10"]),
        ("b.example", "28", ["c.example", "2001:db8::1"]),
    ]


def test_a_message_that_promises_more_than_it_holds_gives_what_it_holds() -> None:
    liar = answer(1, 0, "a.example", dns_count_answers="65535", dns_resp_type=["1", "16"], dns_a="192.0.2.1")
    odd = answer(2, 0, "b.example", dns_count_answers="9" * 5000, dns_count_queries="-1", dns_resp_type="1")
    assert chosen(lines([liar, odd]), "dns", "answers") == [(["192.0.2.1"],), ([],)]


def test_requests_on_one_connection_meet_their_answers_in_order() -> None:
    ask = {"http_request_method": ["GET", "GET"], "http_request_uri": ["/1", "/2"], "http_host": ["h", "h"]}
    rows = lines([
        tcp(1, 0, 5000, 80, **ask, http_user_agent=["only one of them"]),
        tcp(
            2, 1, 80, 5000, src=B, dst=A, http_response_code=["100", "200", "404"],
            http_content_length=["0", "7", "9"],
        ),
        tcp(3, 2, 80, 5000, src=B, dst=A, http_response_code="500"),
        tcp(4, 3, 5000, 80, http_request_method="POST", http_content_length="12"),
    ])  # fmt: skip
    assert chosen(rows, "http", "frame", "url", "user_agent", "status", "request_bytes", "response_bytes") == [
        (1, "/1", None, "200", None, "7"),
        (1, "/2", None, "404", None, "9"),
        (3, None, None, "500", None, None),
        (4, None, None, None, "12", None),
    ]


def test_a_greeting_takes_the_version_that_the_server_chose() -> None:
    hello = {"tls_handshake_type": "1", "tls_handshake_extensions_server_name": "x.example", "tls_handshake_ja4": "t13"}
    rows = lines([
        tcp(1, 0, 5000, 443, **hello),
        tcp(2, 1, 443, 5000, src=B, dst=A, tls_handshake_type=["2", "11"], tls_handshake_version="0x0303"),
        tcp(3, 2, 5000, 443, **hello),
    ])  # fmt: skip
    assert chosen(rows, "tls", "frame", "sni", "version", "ja4") == [
        (1, "x.example", "TLS 1.2", "t13"),
        (3, "x.example", None, "t13"),
    ]


def test_memory_holds_no_more_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversations, "MOST_OPEN", 10)
    monkeypatch.setattr(conversations, "MOST_REQUESTS", 3)
    monkeypatch.setattr(names_asked, "MOST_WAITING", 5)
    flows, questions = Conversations(), Questions()
    found = []
    for number in range(1, 101):
        one = dns(number, 0, f"n{number}.example", udp_srcport=str(5000 + number))
        found += [*questions.lines(one), *flows.lines(one)]
        assert len(flows._open) <= 10
        assert len(questions._waiting) <= 5
    found += [*questions.rest(), *flows.rest()]
    assert len(chosen(found, "dns")) == len(chosen(found, "flow")) == flows.packets == 100
    rows = lines(tcp(n, 0, 5000, 80, http_request_method="GET", http_request_uri=f"/{n}") for n in range(10))
    assert len(chosen(rows, "http")) == 10


@pytest.mark.parametrize(
    "line",
    [b"", b"x", b"[]", b"3", b"{}", b'{"layers":[]}', b'{"layers":{}}', b'{"layers":{"frame_number":["x"]}}',
     b'{"layers":{"frame_number":"9999999999999999999"}}', b"[" * 100_000, b'{"layers":{"frame_number":[]}}'],
)  # fmt: skip
def test_a_line_that_tells_no_packet_is_none(line: bytes) -> None:
    assert packet(line) is None


def test_bytes_that_are_no_utf_8_and_raw_control_characters_stay_readable() -> None:
    found = packet(b'{"layers":{"frame_number":["1"],"http_user_agent":["a\xff\\\\b\xc3\xa9\x07\\ud800"],"x":{"y":1}}}')
    assert found is not None
    assert found.one("http_user_agent") == "a\\xff\\bé\x07\ud800"
    assert json.loads(json.dumps(found.one("http_user_agent")))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("1773133200.123456000", "2026-03-10T09:00:00.123456Z"),
        ("1773133200", "2026-03-10T09:00:00.000000Z"),
        ("1773133200.1", "2026-03-10T09:00:00.100000Z"),
        ("2026-03-10T09:00:00.123456789Z", "2026-03-10T09:00:00.123456Z"),
        ("2026-03-10 09:00:00.5 UTC", "2026-03-10T09:00:00.500000Z"),
        ("4294967295.999999999", "2106-02-07T06:28:15.999999Z"),
        ("999999999999.0", "999999999999000000000 ns since 1970"),
        ("2026-13-10T09:00:00Z", None),
        ("yesterday", None),
    ],
)
def test_times_keep_their_microseconds_and_what_is_no_time_is_not_made_one(text: str, shown: str | None) -> None:
    assert stamp(time_ns(text)) == shown
