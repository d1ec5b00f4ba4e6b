"""A file of the case's folder as plain data: JSON, JSON lines, YAML or CSV, and every reason why not.

The files may have been written by anybody: they are small, lie in the folder of the case, and say each thing once.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from playbooks.errors import CaseError

LARGEST_BYTES = 64 * 1024 * 1024
LARGEST_YAML_BYTES = 1024 * 1024
EXPECTED = "Expected JSON, JSON lines, YAML or CSV in UTF-8, inside the folder of the case."


@dataclass(frozen=True)
class Document:
    """What a file holds. `lines` are the line numbers of its records where it is CSV or JSON lines; else empty."""

    name: str
    sha256: str
    data: Any
    lines: tuple[int, ...] = ()


def path_within(folder: Path, name: str) -> Path:
    """The file called `name`, if it lies in the folder.

    Raises
    ------
    CaseError
        It lies elsewhere, also by a link, or is no plain file.
    """
    root = folder.resolve()
    file = (root / name).resolve()
    if not file.is_relative_to(root):
        raise CaseError(f"inventory_files: {name!r} lies outside the folder of the case. Copy it there and name it so.")
    if not file.is_file():
        raise CaseError(f"inventory_files: {name!r} is no file in the folder of the case. {EXPECTED}")
    return file


def read_document(folder: Path, name: str) -> Document:
    """Read one file whole.

    Raises
    ------
    CaseError
        It is not there, too large, no text, or not what its ending says.
    """
    file = path_within(folder, name)
    try:
        size = file.stat().st_size
        if size > LARGEST_BYTES:
            raise ValueError(f"{size:,} bytes; at most {LARGEST_BYTES:,} are read")
        raw = file.read_bytes()
        data, lines = _parsed(raw.decode("utf-8-sig"), file.suffix.lower())
    except (OSError, UnicodeDecodeError, yaml.YAMLError, csv.Error, ValueError, RecursionError) as error:
        told = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise CaseError(f"inventory_files: {name!r} cannot be read ({told}). {EXPECTED}") from error
    return Document(name, hashlib.sha256(raw).hexdigest(), data, lines)


def _parsed(text: str, ending: str) -> tuple[Any, tuple[int, ...]]:
    if ending == ".csv":
        return _csv(text)
    if ending in (".yaml", ".yml"):
        return _yaml(text), ()
    try:
        return _json(text), ()
    except json.JSONDecodeError as error:
        if "Extra data" not in error.msg:
            raise
    numbered = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    return [_json(line) for _, line in numbered], tuple(number for number, _ in numbered)


def _json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names stand once: readers take the last of two, and the first would be hidden."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, _ in pairs if [other for other, _ in pairs].count(name) > 1)
        raise ValueError(f"{twice[:80]!r} stands twice in one object")
    return found


def _yaml(text: str) -> Any:
    if len(text) > LARGEST_YAML_BYTES:
        raise ValueError(f"YAML of more than {LARGEST_YAML_BYTES:,} characters; give JSON or CSV")
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise ValueError(f"line {line}: an alias; write the value out")
    return yaml.safe_load(text)


def _csv(text: str) -> tuple[Any, tuple[int, ...]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [name.strip() for name in next(reader, [])]
    if len(set(header)) != len(header) or not all(header):
        raise ValueError("line 1: every column needs a name of its own")
    rows: list[dict[str, str]] = []
    lines: list[int] = []
    for row in reader:
        if not any(value.strip() for value in row):
            continue
        if len(row) > len(header):
            raise ValueError(f"line {reader.line_num}: {len(row)} values under {len(header)} columns")
        rows.append({name: value.strip() for name, value in zip(header, row, strict=False) if value.strip()})
        lines.append(reader.line_num)
    return rows, tuple(lines)
