"""Containers → members: compressed files, archives, and compressed files in archives; told by content.

A file may be compressed, may be an archive, and what is in it may be compressed once more. Anything packed
beyond that is not unpacked. Names of members lead nowhere: nothing is written to disk under them. Parquet becomes
JSON lines, a row a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from playbooks.evidence.captures import INSTALL, capture_kind
from playbooks.normalise.containers.parquet import is_parquet, parquet_text, spooled
from playbooks.normalise.containers.source import (
    PACKED_BLOCK,
    PLAIN_BLOCK,
    Bomb,
    Broken,
    Budget,
    Member,
    Source,
)
from playbooks.normalise.containers.streams import stream_kind, unpack
from playbooks.normalise.containers.tars import tar_header, tar_members
from playbooks.normalise.containers.zips import is_zip, zip_members

HEAD_BYTES = 512
MAX_MEMBERS = 100_000
NOT_UNPACKED = {
    "7z": re.compile(rb"7z\xbc\xaf\x27\x1c"),
    "RAR": re.compile(rb"Rar!\x1a\x07"),
    "LZ4": re.compile(rb"\x04\x22\x4d\x18"),
    "compress (.Z)": re.compile(rb"\x1f\x9d"),
    "cabinet": re.compile(rb"MSCF\0\0\0\0"),
}


def members(stream: BinaryIO) -> Iterator[Member]:
    """The files in a file, in order; a file that is no archive is its own only member.

    Raises
    ------
    Broken
        Behind the last member that could be found, where the archive itself is damaged or cut off.
    """
    budget = Budget()
    if is_parquet(_head(stream)):
        yield Member("", parquet_text(Path(stream.name), budget))
        return
    found = zip_members(stream, budget) if is_zip(_head(stream)) else _unzipped(stream, budget)
    for number, member in enumerate(found):
        if number == MAX_MEMBERS:
            raise Broken(
                f"the archive has more than {MAX_MEMBERS:,} members: the others were not read. Unpack it elsewhere "
                "and add the folder"
            )
        yield Member(member.name, _once_more(member, budget))


def _head(stream: BinaryIO) -> bytes:
    head = stream.read(HEAD_BYTES)
    stream.seek(0)
    return head


def _unzipped(stream: BinaryIO, budget: Budget) -> Iterator[Member]:
    kind = stream_kind(_head(stream))
    source = Source(budget.taken(stream, PACKED_BLOCK if kind else PLAIN_BLOCK))
    if kind:
        source = Source(budget.counted(unpack(kind, source)))
    if tar_header(source.peek(HEAD_BYTES)):
        yield from tar_members(source)
    else:
        yield Member("", source.rest())


def _once_more(member: Member, budget: Budget) -> Iterator[bytes]:
    """The bytes of a member; those of a compressed one unpacked."""
    source = Source(member.blocks)
    if kind := stream_kind(source.peek(HEAD_BYTES)):
        source = Source(budget.counted(unpack(kind, source)))
    if packed := packed_kind(source.peek(HEAD_BYTES)):
        raise Broken(f"{packed} data is not unpacked here; unpack it elsewhere and add the files in it")
    if capture := capture_kind(source.peek(HEAD_BYTES)):
        way = "take it out of the archive and add it" if member.name else f"a tool must read it: {INSTALL}"
        raise Broken(f"packet capture ({capture}); {way}")
    yield from spooled(source.rest(), budget) if is_parquet(source.peek(HEAD_BYTES)) else source.rest()


def packed_kind(head: bytes) -> str:
    """What the beginning of a file says that it is packed in; empty if it is not."""
    if is_zip(head):
        return "zip"
    if tar_header(head[:HEAD_BYTES]):
        return "tar"
    return stream_kind(head) or next((kind for kind, magic in NOT_UNPACKED.items() if magic.match(head)), "")


__all__ = ["HEAD_BYTES", "MAX_MEMBERS", "Bomb", "Broken", "Member", "members", "packed_kind"]
