"""An addition that is killed, at whatever line of the evidence room, loses nothing and leaves nothing half done."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import bagit
import pytest

from playbooks import evidence
from playbooks.case import Case, new_case, open_case
from playbooks.errors import EvidenceChanged
from playbooks.evidence import add, custody, finish, items, journal, preserve, verify
from playbooks.evidence.items import sha256_of

ROOM = str(Path(evidence.__file__).parent)
EVERY = 7  # lines between two kills; the first one differs from test to test
CONTENT = {"a.log": b"a\n", "b.log": b"b\n" * 9000, "same.log": b"a\n", "c.log": b"", "d.log": b"d\n" * 30}
ADDED = [b"before\n", b"a\n", b"b\n" * 9000, b"", b"d\n" * 30]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: a killed process loses nothing there either, and nothing waits."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.fixture
def logs(memory: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Five files, one of them twice; small blocks and batches, so that there are many places to be killed at."""
    monkeypatch.setattr("playbooks.evidence.copying.BLOCK", 4096)
    monkeypatch.setattr(preserve, "BATCH_FILES", 2)
    folder = memory / "in"
    folder.mkdir()
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def started(memory: Path) -> Case:
    """A case with one item."""
    case = new_case(memory / "template", "KILL-1")
    (memory / "before.log").write_bytes(b"before\n")
    add(case, [memory / "before.log"])
    return case


def fresh(started: Case, to: Path) -> Case:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(started.path, to)
    return open_case(to)


