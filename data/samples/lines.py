"""A log file under construction: lines with their time and what they prove, and the numbers they get."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Line:
    """One line; `fact` says what it proves (a planted fact, or `unread: …`), empty for ordinary lines."""

    time: float
    text: bytes
    fact: str = ""


@dataclass
class LogFile:
    """A file of a sample; header lines are no records, blank lines neither."""

    name: str
    layout: str
    lines: list[Line] = field(default_factory=list)
    header: bytes = b""
    footer: bytes = b""

    def add(self, time: float, text: str | bytes, fact: str = "") -> None:
        """Put a line in; its place follows from its time."""
        self.lines.append(Line(time, text.encode() if isinstance(text, str) else text, fact))

    def ordered(self) -> list[Line]:
        """All lines in order of time."""
        return sorted(self.lines, key=lambda line: line.time)  # stable: equal times keep their order

    def records(self) -> Iterator[tuple[int, Line]]:
        """Records with their numbers, counted from 1 over non-blank lines."""
        yield from enumerate((line for line in self.ordered() if line.text.strip()), 1)

    def content(self) -> bytes:
        """The whole file, before compression."""
        return self.header + b"".join(line.text + b"\n" for line in self.ordered()) + self.footer

    def stored(self) -> bytes:
        """The bytes on disk; no file name and no time in the gzip header, so that a rerun gives the same."""
        content = self.content()
        return gzip.compress(content, 9, mtime=0) if self.name.endswith(".gz") else content
