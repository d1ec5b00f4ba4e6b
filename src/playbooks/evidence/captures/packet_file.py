"""What a packet capture is: told by its first bytes, compressed or not, and walked over without looking into packets.

pcap in its four spellings (microseconds, nanoseconds, both byte orders) and pcapng. The walk counts packets
and says where the file stops being a capture, so that what a tool gives can be held against it.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast

import pyarrow as pa

PCAP = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">", b"\x4d\x3c\xb2\xa1": "<", b"\xa1\xb2\x3c\x4d": ">"}
SECTION, ORDER_MARK = b"\x0a\x0d\x0d\x0a", 0x1A2B3C4D
PACKET_BLOCKS = (2, 3, 6)  # obsolete packet, simple packet, enhanced packet
MAX_PACKET_BYTES = 1 << 24  # the largest snap length in use is 256 KiB
LAST_SECOND = 1 << 31  # 2038-01-19
HEAD_BYTES = 12
PIECE = 1 << 20
PACKED = {
    "gzip": b"\x1f\x8b",
    "bzip2": b"BZh",
    "xz": b"\xfd7zXZ\0",
    "zstd": b"\x28\xb5\x2f\xfd",
}
DAMAGED = (EOFError, OSError, zlib.error, lzma.LZMAError, ValueError, MemoryError)


@dataclass(frozen=True)
class Packets:
    """How many packets a capture holds, and why it ends early; `fault` is empty for a whole one.

    `late` counts those of a pcap that are dated beyond what 31 bits of seconds can say.
    """

    count: int
    fault: str
    late: int = 0


class Unpacked(Protocol):
    """A stream of bytes that gives what it has."""

    def read1(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


def capture_kind(head: bytes) -> str:
    """`pcap` or `pcapng` as the first bytes say; empty where they say neither."""
    if head[:4] in PCAP:
        return "pcap"
    if head.startswith(SECTION) and _order(head):
        return "pcapng"
    return ""


def packed_in(head: bytes) -> str:
    """How a file is compressed; empty if it is not."""
    return next((kind for kind, magic in PACKED.items() if head.startswith(magic)), "")


def kind_of(file: Path) -> str:
    """The kind of capture in a file, looked for inside of one compression; empty where it is none."""
    try:
        with unpacked(file) as stream:
            head = stream.read1(HEAD_BYTES)
            while len(head) < HEAD_BYTES and (more := stream.read1(HEAD_BYTES - len(head))):
                head += more
            return capture_kind(head)
    except DAMAGED:
        return ""


@contextmanager
def unpacked(file: Path) -> Iterator[Unpacked]:
    """The bytes of a file, unpacked where it is compressed; `read1` gives all that stands before a damage.

    Raises
    ------
    EOFError, OSError, zlib.error, lzma.LZMAError
        While reading: the compressed data is damaged or cut off.
    """
    with file.open("rb") as raw:
        kind = packed_in(raw.read(HEAD_BYTES))
        raw.seek(0)
        match kind:
            case "gzip":
                stream = cast(Unpacked, gzip.GzipFile(fileobj=raw))
            case "bzip2":
                stream = cast(Unpacked, bz2.BZ2File(raw))
            case "xz":
                stream = cast(Unpacked, lzma.LZMAFile(raw))  # noqa: SIM115  # closed with what it reads from
            case "zstd":
                stream = cast(Unpacked, pa.CompressedInputStream(raw, "zstd"))
            case _:
                stream = cast(Unpacked, raw)
        yield stream


def walk(file: Path) -> Packets:
    """Count the packets of a plain capture, in constant memory."""
    with file.open("rb", buffering=PIECE) as stream:
        head = stream.read(HEAD_BYTES)
        stream.seek(0)
        if capture_kind(head) == "pcapng":
            return _walk_blocks(stream)
        return _walk_records(stream, PCAP.get(head[:4], "<"))


def _walk_records(stream: BinaryIO, order: str) -> Packets:
    count, late, place = 0, 0, 24
    if len(stream.read(place)) < place:
        return Packets(0, "cut off inside its header")
    record = struct.Struct(order + "4I")
    while head := stream.read(record.size):
        if len(head) < record.size:
            return Packets(count, f"cut off in the header of packet {count + 1:,}, at byte {place:,}", late)
        seconds, _, size, _ = record.unpack(head)
        if size > MAX_PACKET_BYTES:
            return Packets(count, f"no packet at byte {place:,}: one of {size:,} bytes is said to stand there", late)
        if len(stream.read(size)) < size:
            return Packets(count, f"cut off in packet {count + 1:,}, at byte {place:,}", late)
        place += record.size + size
        count += 1
        late += seconds >= LAST_SECOND
    return Packets(count, "", late)


def _walk_blocks(stream: BinaryIO) -> Packets:
    count = place = 0
    order = "<"
    while head := stream.read(HEAD_BYTES):
        if head.startswith(SECTION):
            order = _order(head) or order
        if len(head) < HEAD_BYTES:
            return Packets(count, f"cut off in a block header, at byte {place:,}")
        kind, size = struct.unpack_from(order + "II", head)
        if size < HEAD_BYTES or size % 4 or size > MAX_PACKET_BYTES:
            return Packets(count, f"no block at byte {place:,}: one of {size:,} bytes is said to stand there")
        if len(stream.read(size - HEAD_BYTES)) < size - HEAD_BYTES:
            return Packets(count, f"cut off in the block at byte {place:,}, behind {count:,} packets")
        place += size
        count += kind in PACKET_BLOCKS
    return Packets(count, "")


def _order(head: bytes) -> str:
    """The byte order that a section header states; empty where it states none."""
    mark = head[8:12]
    return next((order for order in "<>" if mark == struct.pack(order + "I", ORDER_MARK)), "")
