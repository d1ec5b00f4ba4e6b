"""Preserve: copy a file into the case's bag, hash it while copying, and record the act.

The bag follows BagIt (RFC 8493) with SHA-256 and SHA-512 manifests, so that `sha256sum -c` and
`bagit.py` check it without this kit. The original is only ever read. A copy is staged beside the bag
and moved in whole; names in the bag are neutral ASCII, the original name stands in the custody chain.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playbooks.case import Case, write_text
from playbooks.errors import EvidenceChanged, PlaybookError
from playbooks.evidence import custody

BLOCK = 1 << 20
ALGORITHMS = ("sha256", "sha512")
BAGIT_TXT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
LONGEST_NAME = 120

Progress = Callable[[int], None]


@dataclass(frozen=True)
class Item:
    """One piece of evidence: its id, its file in the bag, and what was recorded when it was added."""

    evidence_id: str
    name: str
    source: str
    size: int
    sha256: str
    sha512: str
    added: str

    def file(self, case: Case) -> Path:
        """Where the preserved copy lies."""
        return case.evidence / "data" / self.name


@dataclass(frozen=True)
class Added:
    """What became of one input of `add`: the item, or why there is none."""

    source: Path
    item: Item | None
    note: str
    refused: bool = False


def items(case: Case) -> list[Item]:
    """The evidence of a case in the order in which it was added, as the custody chain tells it."""
    fields = Item.__dataclass_fields__
    added = (entry.get("item") for entry in custody.entries(case.custody) if entry.get("activity") == "added")
    return [
        Item(**{name: item[name] for name in fields})
        for item in added
        if isinstance(item, dict) and set(fields) <= set(item)
    ]


def find_files(inputs: list[Path]) -> Iterator[Path]:
    """The files behind the inputs; a folder gives all that lies in it, sorted, links not followed.

    What is no file is given too, so that it is refused with a reason: links, a folder that cannot be
    read, an input folder that is empty.
    """
    for path in inputs:
        if path.is_dir() and not path.is_symlink():
            found = list(_in_folder(path))
            yield from found or [path]
        else:
            yield path


def _in_folder(path: Path) -> Iterator[Path]:
    unreadable: list[Path] = []
    for folder, folders, names in os.walk(path, onerror=lambda error: unreadable.append(Path(error.filename))):
        folders.sort()
        links = [name for name in folders if (Path(folder) / name).is_symlink()]
        yield from (Path(folder) / name for name in sorted([*names, *links]))
    yield from unreadable


def add(case: Case, inputs: list[Path], progress: Progress = lambda _: None) -> list[Added]:
    """Preserve files and folders.

    Parameters
    ----------
    case
        The case.
    inputs
        Files, or folders taken with all they hold.
    progress
        Told the number of bytes just copied.

    Returns
    -------
    list of Added
        One per file, in order; a refused or already known file says why.
    """
    with _one_at_a_time(case):
        known = {item.sha256: item for item in items(case)}
        outcome = []
        for path in find_files(inputs):
            added = _add_one(case, path, known, progress)
            if added.item and not added.note:
                known[added.item.sha256] = added.item
            outcome.append(added)
        _write_tags(case, list(known.values()))
    return outcome


@contextmanager
def _one_at_a_time(case: Case) -> Iterator[None]:
    with (case.path / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _add_one(case: Case, path: Path, known: dict[str, Item], progress: Progress) -> Added:
    if reason := _refusal(path):
        return _refuse(case, path, reason)
    staged = case.path / ".staging"
    staged.mkdir(exist_ok=True)
    copy = staged / "copy"
    copy.unlink(missing_ok=True)  # left by an addition that was broken off; it may be read-only already
    try:
        size, digests = _copy(path, copy, progress)
    except OSError as error:
        copy.unlink(missing_ok=True)
        if error.errno == 28:
            raise PlaybookError(f"{printable(path)}: the disk is full. Free space; the case is intact.") from error
        return _refuse(case, path, f"cannot be read: {error.strerror}")
    if same := known.get(digests["sha256"]):
        copy.unlink()
        custody.append(case.custody, case.config.case_id, "seen again", source=printable(path), sha256=same.sha256)
        return Added(path, same, f"same content as {same.evidence_id} ({same.name}); not added again")
    return Added(path, _seal(case, path, copy, size, digests, len(known)), "")


def _seal(case: Case, path: Path, copy: Path, size: int, digests: dict[str, str], count: int) -> Item:
    evidence_id = f"E{count + 1:03d}"
    now = dt.datetime.now(dt.UTC).isoformat(timespec="microseconds")
    item = Item(evidence_id, f"{evidence_id}-{_safe_name(path.name)}", printable(path), size, **digests, added=now)
    target = item.file(case)
    target.parent.mkdir(parents=True, exist_ok=True)
    broken_off = os.path.lexists(target)
    if broken_off and sha256_of(target) != item.sha256:
        raise EvidenceChanged(f"{target}: exists, but nothing records it. Run: playbooks verify {case.path}")
    copy.chmod(0o444)
    copy.replace(target)
    for algorithm in ALGORITHMS:
        line = f"{digests[algorithm]}  data/{item.name}\n"
        manifest = case.evidence / f"manifest-{algorithm}.txt"
        if broken_off and manifest.is_file() and line in manifest.read_text(encoding="utf-8"):
            continue  # an addition of the same file was broken off after this line
        with manifest.open("a", encoding="utf-8") as stream:
            stream.write(line)
    custody.append(case.custody, case.config.case_id, "added", item=vars(item))
    return item


def _refuse(case: Case, path: Path, reason: str) -> Added:
    custody.append(case.custody, case.config.case_id, "refused", source=printable(path), reason=reason)
    return Added(path, None, reason, refused=True)


def _refusal(path: Path) -> str | None:
    """Why a path is not taken as evidence; None when it is a plain file."""
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if stat.S_ISREG(mode):
        return None
    kinds = (
        (stat.S_ISLNK, "a symbolic link: add the file it points to"),
        (stat.S_ISDIR, "a folder without files, or one that cannot be read"),
        (stat.S_ISFIFO, "a named pipe: save what it gives to a file first"),
        (stat.S_ISSOCK, "a socket: it holds no data"),
    )
    return next((reason for test, reason in kinds if test(mode)), "a device: save its content to a file first")


def _copy(path: Path, copy: Path, progress: Progress) -> tuple[int, dict[str, str]]:
    """Copy and hash in one pass; the copy is on the disk when this returns."""
    hashes = {algorithm: hashlib.new(algorithm) for algorithm in ALGORITHMS}
    size = 0
    with path.open("rb") as source, copy.open("wb") as target:
        while block := source.read(BLOCK):
            target.write(block)
            for digest in hashes.values():
                digest.update(block)
            size += len(block)
            progress(len(block))
        target.flush()
        os.fsync(target.fileno())
    return size, {algorithm: digest.hexdigest() for algorithm, digest in hashes.items()}


def sha256_of(file: Path) -> str:
    """SHA-256 of a plain file; words that are no digest where there is none or it cannot be read."""
    if file.is_symlink() or not file.is_file():
        return "no plain file"
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        return f"unreadable ({error.strerror})"


def _safe_name(name: str) -> str:
    """A name every tool can print and type; it keeps its ending."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name.encode("ascii", "replace").decode()).lstrip(".-") or "file"
    return safe[-LONGEST_NAME:]


