"""The custody chain: one JSON line per act, each holding the fingerprint of the line before.

Names follow OCSF's attestation object (1.9-dev): `prev_event`, `fingerprint`, `chain_uid`. A line's
fingerprint is the SHA-256 of its canonical JSON without the fingerprint itself, so that anybody can
check the chain with a few lines of any language. Paths in it are relative to the case.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import getpass
import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from playbooks import __version__
from playbooks.errors import EvidenceChanged, PlaybookError

GENESIS = "0" * 64
TAIL_BLOCK = 1 << 16
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True)
class Fault:
    """Something that is not as it was recorded: where, and what."""

    where: str
    what: str


def append(custody: Path, case_id: str, activity: str, **facts: Any) -> dict[str, Any]:
    """Append one act to the chain; safe against other processes and lost power.

    Parameters
    ----------
    custody
        The chain's file, made when absent.
    case_id
        Case id; names the chain.
    activity
        What was done: added, refused, verified, run, decided, …
    **facts
        What it was done to; JSON values.

    Returns
    -------
    dict
        The entry as written.

    Raises
    ------
    EvidenceChanged
        The last line is no entry of a chain; nothing is written.
    """
    return append_all(custody, case_id, [(activity, facts)])[0]


def append_all(custody: Path, case_id: str, acts: Sequence[tuple[str, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Append several acts, activity and facts each, in one write; all of them or, on a full disk, none.

    Raises
    ------
    EvidenceChanged
        The last line is no entry of a chain; nothing is written.
    PlaybookError
        The disk is full; nothing is written.
    """
    if not acts:
        return []
    custody.parent.mkdir(parents=True, exist_ok=True)
    with custody.open("a+b", buffering=0) as chain:
        fcntl.flock(chain, fcntl.LOCK_EX)
        entries = _following(_last_entry(chain, custody, case_id), case_id, acts)
        _write(chain, custody, entries)
    return entries


