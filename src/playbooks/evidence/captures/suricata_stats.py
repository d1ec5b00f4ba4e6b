"""What Suricata counted while it read a capture: packets, and what it dropped because memory was short."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

STATS = "stats.json"
END_BYTES = 1 << 20  # one line of stats has some 20,000
DROPPED = (
    "flow.memcap",
    "tcp.ssn_memcap_drop",
    "tcp.segment_memcap_drop",
    "http.memcap",
)


def suricata_counts(folder: Path) -> dict[str, int]:
    """`packets`, and by name what was dropped; empty where Suricata left no account of it."""
    found = _last(folder / STATS)
    packets = _at(found, "decoder.pkts")
    if packets is None:
        return {}
    dropped = {name: count for name in DROPPED if (count := _at(found, name))}
    return {"packets": packets, **{f"dropped: {name}": count for name, count in dropped.items()}}


def _last(file: Path) -> dict[str, Any]:
    """The last whole line of the statistics."""
    if not file.is_file():
        return {}
    with file.open("rb") as stream:
        stream.seek(max(0, stream.seek(0, os.SEEK_END) - END_BYTES))
        lines = stream.read().splitlines()
    for line in reversed(lines):
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and isinstance(found.get("stats"), dict):
            stats: dict[str, Any] = found["stats"]
            return stats
    return {}


def _at(stats: dict[str, Any], path: str) -> int | None:
    value: Any = stats
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value if type(value) is int and value >= 0 else None
