"""Bytes that are read once and forwards, why they cannot be read further, and the guard against bombs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from playbooks.evidence import printable

PACKED_BLOCK = 1 << 16  # small: what is left of a block is copied once for every stream that ends in it
PLAIN_BLOCK = 1 << 20
# logs of one repeated line reach about 200; deflate cannot exceed 1,032, and only a bomb comes near it at this size
BOMB_RATIO = 250
BOMB_BYTES = 1 << 30
SHOWN_NAME_CHARS = 200


class Broken(Exception):
    """Why these bytes cannot be read further; what was given before stands."""


class Bomb(Broken):
    """Nothing more of the whole file is unpacked."""


@dataclass
class Budget:
    """What was taken from a file and what it unpacked to, over all its layers and members."""

    packed: int = 0
    unpacked: int = 0

    def taken(self, stream: BinaryIO, block_size: int, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """Blocks of a file from `start`; of a piece with a known length all of it, or `Broken` at the end."""
        place = start
        while length is None or place < start + length:
            stream.seek(place)
            block = stream.read(block_size if length is None else min(block_size, start + length - place))
            if not block:
                if length is None:
                    return
                raise Broken("the archive ends early: the file is cut off")
            place += len(block)
            self.packed += len(block)
            yield block

    def counted(self, blocks: Iterator[bytes], most_packed: int | None = None) -> Iterator[bytes]:
        """Unpacked blocks, until they are both large and out of all proportion to what was taken for them.

        `most_packed` is the size of a file of which the same bytes may be taken again and again.
        """
        for block in blocks:
            yield block
            self.add(len(block), self.packed if most_packed is None else min(self.packed, most_packed))

    def add(self, unpacked: int, packed: int | None = None) -> None:
        """Count what was unpacked; `Bomb` where it has become too much for what it was packed in."""
        self.unpacked += unpacked
        if self.unpacked > BOMB_BYTES and self.unpacked > BOMB_RATIO * (self.packed if packed is None else packed):
            raise Bomb(
                f"unpacking was stopped after {self.unpacked:,} bytes, more than {BOMB_RATIO} times what they "
                "were packed in: this looks like a bomb. If it is a log, unpack it elsewhere and add the "
                "unpacked file"
            )


class Source:
    """Bytes that come in blocks; `place` is how many were read."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._held = b""
        self._at = 0  # how much of what is held was read
        self._ended = False
        self._broken: Broken | None = None
        self.place = 0

    @property
    def over(self) -> bool:
        """Whether the last byte was read, or the last one before a damage."""
        return self._ended and self._at == len(self._held)

    def peek(self, size: int) -> bytes:
        """The next bytes without reading them, fewer at the end."""
        while len(self._held) - self._at < size and (block := self._next()):
            self._held, self._at = self._held[self._at :] + block, 0
        return self._held[self._at : self._at + size]

    def read(self, size: int) -> bytes:
        """The next bytes, fewer at the end; where they are broken, `Broken` after the last good one."""
        data = self.peek(size)
        if not data and self._broken and size:
            raise self._broken
        self._at += len(data)
        self.place += len(data)
        return data

    def some(self, most: int) -> bytes:
        """The next bytes, as many as are at hand; none at the end."""
        self.peek(1)
        return self.read(min(most, max(1, len(self._held) - self._at)))

    def put_back(self, data: bytes) -> None:
        """Bytes that were read and belong to what follows."""
        self._held, self._at = data + self._held[self._at :], 0
        self.place -= len(data)

    def rest(self) -> Iterator[bytes]:
        """All that follows, in the blocks in which it comes."""
        while block := self._held[self._at :] or self._next():
            self._held, self._at = b"", 0
            self.place += len(block)
            yield block
        if self._broken:
            raise self._broken

    def skip(self, size: int) -> None:
        """Read over bytes, or over those that are there."""
        end = self.place + size
        while self.place < end and self.read(min(PLAIN_BLOCK, end - self.place)):
            pass

    def _next(self) -> bytes:
        if self._ended:
            return b""
        try:
            for block in self._blocks:
                if block:
                    return block
        except Broken as broken:
            self._broken = broken
        self._ended = True
        return b""


@dataclass(frozen=True)
class Member:
    """A file in an archive: its printable name, and its bytes, which raise `Broken` where they are.

    A file that is no archive is its own only member and has no name.
    """

    name: str
    blocks: Iterator[bytes]


def shown(name: str) -> str:
    """A member's name as it can be printed, not longer than a line."""
    text = printable(name)
    return text if len(text) <= SHOWN_NAME_CHARS else text[:SHOWN_NAME_CHARS] + "…"


def unreadable(reason: str) -> Iterator[bytes]:
    """The bytes of a member that cannot be read at all."""
    raise Broken(reason)
    yield b""  # makes this a generator: the reason comes when the bytes are asked for