def _following(
    last: Mapping[str, Any] | None, case_id: str, acts: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[dict[str, Any]]:
    """The entries of these acts, each following the one before."""
    entries = []
    actor = {"user": _user(), "host": platform.node()}
    for activity, facts in acts:
        entry: dict[str, Any] = {
            "seq": last["seq"] + 1 if last else 1,
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
            "activity": activity,
            "actor": actor,
            "tool": {"name": "playbooks", "version": __version__},
            "chain_uid": case_id,
            "prev_event": last["fingerprint"] if last else GENESIS,
            **facts,
        }
        entry["fingerprint"] = fingerprint(entry)
        entries.append(entry)
        last = entry
    return entries


def _write(chain: BinaryIO, custody: Path, entries: list[dict[str, Any]]) -> None:
    size = chain.seek(0, os.SEEK_END)
    rest = memoryview(b"".join(canonical(entry) + b"\n" for entry in entries))
    try:
        while rest:
            rest = rest[chain.write(rest) :]
        os.fsync(chain.fileno())
    except OSError as error:
        os.ftruncate(chain.fileno(), size)
        if error.errno == errno.ENOSPC:
            raise PlaybookError(
                f"{custody}: the disk is full, so the act could not be recorded. Free space and try again."
            ) from error
        raise


def _mended(chain: BinaryIO, torn: bytes, case_id: str) -> bytes:
    """The last line once a write that was cut off by a kill or by lost power is dealt with.

    A line without its end was never acknowledged. A whole entry gets its line end; of anything less, what
    there is goes into an entry of its own, so that nothing is lost and everybody can see it.
    """
    whole = _entry(torn)
    if whole is not None and whole["fingerprint"] == fingerprint(whole):
        chain.write(b"\n")
        return torn + b"\n"
    at = chain.seek(0, os.SEEK_END) - len(torn)
    line = _last_line(chain, at)
    before = _entry(line.removesuffix(b"\n"))
    if line and before is None:
        return torn  # no chain at all; appending says so
    facts = {"text": torn.decode("utf-8", "backslashreplace"), "sha256": hashlib.sha256(torn).hexdigest()}
    [entry] = _following(before, case_id, [("write cut off", facts)])
    os.ftruncate(chain.fileno(), at)
    _write(chain, Path("custody.jsonl"), [entry])
    return canonical(entry) + b"\n"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under an id without a name
        return f"uid {os.getuid()}"


def _last_entry(chain: BinaryIO, custody: Path, case_id: str) -> dict[str, Any] | None:
    """The entry to follow: only the end of the file is read, however long the chain is."""
    line = _last_line(chain)
    if not line:
        return None
    if not line.endswith(b"\n"):
        line = _mended(chain, line, case_id)
    entry = _entry(line.removesuffix(b"\n"))
    if not line.endswith(b"\n") or entry is None:
        raise EvidenceChanged(
            f"{custody}: the last line is not an entry of a custody chain. Expected a line that this kit wrote. "
            "Nothing was added. Find out who changed the file, restore it from a copy, and run: playbooks verify"
        )
    return entry


def _last_line(chain: BinaryIO, end: int | None = None) -> bytes:
    """The last line before `end` with its line end, or what stands there without one; empty where there is none."""
    position = chain.seek(0, os.SEEK_END) if end is None else end
    tail = b""
    while position and b"\n" not in tail[:-1]:
        block = min(TAIL_BLOCK, position)
        position = chain.seek(position - block)
        tail = chain.read(block) + tail
    return tail[tail[:-1].rfind(b"\n") + 1 :]


def _entry(line: bytes) -> dict[str, Any] | None:
    """The entry in a line; None where the line holds none."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("seq"), int):
        return None
    return found if {"fingerprint", "prev_event"} <= set(found) else None


def canonical(entry: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, no spaces, ASCII only: the bytes that are hashed and stored."""
    return CANONICAL.encode(entry).encode()


def fingerprint(entry: Mapping[str, Any]) -> str:
    """SHA-256 of an entry's canonical JSON without its own fingerprint."""
    return hashlib.sha256(canonical({k: v for k, v in entry.items() if k != "fingerprint"})).hexdigest()


def entries(custody: Path) -> list[dict[str, Any]]:
    """All entries that can be read, in order; `check` says what cannot."""
    if not custody.is_file():
        return []
    found = (_entry(line) for line in _lines(custody.read_bytes()))
    return [entry for entry in found if entry is not None]


def _lines(chain: bytes) -> list[bytes]:
    """Lines as they stand: a line end of another kind belongs to the line, and so does not pass unseen."""
    lines = chain.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def check(custody: Path, case_id: str) -> list[Fault]:
    """Every fault of the chain, the first bad line first; empty when it is whole."""
    if not custody.is_file():
        return [Fault(custody.name, "missing: nothing says what was added, when and by whom")]
    faults: list[Fault] = []
    before = GENESIS
    chain = custody.read_bytes()
    lines = _lines(chain)
    for number, line in enumerate(lines, start=1):
        where = f"{custody.name}, line {number}"
        entry = _entry(line)
        if entry is None:
            faults.append(Fault(where, "not an entry of a custody chain"))
            continue
        if entry["fingerprint"] != fingerprint(entry) or line != canonical(entry):
            faults.append(Fault(where, "changed: its fingerprint does not fit its content"))
        if entry["prev_event"] != before:
            faults.append(Fault(where, "not the successor of the line before: lines removed, added or moved"))
        if entry["seq"] != number:
            faults.append(Fault(where, f"has number {entry['seq']} at place {number}"))
        if entry.get("chain_uid") != case_id:
            faults.append(Fault(where, f"belongs to case {str(entry.get('chain_uid'))[:64]!r}"))
        before = str(entry["fingerprint"])
    if lines and not chain.endswith(b"\n"):
        faults.append(Fault(f"{custody.name}, line {len(lines)}", "its line end is missing"))
    return faults
