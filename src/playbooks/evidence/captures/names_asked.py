"""DNS messages of single packets → one line a question, with its answer where one came.

A message says how many records of which section it has, and tshark lists the values of all of them by type; so
the answers are the first ones of their type, and what stands behind belongs to other sections.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from playbooks.evidence.captures.packets import NS_PER_S, Packet, is_set, stamp

VALUE_OF = {
    "1": "dns_a",
    "28": "dns_aaaa",
    "5": "dns_cname",
    "2": "dns_ns",
    "12": "dns_ptr_domain_name",
    "15": "dns_mx_mail_exchange",
}
EDNS = "41"
TTL = "dns_resp_ttl"
COUNT = re.compile(r"[0-9]{1,5}")
MOST_WAITING = 100_000
WAITING_NS = 60 * NS_PER_S

Line = dict[str, Any]
Key = tuple[str | int | None, ...]


@dataclass(frozen=True)
class Message:
    """One DNS message."""

    packet: Packet
    number: str
    is_answer: bool
    query: str | None
    qtype: str | None
    rcode: str | None
    answers: tuple[str, ...]
    ttls: tuple[str | None, ...]

    def key(self) -> Key:
        """Equal for a question and its answer."""
        client, server = (self.packet.src, self.packet.sport), (self.packet.dst, self.packet.dport)
        if self.is_answer:
            client, server = server, client
        return (*client, *server, self.packet.transport, self.number, (self.query or "").lower(), self.qtype)


class Questions:
    """Questions that wait for their answer, as many as memory is given to, no longer than a minute of the capture."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Key, Message] = OrderedDict()

    def lines(self, packet: Packet) -> Iterator[Line]:
        """The lines that this packet completes."""
        for message in messages(packet):
            asked = self._waiting.pop(message.key(), None)
            if message.is_answer:
                yield _line(asked, message)
                continue
            if asked:
                yield _line(asked, None)  # asked again before an answer came
            self._waiting[message.key()] = message
        yield from self._given_up(packet)

    def rest(self) -> Iterator[Line]:
        """The questions that nobody answered."""
        for message in self._waiting.values():
            yield _line(message, None)
        self._waiting.clear()

    def _given_up(self, now: Packet) -> Iterator[Line]:
        while self._waiting:
            first = next(iter(self._waiting.values()))
            age = (now.time_ns or 0) - (first.packet.time_ns or 0)
            if len(self._waiting) <= MOST_WAITING and age <= WAITING_NS:
                return
            self._waiting.popitem(last=False)
            yield _line(first, None)


def _line(asked: Message | None, answer: Message | None) -> Line:
    first = asked or answer
    assert first is not None  # one of the two is why there is a line
    packet = first.packet
    client, server = (packet.src, packet.sport), (packet.dst, packet.dport)
    if asked is None:
        client, server = server, client
    took = None
    if asked and answer and asked.packet.time_ns is not None and answer.packet.time_ns is not None:
        took = (answer.packet.time_ns - asked.packet.time_ns) // 1_000_000
    return {
        "tshark": "dns",
        "frame": packet.number,
        "time": stamp(packet.time_ns),
        "src_ip": client[0],
        "src_port": client[1],
        "dst_ip": server[0],
        "dst_port": server[1],
        "proto": packet.transport,
        "query": first.query,
        "qtype": first.qtype,
        "rcode": answer.rcode if answer else None,
        "answers": list(answer.answers) if answer else None,
        "ttls": list(answer.ttls) if answer else None,
        "answer_frame": answer.packet.number if answer else None,
        "duration_ms": took,
    }


def messages(packet: Packet) -> Iterator[Message]:
    """The DNS messages of a packet: usually one, over TCP perhaps several."""
    if not packet.has("dns_id"):
        return
    numbers, flags = packet.all("dns_id"), packet.all("dns_flags_response")
    names, kinds, rcodes = (iter(packet.all(f"dns_{name}")) for name in ("qry_name", "qry_type", "flags_rcode"))
    counts = [_counts(packet, name) for name in ("queries", "answers", "auth_rr", "add_rr")]
    types = iter(packet.all("dns_resp_type"))
    values = {field: iter(packet.all(field)) for field in (*VALUE_OF.values(), TTL)}
    for place, (number, flag) in enumerate(zip(numbers, flags, strict=False)):
        queries, answers, *others = (count[place] if place < len(count) else 0 for count in counts)
        asked = [(next(names, None), next(kinds, None)) for _ in range(min(queries, len(packet.all("dns_qry_name"))))]
        said = [_value(next(types, None), values) for _ in range(min(answers, len(packet.all("dns_resp_type"))))]
        for _ in range(min(sum(others), len(packet.all("dns_resp_type")))):
            _value(next(types, None), values)  # of another section
        query, qtype = asked[0] if asked else (None, None)
        given = [(text, ttl) for text, ttl in said if text is not None]
        is_answer = is_set(flag)
        rcode = next(rcodes, None) if is_answer else None
        texts, ttls = tuple(text for text, _ in given), tuple(ttl for _, ttl in given)
        yield Message(packet, number, is_answer, query, qtype, rcode, texts, ttls)


def _counts(packet: Packet, section: str) -> list[int]:
    return [int(text) if COUNT.fullmatch(text) else 0 for text in packet.all(f"dns_count_{section}")]


def _value(kind: str | None, values: dict[str, Iterator[str]]) -> tuple[str | None, str | None]:
    """The data of the next record and its time to live, which the record of EDNS has not."""
    field = VALUE_OF.get(kind or "")
    ttl = None if kind == EDNS else next(values[TTL], None)
    return next(values[field], None) if field else None, ttl
