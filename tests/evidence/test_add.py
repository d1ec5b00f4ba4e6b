"""Adding evidence: every input becomes an item or is refused with a reason; nothing is lost, nothing half done."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import bagit
import pytest

from playbooks.case import Case, new_case, open_case
from playbooks.errors import EvidenceChanged, PlaybookError
from playbooks.evidence import Added, add, find_files, items, printable, verify
from playbooks.evidence import custody as chain
from playbooks.evidence.preserve import BLOCK


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return new_case(tmp_path / "case", "ADD-1")


def written(path: Path, data: bytes = b"a line\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def one(case: Case, path: Path) -> Added:
    (added,) = add(case, [path])
    return added


def activities(case: Case) -> list[str]:
    return [entry["activity"] for entry in chain.entries(case.custody)]


NAMES = {
    "plain.log": "E001-plain.log",
    "two words.log": "E001-two_words.log",
    "new\nline.log": "E001-new_line.log",
    "tab\tand\x1b[31mcolour.log": "E001-tab_and_31mcolour.log",
    "größe.log": "E001-gr_e.log",
    "-rf": "E001-rf",
    ".hidden": "E001-hidden",
    "a" * 245 + ".log.gz": "E001-" + "a" * 113 + ".log.gz",
    "'; rm -rf $HOME #": "E001-_rm_-rf_HOME_",
    "日本": "E001-_",
}


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_taken_and_kept_in_the_record(name: str, case: Case, tmp_path: Path) -> None:
    added = one(case, written(tmp_path / "in" / name))
    assert added.item is not None
    assert (added.refused, added.note) == (False, "")
    assert added.item.name == NAMES[name]
    assert added.item.source == printable(tmp_path / "in" / name)
    assert added.item.source.isprintable()
    assert added.item.file(case).read_bytes() == b"a line\n"
    assert verify(case).intact


def test_a_name_that_is_no_utf8_is_taken(case: Case, tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.log"))
    added = one(case, written(path))
    assert added.item is not None
    assert added.item.source.endswith("/caf\\xe9.log")
    assert added.item.file(case).read_bytes() == b"a line\n"
    assert verify(case).intact


def test_a_copy_is_the_file_and_its_digests_are_true(case: Case, tmp_path: Path) -> None:
    data = os.urandom(BLOCK * 2 + 17)
    told: list[int] = []
    (added,) = add(case, [written(tmp_path / "big.bin", data)], told.append)
    assert added.item is not None
    assert added.item.file(case).read_bytes() == data
    assert added.item.sha256 == hashlib.sha256(data).hexdigest()
    assert added.item.sha512 == hashlib.sha512(data).hexdigest()
    assert added.item.size == sum(told) == len(data)


def test_the_original_is_only_read(case: Case, tmp_path: Path) -> None:
    path = written(tmp_path / "log")
    path.chmod(0o640)
    before = path.stat()
    one(case, path)
    after = path.stat()
    assert path.read_bytes() == b"a line\n"
    same = ("st_mode", "st_ino", "st_nlink", "st_size", "st_mtime_ns", "st_uid")
    assert [getattr(before, name) for name in same] == [getattr(after, name) for name in same]


def test_the_bag_is_checked_by_the_tools_of_others(case: Case, tmp_path: Path) -> None:
    for number in range(3):
        written(tmp_path / "in" / f"log {number}", f"line {number}\n".encode())
    add(case, [tmp_path / "in"])
    assert bagit.Bag(str(case.evidence)).validate()
    for tool, manifest in (("sha256sum", "manifest-sha256.txt"), ("sha512sum", "manifest-sha512.txt")):
        checked = subprocess.run(
            [tool, "--strict", "-c", manifest], cwd=case.evidence, capture_output=True, text=True, check=False
        )
        assert (checked.returncode, checked.stdout.count(": OK")) == (0, 3), checked.stderr
    info = (case.evidence / "bag-info.txt").read_text()
    assert "Payload-Oxum: 21.3\n" in info
    assert "External-Identifier: ADD-1\n" in info


def test_copies_are_read_only(case: Case, tmp_path: Path) -> None:
    added = one(case, written(tmp_path / "log"))
    assert added.item is not None
    assert stat.S_IMODE(added.item.file(case).stat().st_mode) == 0o444


def test_an_empty_file_is_an_item(case: Case, tmp_path: Path) -> None:
    added = one(case, written(tmp_path / "empty.log", b""))
    assert added.item is not None
    assert (added.item.size, added.item.sha256) == (0, hashlib.sha256(b"").hexdigest())
    assert verify(case).intact


def test_a_folder_gives_all_files_in_it_in_order(case: Case, tmp_path: Path) -> None:
    for name in ("b/2.log", "b/1.log", "a.log", "c/d/3.log"):
        written(tmp_path / "in" / name, name.encode())
    added = add(case, [tmp_path / "in"])
    assert [str(a.source.relative_to(tmp_path / "in")) for a in added] == ["a.log", "b/1.log", "b/2.log", "c/d/3.log"]
    assert [item.evidence_id for item in items(case)] == ["E001", "E002", "E003", "E004"]


def socket_at(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (lambda path: None, "cannot be read: No such file or directory"),
    "link": (lambda path: path.symlink_to(written(path.parent / "t")), "a symbolic link: add the file it points to"),
    "dangling": (lambda path: path.symlink_to("nowhere"), "a symbolic link: add the file it points to"),
    "loop": (lambda path: path.symlink_to(path), "a symbolic link: add the file it points to"),
    "folder link": (lambda path: path.symlink_to(path.parent), "a symbolic link: add the file it points to"),
    "fifo": (os.mkfifo, "a named pipe: save what it gives to a file first"),
    "socket": (socket_at, "a socket: it holds no data"),
    "empty folder": (lambda path: path.mkdir(), "a folder without files, or one that cannot be read"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_file_is_refused_with_a_reason(kind: str, case: Case) -> None:
    make, reason = REFUSED[kind]
    with tempfile.TemporaryDirectory() as short:  # names of sockets are short
        path = Path(short) / kind
        make(path)
        added = one(case, path)
    assert (added.item, added.refused, added.note) == (None, True, reason)
    assert chain.entries(case.custody)[-1]["reason"] == reason
    assert chain.entries(case.custody)[-1]["source"].endswith(kind)
    assert items(case) == []
    assert verify(case).intact


def test_a_device_is_refused(case: Case) -> None:
    assert one(case, Path("/dev/null")).note == "a device: save its content to a file first"


def test_links_and_pipes_inside_a_folder_are_told_too(case: Case, tmp_path: Path) -> None:
    written(tmp_path / "in" / "real" / "a.log")
    (tmp_path / "in" / "linked").symlink_to(tmp_path / "in" / "real")
    os.mkfifo(tmp_path / "in" / "pipe")
    found = {added.source.name: added.note.partition(":")[0] for added in add(case, [tmp_path / "in"])}
    assert found == {"a.log": "", "linked": "a symbolic link", "pipe": "a named pipe"}


def test_a_file_that_breaks_while_it_is_read_is_refused(case: Case, tmp_path: Path) -> None:
    """Reading the memory of a process at address 0 fails, for root too."""
    memory = Path("/proc/self/mem")
    if not memory.exists():
        pytest.skip("no /proc here")
    good = written(tmp_path / "good.log")
    broken, taken = add(case, [memory, good])
    assert broken.note == f"cannot be read: {os.strerror(errno.EIO)}"
    assert taken.item is not None
    assert taken.item.evidence_id == "E001"
    assert verify(case).intact


def as_nobody(work: Callable[[Path], list[str]]) -> list[str]:
    """What `work` gives in a folder of its own, under a user who is not root: root may read everything."""
    folder = Path(tempfile.mkdtemp())
    try:
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            os.write(writer, json.dumps(work(folder)).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as stream:
            said = stream.read()
        assert os.waitpid(child, 0)[1] == 0
        told: list[str] = json.loads(said)
        return told
    finally:
        shutil.rmtree(folder)


def test_what_may_not_be_read_is_refused_and_the_rest_is_taken() -> None:
    def work(folder: Path) -> list[str]:
        case = new_case(folder / "case", "ADD-1")
        written(folder / "in" / "a.log").chmod(0)
        written(folder / "in" / "closed" / "b.log").parent.chmod(0)
        written(folder / "in" / "z.log", b"z\n")
        notes = [f"{added.source.name}: {added.note}" for added in add(case, [folder / "in"])]
        (folder / "in" / "closed").chmod(0o700)
        return [*notes, f"intact: {verify(case).intact}"]

    assert as_nobody(work) == [
        "a.log: cannot be read: Permission denied",
        "z.log: ",
        "closed: a folder without files, or one that cannot be read",
        "intact: True",
    ]


def test_a_copy_left_read_only_by_a_broken_off_addition_stops_nobody() -> None:
    def work(folder: Path) -> list[str]:
        case = new_case(folder / "case", "ADD-1")
        written(case.path / ".staging" / "copy", b"half").chmod(0o444)
        return [added.note or "taken" for added in add(case, [written(folder / "a.log")])]

    assert as_nobody(work) == ["taken"]


def test_the_same_content_is_added_once(case: Case, tmp_path: Path) -> None:
    first = written(tmp_path / "a.log")
    copy = written(tmp_path / "b.log")
    one(case, first)
    again, new = add(case, [copy, written(tmp_path / "c.log", b"other\n")])
    assert again.note == "same content as E001 (E001-a.log); not added again"
    assert (again.refused, again.item) == (False, items(case)[0])
    assert new.item is not None
    assert new.item.evidence_id == "E002"
    assert activities(case) == ["added", "seen again", "added"]
    assert chain.entries(case.custody)[1]["source"] == str(copy)
    assert len(list((case.evidence / "data").iterdir())) == 2


def test_one_input_given_twice_is_added_once(case: Case, tmp_path: Path) -> None:
    path = written(tmp_path / "a.log")
    assert [bool(added.note) for added in add(case, [path, path])] == [False, True]


def test_a_full_disk_is_an_error_of_its_own(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = written(tmp_path / "a.log")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(PlaybookError, match="the disk is full"):
            add(case, [path])
    assert items(case) == []
    assert one(case, path).item is not None
    assert verify(case).intact


def test_files_are_found_without_following_links(tmp_path: Path) -> None:
    written(tmp_path / "a" / "1.log")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert [path.name for path in find_files([tmp_path / "a"])] == ["1.log", "up"]


KILLED = """
import os, signal, sys
from pathlib import Path
from playbooks.case import open_case
from playbooks.evidence import add, custody, preserve

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

