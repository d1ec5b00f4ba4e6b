"""Zip archives → members, by the table of contents at the end; where that was cut off, header by header.

Python's own reader holds the whole table in memory, stops at one odd name, and reads nothing of an archive
that was cut off.
"""

from __future__ import annotations

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from playbooks.normalise.containers.source import (
    PACKED_BLOCK,
    PLAIN_BLOCK,
    Broken,
    Budget,
    Member,
    Source,
    shown,
    unreadable,
)
from playbooks.normalise.containers.streams import deflated, lzma_alone, unpack

HEADER = b"PK\x03\x04"
MAGIC = (HEADER, b"PK\x05\x06", b"PK\x07\x08")  # an archive with members, an empty one, one in several parts
LOCAL = struct.Struct("<4s5H3L2H")
LISTED = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END64_PLACE = struct.Struct("<4sLQL")
END64 = struct.Struct("<4sQ2H2L4Q")
END_REACH = END.size + 0xFFFF  # a comment stands behind it
ENCRYPTED, SIZES_BEHIND, UTF_8, LZMA_END_MARK = 0x1, 0x8, 0x800, 0x2
IN_EXTRA, ZIP64_EXTRA = 0xFFFFFFFF, 1
UNIX = 3
STORED, DEFLATE, BZIP2, LZMA, ZSTD, XZ = 0, 8, 12, 14, 93, 95
METHODS = {9: "Deflate64", 99: "AES encryption"}


@dataclass(frozen=True)
class _Entry:
    """What a header says of a member; `packed` is None where only its data says where it ends."""

    name: str
    flags: int
    method: int
    checksum: int | None
    packed: int | None
    size: int | None
    place: int
    mode: int = 0


def is_zip(head: bytes) -> bool:
    """Whether a file begins as zip archives do."""
    return head.startswith(MAGIC)


def zip_members(stream: BinaryIO, budget: Budget) -> Iterator[Member]:
    """The members in the order of the archive; `Broken` at last where it is damaged or cut off."""
    file_size = stream.seek(0, 2)
    end = _end(stream, file_size)
    for entry in _listed(stream, *end) if end else _found(stream):
        if entry.name.endswith("/") and not entry.size:
            continue  # a folder
        blocks = budget.counted(_data(stream, entry, budget), most_packed=file_size)
        why_unread = _why_unread(entry)
        yield Member(shown(entry.name), unreadable(why_unread) if why_unread else blocks)
    if end is None:
        raise Broken(
            "the zip archive has no table of contents at its end: it is cut off or damaged, and what stands before "
            "was read as far as it could be found"
        )


def _why_unread(entry: _Entry) -> str:
    kind = stat.S_IFMT(entry.mode)
    if entry.flags & ENCRYPTED:
        return "encrypted; unpack it elsewhere with its password and add the files in it"
    if kind and not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        return f"{'a link' if stat.S_ISLNK(kind) else 'a device or pipe'} is not read"
    if entry.method not in (STORED, DEFLATE, BZIP2, LZMA, ZSTD, XZ):
        method = METHODS.get(entry.method, "unknown")
        return f"packed with method {entry.method} ({method}), which is not unpacked here; unpack it elsewhere"
    if entry.method == STORED and entry.packed is None:
        return "the archive does not say how long it is"
    return ""


def _data(stream: BinaryIO, entry: _Entry, budget: Budget) -> Iterator[bytes]:
    """The unpacked bytes of a member, and whether they are those that were packed."""
    local = _local(stream, entry.place)
    if local is None:
        raise Broken("no header stands where the table of contents says: the zip archive is damaged")
    start = entry.place + LOCAL.size + local[-2] + local[-1]
    block_size = PLAIN_BLOCK if entry.method == STORED else PACKED_BLOCK
    source = Source(budget.taken(stream, block_size, start, entry.packed))
    checksum = length = 0
    for block in _unpacked(source, entry):
        checksum = zlib.crc32(block, checksum)
        length += len(block)
        yield block
    if entry.checksum not in (None, checksum) or entry.size not in (None, length):
        raise Broken("its checksum is wrong: the zip archive is damaged")


def _unpacked(source: Source, entry: _Entry) -> Iterator[bytes]:
    match entry.method:
        case 0:
            return source.rest()
        case 8:
            return deflated(source)
        case 12:
            return unpack("bzip2", source)
        case 14:
            return lzma_alone(source, None if entry.flags & LZMA_END_MARK else entry.size)
        case 93:
            return unpack("zstd", source)
        case _:
            return unpack("xz", source)


