"""Tar archives → members, header by header: a damaged one costs what it speaks of, not what follows.

Python's own reader ends silently at a damaged header; here the next good one is looked for.
"""

from __future__ import annotations

import re
import tarfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

from playbooks.normalise.containers.source import PLAIN_BLOCK, Broken, Member, Source, shown, unreadable

BLOCK = tarfile.BLOCKSIZE
MAX_HEADER_BYTES = 1 << 20  # names and attributes of one member
FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)
EXTENDING = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE, tarfile.GNUTYPE_LONGNAME)
NO_MEMBERS = (tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE, b"V", b"D")  # D: the list of a folder, V: a volume's label
UNREAD = {
    tarfile.LNKTYPE: "a link",
    tarfile.SYMTYPE: "a link",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}
WITHOUT_DATA = (tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
CHECKSUM = re.compile(rb"[0-7 ]{6}")
CHECKSUM_AT = 148
SPARSE_GOES_ON_AT, SPARSE_GOES_ON_AGAIN_AT = 482, 504
PAX_RECORD = re.compile(rb"(\d{1,7}) ([^=]+)=")
CUT_OFF = "the tar archive ends early: the file is cut off"


@dataclass(frozen=True)
class _Extended:
    """What the headers before a member's own say of it."""

    name: str | None = None
    size: int | None = None
    sparse: bool = False


def tar_header(block: bytes) -> tarfile.TarInfo | None:
    """The header in a block of 512 bytes; None where it is none, or its checksum is wrong."""
    if not CHECKSUM.match(block, CHECKSUM_AT):
        return None
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return header if header.size >= 0 else None


def tar_members(source: Source) -> Iterator[Member]:
    """The members in their order; `Broken` where the archive itself is damaged or cut off."""
    given = _Extended()
    ended = False
    while block := source.read(BLOCK):
        header = tar_header(block)
        if not block.strip(b"\0"):
            ended = True
            continue
        if header is None and ended:
            raise Broken("what follows the end of the tar archive is no archive and was not read")
        if len(block) < BLOCK:
            break
        if header is None:
            place = source.place - BLOCK
            lost, ended = _lost(source)
            reason = f"a tar header is damaged; {lost:,} bytes up to the next one were not read"
            yield Member(f"at byte {place:,}", unreadable(reason))
            given = _Extended()
            continue
        ended = False
        if header.type in EXTENDING:
            if header.size > MAX_HEADER_BYTES:
                yield Member(shown(header.name), unreadable(f"a tar header of {header.size:,} bytes is not read"))
                source.skip(_padded(header.size))
            else:
                given = _extended(given, header.type, source.read(_padded(header.size))[: header.size])
        elif header.type in NO_MEMBERS:
            source.skip(_padded(header.size))
        else:
            if (yield from _member(source, header, given, block)):
                return
            given = _Extended()
    if not ended:
        raise Broken(CUT_OFF)


def _member(source: Source, header: tarfile.TarInfo, given: _Extended, block: bytes) -> Generator[Member, None, bool]:
    """Give one member and read on to the next header; true where the member was cut off and has said so."""
    if header.type == tarfile.GNUTYPE_SPARSE:
        _skip_sparse_map(source, block)
    size = header.size if given.size is None else given.size
    size_in_archive = 0 if header.type in WITHOUT_DATA else size
    start = source.place
    why_unread = UNREAD.get(header.type, "a sparse file" if given.sparse else "")
    if not why_unread and header.type not in (*FILES, tarfile.DIRTYPE):
        why_unread = f"a tar member of the kind {header.type!r}"
    name = shown(header.name if given.name is None else given.name)
    if why_unread:
        yield Member(name, unreadable(f"{why_unread} is not read"))
    elif header.type != tarfile.DIRTYPE:
        yield Member(name, _data(source, size))
        if source.over and source.place < start + size:
            return True
    source.skip(start + _padded(size_in_archive) - source.place)
    return False


def _data(source: Source, size: int) -> Iterator[bytes]:
    end = source.place + size
    while source.place < end:
        block = source.read(min(PLAIN_BLOCK, end - source.place))
        if not block:
            raise Broken(CUT_OFF)
        yield block


def _skip_sparse_map(source: Source, block: bytes) -> None:
    """Old GNU tars write the map of a sparse file into blocks behind its header."""
    at = SPARSE_GOES_ON_AT
    while block[at : at + 1].strip(b"\0"):
        block, at = source.read(BLOCK), SPARSE_GOES_ON_AGAIN_AT


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _lost(source: Source) -> tuple[int, bool]:
    """Read over bytes to the next good header: how many, and whether the archive ended in its zero bytes."""
    lost = 0
    zero = False
    while block := source.read(BLOCK):
        if tar_header(block):
            source.put_back(block)
            return lost, False
        zero = not block.strip(b"\0")
        lost += len(block)
    return lost, zero


def _extended(given: _Extended, kind: bytes, payload: bytes) -> _Extended:
    if kind == tarfile.GNUTYPE_LONGNAME:
        return replace(given, name=payload.split(b"\0")[0].decode("utf-8", "surrogateescape"))
    pax = _pax(payload)
    name, size = pax.get(b"path"), pax.get(b"size", b"")
    return _Extended(
        name=name.decode("utf-8", "surrogateescape") if name else given.name,
        size=int(size) if re.fullmatch(rb"\d{1,18}", size) else given.size,
        sparse=given.sparse or any(key.startswith(b"GNU.sparse.") for key in pax),
    )


def _pax(payload: bytes) -> dict[bytes, bytes]:
    """The records `length key=value` of an extended header, up to one that is none."""
    found = {}
    place = 0
    while record := PAX_RECORD.match(payload, place):
        end = place + int(record[1])
        if end <= record.end():
            break
        found[record[2]] = payload[record.end() : end - 1]
        place = end
    return found
