"""Files of Sigma rules → YAML documents, within limits: a folder of rules is the work of strangers.

Nothing is executed, nothing outside the folder is followed, and every file and document that is not taken says why.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SUFFIXES = (".yml", ".yaml")
MAX_FILES = 20_000  # the largest public collection holds less than a fifth of that
MAX_FILE_BYTES = 512 * 1024  # its longest rule, a list of drivers, takes about 170 KiB
MAX_TOTAL_BYTES = 128 * 1024 * 1024
MAX_FOLDERS_DEEP = 16
MAX_DOCUMENTS = 200  # of one file
MAX_NODES = 50_000  # of one file; what a reader would build in memory
MAX_NODES_DEEP = 40


@dataclass(frozen=True)
class Document:
    """One YAML document of a rule file, or the reason why there is none.

    `path` is as the case names it; `number` counts the documents of a file from 1; `sha256` is that of the file.
    """

    path: str
    number: int
    sha256: str
    data: dict[str, Any] | None
    fault: str = ""


@dataclass(frozen=True)
class RuleFiles:
    """What a list of files and folders held: documents, files that are no rules by their name, and a digest of all."""

    documents: tuple[Document, ...]
    others: int
    sha256: str


def read_rule_files(roots: Iterable[tuple[str, Path]]) -> RuleFiles:
    """Read every rule file of `roots`, files or folders, each with the name that the case gives it.

    Returns
    -------
    RuleFiles
        At least one document a file, in order of path. The digest changes with any name or byte of a rule file.
    """
    documents: list[Document] = []
    others = total = count = 0
    digest = hashlib.sha256()
    for name, file, fault in (found for root in roots for found in _files(*root)):
        if not fault and not name.endswith(SUFFIXES):
            others += 1
            continue
        count += 1
        content = b""
        if not fault:
            content, fault = _content(file, MAX_TOTAL_BYTES - total) if count <= MAX_FILES else (b"", _TOO_MANY)
        total += len(content)
        sha256 = hashlib.sha256(content).hexdigest()
        digest.update(f"{name}\0{sha256}\0{fault}\0".encode("utf-8", "surrogateescape"))
        documents += [Document(printable(name), 1, sha256, None, fault)] if fault else _documents(name, content, sha256)
    return RuleFiles(tuple(documents), others, digest.hexdigest())


_TOO_MANY = f"more than {MAX_FILES:,} rule files; name a smaller folder"


def printable(text: str, longest: int = 500) -> str:
    """`text` of a stranger in one line, without what no page or terminal can show."""
    line = " ".join(text.encode("utf-8", "backslashreplace").decode().split())
    return "".join(c if c.isprintable() else "\ufffd" for c in line)[:longest]


def _files(name: str, root: Path) -> Iterator[tuple[str, Path, str]]:
    """(name, file, fault) of each file of a root, in order; a fault stands for what is not followed."""
    if root.is_dir():
        yield from _in_folder(name, root, 0)
    elif root.exists():
        yield name, root, "" if root.is_file() else "no regular file"
    else:
        yield name, root, "no such file or folder"


def _in_folder(name: str, folder: Path, deep: int) -> Iterator[tuple[str, Path, str]]:
    if deep > MAX_FOLDERS_DEEP:
        yield name, folder, f"more than {MAX_FOLDERS_DEEP} folders deep"
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        yield name, folder, f"cannot be listed: {error.strerror}"
        return
    for entry in entries:
        path = f"{name}/{entry.name}"
        if entry.is_symlink():
            yield path, Path(entry.path), "a symbolic link, which is not followed"
        elif entry.is_dir():
            yield from _in_folder(path, Path(entry.path), deep + 1)
        elif entry.is_file():
            yield path, Path(entry.path), ""
        else:
            yield path, Path(entry.path), "no regular file"


def _content(file: Path, left: int) -> tuple[bytes, str]:
    try:
        size = file.stat()
        if not stat.S_ISREG(size.st_mode):
            return b"", "no regular file"
        if size.st_size > MAX_FILE_BYTES:
            return b"", f"{size.st_size:,} bytes; a rule file may have {MAX_FILE_BYTES:,}"
        if size.st_size > left:
            return b"", f"all rule files together hold more than {MAX_TOTAL_BYTES:,} bytes"
        return file.read_bytes()[:MAX_FILE_BYTES], ""
    except OSError as error:
        return b"", f"cannot be read: {error.strerror}"


def _documents(name: str, content: bytes, sha256: str) -> list[Document]:
    path = printable(name)
    try:
        text = content.decode("utf-8-sig")
        if fault := _too_much(text):
            return [Document(path, 1, sha256, None, fault)]
        loaded = list(yaml.load_all(text, Loader=_LOADER))
    except UnicodeDecodeError:
        return [Document(path, 1, sha256, None, "not UTF-8 text")]
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:  # a date such as 2026-02-30
        return [Document(path, 1, sha256, None, printable(f"not valid YAML: {error}", 300))]
    kept = [one for one in loaded if one is not None]
    if not kept:
        return [Document(path, 1, sha256, None, "empty: no rule in it")]
    return [
        Document(path, number, sha256, one if isinstance(one, dict) else None,
                 "" if isinstance(one, dict) else "no mapping of fields, as a rule is")
        for number, one in enumerate(kept, start=1)
    ]  # fmt: skip


_LOADER: Any = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


def _too_much(text: str) -> str:
    """Why the YAML is not built: found from its events, one at a time, before anything is made of them."""
    nodes = deep = documents = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.AliasEvent):
            return "YAML aliases (*name) are not read: write the value out"
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        nodes += isinstance(event, yaml.NodeEvent)
        deep += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if documents > MAX_DOCUMENTS:
            return f"more than {MAX_DOCUMENTS:,} documents in one file"
        if nodes > MAX_NODES:
            return f"more than {MAX_NODES:,} values in one file"
        if deep > MAX_NODES_DEEP:
            return f"nested more than {MAX_NODES_DEEP} levels deep"
    return ""
