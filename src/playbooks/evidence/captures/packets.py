"""One packet as tshark tells it: the fields that are asked for, and who sent it to whom.

tshark writes one JSON object a packet, each field as a list of texts: all values of that name in the packet, in
order. A packet may hold several headers of one kind (a tunnel), and an ICMP error quotes the packet that it is
about; what is quoted was not sent.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

FIELDS = (
    *("frame.number", "frame.time_epoch", "frame.len", "frame.protocols"),
    *("ip.src", "ip.dst", "ipv6.src", "ipv6.dst"),
    *("tcp.srcport", "tcp.dstport", "tcp.flags.syn", "tcp.flags.ack"),
    *("udp.srcport", "udp.dstport"),
    *("dns.id", "dns.flags.response", "dns.flags.rcode"),
    *("dns.count.queries", "dns.count.answers", "dns.count.auth_rr", "dns.count.add_rr"),
    *("dns.qry.name", "dns.qry.type", "dns.resp.type", "dns.resp.ttl", "dns.a"),
    *("dns.aaaa", "dns.cname", "dns.ns", "dns.ptr.domain_name", "dns.mx.mail_exchange"),
    *("http.request.method", "http.host", "http.request.full_uri", "http.request.uri", "http.user_agent"),
    *("http.referer", "http.response.code", "http.content_length"),
    *("tls.handshake.type", "tls.handshake.version", "tls.handshake.extensions.supported_version"),
    *("tls.handshake.extensions_server_name", "tls.handshake.ja3", "tls.handshake.ja3s", "tls.handshake.ja4"),
)
SINCE = {"tls.handshake.ja4": (4, 2)}  # an older tshark refuses to start for a field that it does not know
SESSION_PACKETS = 1_000_000  # behind so many tshark forgets what it knew, so that its memory does not grow
QUOTING = {"icmp", "icmpv6"}
TRANSPORTS = ("tcp", "udp")
NS_PER_S = 1_000_000_000
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
NUMBER, PORT = re.compile(r"[0-9]{1,15}"), re.compile(r"[0-9]{1,5}")
NO_UTF_8 = re.compile("[\udc80-\udcff]")
DECODER = json.JSONDecoder(strict=False)
SECONDS = re.compile(r"(\d{1,12})(?:\.(\d{1,9}))?")

Layers = dict[str, Any]


def fields_of(version: str) -> list[str]:
    """The fields that tshark of this version knows."""
    known = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    return [field for field in FIELDS if known >= SINCE.get(field, (0,))]


@dataclass(slots=True)
class Packet:
    """A packet: when, between whom, how long, and the fields of what it carries (none of what it quotes).

    `number` is tshark's, which begins anew with each session (see `SESSION_PACKETS`).
    """

    number: int
    time_ns: int | None
    size: int
    src: str
    dst: str
    transport: str
    sport: int | None
    dport: int | None
    layers: Layers

    def all(self, field: str) -> list[str]:
        """Every value of a field (`dns_id`), in order."""
        values = self.layers.get(field)
        return _texts(values) if values else []

    def one(self, field: str) -> str | None:
        """The only value of a field, or the first; None where there is none."""
        return next(iter(self.all(field)), None)

    def has(self, field: str) -> bool:
        """Whether the packet has such a field."""
        return field in self.layers

    def says(self, field: str) -> bool:
        """Whether a flag is set; versions of tshark write it in their own ways."""
        return is_set(self.one(field))


def is_set(flag: str | None) -> bool:
    """Whether tshark says yes."""
    return flag in ("1", "True", "true")


def packet(line: bytes) -> Packet | None:
    """The packet in a line of tshark; None where it is no such line.

    An index line, which stands before each packet, is none either: see `is_index`.
    """
    text = line.decode("utf-8", "surrogateescape")
    try:
        found = DECODER.decode(text if text.isascii() else NO_UTF_8.sub(_shown, text))
    except (ValueError, RecursionError):
        return None
    layers = found.get("layers") if isinstance(found, dict) else None
    if not isinstance(layers, dict):
        return None
    number = _at(layers, "frame_number", 0)
    return _packet(int(number), layers) if NUMBER.fullmatch(number) else None


def _shown(byte: re.Match[str]) -> str:
    r"""A byte that is no UTF-8 as `\xNN`, as everywhere in this kit; tshark lets some through as they are."""
    return f"\\\\x{ord(byte[0]) - 0xDC00:02x}"


def is_index(line: bytes) -> bool:
    """Whether a line is one of those that tshark puts before each packet."""
    return line.startswith(b'{"index":') or not line.strip()


def _texts(values: Any) -> list[str]:
    return [value if isinstance(value, str) else json.dumps(value) for value in _listed(values)] or [""]


def _listed(values: Any) -> list[Any]:
    return values if isinstance(values, list) else [values]


def _packet(number: int, layers: Layers) -> Packet:
    way = _way(_at(layers, "frame_protocols", 0))
    version, address, transport, place = way.version, way.address, way.transport, way.place
    size = _at(layers, "frame_len", 0)
    return Packet(
        number=number,
        time_ns=time_ns(_at(layers, "frame_time_epoch", 0)),
        size=int(size) if NUMBER.fullmatch(size) else 0,
        src=_at(layers, f"{version}_src", address),
        dst=_at(layers, f"{version}_dst", address),
        transport=transport or way.above,
        sport=_port(_at(layers, f"{transport}_srcport", place)),
        dport=_port(_at(layers, f"{transport}_dstport", place)),
        layers={} if way.quotes else layers,
    )


@dataclass(frozen=True)
class _Way:
    """What a chain of protocols (`eth:ip:udp:dns`) says of the innermost ends, and which value of a field is theirs."""

    version: str
    address: int
    transport: str
    place: int
    above: str
    quotes: bool


@lru_cache(4096)
def _way(protocols: str) -> _Way:
    chain = protocols.split(":")
    quoted = next((place for place, name in enumerate(chain) if name in QUOTING), len(chain))
    own = chain[: quoted + 1]
    version = next((name for name in reversed(own) if name in ("ip", "ipv6")), "")
    transport = next((name for name in reversed(own) if name in TRANSPORTS), "")
    above = _above(own, version)
    return _Way(version, own.count(version) - 1, transport, own.count(transport) - 1, above, quoted < len(chain))


def _above(chain: list[str], version: str) -> str:
    """What an address header carries where it is neither TCP nor UDP; empty for a fragment."""
    place = len(chain) - chain[::-1].index(version) if version in chain else len(chain)
    return next((name for name in chain[place : place + 1] if name != "data"), "")


def _at(layers: Layers, name: str, place: int) -> str:
    values = layers.get(name)
    if not isinstance(values, list):
        values = [] if values is None else [values]
    value = values[place] if 0 <= place < len(values) else ""
    return value if isinstance(value, str) else json.dumps(value)


def _port(text: str) -> int | None:
    return int(text) if PORT.fullmatch(text) else None


def time_ns(text: str) -> int | None:
    """Nanoseconds since 1970 of `1773133200.123456000` or, as newer versions write it, of an ISO time in UTC."""
    if plain := SECONDS.fullmatch(text):
        return int(plain[1]) * NS_PER_S + int((plain[2] or "").ljust(9, "0"))
    iso = re.fullmatch(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:Z| ?UTC)", text)
    if iso is None:
        return None
    try:
        whole = dt.datetime.fromisoformat(iso[1]).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    return int((whole - EPOCH).total_seconds()) * NS_PER_S + int((iso[2] or "").ljust(9, "0"))


def stamp(moment_ns: int | None) -> str | None:
    """UTC with microseconds; text that is no time where the capture's clock says none that exists."""
    if moment_ns is None:
        return None
    try:
        moment = EPOCH + dt.timedelta(microseconds=moment_ns // 1000)
    except OverflowError:
        return f"{moment_ns} ns since 1970"
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
