"""Packets → flows, and in TCP and QUIC what stands readable in them: requests with their answers, TLS greetings.

A flow ends when it is silent: five minutes for TCP, one for all else, as sensors do. So memory holds what is open
at one time and not the whole capture. Bytes are those of the frames, as they were on the wire.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playbooks.evidence.captures.packets import NS_PER_S, Packet, stamp

SILENT_NS = {"tcp": 300 * NS_PER_S, "": 60 * NS_PER_S}
MOST_OPEN = 200_000
MOST_REQUESTS = 1_000  # of one connection that were not answered yet
MOST_SWEPT = 100  # old flows that one packet ends: the work is spread
CLIENT_HELLO, SERVER_HELLO = "1", "2"
TLS = {"0x0300": "SSL 3.0", "0x0301": "TLS 1.0", "0x0302": "TLS 1.1", "0x0303": "TLS 1.2", "0x0304": "TLS 1.3"}
WELL_KNOWN = 1024

Line = dict[str, Any]
Key = tuple[str, tuple[str, int], tuple[str, int]]


@dataclass
class Flow:
    """What went between two ends so far; `first` is who is taken to have opened it."""

    key: Key
    frame: int
    client: tuple[str, int | None]
    server: tuple[str, int | None]
    proto: str
    first_ns: int | None
    last_ns: int | None
    packets: list[int] = field(default_factory=lambda: [0, 0])
    sizes: list[int] = field(default_factory=lambda: [0, 0])
    requests: deque[Line] = field(default_factory=deque)
    greeting: Line | None = None

    def add(self, packet: Packet) -> None:
        """Count a packet of either direction."""
        way = 0 if (packet.src, packet.sport) == self.client else 1
        self.packets[way] += 1
        self.sizes[way] += packet.size
        if packet.time_ns is not None:
            self.last_ns = max(packet.time_ns, self.last_ns or 0)

    def ends(self) -> Line:
        """Client and server, as every line has them."""
        names = ("src_ip", "src_port", "dst_ip", "dst_port", "proto")
        return dict(zip(names, (*self.client, *self.server, self.proto), strict=True))

    def line(self) -> Line:
        """The flow as a line."""
        return {
            "tshark": "flow",
            "frame": self.frame,
            "time": stamp(self.first_ns),
            "end": stamp(self.last_ns),
            **self.ends(),
            "packets_out": self.packets[0],
            "packets_in": self.packets[1],
            "bytes_out": self.sizes[0],
            "bytes_in": self.sizes[1],
        }


class Conversations:
    """The open flows; `packets` counts all that belong to one."""

    def __init__(self) -> None:
        self._open: OrderedDict[Key, Flow] = OrderedDict()
        self.packets = 0

    def lines(self, packet: Packet) -> Iterator[Line]:
        """The lines that this packet completes."""
        if not packet.src:
            return  # ARP and its like: no address that a flow could have
        self.packets += 1
        key = _key(packet)
        flow = self._open.get(key)
        if flow and (_is_silent(flow, packet) or _is_another(flow, packet)):
            yield from self._end(key)
            flow = None
        if flow is None:
            flow = self._open[key] = _opened(key, packet)
        flow.add(packet)
        self._open.move_to_end(key)
        yield from _requests(flow, packet)
        yield from _greetings(flow, packet)
        yield from self._sweep(packet)

    def rest(self) -> Iterator[Line]:
        """What is open when the capture ends."""
        for key in list(self._open):
            yield from self._end(key)

    def _sweep(self, now: Packet) -> Iterator[Line]:
        for _ in range(MOST_SWEPT):
            key, flow = next(iter(self._open.items()))
            if flow.key == _key(now) or not (_is_silent(flow, now) or len(self._open) > MOST_OPEN):
                return
            yield from self._end(key)

    def _end(self, key: Key) -> Iterator[Line]:
        flow = self._open.pop(key)
        yield from flow.requests
        if flow.greeting:
            yield flow.greeting
        yield flow.line()


def _key(packet: Packet) -> Key:
    ends = (packet.src, packet.sport or 0), (packet.dst, packet.dport or 0)
    return (packet.transport, *(ends if ends[0] <= ends[1] else ends[::-1]))


def _is_another(flow: Flow, packet: Packet) -> bool:
    """Whether a packet opens another connection between the same ends: SYN where the server has answered before."""
    return (
        flow.proto == "tcp"
        and bool(flow.packets[1])
        and packet.says("tcp_flags_syn")
        and not packet.says("tcp_flags_ack")
    )


def _is_silent(flow: Flow, now: Packet) -> bool:
    limit = SILENT_NS.get(flow.proto, SILENT_NS[""])
    return now.time_ns is not None and flow.last_ns is not None and now.time_ns - flow.last_ns > limit


def _opened(key: Key, packet: Packet) -> Flow:
    ends = [(packet.src, packet.sport), (packet.dst, packet.dport)]
    if _is_from_server(packet):
        ends.reverse()
    return Flow(key, packet.number, ends[0], ends[1], packet.transport, packet.time_ns, packet.time_ns)


def _is_from_server(packet: Packet) -> bool:
    """Whether the first packet that is seen is an answer: SYN with ACK, or from a well-known port to a high one."""
    if packet.says("tcp_flags_syn"):
        return packet.says("tcp_flags_ack")
    return packet.sport is not None and packet.dport is not None and packet.sport < WELL_KNOWN <= packet.dport


def _requests(flow: Flow, packet: Packet) -> Iterator[Line]:
    if flow.proto != "tcp" or not (packet.has("http_request_method") or packet.has("http_response_code")):
        return  # UPnP speaks HTTP over UDP to the house itself
    methods = packet.all("http_request_method")
    for place in range(len(methods)):
        flow.requests.append(_request(flow, packet, place, len(methods)))
        if len(flow.requests) > MOST_REQUESTS:
            yield flow.requests.popleft()
    codes = packet.all("http_response_code")
    lengths = packet.all("http_content_length")
    for place, code in enumerate(codes):
        if code.startswith("1"):
            continue  # an interim answer: the one that counts follows
        asked = flow.requests.popleft() if flow.requests else _unseen(flow, packet)
        size = lengths[place] if len(lengths) == len(codes) else None
        yield asked | {"status": code, "response_bytes": size, "response_frame": packet.number}


def _request(flow: Flow, packet: Packet, place: int, count: int) -> Line:
    def said(name: str) -> str | None:
        values = packet.all(name)  # of several requests in one packet, one may lack a header: then nobody can tell
        return values[place] if len(values) == count else None

    return {
        "tshark": "http",
        "frame": packet.number,
        "time": stamp(packet.time_ns),
        **flow.ends(),
        "method": said("http_request_method"),
        "host": said("http_host"),
        "url": said("http_request_full_uri") or said("http_request_uri"),
        "user_agent": said("http_user_agent"),
        "referrer": said("http_referer"),
        "request_bytes": said("http_content_length") if not packet.all("http_response_code") else None,
    }


def _unseen(flow: Flow, packet: Packet) -> Line:
    """An answer whose request is not in the capture."""
    return {"tshark": "http", "frame": packet.number, "time": stamp(packet.time_ns), **flow.ends()}


def _greetings(flow: Flow, packet: Packet) -> Iterator[Line]:
    kinds = packet.all("tls_handshake_type")
    if CLIENT_HELLO in kinds:
        if flow.greeting:
            yield flow.greeting
        flow.greeting = {
            "tshark": "tls",
            "frame": packet.number,
            "time": stamp(packet.time_ns),
            **flow.ends(),
            "sni": packet.one("tls_handshake_extensions_server_name"),
            "ja3": packet.one("tls_handshake_ja3"),
            "ja4": packet.one("tls_handshake_ja4"),
        }
    elif SERVER_HELLO in kinds and flow.greeting:
        chosen = packet.one("tls_handshake_extensions_supported_version") or packet.one("tls_handshake_version")
        version = TLS.get(chosen or "", chosen)
        yield flow.greeting | {"version": version, "ja3s": packet.one("tls_handshake_ja3s")}
        flow.greeting = None
