"""What a batch did, line by line in `batch.jsonl`: written as it happens, so that nothing is lost when it is killed.

Several batches may write to one journal; a line is appended whole or not at all.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from playbooks.runner.record import now

WAITING, RUNNING, DONE, FAILED, SET_ASIDE = "waiting", "running", "done", "failed", "set aside"


@dataclass
class Entry:
    """Where a case stands.

    Attributes
    ----------
    attempts
        Attempts that failed since it was last given another try.
    state_of
        Digest of case file, evidence, decisions and kit at the last attempt.
    """

    case: str
    state: str = WAITING
    attempts: int = 0
    exit_code: int | None = None
    seconds: float = 0.0
    started: str = ""
    ended: str = ""
    error: str = ""
    by: str = ""
    state_of: str = ""


class Journal:
    """The journal of a batch: entries by case, as all batches on it left them."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._read_to = 0
        self._entries: dict[str, Entry] = {}

    def entry(self, case: str) -> Entry:
        """Where a case stands; waiting when nothing was written of it."""
        self._follow()
        return self._entries.get(case) or Entry(case)

    def write(self, case: str, **facts: Any) -> Entry:
        """Add what happened to a case."""
        line = json.dumps({"case": case, "at": now(), "by": f"{os.uname().nodename}:{os.getpid()}", **facts})
        with self._locked() as stream:
            torn = b"\n" if stream.tell() and not _ends_line(stream) else b""
            stream.write(torn + line.encode() + b"\n")
        return self.entry(case)

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("ab+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.seek(0, os.SEEK_END)
            yield stream
            stream.flush()

    def _follow(self) -> None:
        """Take in what was written since; half a line, of a batch that was killed, says nothing."""
        if not self.file.is_file():
            return
        with self.file.open("rb") as stream:
            stream.seek(self._read_to)
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                self._read_to += len(line)
                self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            told = json.loads(line)
            entry = self._entries.setdefault(str(told["case"]), Entry(str(told["case"])))
        except (ValueError, KeyError, TypeError):
            return
        for name in ("state", "attempts", "exit_code", "seconds", "error", "by", "state_of"):
            if name in told:
                setattr(entry, name, told[name])
        if told.get("state") == RUNNING:
            entry.started, entry.ended = str(told.get("at", "")), ""
        elif told.get("state") in (DONE, FAILED, SET_ASIDE):
            entry.ended = str(told.get("at", ""))


def _ends_line(stream: BinaryIO) -> bool:
    stream.seek(-1, os.SEEK_END)
    return stream.read(1) == b"\n"
