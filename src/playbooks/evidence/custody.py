"""The custody chain: one JSON line per act, each holding the fingerprint of the line before.

Names follow OCSF's attestation object (1.9-dev): `prev_event`, `fingerprint`, `chain_uid`. A line's
fingerprint is the SHA-256 of its canonical JSON without the fingerprint itself, so that anybody can
check the chain with a few lines of any language. Paths in it are relative to the case.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import getpass
import hashlib
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playbooks import __version__

GENESIS = "0" * 64


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
    """
    custody.parent.mkdir(parents=True, exist_ok=True)
    with custody.open("a+b") as chain:
        fcntl.flock(chain, fcntl.LOCK_EX)
        last = _last_entry(chain)
        entry: dict[str, Any] = {
            "seq": last["seq"] + 1 if last else 1,
            "time": dt.datetime.now(dt.UTC).isoformat(timespec="microseconds"),
            "activity": activity,
            "actor": {"user": _user(), "host": platform.node()},
            "tool": {"name": "playbooks", "version": __version__},
            "chain_uid": case_id,
            "prev_event": last["fingerprint"] if last else GENESIS,
            **facts,
        }
        entry["fingerprint"] = fingerprint(entry)
        chain.write(canonical(entry) + b"\n")
        chain.flush()
        os.fsync(chain.fileno())
    return entry


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under an id without a name
        return f"uid {os.getuid()}"


def _last_entry(chain: Any) -> dict[str, Any] | None:
    chain.seek(0)
    lines = chain.read().splitlines()
    found: dict[str, Any] | None = json.loads(lines[-1]) if lines else None
    return found


def canonical(entry: Mapping[str, Any]) -> bytes:
    """JSON with sorted keys, no spaces, ASCII only: the bytes that are hashed and stored."""
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def fingerprint(entry: Mapping[str, Any]) -> str:
    """SHA-256 of an entry's canonical JSON without its own fingerprint."""
    return hashlib.sha256(canonical({k: v for k, v in entry.items() if k != "fingerprint"})).hexdigest()


def entries(custody: Path) -> list[dict[str, Any]]:
    """All entries that can be read, in order; `check` says what cannot."""
    if not custody.is_file():
        return []
    found = []
    for line in custody.read_bytes().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # reported by check()
        if isinstance(entry, dict):
            found.append(entry)
    return found


def check(custody: Path, case_id: str) -> list[Fault]:
    """Every fault of the chain, the first bad line first; empty when it is whole."""
    if not custody.is_file():
        return [Fault(custody.name, "missing: nothing says what was added, when and by whom")]
    faults: list[Fault] = []
    before = GENESIS
    for number, line in enumerate(custody.read_bytes().splitlines(), start=1):
        where = f"{custody.name}, line {number}"
        try:
            entry = json.loads(line)
            stated, prev, seq = entry["fingerprint"], entry["prev_event"], entry["seq"]
        except (ValueError, KeyError, TypeError):
            faults.append(Fault(where, "not an entry of a custody chain"))
            continue
        if stated != fingerprint(entry) or line != canonical(entry):
            faults.append(Fault(where, "changed: its fingerprint does not fit its content"))
        if prev != before:
            faults.append(Fault(where, "not the successor of the line before: lines removed, added or moved"))
        if seq != number:
            faults.append(Fault(where, f"has number {seq} at place {number}"))
        if entry.get("chain_uid") != case_id:
            faults.append(Fault(where, f"belongs to case {str(entry.get('chain_uid'))[:64]!r}"))
        before = str(stated)
    return faults