def traced(at_line: Callable[[], None]) -> Callable[[FrameType, str, Any], Any]:
    def local(_frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "line":
            at_line()
        return local

    def called(frame: FrameType, _event: str, _arg: Any) -> Any:
        return local if frame.f_code.co_filename.startswith(ROOM) else None

    return called


def lines_of(work: Callable[[], object]) -> int:
    """How many lines of the evidence room `work` runs through."""
    seen = [0]

    def count() -> None:
        seen[0] += 1

    sys.settrace(traced(count))
    try:
        work()
    finally:
        sys.settrace(None)
    return seen[0]


def killed_at(line: int, work: Callable[[], object]) -> None:
    """Run `work` in a process of its own that is killed at its n-th line in the evidence room."""
    child = os.fork()
    if not child:
        left = [line]

        def count() -> None:
            left[0] -= 1
            if not left[0]:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.settrace(traced(count))
        work()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL, f"line {line} was not reached"


def contents(case: Case) -> list[bytes]:
    return [item.file(case).read_bytes() for item in items(case)]


def require_nothing_half(case: Case) -> None:
    """What the chain names is whole, in the bag or waiting; the chain itself is whole."""
    assert custody.check(case.custody, "KILL-1") == []
    for item in items(case):
        assert sha256_of(item.file(case)) == item.sha256
    named = {item.name for item in items(case)}
    extra = {file.name for file in (case.evidence / "data").iterdir()} - named
    assert not extra or journal.is_pending(case), "a file that neither the chain nor the journal knows"
    verdict = verify(case)
    assert verdict.intact or "an addition was broken off" in verdict.faults[0].what


def require_whole(case: Case) -> None:
    assert verify(case).faults == ()
    assert bagit.Bag(str(case.evidence)).validate()
    assert not (case.path / ".staging").exists()
    assert [item.evidence_id for item in items(case)] == [f"E{n:03d}" for n in range(1, len(items(case)) + 1)]


def test_an_addition_killed_at_any_line_is_finished_by_the_same_addition(
    started: Case, logs: Path, memory: Path
) -> None:
    total = lines_of(lambda: add(fresh(started, memory / "count"), [logs]))
    assert total > 500
    for line in range(1, total, EVERY):
        case = fresh(started, memory / "case")
        killed_at(line, lambda case=case: add(case, [logs]))  # type: ignore[misc]
        require_nothing_half(case)
        assert [added.refused for added in add(case, [logs])] == [False] * len(CONTENT)
        require_whole(case)
        assert contents(case) == ADDED, line


def test_whoever_comes_next_finishes_what_was_decided_and_nothing_else_is_in_the_way(
    started: Case, logs: Path, memory: Path
) -> None:
    (memory / "other.log").write_bytes(b"other\n")
    total = lines_of(lambda: add(fresh(started, memory / "count"), [logs]))
    for line in range(2, total, 2 * EVERY):
        case = fresh(started, memory / "case")
        killed_at(line, lambda case=case: add(case, [logs]))  # type: ignore[misc]
        pending, before = journal.is_pending(case), len(items(case))
        assert finish(case) is pending
        if pending:
            assert verify(case).intact
            assert len(items(case)) >= before
        add(case, [memory / "other.log"])
        require_whole(case)
        found = contents(case)
        assert found[:-1] == ADDED[: len(found) - 1], line
        assert found[-1] == b"other\n"


def test_finishing_can_be_killed_too(started: Case, logs: Path, memory: Path) -> None:
    killed = fresh(started, memory / "killed")
    total = lines_of(lambda: add(fresh(started, memory / "count"), [logs]))
    line = next(n for n in range(total // 4, total) if _pending_after(n, started, logs, memory / "killed"))
    killed = fresh(started, memory / "killed")
    killed_at(line, lambda: add(killed, [logs]))
    steps = lines_of(lambda: finish(fresh(killed, memory / "count")))
    for step in range(1, steps, EVERY):
        case = fresh(killed, memory / "case")
        killed_at(step, lambda case=case: finish(case))  # type: ignore[misc]
        require_nothing_half(case)
        add(case, [logs])
        require_whole(case)
        assert contents(case) == ADDED


def _pending_after(line: int, started: Case, logs: Path, to: Path) -> bool:
    case = fresh(started, to)
    killed_at(line, lambda: add(case, [logs]))
    return journal.is_pending(case)


def test_a_big_copy_that_was_broken_off_is_compared_and_not_written_again(
    started: Case, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes left by an earlier try are kept where they are the same, and replaced from the first that differ."""
    big = logs / "big.log"
    big.write_bytes(os.urandom(4096 * 20))
    data = big.read_bytes()
    written: list[int] = []
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, block, at: written.append(at) or real(fd, block, at))
    for left in (data[: 4096 * 12], data[:5000], data[: 4096 * 3] + b"x" * 4096 * 9, b"x" * len(data) * 2, data):
        case = fresh(started, started.path.parent / "case")
        staged = journal.staging(case) / f"{preserve.hashlib.sha256(str(big).encode()).hexdigest()[:32]}.part"
        staged.parent.mkdir()
        staged.write_bytes(left)
        written.clear()
        (added,) = add(case, [big])
        same = next((n for n in range(0, len(data), 4096) if left[n : n + 4096] != data[n : n + 4096]), len(data))
        assert min(written, default=len(data)) == same
        assert added.item is not None
        assert added.item.file(case).read_bytes() == data
        require_whole(case)


def pending(started: Case, logs: Path, to: Path) -> Case:
    """A case with an addition that waits to be finished."""
    case = fresh(started, to)
    child = os.fork()
    if not child:
        journal._carry_out = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        add(case, [logs])
    os.waitpid(child, 0)
    assert journal.is_pending(case)
    return case


def test_a_waiting_copy_that_was_changed_is_never_taken(started: Case, logs: Path, memory: Path) -> None:
    case = pending(started, logs, memory / "case")
    staged = next(file for file in journal.staging(case).iterdir() if file.suffix == ".part")
    staged.chmod(0o600)
    staged.write_bytes(b"changed\n")
    before = case.custody.read_bytes()
    with pytest.raises(EvidenceChanged, match="these copies are not what was hashed"):
        add(case, [logs])
    assert case.custody.read_bytes() == before
    shutil.rmtree(journal.staging(case))  # what the message advises
    add(case, [logs])
    require_whole(case)
    assert contents(case) == ADDED


NO_JOURNAL = [b"", b"{", b"[]", b"null", b'{"acts": 3}', b'{"acts": [["added", {}]]}', b"[" * 100_000, b"\xff"]


@pytest.mark.parametrize("text", NO_JOURNAL)
def test_a_journal_that_is_none_stops_and_changes_nothing(text: bytes, started: Case, logs: Path) -> None:
    journal.staging(started).mkdir()
    (journal.staging(started) / "journal.json").write_bytes(text)
    before = started.custody.read_bytes()
    with pytest.raises(EvidenceChanged, match="no journal of an addition"):
        add(started, [logs])
    assert started.custody.read_bytes() == before


def test_a_journal_cannot_lead_out_of_the_case(started: Case, logs: Path, memory: Path) -> None:
    case = pending(started, logs, memory / "case")
    file = journal.staging(case) / "journal.json"
    file.write_bytes(file.read_bytes().replace(b'"name": "E002-a.log"', b'"name": "../../../E002-a.log"'))
    with pytest.raises(EvidenceChanged, match="no journal of an addition"):
        add(case, [logs])
    assert not list(memory.glob("E002*"))
