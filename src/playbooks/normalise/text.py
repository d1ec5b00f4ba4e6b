"""Bytes of an evidence file → text, whatever wraps them; where bytes are damaged or not unpacked, that is said.

Bytes that are no UTF-8 are kept as `\\xNN`. UTF-16 is told by its byte order mark, or by the zero in every
second byte of what is mostly ASCII. Where lines end in CR alone, CR ends a line.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playbooks.normalise.containers import Bomb, Broken, members

BLOCK = 1 << 20
UTF_16_TRIED = 4096
UTF_16_LEAST = 8  # fewer characters say nothing
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


@dataclass(frozen=True)
class Damage:
    """Why the text of a file, or of a member of an archive, ends here."""

    reason: str


@dataclass(frozen=True)
class Edge:
    """The end of a member of an archive: what stood before does not run on behind it."""


EDGE = Edge()


def read_text(file: Path) -> Iterator[str | Damage | Edge]:
    """Yield the text of `file` in blocks.

    A `Damage` says why the text ends before the bytes do. An archive gives its members one after the other,
    each with an `Edge` behind it, so text may follow a damage.
    """
    with file.open("rb") as stream:
        try:
            for member in members(stream):
                try:
                    yield from _decode(_blocks(member.blocks))
                except Bomb:
                    raise
                except Broken as broken:
                    yield Damage(f"{member.name}: {broken}" if member.name else str(broken))
                if member.name:
                    yield EDGE
        except Broken as broken:
            yield Damage(str(broken))


def beginning(file: Path, chars: int) -> str:
    """The first text of a file; the members of an archive each begin on a line of their own."""
    text = ""
    for block in read_text(file):
        text += block if isinstance(block, str) else "\n"
        if len(text) >= chars:
            break
    return text[:chars]


def _blocks(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in blocks of one size, so that packed text is read exactly as plain text is."""
    held = bytearray()
    broken = None
    try:
        for piece in pieces:
            if not held and len(piece) == BLOCK:
                yield piece
                continue
            held += piece
            while len(held) >= BLOCK:
                yield bytes(held[:BLOCK])
                del held[:BLOCK]
    except Broken as error:
        broken = error
    if held:
        yield bytes(held)
    if broken:
        raise broken


def _decode(blocks: Iterator[bytes]) -> Iterator[str]:
    """Text of bytes; what they hold up to a damage comes before `Broken`."""
    decoder: codecs.IncrementalDecoder | io.IncrementalNewlineDecoder | None = None
    broken = None
    try:
        for block in blocks:
            decoder = decoder or _decoder(block)
            yield decoder.decode(block)
    except Broken as error:
        broken = error
    if decoder and (rest := decoder.decode(b"", final=True)):
        yield rest
    if broken:
        raise broken


def _decoder(head: bytes) -> codecs.IncrementalDecoder | io.IncrementalNewlineDecoder:
    new = codecs.getincrementaldecoder(_encoding(head))
    text = new(errors="backslashreplace").decode(head)
    if "\r" in text[:-1] and "\n" not in text:
        return io.IncrementalNewlineDecoder(new(errors="backslashreplace"), translate=True)
    return new(errors="backslashreplace")


def _encoding(head: bytes) -> str:
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    tried = head[: min(UTF_16_TRIED, len(head) // 2 * 2)]
    places = len(tried) // 2
    zeros = {"utf-16-be": tried[0::2].count(0), "utf-16-le": tried[1::2].count(0)}
    (_, few), (encoding, many) = sorted(zeros.items(), key=lambda zero: zero[1])
    if places >= UTF_16_LEAST and 3 * many >= 2 * places and 8 * few < many:
        return encoding
    return "utf-8"
