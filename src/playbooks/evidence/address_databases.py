"""Databases of addresses (MaxMind DB, `.mmdb`) that the investigator brings as evidence: told by their content.

The file is preserved and hashed like any item and read in place, by the pure reader of `maxminddb`, which bounds what a
record can cost. It holds no event. Nothing is asked outside.
Reference: MaxMind, "MaxMind DB File Format Specification", version 2.0.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import maxminddb

from playbooks.case import Case
from playbooks.evidence.items import Item, items

MARKER = b"\xab\xcd\xefMaxMind.com"
TAIL_BYTES = 128 * 1024  # within which the specification puts the marker
LARGEST_BYTES = 1 << 31
BROKEN = (maxminddb.InvalidDatabaseError, OSError, ValueError, TypeError, KeyError, IndexError, ArithmeticError,
          RecursionError, MemoryError)  # fmt: skip


@dataclass(frozen=True)
class AddressDatabase:
    """One database: what it calls itself, when it was built; `fault` says why it cannot be read, empty where it can."""

    item: Item
    kind: str = ""
    built: dt.datetime | None = None
    fault: str = ""

    def words(self) -> str:
        """The database in words."""
        if self.fault:
            return f"address database that cannot be read: {self.fault}"
        built = f"{self.built:%Y-%m-%d}" if self.built else "at no stated time"
        return f"address database {self.kind}, built {built}; it is asked where addresses are, and holds no event"


def is_address_database(file: Path) -> bool:
    """Whether a file bears the mark of the format in its last bytes."""
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - TAIL_BYTES))
            return MARKER in stream.read()
    except OSError:
        return False


def address_databases(case: Case, among: Iterable[Item] | None = None) -> list[AddressDatabase]:
    """The databases among the items of a case, broken ones too."""
    found = items(case) if among is None else among
    return [_described(case, item) for item in found if is_address_database(item.file(case))]


def _described(case: Case, item: Item) -> AddressDatabase:
    try:
        with opened(case, item) as reader:
            told = reader.metadata()
            kind, epoch = told.database_type, told.build_epoch
    except BROKEN as error:
        return AddressDatabase(item, fault=str(error)[:200] or type(error).__name__)
    if not isinstance(kind, str) or not isinstance(epoch, int):
        return AddressDatabase(item, fault="its metadata names no type or no time of building")
    try:
        built = dt.datetime.fromtimestamp(epoch, dt.UTC) if epoch else None
    except (OverflowError, ValueError, OSError):
        return AddressDatabase(item, fault=f"built {epoch} seconds after 1970, which is no time")
    return AddressDatabase(item, kind[:100], built)


@contextmanager
def opened(case: Case, item: Item) -> Iterator[maxminddb.reader.Reader]:
    """A reader over the preserved file."""
    file = item.file(case)
    if file.stat().st_size > LARGEST_BYTES:
        raise ValueError(f"larger than {LARGEST_BYTES:,} bytes")
    reader: Any = maxminddb.open_database(str(file), maxminddb.MODE_MMAP)
    try:
        yield reader
    finally:
        reader.close()
