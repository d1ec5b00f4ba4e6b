"""Adding evidence: every input becomes an item or is refused with a reason; nothing is lost, nothing half done."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import bagit
import pytest

from playbooks.case import Case, new_case
from playbooks.errors import EvidenceChanged
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
    assert verify(case).intact


def test_one_input_that_changes_between_two_readings_gives_two_items(case: Case, tmp_path: Path) -> None:
    path = written(tmp_path / "a.log", b"first\n")
    told: list[int] = []

    def change(_: int) -> None:
        told.append(len(told))
        if len(told) == 2:  # the other file lies between the two readings
            path.write_bytes(b"second\n")

    add(case, [path, written(tmp_path / "b.log"), path], change)
    assert [item.file(case).read_bytes() for item in items(case)] == [b"first\n", b"a line\n", b"second\n"]
    assert verify(case).intact


def test_files_are_found_without_following_links(tmp_path: Path) -> None:
    written(tmp_path / "a" / "1.log")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert [path.name for path in find_files([tmp_path / "a"])] == ["1.log", "up"]


def test_a_file_that_nothing_records_is_never_overwritten(case: Case, tmp_path: Path) -> None:
    foreign = written(case.evidence / "data" / "E001-a.log", b"foreign\n")
    with pytest.raises(EvidenceChanged, match="exists, but nothing records it"):
        add(case, [written(tmp_path / "a.log")])
    assert foreign.read_bytes() == b"foreign\n"
    assert items(case) == []


def test_an_original_that_grows_while_it_is_copied_is_taken_and_told(case: Case, tmp_path: Path) -> None:
    """A log that is still written to: what was read is kept, and its reader is told."""
    growing = written(tmp_path / "growing.log", b"x" * 100)

    def grow(_: int) -> None:
        if growing.stat().st_size == 100:
            with growing.open("ab") as log:
                log.write(b"y")

    (added,) = add(case, [growing], grow)
    assert added.item is not None
    assert added.warning == "the original changed while it was copied"
    assert added.item.file(case).read_bytes() in (b"x" * 100, b"x" * 100 + b"y")
    [entry] = chain.entries(case.custody)
    assert entry["original"]["changed_while_copied"] is True
    assert verify(case).intact


def test_the_record_says_when_the_original_was_changed_last(case: Case, tmp_path: Path) -> None:
    path = written(tmp_path / "a.log")
    os.utime(path, (1_773_100_800, 1_773_100_800))
    one(case, path)
    [entry] = chain.entries(case.custody)
    assert entry["original"] == {"modified": "2026-03-10T00:00:00.000000+00:00", "changed_while_copied": False}


def test_the_bag_says_whose_it_is_and_a_title_cannot_forge_a_label(tmp_path: Path) -> None:
    case = new_case(tmp_path / "case", "ADD-1", "beacon\nContact-Name: Somebody Else")
    one(case, written(tmp_path / "a.log"))
    info = (case.evidence / "bag-info.txt").read_text().splitlines()
    assert "External-Description: beacon Contact-Name: Somebody Else" in info
    assert "Bag-Size: 7 bytes" in info
    assert [line for line in info if line.startswith("Contact-Name:")] == []
    assert bagit.Bag(str(case.evidence)).validate()


def test_two_additions_at_once_wait_for_each_other(case: Case, tmp_path: Path) -> None:
    """Four processes add to one case: every file is there once, and the chain never forks."""
    for number in range(40):
        written(tmp_path / f"in{number % 4}" / f"{number}.log", f"{number}\n".encode())
    program = (
        "import sys; from pathlib import Path; from playbooks import evidence; from playbooks.case import open_case;"
    )
    program += "evidence.add(open_case(Path(sys.argv[1])), [Path(sys.argv[2])])"
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(case.path), str(tmp_path / f"in{n}")]) for n in range(4)
    ]
    assert [process.wait(60) for process in started] == [0] * 4
    assert sorted(item.file(case).read_bytes() for item in items(case)) == sorted(f"{n}\n".encode() for n in range(40))
    assert verify(case).intact


def test_who_has_to_wait_is_told(case: Case, tmp_path: Path) -> None:
    hold = "import sys, fcntl; f = open(sys.argv[1], 'w'); fcntl.flock(f, 2); print(flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(case.path / ".lock")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    holder.stdout.readline()

    def release() -> None:
        told.append("waiting")
        holder.communicate()

    told: list[str] = []
    add(case, [written(tmp_path / "a.log")], waiting=release)
    assert told == ["waiting"]
    assert len(items(case)) == 1


def test_any_text_can_be_made_printable() -> None:
    assert printable("caf\udce9 \x1b[2J \ud800 größe") == "caf\\xe9 \\x1b[2J \\ud800 größe"


def test_a_planted_lock_leads_nowhere(case: Case, tmp_path: Path) -> None:
    """The lock is a file of the case; a link in its place must not empty what it points to."""
    precious = written(tmp_path / "precious", b"keep\n")
    (case.path / ".lock").symlink_to(precious)
    with pytest.raises(OSError, match="symbolic links"):
        add(case, [written(tmp_path / "a.log")])
    assert precious.read_bytes() == b"keep\n"