def _end(stream: BinaryIO, file_size: int) -> tuple[int, int, int] | None:
    """Where the table of contents begins and ends, and how many members it has; None where it is missing."""
    first = max(0, file_size - END_REACH)
    tail = _read(stream, first, END_REACH)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < END.size:
        return None
    _, part, *_, count, size, place, _ = END.unpack_from(tail, at)
    end = first + at
    if 0xFFFF in (part, count) or IN_EXTRA in (size, place):
        end64 = _end64(stream, end)
        if end64 is not None:
            end, count, size, place = end64
    # a table elsewhere belongs to an archive inside of one that was cut off
    return (place, end, count) if place + size == end else None


def _end64(stream: BinaryIO, end: int) -> tuple[int, int, int, int] | None:
    pointer = _read(stream, end - END64_PLACE.size, END64_PLACE.size) if end >= END64_PLACE.size else b""
    if not pointer.startswith(b"PK\x06\x07"):
        return None
    _, _, at, _ = END64_PLACE.unpack(pointer)
    record = _read(stream, at, END64.size) if at < end else b""
    if len(record) < END64.size or not record.startswith(b"PK\x06\x06"):
        return None
    *_, count, size, place = END64.unpack(record)
    return at, count, size, place


def _listed(stream: BinaryIO, place: int, end: int, count: int) -> Iterator[_Entry]:
    """What the table of contents lists; it is read entry by entry and never held."""
    found = 0
    while place < end:
        fixed = _read(stream, place, LISTED.size)
        if len(fixed) < LISTED.size or not fixed.startswith(b"PK\x01\x02"):
            raise Broken(f"the table of contents of the zip archive is damaged after {found:,} members")
        _, by, _, flags, method, _, _, checksum, packed, size, *sizes, _, _, attributes, at = LISTED.unpack(fixed)
        name_size, extra_size, comment_size = sizes
        name = _read(stream, place + LISTED.size, name_size)
        extra = _read(stream, place + LISTED.size + name_size, extra_size)
        size, packed, at = _sizes(extra, size, packed, at)
        mode = attributes >> 16 if by >> 8 == UNIX else 0
        yield _Entry(_name(name, flags), flags, method, checksum, packed, size, at, mode)
        place += LISTED.size + name_size + extra_size + comment_size
        found += 1
    if found & 0xFFFF != count & 0xFFFF:
        raise Broken(f"the zip archive says that it has {count:,} members; its table of contents lists {found:,}")


def _found(stream: BinaryIO) -> Iterator[_Entry]:
    """The members whose headers follow one another from the beginning."""
    place = 0
    while (local := _local(stream, place)) is not None:
        _, _, flags, method, _, _, checksum, packed, size, name_size, extra_size = local
        name = _read(stream, place + LOCAL.size, name_size)
        extra = _read(stream, place + LOCAL.size + name_size, extra_size)
        start = place + LOCAL.size + name_size + extra_size
        size, packed, _ = _sizes(extra, size, packed, 0)
        known = bool(packed) or not flags & SIZES_BEHIND
        entry = _Entry(_name(name, flags), flags, method, checksum, packed, size, place)
        yield entry if known else replace(entry, checksum=None, packed=None, size=None)
        place = start + packed if known else _next_header(stream, start)


def _next_header(stream: BinaryIO, place: int) -> int:
    """Where the next header stands at or after `place`; the end of the file where there is none."""
    while block := _read(stream, place, PLAIN_BLOCK):
        at = block.find(HEADER)
        if at >= 0:
            return place + at
        place += max(1, len(block) - len(HEADER) + 1)
    return place


def _local(stream: BinaryIO, place: int) -> tuple[int, ...] | None:
    """The fields of a member's own header; None where there is no whole one."""
    fixed = _read(stream, place, LOCAL.size)
    return LOCAL.unpack(fixed) if len(fixed) == LOCAL.size and fixed.startswith(HEADER) else None


def _sizes(extra: bytes, size: int, packed: int, place: int) -> tuple[int, int, int]:
    """Size, packed size and place; those that do not fit into four bytes stand in the extra field."""
    at = 0
    given = [size, packed, place]
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        if kind == ZIP64_EXTRA:
            values = iter(struct.unpack_from(f"<{len(extra[at + 4 : at + 4 + length]) // 8}Q", extra, at + 4))
            given = [next(values, number) if number == IN_EXTRA else number for number in given]
        at += 4 + length
    return given[0], given[1], given[2]


def _name(name: bytes, flags: int) -> str:
    return name.decode("utf-8", "surrogateescape") if flags & UTF_8 else name.decode("cp437")


def _read(stream: BinaryIO, place: int, size: int) -> bytes:
    stream.seek(place)
    return stream.read(size)
