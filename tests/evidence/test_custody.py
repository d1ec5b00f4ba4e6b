"""The custody chain: every act is a line that holds the fingerprint of the line before."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from playbooks.errors import EvidenceChanged
from playbooks.evidence import Fault, custody
from playbooks.evidence.custody import GENESIS, append, append_all, canonical, check, entries, fingerprint

Lines = list[bytes]


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    file = tmp_path / "custody.jsonl"
    for number in range(1, 6):
        append(file, "C-1", "noted", number=number)
    return file


def test_a_chain_is_checked_with_ten_lines_of_any_language(chain: Path) -> None:
    before = "0" * 64
    for number, line in enumerate(chain.read_text().splitlines(), start=1):
        entry = json.loads(line)
        stated = entry.pop("fingerprint")
        text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        assert hashlib.sha256(text.encode()).hexdigest() == stated
        assert (entry["prev_event"], entry["seq"]) == (before, number)
        before = stated


def test_an_entry_says_what_who_when_and_with_what(chain: Path) -> None:
    entry = append(chain, "C-1", "added", item={"name": "größe"})
    assert entries(chain)[-1] == entry
    assert entry["seq"] == 6
    assert (entry["activity"], entry["chain_uid"], entry["item"]) == ("added", "C-1", {"name": "größe"})
    assert set(entry["actor"]) == {"user", "host"}
    assert entry["tool"]["name"] == "playbooks"
    assert entry["time"].endswith("+00:00")
    assert check(chain, "C-1") == []


def test_the_first_entry_follows_nothing(tmp_path: Path) -> None:
    assert append(tmp_path / "c.jsonl", "C-1", "noted")["prev_event"] == GENESIS
    assert entries(tmp_path / "none.jsonl") == []


def rewritten(line: bytes, **changes: Any) -> bytes:
    """A line changed by somebody who knows how fingerprints are made."""
    entry = json.loads(line) | changes
    entry["fingerprint"] = fingerprint(entry)
    return canonical(entry)


FOLLOWS = "not the successor of the line before: lines removed, added or moved"
CHANGED = "changed: its fingerprint does not fit its content"
NO_ENTRY = "not an entry of a custody chain"
TAMPERED: dict[str, tuple[Callable[[Lines], Lines], list[tuple[int, str]]]] = {
    "a value changed": (lambda x: [x[0], x[1].replace(b'"number":2', b'"number":7'), *x[2:]], [(2, CHANGED)]),
    "a space added": (lambda x: [x[0], x[1].replace(b'"number":2', b'"number": 2'), *x[2:]], [(2, CHANGED)]),
    "a key doubled": (lambda x: [b'{"number":1,' + x[0][1:], *x[1:]], [(1, CHANGED)]),
    "rewritten with its fingerprint": (
        lambda x: [x[0], rewritten(x[1], number=7), *x[2:]],
        [(3, FOLLOWS)],
    ),
    "a line removed": (
        lambda x: [*x[:1], *x[2:]],
        [(2, FOLLOWS), *((n, f"has number {n + 1} at place {n}") for n in (2, 3, 4))],
    ),
    "the first line removed": (
        lambda x: x[1:],
        [(1, FOLLOWS), *((n, f"has number {n + 1} at place {n}") for n in (1, 2, 3, 4))],
    ),
    "a line added": (
        lambda x: [*x[:2], x[1], *x[2:]],
        [(3, FOLLOWS), *((n, f"has number {n - 1} at place {n}") for n in (3, 4, 5, 6))],
    ),
    "a new line added": (
        lambda x: [*x, rewritten(x[4], seq=6)],
        [(6, FOLLOWS)],
    ),
    "two lines swapped": (
        lambda x: [x[0], x[2], x[1], *x[3:]],
        [(2, FOLLOWS), (2, "has number 3 at place 2"), (3, FOLLOWS), (3, "has number 2 at place 3"), (4, FOLLOWS)],
    ),
    "a blank line added": (
        lambda x: [*x[:2], b"", *x[2:]],
        [(3, NO_ENTRY), *((n, f"has number {n - 1} at place {n}") for n in (4, 5, 6))],
    ),
    "another line end": (lambda x: [x[0] + b"\r", *x[1:]], [(1, CHANGED)]),
    "text that is no JSON": (lambda x: [x[0], b"{", *x[2:]], [(2, NO_ENTRY), (3, FOLLOWS)]),
    "bytes that are no text": (lambda x: [x[0], b"\xff\xfe", *x[2:]], [(2, NO_ENTRY), (3, FOLLOWS)]),
    "a list": (lambda x: [x[0], b"[1]", *x[2:]], [(2, NO_ENTRY), (3, FOLLOWS)]),
    "a number as number": (lambda x: [x[0], rewritten(x[1], seq="2"), *x[2:]], [(2, NO_ENTRY), (3, FOLLOWS)]),
    "deep nesting": (lambda x: [x[0], b"[" * 200_000, *x[2:]], [(2, NO_ENTRY), (3, FOLLOWS)]),
    "a line of another case": (
        lambda x: [*x[:4], rewritten(x[4], chain_uid="C-2")],
        [(5, "belongs to case 'C-2'")],
    ),
    "half the last line": (lambda x: [*x[:4], x[4][:50]], [(5, NO_ENTRY)]),
}


@pytest.mark.parametrize("kind", TAMPERED)
def test_tampering_is_told_with_its_line(kind: str, chain: Path) -> None:
    tamper, faults = TAMPERED[kind]
    lines = tamper(chain.read_bytes().splitlines())
    chain.write_bytes(b"".join(line + b"\n" for line in lines))
    assert check(chain, "C-1") == [Fault(f"custody.jsonl, line {number}", what) for number, what in faults]


def test_a_missing_line_end_is_told(chain: Path) -> None:
    chain.write_bytes(chain.read_bytes()[:-1])
    assert check(chain, "C-1") == [Fault("custody.jsonl, line 5", "its line end is missing")]


def test_a_missing_chain_is_told(tmp_path: Path) -> None:
    assert check(tmp_path / "custody.jsonl", "C-1") == [
        Fault("custody.jsonl", "missing: nothing says what was added, when and by whom")
    ]


def test_lines_cut_off_at_the_end_do_not_show_in_the_chain_alone(chain: Path) -> None:
    """The bag shows it for what was added (see test_verify); for the rest the head must be kept elsewhere."""
    head = entries(chain)[-1]["fingerprint"]
    chain.write_bytes(b"\n".join(chain.read_bytes().splitlines()[:3]) + b"\n")
    assert check(chain, "C-1") == []
    assert entries(chain)[-1]["fingerprint"] != head


def test_a_rewritten_chain_has_another_head(chain: Path) -> None:
    """Who rewrites all lines can make a whole chain: only its head, kept elsewhere, tells."""
    head = entries(chain)[-1]["fingerprint"]
    lines, before = [], GENESIS
    for line in chain.read_bytes().splitlines():
        lines.append(rewritten(line, prev_event=before, actor={"user": "somebody", "host": "else"}))
        before = json.loads(lines[-1])["fingerprint"]
    chain.write_bytes(b"".join(line + b"\n" for line in lines))
    assert check(chain, "C-1") == []
    assert entries(chain)[-1]["fingerprint"] != head


BAD_ENDS = {
    "text": lambda data: data + b"text\n",
    "a list": lambda data: data + b"[1]\n",
    "blank line": lambda data: data + b"\n",
    "no fingerprint": lambda data: data + b'{"seq":6}\n',
}


@pytest.mark.parametrize("kind", BAD_ENDS)
def test_nothing_is_appended_to_a_chain_that_ends_badly(kind: str, chain: Path) -> None:
    data = BAD_ENDS[kind](chain.read_bytes())
    chain.write_bytes(data)
    with pytest.raises(EvidenceChanged, match="the last line is not an entry of a custody chain"):
        append(chain, "C-1", "noted")
    assert chain.read_bytes() == data


def test_a_write_cut_off_at_any_byte_loses_no_entry_and_is_told_in_the_chain(chain: Path) -> None:
    """What a kill or lost power leaves: a beginning of the last line. The acts before it stay; the next one goes on."""
    data = chain.read_bytes()
    kept, last = data.splitlines(keepends=True)[:-1], data.splitlines(keepends=True)[-1]
    for length in range(1, len(last)):
        chain.write_bytes(b"".join(kept) + last[:length])
        append(chain, "C-1", "noted", number=6)
        assert check(chain, "C-1") == []
        *before, mended, newest = entries(chain)
        assert [entry["number"] for entry in before if "number" in entry] == [1, 2, 3, 4]
        assert newest["number"] == 6
        if length == len(last) - 1:  # all but the line end: the act itself is whole
            assert mended["number"] == 5
        else:
            assert (mended["activity"], mended["text"]) == ("write cut off", last[:length].decode())
            assert mended["sha256"] == hashlib.sha256(last[:length]).hexdigest()


def test_the_first_write_cut_off_starts_the_chain_anew(tmp_path: Path) -> None:
    file = tmp_path / "custody.jsonl"
    file.write_bytes(b'{"activity":"op')
    append(file, "C-1", "noted")
    assert [entry["activity"] for entry in entries(file)] == ["write cut off", "noted"]
    assert check(file, "C-1") == []


def test_acts_of_one_call_are_written_together(chain: Path) -> None:
    made = append_all(chain, "C-1", [("noted", {"number": 6}), ("refused", {"reason": "x"})])
    assert entries(chain)[-2:] == made
    assert [entry["seq"] for entry in made] == [6, 7]
    assert append_all(chain, "C-1", []) == []
    assert check(chain, "C-1") == []


@pytest.mark.parametrize("length", [1, custody.TAIL_BLOCK - 500, custody.TAIL_BLOCK, custody.TAIL_BLOCK * 3 + 7])
def test_entries_of_any_length_are_followed(length: int, tmp_path: Path) -> None:
    file = tmp_path / "custody.jsonl"
    for _ in range(3):
        append(file, "C-1", "noted", text="x" * length)
    assert check(file, "C-1") == []


def test_an_append_reads_the_end_of_the_chain_only(chain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 files are 10,000 lines: reading all of them for each would take hours."""
    while chain.stat().st_size < 3 * custody.TAIL_BLOCK:
        append(chain, "C-1", "noted", text="x" * 5000)
    held = chain.stat().st_size
    taken: list[int] = []
    real = custody._last_line

    class Counting:
        def __init__(self, stream: Any) -> None:
            self.stream, self.seek = stream, stream.seek

        def read(self, size: int) -> bytes:
            taken.append(size)
            return bytes(self.stream.read(size))

    monkeypatch.setattr(custody, "_last_line", lambda stream, end=None: real(Counting(stream), end))  # type: ignore[arg-type]
    append(chain, "C-1", "noted")
    assert sum(taken) == custody.TAIL_BLOCK < held
    assert check(chain, "C-1") == []


def _append_many(file: str, name: str) -> None:
    for number in range(50):
        append(Path(file), "C-1", "noted", by=name, number=number)


def test_four_processes_at_once_never_fork_the_chain(tmp_path: Path) -> None:
    file = tmp_path / "custody.jsonl"
    context = get_context("spawn")
    workers = [context.Process(target=_append_many, args=(str(file), name)) for name in "abcd"]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert check(file, "C-1") == []
    found = entries(file)
    assert len(found) == 200
    for name in "abcd":
        assert [entry["number"] for entry in found if entry["by"] == name] == list(range(50))


def test_a_user_without_a_name_is_named_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(custody.getpass, "getuser", nameless)
    assert append(tmp_path / "c.jsonl", "C-1", "noted")["actor"]["user"] == f"uid {os.getuid()}"
