"""Text → whole lines, many at a time, as Arrow arrays: what most logs are made of.

A line of more than `MAX_RECORD_CHARS` comes as torn pieces, so that neither it nor what follows is lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

from playbooks.normalise.records import Torn
from playbooks.normalise.text import Damage

BLOCK_CHARS = 12_000_000  # lines of one block: enough to be worth a query, few enough to be held several times
MAX_RECORD_CHARS = 16_000_000  # a longer "line" is a bomb or no log line; it is kept as unread, in pieces


@dataclass(frozen=True)
class Block:
    """Whole lines; `text` lacks the last line end."""

    text: str

    @cached_property
    def lines(self) -> pa.StringArray:
        """Every line without its line end, blank ones too."""
        lines = split_lines(self.text)
        return pc.utf8_rtrim(lines, characters="\r") if "\r" in self.text else lines

    @cached_property
    def blank(self) -> pa.BooleanArray:
        """Which lines hold nothing but white space."""
        return pc.or_(pc.utf8_is_space(self.lines), pc.equal(pc.binary_length(self.lines), 0))

    def kept(self) -> tuple[pa.StringArray, int]:
        """The lines that are not blank, and how many are."""
        count = true_count(self.blank)
        return (self.lines.filter(pc.invert(self.blank)) if count else self.lines), count


def split_lines(text: str) -> pa.StringArray:
    """The lines of a text as an array of text; between line feeds, whatever else they hold."""
    data = text.encode()
    offsets = pa.array([0, len(data)], pa.int32()).buffers()[1]
    whole = pa.StringArray.from_buffers(1, offsets, pa.py_buffer(data))
    return pc.split_pattern(whole, "\n").values


def holds(texts: pa.StringArray, byte: bytes) -> bool:
    """Whether a byte stands in any of the texts: one look at all, where a kernel that looks at each takes long."""
    _, offsets, content = texts.buffers()
    edges = memoryview(offsets).cast("i") if offsets else [0]
    first, last = edges[texts.offset], edges[texts.offset + len(texts)]
    return content is not None and byte in content.slice(first, last - first).to_pybytes()


def true_count(flags: pa.BooleanArray) -> int:
    """How many flags are set."""
    return int(flags.true_count)


def blocks_of_lines(text: Iterable[str | Damage]) -> Iterator[Block | Torn]:
    """Whole lines, gathered to blocks of a size that is worth a query; the last line may lack its end."""
    gathered = _Gathered()
    for block in text:
        if isinstance(block, Damage):
            yield from gathered.lines()
            yield Torn(gathered.rest(), block.reason)
            return
        yield from gathered.add(block)
    yield from gathered.lines()
    if rest := gathered.rest():
        yield Torn(rest, gathered.piece) if gathered.in_pieces else Block(rest)


class _Gathered:
    """Text up to the last line end seen (`whole`), and the line that is not at its end yet (`tail`)."""

    piece = f"part of a line that is longer than {MAX_RECORD_CHARS:,} characters"

    def __init__(self) -> None:
        self.whole: list[str] = []
        self.tail: list[str] = []
        self.whole_chars = self.tail_chars = 0
        self.in_pieces = False

    def add(self, block: str) -> Iterator[Block | Torn]:
        head, end, tail = block.rpartition("\n")
        if end:
            first = "".join([*self.tail, head, end])
            if self.in_pieces:
                torn, _, first = first.partition("\n")
                self.in_pieces = False
                if torn:
                    yield Torn(torn, self.piece)
            self.whole.append(first)
            self.whole_chars += len(first)
            self.tail, self.tail_chars = [], 0
        self.tail.append(tail)
        self.tail_chars += len(tail)
        if self.whole_chars >= BLOCK_CHARS or self.tail_chars > MAX_RECORD_CHARS:
            yield from self.lines()
        if self.tail_chars > MAX_RECORD_CHARS:
            yield Torn(self.rest(), self.piece)
            self.in_pieces = True

    def lines(self) -> Iterator[Block]:
        """The whole lines gathered so far."""
        text = "".join(self.whole)
        self.whole, self.whole_chars = [], 0
        if text:
            yield Block(text[:-1])

    def rest(self) -> str:
        """The line that is not at its end."""
        rest = "".join(self.tail)
        self.tail, self.tail_chars = [], 0
        return rest


__all__ = ["BLOCK_CHARS", "MAX_RECORD_CHARS", "Block", "blocks_of_lines", "holds", "split_lines", "true_count"]
