"""Captures of a case, and what tools read out of them as evidence: derived once, recorded, never guessed.

The act `derived` names the capture with its SHA-256, the tool, its version, its whole command, what it was
allowed, and each file by its SHA-256. It is written before the files are added: a derivation counts when all of
its files are in the bag, so one that was broken off between is done again. `derivation failed` says why.
"""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playbooks.case import Case
from playbooks.errors import EvidenceChanged, NotFound, PlaybookError
from playbooks.evidence import custody, preserve
from playbooks.evidence.acquire.answers import FOLDER, private_folder
from playbooks.evidence.captures.packet_file import kind_of
from playbooks.evidence.captures.reading import Derived, read_capture
from playbooks.evidence.captures.tools import INSTALL, Tool, choose
from playbooks.evidence.items import Item, items, sha256_of

DERIVED, FAILED = "derived", "derivation failed"
HELD = "captures.held"

Entry = dict[str, Any]


@dataclass(frozen=True)
class Capture:
    """A capture of a case: its kind, and what its readings became; `tools` words each tool that was used."""

    item: Item
    kind: str
    derived: tuple[Entry, ...] = ()
    failed: tuple[Entry, ...] = ()
    into: tuple[str, ...] = ()

    @property
    def is_read(self) -> bool:
        """Whether a tool has looked into it."""
        return bool(self.derived)

    def state(self) -> str:
        """What became of it, in words."""
        what = f"packet capture ({self.kind})"
        if self.derived:
            by = " and ".join(dict.fromkeys(_tool_words(entry) for entry in self.derived))
            return f"{what}: read by {by} into {', '.join(self.into) or 'nothing: it shows no event'}"
        if self.failed:
            last = self.failed[-1]
            return f"{what}: {_tool_words(last)} could not read it: {last.get('fault', '')}"
        return f"{what}: no tool has read it. Install one: {INSTALL}; then run again, or: playbooks acquire capture"

    def faults(self) -> list[str]:
        """Why readings may show only a part of it."""
        return [f"{_tool_words(entry)}: {entry['fault']}" for entry in self.derived if entry.get("fault")]


def _tool_words(entry: Entry) -> str:
    tool = entry.get("tool_used")
    return f"{tool.get('name')} {tool.get('version')}" if isinstance(tool, dict) else "a tool"


def captures(case: Case, among: Sequence[Item] | None = None) -> list[Capture]:
    """The captures of a case, or those among some of its items, in their order; told by their content."""
    present = items(case)
    looked_at = present if among is None else among
    found = [(item, kind) for item in looked_at if item.is_in_bag(case) and (kind := kind_of(item.file(case)))]
    if not found:
        return []
    chain = custody.entries(case.custody)
    ids = {item.sha256: item.evidence_id for item in present}
    return [_with_acts(Capture(item, kind), chain, ids) for item, kind in found]


def _with_acts(capture: Capture, chain: list[Entry], ids: dict[str, str]) -> Capture:
    derived, failed, into = [], [], []
    for entry in chain:
        stated = entry.get("capture")
        if not isinstance(stated, dict) or stated.get("sha256") != capture.item.sha256:
            continue
        if entry["activity"] == FAILED:
            failed.append(entry)
        elif entry["activity"] == DERIVED and all(file["sha256"] in ids for file in entry["files"]):
            derived.append(entry)
            into += [ids[file["sha256"]] for file in entry["files"]]
    return replace(capture, derived=tuple(derived), failed=tuple(failed), into=tuple(dict.fromkeys(into)))


