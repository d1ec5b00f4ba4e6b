"""CloudTrail as it lies in S3: log files and digest files, byte for byte, with the metadata of each object.

The newest digest file is signed in its metadata only (`signature`, `signature-algorithm`), so the metadata
stands in the line of the acquisition. Files that an earlier acquisition of the case took are not taken again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from playbooks.case_file import Window
from playbooks.errors import UsageError
from playbooks.evidence.acquire.answers import Outcome, full_disk_named
from playbooks.evidence.acquire.aws_client import BLOCK, Limits, OutOfBounds, Reply
from playbooks.evidence.acquire.aws_things import found, text
from playbooks.evidence.acquire.earlier import Known, fingerprint_of, key_of

DAY = dt.timedelta(days=1)
DATED = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/")
LONGEST_NAME = 100


class Asked(Protocol):
    """What copying needs of the job it is part of."""

    @property
    def account(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def folder(self) -> Path: ...
    @property
    def window(self) -> Window | None: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def known(self) -> Mapping[str, Known]: ...


class Writer(Protocol):
    """What copying needs of the collection it is part of."""

    @property
    def job(self) -> Asked: ...
    @property
    def attachments(self) -> list[Path]: ...
    def ask(self, service: str, operation: str, request: Mapping[str, Any]) -> Reply: ...
    def write(
        self,
        service: str,
        operation: str,
        request: Mapping[str, Any],
        resource: str,
        reply: Reply,
        key: str,
        parent: str,
        page: int = 1,
        more: Mapping[str, Any] | None = None,
    ) -> None: ...


def bucket_and_prefixes(location: str) -> tuple[str, tuple[str, ...]]:
    """Bucket and prefixes of `s3://bucket/prefix`; a prefix of log files brings that of their digest files.

    Raises
    ------
    UsageError
        It is no such location.
    """
    parts = urlsplit(location)
    if parts.scheme != "s3" or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", parts.netloc) or parts.query:
        raise UsageError(f"--cloudtrail-s3 {location!r}: expected s3://BUCKET/PREFIX, such as s3://trail/AWSLogs/.")
    prefix = parts.path.lstrip("/")
    digests = re.sub(r"(^|/)CloudTrail/", r"\1CloudTrail-Digest/", prefix)
    return parts.netloc, tuple(dict.fromkeys((prefix, digests)))


def copy_trail(writer: Writer, location: str, told: Callable[[str], None]) -> None:
    """Copy the objects of a prefix whose day lies in the window.

    Parameters
    ----------
    writer
        The collection that the answers and files become part of.
    location
        `s3://bucket/prefix`.
    told
        Called with the key of each object.
    """
    bucket, prefixes = bucket_and_prefixes(location)
    for prefix in prefixes:
        for listed, parent in _listed(writer, bucket, prefix):
            name = text(listed, "Key")
            if name and not name.endswith("/") and _in_window(name, writer.job.window):
                told(name)
                _copy(writer, bucket, listed, parent)


def _listed(writer: Writer, bucket: str, prefix: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """Objects of a prefix, each with the question whose answer names it."""
    request = {"Bucket": bucket, "Prefix": prefix}
    first = token = ""
    for page in count(1):
        key = key_of(writer.job.account, writer.job.label, "s3", "ListObjectsV2", request, page)
        sent = {**request, "ContinuationToken": token} if token else request
        if page > writer.job.limits.pages:
            words = f"more than {writer.job.limits.pages:,} pages: the rest was not asked for"
            reply = _reply(Outcome.FAILED, "OutOfBounds", words)
        else:
            reply = writer.ask("s3", "ListObjectsV2", sent)
        writer.write("s3", "ListObjectsV2", sent, f"s3://{bucket}/{prefix}", reply, key, first, page)
        if reply.outcome is not Outcome.ANSWERED:
            return
        first = first or key
        for listed in found(reply.parsed, "Contents"):
            if isinstance(listed, Mapping):
                yield listed, key
        before, token = token, text(reply.parsed, "NextContinuationToken")
        if not token or token == before:
            return


def _in_window(name: str, window: Window | None) -> bool:
    """Whether an object's day lies in the window, or a day beside it: records arrive late. Undated ones do."""
    dated = DATED.search(name)
    if not dated or window is None:
        return True
    try:
        day = dt.datetime(int(dated[1]), int(dated[2]), int(dated[3]), tzinfo=dt.UTC)
    except ValueError:
        return True
    return window.start - 2 * DAY < day < window.end + DAY


def _copy(writer: Writer, bucket: str, listed: Mapping[str, Any], parent: str) -> None:
    request = {"Bucket": bucket, "Key": text(listed, "Key")}
    where = f"s3://{bucket}/{request['Key']}"
    key = key_of(writer.job.account, writer.job.label, "s3", "GetObject", request, 1)
    mark = fingerprint_of(Outcome.ANSWERED, None, {"ETag": text(listed, "ETag"), "Size": text(listed, "Size")})
    known = writer.job.known.get(key)
    if known and known.fingerprint == mark:
        more = {"same_as": known.ref, "fingerprint": mark}
        writer.write("s3", "GetObject", request, where, _reply(Outcome.UNCHANGED), key, parent, more=more)
        return
    reply = writer.ask("s3", "GetObject", request)
    stream = reply.parsed.get("Body")
    reply = replace(reply, parsed={name: value for name, value in reply.parsed.items() if name != "Body"})
    facts: dict[str, Any] = {}
    if stream is not None:
        file = _file(writer.job.folder, request["Key"])
        reply, facts = _save(reply, stream, file, writer.job.limits)
        if facts:
            writer.attachments.append(file)
    writer.write("s3", "GetObject", request, where, reply, key, parent, more={**facts, "fingerprint": mark})


def _file(folder: Path, name: str) -> Path:
    """A plain name for an object's file, made of the end of its key; another one where that is taken."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", name.rpartition("/")[2]).lstrip(".-")[-LONGEST_NAME:]
    file = folder / (plain or "object")
    return file.with_name(f"{hashlib.sha256(name.encode()).hexdigest()[:8]}-{file.name}") if file.exists() else file


def _save(reply: Reply, stream: Any, file: Path, limits: Limits) -> tuple[Reply, dict[str, Any]]:
    """Write an object into a file; what the line says of it, nothing where it was not taken."""
    from botocore.exceptions import BotoCoreError

    digest, size, end = hashlib.sha256(), 0, time.monotonic() + 4 * limits.answer_seconds
    try:
        with file.open("xb") as target:
            while block := stream.read(BLOCK):
                size += len(block)
                if size > limits.object_bytes or time.monotonic() > end:
                    raise OutOfBounds(
                        f"the object is larger than {limits.object_bytes:,} bytes, or too slow: not taken"
                    )
                with full_disk_named(file):
                    target.write(block)
                digest.update(block)
    except (BotoCoreError, OutOfBounds) as error:
        file.unlink(missing_ok=True)
        return replace(reply, outcome=Outcome.FAILED, code=type(error).__name__, message=str(error)), {}
    finally:
        stream.close()
    return reply, {"sha256": digest.hexdigest(), "size": size, "kept_in": file.name}


def _reply(outcome: Outcome, code: str = "", message: str = "") -> Reply:
    now = dt.datetime.now(dt.UTC)
    return Reply(outcome, now, now, 0, code=code, message=message)