def printable(path: Path | str) -> str:
    """A path as text that can be printed and stored: bytes that are no UTF-8 as \\xNN."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _write_tags(case: Case, known: list[Item]) -> None:
    """The bag's tag files; the tag manifest fixes them and the payload manifests."""
    bag = case.evidence
    (bag / "data").mkdir(parents=True, exist_ok=True)
    for algorithm in ALGORITHMS:
        (bag / f"manifest-{algorithm}.txt").touch()
    write_text(bag / "bagit.txt", BAGIT_TXT)
    info = {
        "Bag-Software-Agent": "playbooks",
        "Bagging-Date": dt.datetime.now(dt.UTC).date().isoformat(),
        "External-Identifier": case.config.case_id,
        "Payload-Oxum": f"{sum(item.size for item in known)}.{len(known)}",
    }
    write_text(bag / "bag-info.txt", "".join(f"{key}: {value}\n" for key, value in info.items()))
    for algorithm in ALGORITHMS:
        write_text(bag / f"tagmanifest-{algorithm}.txt", tag_manifest(bag, algorithm))


def tag_manifest(bag: Path, algorithm: str) -> str:
    """The tag manifest that fits the tag files of a bag."""
    tags = ["bag-info.txt", "bagit.txt", *(f"manifest-{a}.txt" for a in ALGORITHMS)]
    return "".join(f"{hashlib.new(algorithm, (bag / tag).read_bytes()).hexdigest()}  {tag}\n" for tag in tags)