case, source, place = open_case(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3]
if place == "copying":
    add(case, [source], die)
elif place == "copied":
    preserve._seal = die
elif place == "moved":
    real = Path.replace
    Path.replace = lambda self, target: (real(self, target), die())
elif place == "between manifests":
    real = Path.open
    Path.open = lambda self, *a, **k: die() if self.name == "manifest-sha512.txt" else real(self, *a, **k)
elif place == "before the record":
    custody.append = die
elif place == "before the tags":
    preserve._write_tags = die
add(case, [source])
"""


@pytest.fixture
def killed(case: Case, tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A case with one item, in which the addition of a second one was killed at some place."""
    one(case, written(tmp_path / "before.log", b"before\n"))

    def kill(place: str) -> Path:
        source = written(tmp_path / "in" / "late.log", b"late\n" * 1000)
        run = subprocess.run([sys.executable, "-c", KILLED, case.path, source, place], check=False)
        assert run.returncode == -signal.SIGKILL, place
        return source

    yield kill


PLACES = {
    "copying": [],
    "copied": [],
    "moved": ["evidence/data/E002-late.log: extra: nothing records it"],
    "between manifests": [
        "evidence/manifest-sha256.txt: changed",
        "evidence/data/E002-late.log: in manifest-sha256.txt, but the chain does not record it",
    ],
    "before the record": [
        "evidence/manifest-sha256.txt: changed",
        "evidence/manifest-sha512.txt: changed",
        "evidence/data/E002-late.log: in manifest-sha256.txt, but the chain does not record it",
        "evidence/data/E002-late.log: in manifest-sha512.txt, but the chain does not record it",
    ],
    "before the tags": ["evidence/manifest-sha256.txt: changed", "evidence/manifest-sha512.txt: changed"],
}