def derive(
    case: Case,
    evidence_ids: Sequence[str] = (),
    tool_name: str | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> list[Capture]:
    """Have a tool read captures of a case; what it gives becomes evidence.

    Parameters
    ----------
    case
        The case.
    evidence_ids
        Which captures; without any, all that no tool has read yet.
    tool_name
        `zeek`, `suricata` or `tshark`; the best one of this machine by default.
    told
        Called with a line before each capture.

    Returns
    -------
    list of Capture
        Those that were asked for, as they are now. What this tool in this version has read is not read again.

    Raises
    ------
    NotFound
        An id is of no capture, or there is no such tool.
    UsageError
        No tool has this name.
    EvidenceChanged
        A capture is not what was added.
    PlaybookError
        The disk is full.
    """
    with _one_at_a_time(case):
        wanted = _wanted(captures(case), evidence_ids, case)
        tool = choose(tool_name)
        if wanted and tool is None:
            raise NotFound(f"No tool that reads packet captures is on this machine. Install one: {INSTALL}.")
        for capture in wanted:
            if tool and not _is_done(capture.derived, tool):
                _derive_one(case, capture, tool, told)
    ids = {capture.item.evidence_id for capture in wanted}
    return [capture for capture in captures(case) if capture.item.evidence_id in ids]


def derive_new(case: Case, told: Callable[[str], None] = lambda _: None) -> list[Capture]:
    """Read the captures that no tool has read yet; what the same tool failed at is not tried again.

    Gives those that were tried now. Where no tool is there nothing happens: coverage says what that forbids.
    """
    if not any(not capture.is_read for capture in captures(case)):
        return []
    tool = choose()
    if tool is None:
        return []
    with _one_at_a_time(case):
        open_ = [one for one in captures(case) if not one.is_read and not _is_done(one.failed, tool)]
        for capture in open_:
            _derive_one(case, capture, tool, told)
    tried = {capture.item.evidence_id for capture in open_}
    return [capture for capture in captures(case) if capture.item.evidence_id in tried] if tried else []


def _is_done(entries: tuple[Entry, ...], tool: Tool) -> bool:
    return any(_tool_words(entry) == tool.words for entry in entries)


def _wanted(found: list[Capture], evidence_ids: Sequence[str], case: Case) -> list[Capture]:
    if not evidence_ids:
        return [capture for capture in found if not capture.is_read]
    by_id = {capture.item.evidence_id: capture for capture in found}
    if missing := [name for name in evidence_ids if name not in by_id]:
        known = ", ".join(by_id) or "none"
        raise NotFound(f"{', '.join(missing)}: no packet capture of {case.path.name}. Its captures: {known}.")
    return [by_id[name] for name in dict.fromkeys(evidence_ids)]


def _derive_one(case: Case, capture: Capture, tool: Tool, told: Callable[[str], None]) -> None:
    item = capture.item
    if sha256_of(item.file(case)) != item.sha256:
        raise EvidenceChanged(
            f"{item.evidence_id} {item.name}: not what was added. Nothing was read out of it. "
            f"See: playbooks verify {case.path}"
        )
    told(f"{item.evidence_id} {item.name}: {tool.words} reads it")
    with private_folder(case) as folder:
        derived = read_capture(item.file(case), tool, folder)
        files = _named(item, tool, derived)
        _record(case, capture, derived, files)
        _add(case, capture, tool, files)


def _named(item: Item, tool: Tool, derived: Derived) -> list[Path]:
    """The files under names that say what they were read out of, and by what."""
    stem = f"{item.name.partition('-')[2]}.{tool.name}"
    files = []
    for file in derived.files:
        ending = file.name if not file.name.startswith(f"{tool.name}.") else file.name.partition(".")[2]
        files.append(file.rename(file.with_name(f"{stem}.{ending}")))
    return files


def _record(case: Case, capture: Capture, derived: Derived, files: list[Path]) -> None:
    item = capture.item
    custody.append(
        case.custody,
        case.config.case_id,
        FAILED if derived.failed else DERIVED,
        capture={"evidence_id": item.evidence_id, "name": item.name, "sha256": item.sha256, "kind": capture.kind},
        files=[{"name": file.name, "sha256": sha256_of(file), "size": file.stat().st_size} for file in files],
        fault=derived.fault,
        **derived.facts,
    )


def _add(case: Case, capture: Capture, tool: Tool, files: list[Path]) -> None:
    source = f"derived from {capture.item.evidence_id} by {tool.words}"
    added = preserve.add(case, files, source_of=lambda path: f"{source}: {preserve.printable(path.name)}")
    if refused := [f"{one.source.name}: {one.note}" for one in added if one.item is None]:
        raise PlaybookError(
            f"{case.path}: what {tool.words} read out of {capture.item.evidence_id} could not be added to the bag: "
            f"{'; '.join(refused)}. The case is intact; try again."
        )


@contextmanager
def _one_at_a_time(case: Case) -> Iterator[None]:
    """Two runs of one case must not both read a capture; the second waits and finds it done."""
    place = case.path / FOLDER
    place.mkdir(mode=0o700, exist_ok=True)
    with (place / HELD).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
