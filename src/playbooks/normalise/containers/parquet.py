"""Parquet files → text of JSON lines, a row a line, read in a process of their own.

A damaged or hostile file may end the library that reads Parquet, or ask it for more memory than there is: that
costs the process and what follows in that file, never the run. A process serves many files.
"""

from __future__ import annotations

import atexit
import json
import os
import re
import select
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from playbooks.normalise.containers.source import Broken, Budget

MAGIC = re.compile(rb"PAR[1E](?![\t\n\r -~])")  # what follows is no text
TAIL = b"PAR1"
FRAME = struct.Struct(">cQQ")  # kind, length, weight
SILENT_SECONDS = 300
READER = "playbooks.normalise.containers.parquet_rows"


def is_parquet(head: bytes) -> bool:
    """Whether a file begins as Parquet does."""
    return bool(MAGIC.match(head))


def parquet_text(file: Path, budget: Budget) -> Iterator[bytes]:
    """The rows of a Parquet file as JSON lines.

    Raises
    ------
    Broken
        Behind the last row that could be read.
    """
    with file.open("rb") as stream:
        budget.packed += stream.seek(0, os.SEEK_END)
        stream.seek(-len(TAIL), os.SEEK_END)
        tail = stream.read(len(TAIL))
    if tail == b"PARE":
        raise Broken("the Parquet file is encrypted: decrypt it elsewhere and add the decrypted file")
    if tail != TAIL:
        raise Broken(
            "the Parquet file is cut off: the index of its rows, which stands at the end, is missing. Fetch it again"
        )
    yield from _rows(file.absolute(), budget)


def spooled(blocks: Iterator[bytes], budget: Budget) -> Iterator[bytes]:
    """The rows of a Parquet file that stands in an archive: it is read from its end, so it is laid down first."""
    with tempfile.NamedTemporaryFile(prefix="playbooks-", suffix=".parquet") as file:
        for block in blocks:
            file.write(block)
        file.flush()
        yield from parquet_text(Path(file.name), budget)


def _rows(file: Path, budget: Budget) -> Iterator[bytes]:
    reader = _IDLE.pop() if _IDLE else _Reader()
    _BUSY.add(reader)
    ended = False
    try:
        reader.ask(file)
        while True:
            kind, weight, data = reader.answer()
            if kind == b"t":
                yield data
                budget.add(weight)
                continue
            ended = True
            if kind == b"x":
                raise Broken(f"the Parquet file is damaged: {data.decode('utf-8', 'replace')}")
            return
    finally:
        _BUSY.discard(reader)
        if ended:
            _IDLE.append(reader)
        else:
            reader.end()


class _Reader:
    """A process that reads Parquet files, one after the other."""

    def __init__(self) -> None:
        command = [sys.executable, "-P", "-m", READER]  # -P: nothing is imported from the working folder
        environment = {**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"}
        self.process = subprocess.Popen(  # noqa: S603 - our own module, no word of it from a file
            command,
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )

    def ask(self, file: Path) -> None:
        assert self.process.stdin
        with suppress(BrokenPipeError):  # the answer tells
            self.process.stdin.write(json.dumps(os.fsdecode(file)).encode() + b"\n")

    def answer(self) -> tuple[bytes, int, bytes]:
        """Kind, weight and bytes of the next frame."""
        kind, length, weight = FRAME.unpack(self._read(FRAME.size))
        return kind, weight, self._read(length)

    def _read(self, size: int) -> bytes:
        assert self.process.stdout
        held = bytearray()
        waiting = select.poll()  # not `select`, which takes no file beyond the 1,024th that is open
        waiting.register(self.process.stdout, select.POLLIN)
        while len(held) < size:
            if not waiting.poll(SILENT_SECONDS * 1000):
                raise Broken(f"the Parquet file is damaged: nothing could be read from it in {SILENT_SECONDS} seconds")
            if not (piece := os.read(self.process.stdout.fileno(), min(size - len(held), 1 << 20))):
                raise Broken("the Parquet file is damaged so that the library which reads Parquet stopped there")
            held += piece
        return bytes(held)

    def end(self) -> None:
        """Stop it, wherever it is."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


_IDLE: list[_Reader] = []
_BUSY: set[_Reader] = set()


def _end_all() -> None:
    for reader in [*_IDLE, *_BUSY]:
        reader.end()


def _forget_all() -> None:
    """A reader answers the process that started it, and no copy of that process."""
    _IDLE.clear()
    _BUSY.clear()


atexit.register(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