@pytest.mark.parametrize("place", PLACES)
def test_an_addition_killed_at_any_place_is_told_and_can_be_done_again(
    place: str, case: Case, killed: Callable[[str], Path]
) -> None:
    source = killed(place)
    faults = [f"{fault.where}: {fault.what}" for fault in verify(case).faults]
    assert [fault.partition(": SHA")[0] for fault in faults] == PLACES[place]
    added = one(case, source)
    assert added.item is not None
    assert (added.item.evidence_id, added.refused) == ("E002", False)
    assert added.item.file(case).read_bytes() == source.read_bytes()
    assert verify(case).faults == ()
    assert bagit.Bag(str(case.evidence)).validate()


@pytest.mark.parametrize("place", PLACES)
def test_another_addition_after_a_killed_one_works_and_the_rest_stays_told(
    place: str, case: Case, killed: Callable[[str], Path], tmp_path: Path
) -> None:
    killed(place)
    added = one(case, written(tmp_path / "other.log", b"other\n"))
    assert added.item is not None
    known = {item.name for item in items(open_case(case.path))}
    assert added.item.name in known
    left = {file.name for file in (case.evidence / "data").iterdir()} - known
    told = {fault.where for fault in verify(case).faults}
    assert told - {"evidence"} == {f"evidence/data/{name}" for name in left}
    assert bool(told) == bool(left)


def test_a_file_that_nothing_records_is_never_overwritten(case: Case, tmp_path: Path) -> None:
    foreign = written(case.evidence / "data" / "E001-a.log", b"foreign\n")
    with pytest.raises(EvidenceChanged, match="exists, but nothing records it"):
        add(case, [written(tmp_path / "a.log")])
    assert foreign.read_bytes() == b"foreign\n"
    assert items(case) == []
