"""One CloudTrail digest file: what it states, and the text that its signature is over.

Reference: AWS CloudTrail User Guide, "CloudTrail digest file structure" and "Custom implementations of
CloudTrail log file integrity validation".
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from playbooks.evidence.cloudtrail.items import json_in

SHA256 = re.compile(r"[0-9a-f]{64}")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
PATH = re.compile(
    r"(?:.*/)?AWSLogs/(?:o-[a-z0-9]+/)?(?P<account>\d{12})/CloudTrail-Digest/(?P<region>[a-z0-9-]+)/\d{4}/\d\d/\d\d/"
    r"(?P=account)_CloudTrail-Digest_(?P=region)_(?P<name>[A-Za-z0-9._-]+)_(?P<home>[a-z0-9-]+)"
    r"_\d{8}T\d{6}Z(?P<backfill>_backfill)?\.json\.gz"
)
PREVIOUS = ("previousDigestS3Bucket", "previousDigestS3Object", "previousDigestHashValue", "previousDigestSignature")
LONGEST_TEXT = 4096


@dataclass(frozen=True, order=True)
class Trail:
    """What has one chain of digest files: a trail in one region of one account; late log files have their own chain."""

    account: str
    region: str
    name: str
    home_region: str
    backfill: bool

    def words(self) -> str:
        """The trail in words."""
        late = " (backfill)" if self.backfill else ""
        return f"{self.account} {self.region} trail {self.name}{late}"


@dataclass(frozen=True)
class Previous:
    """What a digest file states of the one before it."""

    bucket: str
    key: str
    sha256: str
    signature: str

    @property
    def path(self) -> tuple[str, str]:
        return self.bucket, self.key


@dataclass(frozen=True)
class Named:
    """A log file that a digest file names: where it lay, and the SHA-256 of its unpacked content."""

    bucket: str
    key: str
    sha256: str


@dataclass(frozen=True)
class Digest:
    """The statement of one digest file; `sha256` is that of its own unpacked content."""

    evidence_id: str
    sha256: str
    trail: Trail
    start: dt.datetime
    end: dt.datetime
    bucket: str
    key: str
    fingerprint: str
    previous: Previous | None
    logs: tuple[Named, ...]

    @property
    def path(self) -> tuple[str, str]:
        return self.bucket, self.key

    def signed_text(self) -> bytes:
        """The text that CloudTrail signs: end time, path, SHA-256 of the content, signature of the file before."""
        before = self.previous.signature if self.previous else "null"
        end = self.end.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"{end}\n{self.bucket}/{self.key}\n{self.sha256}\n{before}".encode()


class NoDigest(ValueError):
    """The content is not that of a digest file; says why."""


def read_digest(evidence_id: str, data: bytes) -> Digest:
    """The digest file in `data` (unpacked).

    Raises
    ------
    NoDigest
        It is none: a field is missing or not of its form.
    """
    stated = json_in(data)
    if not isinstance(stated, dict):
        raise NoDigest("no JSON object")
    key = _text(stated, "digestS3Object")
    path = PATH.fullmatch(key)
    if not path or path["account"] != _text(stated, "awsAccountId"):
        raise NoDigest(f"its path is not that of a digest file of its account: {key[:200]!r}")
    if stated.get("digestSignatureAlgorithm", "SHA256withRSA") != "SHA256withRSA":
        raise NoDigest("digestSignatureAlgorithm is not SHA256withRSA")
    digest = Digest(
        evidence_id=evidence_id,
        sha256=hashlib.sha256(data).hexdigest(),
        trail=Trail(path["account"], path["region"], path["name"], path["home"], bool(path["backfill"])),
        start=_moment(stated, "digestStartTime"),
        end=_moment(stated, "digestEndTime"),
        bucket=_text(stated, "digestS3Bucket"),
        key=key,
        fingerprint=_text(stated, "digestPublicKeyFingerprint").lower(),
        previous=_previous(stated),
        logs=_logs(stated),
    )
    if digest.start >= digest.end:
        raise NoDigest("digestStartTime does not lie before digestEndTime")
    return digest


def _previous(stated: Mapping[str, Any]) -> Previous | None:
    """None in the first digest file of a chain: all its fields of the one before are null."""
    if missing := [name for name in PREVIOUS if name not in stated]:
        raise NoDigest(f"{missing[0]} is missing")
    if all(stated[name] is None for name in PREVIOUS):
        return None
    if stated.get("previousDigestHashAlgorithm") != "SHA-256":
        raise NoDigest("previousDigestHashAlgorithm is not SHA-256")
    bucket, key, _, signature = (_text(stated, name) for name in PREVIOUS)
    return Previous(bucket, key, _sha256(stated, "previousDigestHashValue"), signature)


def _logs(stated: Mapping[str, Any]) -> tuple[Named, ...]:
    listed = stated.get("logFiles", "missing")
    if listed is not None and not isinstance(listed, list):
        raise NoDigest("logFiles is not a list")
    return tuple(_named(entry) for entry in listed or [])


def _named(entry: object) -> Named:
    if not isinstance(entry, dict) or entry.get("hashAlgorithm") != "SHA-256":
        raise NoDigest("an entry of logFiles has no SHA-256")
    return Named(_text(entry, "s3Bucket"), _text(entry, "s3Object"), _sha256(entry, "hashValue"))


def _text(stated: Mapping[str, Any], name: str) -> str:
    value = stated.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT or not value.isascii():
        raise NoDigest(f"{name} is missing or no text")
    return value


def _sha256(stated: Mapping[str, Any], name: str) -> str:
    value = _text(stated, name).lower()
    if not SHA256.fullmatch(value):
        raise NoDigest(f"{name} is no SHA-256")
    return value


def _moment(stated: Mapping[str, Any], name: str) -> dt.datetime:
    text = _text(stated, name)
    if not STAMP.fullmatch(text):
        raise NoDigest(f"{name} is no time such as 2026-03-10T10:00:00Z: {text[:40]!r}")
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise NoDigest(f"{name} is no time: {text[:40]!r}") from error
