"""One capture read by one tool into a private folder: the files that it gave, and whether they tell all of it."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from playbooks.errors import PlaybookError
from playbooks.evidence.captures.conversations import Conversations
from playbooks.evidence.captures.names_asked import Questions
from playbooks.evidence.captures.packet_file import DAMAGED, PIECE, Packets, packed_in, unpacked, walk
from playbooks.evidence.captures.packets import is_index, packet
from playbooks.evidence.captures.running import Limits, Ran, limits_for, run
from playbooks.evidence.captures.suricata_stats import suricata_counts
from playbooks.evidence.captures.tools import CAPTURE, ZEEK_LOGS, Tool

LONGEST_LINE_BYTES = 1 << 22
BOMB_BYTES, BOMB_RATIO = 1 << 30, 250
EVE, LINES = "eve.json", "tshark.jsonl"
NO_SPACE = 28
MISDATING = ("suricata",)  # 7.0.10 dates the last second of a pcap as 1970; tshark as 2106
GIVEN = {"zeek": ZEEK_LOGS, "suricata": (EVE,), "tshark": (LINES,)}


@dataclass(frozen=True)
class Derived:
    """What a tool gave.

    Parameters
    ----------
    files
        Files with something in them.
    fault
        Why they may be only a part of what the capture shows; empty where nothing says so.
    failed
        Whether nothing can be made of the capture at all: there are no files, and the fault says why.
    facts
        For the custody chain: command, settings, limits, times, packets counted, what the tool said.
    """

    files: tuple[Path, ...]
    fault: str
    failed: bool
    facts: dict[str, Any] = field(default_factory=dict)


def read_capture(capture: Path, tool: Tool, folder: Path, limits: Limits | None = None) -> Derived:
    """Have `tool` read a capture.

    Parameters
    ----------
    capture
        pcap or pcapng, perhaps compressed; it is only read.
    tool
        See `tools.choose`.
    folder
        Empty and private; the files stay there.
    limits
        What the tool may use; by default what the size of the capture asks for.

    Raises
    ------
    PlaybookError
        The disk is full.
    """
    started = _now()
    damage = _laid_out(capture, folder / CAPTURE)
    for name, text in tool.settings().items():
        (folder / name).write_bytes(text)
    held = walk(folder / CAPTURE)
    limits = limits or limits_for((folder / CAPTURE).stat().st_size)
    ran, counts = _run(tool, folder, limits, held)
    files = tuple(file for name in GIVEN[tool.name] if (file := folder / name).is_file() and file.stat().st_size)
    fault = "; ".join(filter(None, (damage, held.fault, ran.fault, _lost(tool, held, counts))))
    facts = {
        "tool_used": {"name": tool.name, "version": tool.version},
        "command": [tool.name, *tool.command()[1:]],
        "settings": tool.digests(),
        "limits": limits.as_json(),
        "started": started,
        "ended": _now(),
        "packets": held.count,
        "counts": counts,
        "said": ran.said,
        "not_kept": sorted(file.name for file in folder.glob("*.log") if file not in files),
    }
    return Derived(files, fault, bool(fault) and not files, facts)


def _run(tool: Tool, folder: Path, limits: Limits, held: Packets) -> tuple[Ran, dict[str, int]]:
    if not held.count and not held.fault:
        return Ran("", "not run: the capture holds no packet"), {}  # some tools take that for an error
    if tool.name == "tshark":
        return _by_tshark(tool, folder, limits)
    ran = run(tool.command(), folder, limits)
    return ran, suricata_counts(folder) if tool.name == "suricata" else {}


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")


def _laid_out(capture: Path, place: Path) -> str:
    """Put the capture into the folder, unpacked; says why where not all of it could be."""
    with capture.open("rb") as stream:
        packed = packed_in(stream.read(16))
    if not packed:
        place.symlink_to(capture.absolute())
        return ""
    size, most = 0, max(BOMB_BYTES, BOMB_RATIO * capture.stat().st_size)
    with place.open("wb") as target:
        try:
            with unpacked(capture) as stream:
                while block := stream.read1(PIECE):
                    _write(target, block)
                    size += len(block)
                    if size > most:
                        return f"unpacking was stopped after {size:,} bytes: this looks like a bomb"
        except DAMAGED as error:
            return f"{packed} data is damaged or cut off: {error}"
    return ""


def _write(target: IO[bytes], data: bytes) -> None:
    try:
        target.write(data)
    except OSError as error:
        if error.errno != NO_SPACE:
            raise
        raise PlaybookError(
            "The disk is full while a packet capture is read. Nothing was added; the case is intact. Free space and "
            "try again."
        ) from error


def _by_tshark(tool: Tool, folder: Path, limits: Limits) -> tuple[Ran, dict[str, int]]:
    """tshark tells packets; the lines that events are made of are put together here while it runs."""
    counts: Counter[str] = Counter({"packets": 0, "packets_in_flows": 0, "unreadable": 0})
    with (folder / LINES).open("wb") as target:
        ran = run(tool.command(), folder, limits, lambda stream: _put_together(stream, target, limits, counts))
    return ran, dict(sorted(counts.items()))


def _put_together(stream: IO[bytes], target: IO[bytes], limits: Limits, counts: Counter[str]) -> str:
    flows, questions = Conversations(), Questions()
    size = last = session = 0  # packets of earlier sessions

    def write(lines: Iterator[dict[str, Any]]) -> None:
        nonlocal size
        for line in lines:
            data = json.dumps({k: v for k, v in line.items() if v is not None}, separators=(",", ":")).encode() + b"\n"
            _write(target, data)
            size += len(data)
            counts[f"{line['tshark']} lines"] += 1

    for raw in _lines(stream):
        if is_index(raw):
            continue
        found = packet(raw)
        if found is None:
            counts["unreadable"] += 1
            continue
        if found.number <= last:
            session += last
        last, found.number = found.number, session + found.number
        counts["packets"] += 1
        write(questions.lines(found))
        write(flows.lines(found))
        if size > limits.output:
            break
    write(questions.rest())
    write(flows.rest())
    counts["packets_in_flows"] = flows.packets
    return f"gave more than {limits.output:,} bytes and was stopped" if size > limits.output else ""


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of a stream; of one that is longer than any packet only its beginning, which nobody can read."""
    cut = False
    while line := stream.readline(LONGEST_LINE_BYTES):
        if not cut:
            yield line
        cut = not line.endswith(b"\n") and len(line) == LONGEST_LINE_BYTES


def _lost(tool: Tool, held: Packets, counts: dict[str, int]) -> str:
    """Packets of the file that the tool did not see, lines that are none, and what it dropped."""
    lost = (
        [f"{held.late:,} packets are dated after 2038, and {tool.name} may misdate them"]
        if held.late and tool.name in MISDATING
        else []
    )
    if not counts:
        return "; ".join(lost)
    if counts["packets"] < held.count:
        lost.append(f"{tool.name} told {counts['packets']:,} of {held.count:,} packets")
    if broken := counts.get("unreadable"):
        lost.append(f"{broken:,} lines of {tool.name} could not be read")
    lost += [f"{tool.name} {name.replace(':', '')} {n:,}" for name, n in counts.items() if name.startswith("dropped")]
    return "; ".join(lost)


__all__ = ["CAPTURE", "Derived", "read_capture"]
