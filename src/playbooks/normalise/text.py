"""Bytes of an evidence file → text, whatever wraps them; a file that ends badly says so.

Compression is told by content, never by name. Bytes that are no UTF-8 are kept as `\\xNN`.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

BLOCK = 1 << 20
GZIP_BLOCK = 1 << 16  # small: what is left of a block is copied once for every member that ends in it
GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGIC = b"PK\x03\x04"
# logs of one repeated line reach about 200; deflate cannot exceed 1,032, and only a bomb comes near it at this size
BOMB_RATIO = 250
BOMB_BYTES = 1 << 30


@dataclass(frozen=True)
class Damage:
    """Why the text of a file ends before the file does."""

    reason: str


def read_text(file: Path) -> Iterator[str | Damage]:
    """Yield the text of `file` in blocks; a `Damage` is the last thing yielded where it is broken."""
    with file.open("rb") as stream:
        head = stream.read(4)
        stream.seek(0)
        if head == ZIP_MAGIC:
            yield Damage("a zip archive is not unpacked; unpack it elsewhere and add the files in it")
            return
        source = _bounded(stream, _gunzip(stream)) if head.startswith(GZIP_MAGIC) else _plain(stream)
        yield from _decode(source)


def _plain(stream: BinaryIO) -> Iterator[bytes | Damage]:
    while block := stream.read(BLOCK):
        yield block


def _bounded(packed: BinaryIO, source: Iterator[bytes | Damage]) -> Iterator[bytes | Damage]:
    """What is unpacked, until it is both large and out of all proportion to what was read for it."""
    size = 0
    for block in source:
        yield block
        size += len(block) if isinstance(block, bytes) else 0
        if size > BOMB_BYTES and size > BOMB_RATIO * packed.tell():
            yield Damage(
                f"unpacking was stopped after {size:,} bytes, more than {BOMB_RATIO} times what they were packed in: "
                "this looks like a bomb. If it is a log, unpack it elsewhere and add the unpacked file"
            )
            return


def _gunzip(stream: BinaryIO) -> Iterator[bytes | Damage]:
    """Unpack one or more gzip members; what was unpacked before the damage is kept."""
    unpacker = zlib.decompressobj(wbits=31)
    pending = b""
    while True:
        data = pending or stream.read(GZIP_BLOCK)
        if not data:
            break
        before = unpacker.copy()
        try:
            out = unpacker.decompress(data, BLOCK)
        except zlib.error as error:
            yield _up_to_damage(before, data)
            yield Damage(f"gzip data is damaged: {error}")
            return
        if out:
            yield out
        pending = unpacker.unconsumed_tail
        if unpacker.eof:
            pending = unpacker.unused_data or stream.read(GZIP_BLOCK)
            if not pending.strip(b"\0"):
                return
            unpacker = zlib.decompressobj(wbits=31)
    if not unpacker.eof:
        yield Damage("gzip data ends early: the file is cut off")


def _up_to_damage(unpacker: zlib._Decompress, data: bytes) -> bytes:
    """What a block gives before the byte at which it is damaged."""
    out = bytearray()
    for place in range(len(data)):
        try:
            out += unpacker.decompress(data[place : place + 1])
        except zlib.error:
            break  # the caller tells of it
    return bytes(out)


def _decode(source: Iterator[bytes | Damage]) -> Iterator[str | Damage]:
    decoder: codecs.IncrementalDecoder | None = None
    for block in source:
        if isinstance(block, Damage):
            if decoder and (rest := decoder.decode(b"", final=True)):
                yield rest
            yield block
            return
        if decoder is None:
            decoder = codecs.getincrementaldecoder(_encoding(block))(errors="backslashreplace")
        yield decoder.decode(block)
    if decoder and (rest := decoder.decode(b"", final=True)):
        yield rest


def _encoding(head: bytes) -> str:
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"
