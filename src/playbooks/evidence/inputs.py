"""What is given to be preserved: the files behind it, what is refused and why, and names that can be printed."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

LONGEST_NAME = 120


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


def refusal(path: Path) -> str | None:
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


def safe_name(name: str) -> str:
    """A name every tool can print and type; it keeps its ending."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name.encode("ascii", "replace").decode()).lstrip(".-") or "file"
    return safe[-LONGEST_NAME:]


def printable(path: Path | str) -> str:
    """A path as text that can be printed and stored: bytes that are no UTF-8 as \\xNN."""
    return "".join(map(_shown, str(path)))


def _shown(char: str) -> str:
    if "\udc80" <= char <= "\udcff":  # how Python writes a byte of a file name that is no UTF-8
        return f"\\x{ord(char) - 0xDC00:02x}"
    return char if char.isprintable() else repr(char)[1:-1]
