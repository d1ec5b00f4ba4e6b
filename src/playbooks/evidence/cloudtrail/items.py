"""Which items of the evidence are CloudTrail's: log files, digest files, public keys, signatures.

Told by content, and by the name CloudTrail gives where the content is damaged. Everything is read
within bounds: a gzip bomb or an item of many gigabytes costs a stated number of bytes and no more.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from playbooks.case import Case
from playbooks.evidence.preserve import Item, items

HEAD = 1 << 16
BLOCK = 1 << 20
LONGEST_LOG = 1 << 30  # bytes unpacked; CloudTrail delivers files of some megabytes
LONGEST_DIGEST = 1 << 26  # bytes unpacked; some 150,000 log files in one hour
LONGEST_RECORD = 1 << 22  # bytes; key lists and object metadata are small
GZIP_MAGIC = b"\x1f\x8b"
ANSWERS = b'{"acquired":'  # the first bytes of a file of acquired answers

DIGEST_NAME = re.compile(r"\d{12}_CloudTrail-Digest_[^/]+_\d{8}T\d{6}Z(_backfill)?\.json(\.gz)?$")
LOG_NAME = re.compile(
    r"(?P<account>\d{12})_CloudTrail(?:-Insight)?_(?P<region>[a-z0-9-]+)_(?P<time>\d{8}T\d{4}Z)_\w+\.json(?:\.gz)?$"
)
PEM = re.compile(rb"-----BEGIN (RSA )?PUBLIC KEY-----")
SIGNATURE_MARK = re.compile(rb'(?i)x-amz-meta-signature|"signature"\s*:|CloudTrail-Digest')


class Kind(StrEnum):
    """What an item is to the check of CloudTrail's own integrity record."""

    DIGEST = "digest file"
    LOG = "log file"
    KEYS = "public keys"
    SIGNATURES = "signatures of digest files"
    ANSWERS = "answers of an acquisition"


@dataclass(frozen=True)
class Damage:
    """Why the content of an item cannot be had whole."""

    reason: str


def found(case: Case) -> dict[Kind, list[Item]]:
    """The items of a case that matter here, by kind, each in the order in which it was added."""
    sorted_out: dict[Kind, list[Item]] = {kind: [] for kind in Kind}
    for item in items(case):
        if kind := kind_of(item, head(case, item)):
            sorted_out[kind].append(item)
    return sorted_out


def kind_of(item: Item, start: bytes) -> Kind | None:
    """What an item is, by the first bytes of its unpacked content and by its name; None where it is nothing of that."""
    if start.startswith(ANSWERS):
        return Kind.ANSWERS
    if DIGEST_NAME.search(item.source):
        return Kind.DIGEST
    if (b'"eventVersion"' in start and b'"eventSource"' in start) or b'"CloudTrailEvent"' in start:
        return Kind.LOG  # before digests: a caller may write any key into the parameters of an event
    if b'"digestS3Object"' in start and b'"digestEndTime"' in start:
        return Kind.DIGEST
    if b'"publickeylist"' in start.lower() or PEM.search(start):
        return Kind.KEYS
    if LOG_NAME.search(item.source):
        return Kind.LOG
    if start.lstrip()[:1] in (b"{", b"[") and item.size <= LONGEST_RECORD and SIGNATURE_MARK.search(start):
        return Kind.SIGNATURES
    return None


def head(case: Case, item: Item) -> bytes:
    """The first bytes of an item's unpacked content; what stands before a damage counts."""
    start = b""
    for block in unpacked(case, item, HEAD):
        if isinstance(block, Damage):
            break
        start += block
    return start[:HEAD]


def content(case: Case, item: Item, limit: int) -> bytes | Damage:
    """The whole unpacked content of an item of at most `limit` bytes."""
    blocks = []
    for block in unpacked(case, item, limit):
        if isinstance(block, Damage):
            return block
        blocks.append(block)
    return b"".join(blocks)


def digest_of(case: Case, item: Item) -> str | Damage:
    """SHA-256 (hex) of an item's unpacked content: what CloudTrail signs for its log files."""
    digest = hashlib.sha256()
    for block in unpacked(case, item, LONGEST_LOG):
        if isinstance(block, Damage):
            return block
        digest.update(block)
    return digest.hexdigest()


def unpacked(case: Case, item: Item, limit: int) -> Iterator[bytes | Damage]:
    """The unpacked content of an item in blocks; a `Damage` comes last where there is more than `limit`, or less."""
    file = item.file(case)
    if file.is_symlink() or not file.is_file():
        yield Damage("its preserved copy is missing or no plain file")
        return
    try:
        with file.open("rb") as stream:
            packed = stream.read(2) == GZIP_MAGIC
            stream.seek(0)
            yield from _within(_gunzip(stream) if packed else iter(lambda: stream.read(BLOCK), b""), limit)
    except OSError as error:
        yield Damage(f"cannot be read: {error.strerror}")


def _within(blocks: Iterator[bytes | Damage], limit: int) -> Iterator[bytes | Damage]:
    left = limit
    for block in blocks:
        if isinstance(block, Damage):
            yield block
            return
        if len(block) > left:
            yield block[:left]
            yield Damage(f"longer than {limit:,} bytes unpacked; not read further")
            return
        left -= len(block)
        yield block


def _gunzip(stream: BinaryIO) -> Iterator[bytes | Damage]:
    """One gzip member and nothing after it: bytes behind its end are no part of what CloudTrail delivered."""
    unpacker = zlib.decompressobj(wbits=31)
    pending = b""
    while not unpacker.eof:
        data = pending or stream.read(HEAD)
        if not data:
            yield Damage("gzip data ends early: the file is cut off")
            return
        try:
            block = unpacker.decompress(data, BLOCK)
        except zlib.error as error:
            yield Damage(f"gzip data is damaged: {error}")
            return
        pending = unpacker.unconsumed_tail
        if block:
            yield block
    if unpacker.unused_data or stream.read(1):
        yield Damage("there is more data after the end of the gzip data")


def answers(case: Case, answer_items: Iterable[Item], mark: re.Pattern[bytes]) -> Iterator[tuple[str, object]]:
    """The answers of acquisitions whose line holds `mark`, each with the evidence id of its file."""
    for item in answer_items:
        data = content(case, item, LONGEST_DIGEST)
        for line in data.split(b"\n") if isinstance(data, bytes) else []:
            if mark.search(line):
                yield item.evidence_id, json_in(line)


def json_in(data: bytes) -> object:
    """The JSON value in `data`; None where it is none (or nested without end)."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
