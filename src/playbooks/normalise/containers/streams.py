"""Compressed streams (gzip, bzip2, xz, zstd) → bytes, told by content; all that stands before a damage is given."""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import pyarrow as pa

from playbooks.normalise.containers.source import PACKED_BLOCK, Broken, Source

PIECE = 1 << 12  # small: what was unpacked in the same call as a damage is lost (gzip loses nothing)
GZIP_PIECE = 1 << 20
XZ_MEMORY = 256 << 20  # a window larger than that is refused; `xz -9` needs 65 MiB
MAGIC = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bzip2": re.compile(rb"BZh[1-9](?:1AY&SY|\x17\x72\x45\x38\x50\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),
}


def stream_kind(head: bytes) -> str:
    """What the beginning of a file says how it is compressed; empty if it is not."""
    return next((kind for kind, magic in MAGIC.items() if magic.match(head)), "")


def unpack(kind: str, source: Source) -> Iterator[bytes]:
    """The bytes in a compressed stream, or in several that follow one another."""
    match kind:
        case "gzip":
            return _streams(source, kind, lambda: _Inflate(31), GZIP_PIECE)
        case "bzip2":
            return _streams(source, kind, bz2.BZ2Decompressor, PIECE)
        case "xz":
            return _streams(source, kind, lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, XZ_MEMORY), PIECE)
        case _:
            return _zstd(source)


def deflated(source: Source) -> Iterator[bytes]:
    """The bytes in one deflate stream without header, as zip archives have it."""
    return _one(source, "deflate", _Inflate(-15), GZIP_PIECE)


def lzma_alone(source: Source, size: int | None) -> Iterator[bytes]:
    """The bytes in one LZMA stream as zip archives have it: four bytes, five of properties, the data.

    `size` is None where a mark in the data says where it ends.
    """
    properties = source.read(9)[4:]
    header = properties + (b"\xff" * 8 if size is None else size.to_bytes(8, "little"))
    packed = Source(_after(header, source))
    return _one(packed, "lzma", lzma.LZMADecompressor(lzma.FORMAT_ALONE, XZ_MEMORY), PIECE)


def _after(header: bytes, source: Source) -> Iterator[bytes]:
    yield header
    yield from source.rest()


class _Unpacker(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


def _streams(source: Source, kind: str, new: Callable[[], _Unpacker], piece: int) -> Iterator[bytes]:
    """Zero bytes between and after streams are the padding of a tape or block device."""
    while source.peek(1):
        unpacker = new()
        yield from _one(source, kind, unpacker, piece)
        source.put_back(unpacker.unused_data)
        while source.peek(1) == b"\0":
            padding = source.peek(PACKED_BLOCK)
            source.skip(len(padding) - len(padding.lstrip(b"\0")))


def _one(source: Source, kind: str, unpacker: _Unpacker, piece: int) -> Iterator[bytes]:
    while not unpacker.eof:
        data = source.some(PACKED_BLOCK) if unpacker.needs_input else b""
        if not data and unpacker.needs_input:
            raise Broken(f"{kind} data ends early: the file is cut off")
        try:
            out = unpacker.decompress(data, piece)
        except (zlib.error, lzma.LZMAError, OSError, ValueError, MemoryError) as error:
            raise Broken(f"{kind} data is damaged: {error}") from error
        if out:
            yield out


class _Inflate:
    """zlib as the other unpackers are, which gives every byte that stands before a damage."""

    def __init__(self, window_bits: int) -> None:
        self._zlib = zlib.decompressobj(wbits=window_bits)
        self._waiting = b""
        self._error: zlib.error | None = None
        self._was_full = False

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    @property
    def needs_input(self) -> bool:
        return not (self._waiting or self._was_full or self._error)

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self._error:
            raise self._error
        before, data = self._zlib.copy(), self._waiting + data
        try:
            out = self._zlib.decompress(data, max_length)
        except zlib.error as error:
            self._error = error
            return _up_to_damage(before, data)
        self._waiting = self._zlib.unconsumed_tail
        self._was_full = len(out) == max_length
        return out


def _up_to_damage(unpacker: zlib._Decompress, data: bytes) -> bytes:
    """What a block gives before the byte at which it is damaged."""
    out = bytearray()
    for place in range(len(data)):
        try:
            out += unpacker.decompress(data[place : place + 1])
        except zlib.error:
            break  # told of with the next call
    return bytes(out)


class _Feed:
    """A source as pyarrow reads files: without exceptions; `broken` keeps the one there was."""

    closed = False

    def __init__(self, source: Source) -> None:
        self.source = source
        self.broken: Broken | None = None

    def read(self, size: int) -> bytes:
        try:
            return self.source.some(size)
        except Broken as broken:
            self.broken = broken
            return b""

    def close(self) -> None:
        self.closed = True


def _zstd(source: Source) -> Iterator[bytes]:
    """pyarrow's unpacker: frames that follow one another, windows up to 128 MiB."""
    feed = _Feed(source)
    stream = pa.CompressedInputStream(pa.PythonFile(feed, mode="r"), "zstd")
    while True:
        try:
            out = stream.read(PIECE)
        except OSError as error:
            cut_off = "Truncated" in str(error)
            reason = "ends early: the file is cut off" if cut_off else f"is damaged: {str(error).rpartition(': ')[2]}"
            raise feed.broken or Broken(f"zstd data {reason}") from error
        if not out:
            break
        yield out
    if feed.broken:
        raise feed.broken
