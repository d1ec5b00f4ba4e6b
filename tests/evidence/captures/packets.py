"""Packet captures written byte by byte: what the tests know of them, they know from here.

One client asks for a name, sends a request, greets over TLS and sends datagrams; over IPv4 and over IPv6.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

START_NS = 1_773_133_200_123_456_000  # 2026-03-10T09:00:00.123456Z
STEP_NS = 10_001_000
ETHERNET = bytes.fromhex("020000000002020000000001")
TCP, UDP, ICMP = 6, 17, 1
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16

Packet = tuple[int, bytes]


def checksum(data: bytes) -> int:
    padded = data + b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f">{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(src: str, dst: str, protocol: int, payload: bytes) -> bytes:
    """An Ethernet frame with one IP packet."""
    source, target = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if source.version == 6:
        header = struct.pack(">IHBB", 6 << 28, len(payload), protocol, 64) + source.packed + target.packed
        return ETHERNET + b"\x86\xdd" + header + payload
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0x4000, 64, protocol, 0)
    header += source.packed + target.packed
    return ETHERNET + b"\x08\x00" + header[:10] + struct.pack(">H", checksum(header)) + header[12:] + payload


def _sum(src: str, dst: str, protocol: int, segment: bytes) -> int:
    packed = ipaddress.ip_address(src).packed + ipaddress.ip_address(dst).packed
    return checksum(packed + struct.pack(">HH", protocol, len(segment)) + segment)


def udp(src: str, sport: int, dst: str, dport: int, payload: bytes) -> bytes:
    head = struct.pack(">HHH", sport, dport, 8 + len(payload))
    total = _sum(src, dst, UDP, head + b"\0\0" + payload)
    return ip(src, dst, UDP, head + struct.pack(">H", total or 0xFFFF) + payload)


def tcp(src: str, sport: int, dst: str, dport: int, seq: int, ack: int, flags: int, payload: bytes = b"") -> bytes:
    head = struct.pack(">HHIIBBHHH", sport, dport, seq, ack, 5 << 4, flags, 64240, 0, 0)
    total = _sum(src, dst, TCP, head + payload)
    return ip(src, dst, TCP, head[:16] + struct.pack(">H", total) + head[18:] + payload)


def label(name: str | bytes) -> bytes:
    raw = name.encode("ascii") if isinstance(name, str) else name
    return b"".join(bytes([len(part)]) + part for part in raw.split(b".")) + b"\0"


def dns_query(number: int, name: str | bytes, kind: int = 1) -> bytes:
    return struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + label(name) + struct.pack(">HH", kind, 1)


def dns_answer(
    number: int, name: str | bytes, kind: int, answers: list[tuple[str, int, bytes]], rcode: int = 0, more: int = 0
) -> bytes:
    """`more` of the records at the end are additional ones and no answers."""
    head = struct.pack(">6H", number, 0x8180 | rcode, 1, len(answers) - more, 0, more)
    records = b"".join(
        label(owner) + struct.pack(">HHIH", rtype, 1, 60, len(data)) + data for owner, rtype, data in answers
    )
    return head + label(name) + struct.pack(">HH", kind, 1) + records


def extension(number: int, data: bytes) -> bytes:
    return struct.pack(">HH", number, len(data)) + data


CIPHERS = (0x1301, 0x1302, 0xC02F, 0xC030)
GROUPS, POINTS, SIGNATURES, VERSIONS = (0x001D, 0x0017), (0,), (0x0403, 0x0804), (0x0304, 0x0303)


def client_hello(server: str) -> bytes:
    """A TLS record with a ClientHello: SNI, groups, points, signatures, ALPN h2, versions."""
    raw = server.encode()
    many = extension(0, struct.pack(">HBH", len(raw) + 3, 0, len(raw)) + raw)
    many += extension(10, struct.pack(f">H{len(GROUPS)}H", 2 * len(GROUPS), *GROUPS))
    many += extension(11, bytes([len(POINTS), *POINTS]))
    many += extension(13, struct.pack(f">H{len(SIGNATURES)}H", 2 * len(SIGNATURES), *SIGNATURES))
    many += extension(16, b"\0\x03\x02h2")
    many += extension(43, bytes([2 * len(VERSIONS)]) + struct.pack(f">{len(VERSIONS)}H", *VERSIONS))
    ciphers = struct.pack(f">H{len(CIPHERS)}H", 2 * len(CIPHERS), *CIPHERS)
    body = b"\x03\x03" + b"\x11" * 32 + b"\0" + ciphers + b"\x01\0" + struct.pack(">H", len(many)) + many
    return record(1, body, b"\x03\x01")


def server_hello() -> bytes:
    many = extension(43, b"\x03\x04")
    body = b"\x03\x03" + b"\x22" * 32 + b"\0" + b"\x13\x01\0" + struct.pack(">H", len(many)) + many
    return record(2, body, b"\x03\x03")


def record(kind: int, body: bytes, version: bytes) -> bytes:
    handshake = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return b"\x16" + version + struct.pack(">H", len(handshake)) + handshake


QUIC_SALT = bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a")  # RFC 9001, version 1


def quic_initial(server: str) -> bytes:
    """The first datagram of a QUIC client: the ClientHello under keys that everybody on the way can derive."""
    where = bytes.fromhex("0102030405060708")
    secret = hmac.digest(QUIC_SALT, where, "sha256")
    client = _expanded(secret, b"client in", 32)
    key, iv, mask_key = (
        _expanded(client, name, size) for name, size in ((b"quic key", 16), (b"quic iv", 12), (b"quic hp", 16))
    )
    hello = client_hello(server)[5:]  # no record layer in QUIC
    frame = b"\x06\x00" + struct.pack(">H", 0x4000 | len(hello)) + hello
    head = b"\xc3\x00\x00\x00\x01" + bytes([len(where)]) + where + b"\x00\x00"
    plain = frame.ljust(1200 - len(head) - 6 - 16, b"\0")
    number = b"\0\0\0\1"
    head += struct.pack(">H", 0x4000 | (len(number) + len(plain) + 16)) + number
    nonce = iv[:-4] + bytes(a ^ b for a, b in zip(iv[-4:], number, strict=True))
    sealed = AESGCM(key).encrypt(nonce, plain, head)
    encryptor = Cipher(algorithms.AES(mask_key), modes.ECB()).encryptor()
    mask = encryptor.update(sealed[:16])
    first = bytes([head[0] ^ (mask[0] & 0x0F)])
    hidden = bytes(a ^ b for a, b in zip(number, mask[1:5], strict=True))
    return first + head[1:-4] + hidden + sealed


def _expanded(secret: bytes, name: bytes, size: int) -> bytes:
    label = b"tls13 " + name
    info = struct.pack(">HB", size, len(label)) + label + b"\0"
    return hmac.digest(secret, info + b"\1", "sha256")[:size]


def ja3() -> str:
    """MD5 of the ClientHello's numbers, as the method's authors describe it."""
    parts = ("771", "-".join(map(str, CIPHERS)), "0-10-11-13-16-43", "-".join(map(str, GROUPS)), "0")
    return hashlib.md5(",".join(parts).encode(), usedforsecurity=False).hexdigest()


def ja4(over: str = "t") -> str:
    """TCP (q: QUIC), TLS 1.3, with SNI, four ciphers, six extensions, h2; then two truncated SHA-256."""
    ciphers = ",".join(sorted(f"{number:04x}" for number in CIPHERS))
    others = ",".join(sorted(f"{number:04x}" for number in (10, 11, 13, 43)))
    signatures = ",".join(f"{number:04x}" for number in SIGNATURES)
    first, second = (hashlib.sha256(text.encode()).hexdigest()[:12] for text in (ciphers, f"{others}_{signatures}"))
    return f"{over}13d0406h2_{first}_{second}"


@dataclass
class Wire:
    """Packets one after the other, each a step later."""

    packets: list[Packet] = field(default_factory=list)

    def put(self, frame: bytes, later_ns: int = STEP_NS) -> int:
        """Add a frame; gives its time."""
        at = self.packets[-1][0] + later_ns if self.packets else START_NS
        self.packets.append((at, frame))
        return at

    def talk(self, client: str, port: int, server: str, to: int, said: list[tuple[str, bytes]]) -> int:
        """A whole TCP connection; `said` is who says what. Gives the time of its first packet."""
        seq = {"client": 1000, "server": 5000}
        ends = {"client": (client, port, server, to), "server": (server, to, client, port)}
        other = {"client": "server", "server": "client"}

        def send(who: str, flags: int, payload: bytes = b"") -> int:
            ack = seq[other[who]] if flags & ACK else 0
            at = self.put(tcp(*ends[who], seq[who], ack, flags, payload))
            seq[who] += len(payload) + bool(flags & (SYN | FIN))
            return at

        first = send("client", SYN)
        send("server", SYN | ACK)
        send("client", ACK)
        for who, payload in said:
            send(who, PSH | ACK, payload)
            send(other[who], ACK)
        send("client", FIN | ACK)
        send("server", FIN | ACK)
        send("client", ACK)
        return first


def pcap(packets: list[Packet], order: str = "<", nanoseconds: bool = False, snap: int = 65535) -> bytes:
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snap, 1)
    for at, frame in packets:
        fraction = at % 10**9 if nanoseconds else at % 10**9 // 1000
        out += struct.pack(order + "IIII", at // 10**9, fraction, len(frame), len(frame)) + frame
    return out


def pcapng(packets: list[Packet], order: str = "<") -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        body += b"\0" * (-len(body) % 4)
        return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)

    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack(order + "HHI", 1, 0, 65535))
    for at, frame in packets:
        micros = at // 1000
        head = struct.pack(order + "IIIII", 0, micros >> 32, micros & 0xFFFFFFFF, len(frame), len(frame))
        out += block(6, head + frame)
    return out


NAME = "cdn-sync.example.workers.dev"
CLIENT, RESOLVER, SERVER = "192.0.2.17", "192.0.2.53", "203.0.113.9"
CLIENT6, RESOLVER6, SERVER6 = "2001:db8:1::17", "2001:db8:1::53", "2001:db8:9::9"
AGENT = "updater/1.0 (<script>alert(1)</script>)"
BODY = b"x" * 333


def get(host: str) -> bytes:
    return f"GET /tasks?id=7 HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {AGENT}\r\nReferer: http://r.example/\r\n\r\n".encode()


def incident() -> list[Packet]:
    """IPv4: name, address, web request, TLS; IPv6: name, TLS; QUIC; datagrams; a name that is never answered; ICMP."""
    wire = Wire()
    wire.put(udp(CLIENT, 40001, RESOLVER, 53, dns_query(1, NAME)))
    cname = ("edge.example.net", 1, ipaddress.ip_address(SERVER).packed)
    answers = [(NAME, 5, label("edge.example.net")), cname, ("ns.example.net", 1, bytes([198, 51, 100, 53]))]
    wire.put(udp(RESOLVER, 53, CLIENT, 40001, dns_answer(1, NAME, 1, answers, more=1)))
    wire.put(udp(CLIENT6, 40002, RESOLVER6, 53, dns_query(2, NAME, 28)))
    six = [(NAME, 28, ipaddress.ip_address(SERVER6).packed)]
    wire.put(udp(RESOLVER6, 53, CLIENT6, 40002, dns_answer(2, NAME, 28, six)))
    wire.put(udp(CLIENT, 40003, RESOLVER, 53, dns_query(3, "gone.example.org")))
    wire.put(udp(RESOLVER, 53, CLIENT, 40003, dns_answer(3, "gone.example.org", 1, [], rcode=3)))
    wire.put(udp(CLIENT, 40004, RESOLVER, 53, dns_query(4, "silent.example.org")))
    reply = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 333\r\n\r\n" + BODY
    wire.talk(CLIENT, 40005, SERVER, 80, [("client", get(NAME)), ("server", reply)])
    hello = [("client", client_hello(NAME)), ("server", server_hello())]
    wire.talk(CLIENT, 40006, SERVER, 443, hello)
    wire.talk(CLIENT6, 40007, SERVER6, 443, hello)
    wire.put(udp(CLIENT, 40009, SERVER, 443, quic_initial(NAME)))
    for size in (100, 200):
        wire.put(udp(CLIENT, 40008, SERVER, 9999, b"d" * size))
    wire.put(udp(SERVER, 9999, CLIENT, 40008, b"e" * 50))
    quoted = ip(CLIENT, RESOLVER, UDP, struct.pack(">HHHH", 40004, 53, 8 + 36, 0) + dns_query(4, "silent.example.org"))
    unreachable = b"\x03\x03\0\0\0\0\0\0" + quoted[14:]
    unreachable = unreachable[:2] + struct.pack(">H", checksum(unreachable)) + unreachable[4:]
    wire.put(ip(RESOLVER, CLIENT, ICMP, unreachable))
    return wire.packets
